import os

import pytest

from experiments.run import files
from polytope.errors import OutputError


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_json_refuses_nan(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        files.write_json(tmp_path / "a.json", {"x": float("nan")})
    assert names(tmp_path) == []


def test_run_folder_is_made_with_parents_and_left_empty(tmp_path):
    folder = files.open_run_folder(tmp_path / "a" / "b")
    assert names(folder) == []
    assert files.open_run_folder(folder) == folder


def test_run_folder_that_is_a_file(tmp_path):
    (tmp_path / "a").write_text("")
    with pytest.raises(OutputError, match="is a file"):
        files.open_run_folder(tmp_path / "a")
    with pytest.raises(OutputError, match="Not a directory"):
        files.open_run_folder(tmp_path / "a" / "b")


def test_run_folder_that_cannot_be_written(tmp_path):
    if os.geteuid() == 0:
        folder = files.Path("/proc/self")  # refuses new files even to root
    else:
        folder = tmp_path / "locked"
        folder.mkdir(mode=0o500)
    with pytest.raises(OutputError, match="cannot be written"):
        files.open_run_folder(folder)


def test_numbered_run_folders(tmp_path):
    made = [files.next_run_folder(tmp_path / "runs", "mnist").name for _ in range(3)]
    assert made == ["mnist-000", "mnist-001", "mnist-002"]
