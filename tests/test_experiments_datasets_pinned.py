"""Files of the cache: known by their checksums, copied from folders of the user's."""

from pathlib import Path

import pytest

from experiments.datasets import pinned
from polytope.errors import ChecksumError


def test_check_sha256_names_file_expected_and_got():
    with pytest.raises(ChecksumError, match=r"f: expected SHA-256 00, got e3b0c4.*an empty file"):
        pinned.check_sha256(b"", "00", "f")


def test_data_root(monkeypatch, tmp_path):
    monkeypatch.delenv("COLLIDE_DATA", raising=False)
    assert pinned.data_root().parts[-2:] == (".cache", "collision-polytopes")
    monkeypatch.setenv("COLLIDE_DATA", str(tmp_path))
    assert pinned.data_root() == tmp_path
    assert pinned.data_root("x") == Path("x")
