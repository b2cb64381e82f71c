"""Checkpoints: what comes back, what is refused, what a kill leaves behind."""

import errno
import hashlib
import json
import os

import pytest
import torch

from optimize.search import checkpoint
from optimize.search.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from polytope.errors import ChecksumError, FileFormatError, InputError, OutputError

TENSORS = {
    "points": torch.tensor([[0.1, -0.0], [float("nan"), float("inf")]], dtype=torch.float64),
    "codes": torch.tensor([3, -1]),
}


def test_what_is_saved_comes_back_bit_for_bit(tmp_path):
    save_checkpoint(tmp_path / "new", Checkpoint(7, TENSORS), "mine")
    loaded = load_checkpoint(tmp_path / "new", "mine")
    assert loaded.step == 7
    assert set(loaded.tensors) == set(TENSORS)
    for name, tensor in TENSORS.items():
        assert torch.equal(loaded.tensors[name].view(torch.int64), tensor.view(torch.int64))


def test_an_empty_folder_holds_none(tmp_path):
    assert load_checkpoint(tmp_path, "mine") is None
    assert load_checkpoint(tmp_path / "absent", "mine") is None


def test_only_the_last_state_is_kept(tmp_path):
    for step in (1, 2, 3):
        save_checkpoint(tmp_path, Checkpoint(step, TENSORS), "mine")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "search.json",
        "state-3.safetensors",
    ]


def test_a_kill_before_the_index_leaves_the_checkpoint_before(tmp_path, monkeypatch):
    save_checkpoint(tmp_path, Checkpoint(1, TENSORS), "mine")

    def killed(path, text):
        assert path.name == "search.json"
        raise KeyboardInterrupt

    monkeypatch.setattr(checkpoint, "write_text", killed)
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(tmp_path, Checkpoint(2, TENSORS), "mine")
    assert load_checkpoint(tmp_path, "mine").step == 1


def test_another_searchs_checkpoint_is_refused(tmp_path):
    save_checkpoint(tmp_path, Checkpoint(1, TENSORS), "theirs")
    with pytest.raises(InputError, match=f"got another search's in {tmp_path}"):
        load_checkpoint(tmp_path, "mine")


@pytest.mark.parametrize("damage", ["alter", "remove"])
def test_an_altered_state_is_refused(tmp_path, damage):
    save_checkpoint(tmp_path, Checkpoint(1, TENSORS), "mine")
    state = tmp_path / "state-1.safetensors"
    if damage == "remove":
        state.unlink()
    else:
        data = bytearray(state.read_bytes())
        data[-1] ^= 1
        state.write_bytes(data)
    with pytest.raises(ChecksumError, match="got another file in"):
        load_checkpoint(tmp_path, "mine")


@pytest.mark.parametrize(
    "change",
    [
        lambda _: "no json",
        lambda index: json.dumps({**index, "schema": "other"}),
        lambda index: json.dumps({**index, "state": "../elsewhere"}),
        lambda index: json.dumps({key: index[key] for key in index if key != "sha256"}),
        lambda _: "[]",
    ],
)
def test_a_foreign_index_is_refused(tmp_path, change):
    save_checkpoint(tmp_path, Checkpoint(1, TENSORS), "mine")
    path = tmp_path / "search.json"
    path.write_text(change(json.loads(path.read_text())))
    with pytest.raises(FileFormatError, match=r"checkpoint: .* got"):
        load_checkpoint(tmp_path, "mine")


def test_an_unwritable_folder_is_reported(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match=f"{tmp_path}/file cannot be written: File exists"):
        save_checkpoint(tmp_path / "file", Checkpoint(1, TENSORS), "mine")


def test_a_write_that_fails_leaves_no_scratch_file(tmp_path, monkeypatch):
    save_checkpoint(tmp_path, Checkpoint(1, TENSORS), "mine")

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="the disk is full"):
        save_checkpoint(tmp_path, Checkpoint(2, TENSORS), "mine")
    assert {path.name for path in tmp_path.iterdir()} == {"search.json", "state-1.safetensors"}


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"state": ""}, "expected schema"),
        ({"state": "."}, "expected schema"),
        ({"state": "../state-1.safetensors"}, "expected schema"),
        ({"step": "x"}, "expected a search index"),
        ({"step": 1e999}, "expected a search index"),
        ({"schema": ["a"] * 100}, "expected schema"),
    ],
)
def test_an_index_that_was_changed(tmp_path, change, match):
    save_checkpoint(tmp_path, Checkpoint(1, TENSORS), "mine")
    path = tmp_path / "search.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(FileFormatError, match=match):
        load_checkpoint(tmp_path, "mine")


def test_an_index_of_brackets_and_a_state_that_is_none(tmp_path):
    save_checkpoint(tmp_path, Checkpoint(1, TENSORS), "mine")
    path, state = tmp_path / "search.json", tmp_path / "state-1.safetensors"
    index = json.loads(path.read_text())
    state.write_bytes(b"no tensors")
    path.write_text(json.dumps(index | {"sha256": hashlib.sha256(b"no tensors").hexdigest()}))
    with pytest.raises(FileFormatError, match="expected tensors in"):
        load_checkpoint(tmp_path, "mine")
    path.write_text("[" * 100_000)
    with pytest.raises(FileFormatError, match="expected a search index"):
        load_checkpoint(tmp_path, "mine")
