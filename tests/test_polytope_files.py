"""Every file is whole or not there: written beside its place, then renamed."""

import errno
import os

import numpy as np
import pytest

from polytope import files
from polytope.errors import InputError, OutputError


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_write_replaces_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "a.txt"
    files.write_text(path, "old")
    files.write_text(path, "new é")
    assert path.read_bytes() == "new é".encode()
    assert names(tmp_path) == ["a.txt"]


def test_written_files_obey_the_umask(tmp_path):
    files.write_text(tmp_path / "ours", "")
    (tmp_path / "plain").write_text("")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_atomic_path_keeps_the_suffix_for_numpy(tmp_path):
    with files.atomic_path(tmp_path / "v.npz") as temporary:
        np.savez(temporary, a=np.arange(3))
    assert names(tmp_path) == ["v.npz"]
    assert np.load(tmp_path / "v.npz")["a"].tolist() == [0, 1, 2]


def test_a_failing_writer_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    files.write_text(path, "old")

    def write_half():
        with files.atomic_path(path) as temporary:
            temporary.write_text("half")
            raise InputError("halfway")

    with pytest.raises(InputError, match="halfway"):
        write_half()
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_a_full_disk_is_said_in_one_sentence(tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    files.write_text(tmp_path / "a.txt", "old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match=r"a\.txt cannot be written: the disk is full"):
        files.write_text(tmp_path / "a.txt", "new")
    assert (tmp_path / "a.txt").read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_writing_into_an_absent_folder(tmp_path):
    with pytest.raises(OutputError, match=r"absent/a\.txt cannot be written: No such file"):
        files.write_text(tmp_path / "absent" / "a.txt", "")


def test_hashes_agree_and_are_sha256(tmp_path):
    data = bytes(range(256)) * 9000  # more than one block
    (tmp_path / "a").write_bytes(data)
    assert files.sha256_file(tmp_path / "a") == files.sha256_bytes(data)
    assert files.sha256_bytes(b"abc").startswith("ba7816bf8f01cfea")
