"""Folders as Hugging Face lays them out: one file, shards with an index, and what is neither."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from experiments.models.registry import load_model
from experiments.readers.arrays import read_arrays
from polytope.errors import FileFormatError

STATE = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)).state_dict()
FIRST = {name: value for name, value in STATE.items() if name.startswith("0.")}
SECOND = {name: value for name, value in STATE.items() if name not in FIRST}
NAMES = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")
MAP = {name: NAMES[name in SECOND] for name in STATE}


def sharded(folder, places=MAP, parts=(FIRST, SECOND)):
    for name, tensors in zip(NAMES, parts, strict=True):
        save_file(dict(tensors), folder / name)
    index = {"metadata": {"total_size": 1}, "weight_map": places}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def net(folder):
    (folder / "nets.py").write_text(
        "from torch import nn\n\ndef net():\n"
        "    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))\n"
    )
    return f"{folder / 'nets.py'}:net"


@pytest.mark.parametrize("name", ["model.safetensors", "other.safetensors", "pytorch_model.bin"])
def test_one_file(tmp_path, name):
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    if name.endswith(".bin"):
        torch.save(STATE, folder / name)
    else:
        save_file(dict(STATE), folder / name)
    loaded = load_model(net(tmp_path), folder)
    assert all(torch.equal(v, STATE[k]) for k, v in loaded.module.state_dict().items())
    assert set(loaded.files) == {str(tmp_path / "nets.py"), str(folder / name)}


def test_shards(tmp_path):
    folder = tmp_path / "repository"
    folder.mkdir()
    sharded(folder)
    loaded = load_model(net(tmp_path), folder)
    assert all(torch.equal(v, STATE[k]) for k, v in loaded.module.state_dict().items())
    assert {path.rpartition("/")[2] for path in loaded.files} == {
        "nets.py",
        "model.safetensors.index.json",
        *NAMES,
    }


@pytest.mark.parametrize(
    ("places", "parts", "message"),
    [
        (
            MAP | {"more": NAMES[0]},
            (FIRST, SECOND),
            "the 3 tensors that the index names, got 2; 'mo",
        ),
        (MAP, (FIRST, STATE), "expected the 2 tensors that the index names, got 4; '0.bias' is in"),
        (
            MAP | {"0.bias": "../secret.safetensors"},
            (FIRST, SECOND),
            "files of the same folder, got",
        ),
        (MAP | {"0.bias": "/etc/passwd"}, (FIRST, SECOND), "files of the same folder, got"),
        (MAP | {"0.bias": 7}, (FIRST, SECOND), "got TypeError"),
        (MAP | {"0.bias": "absent.safetensors"}, (FIRST, SECOND), "got none named absent.safetens"),
        ([], (FIRST, SECOND), r"an index of tensors \(weight_map\), got AttributeError"),
        ({}, (FIRST, SECOND), "expected 1 to 1,000 files of the same folder"),
    ],
)
def test_an_index_that_is_not_right(tmp_path, places, parts, message):
    sharded(tmp_path, places, parts)
    with pytest.raises(FileFormatError, match=message):
        read_arrays(tmp_path)


def test_a_folder_without_tensors(tmp_path):
    with pytest.raises(
        FileFormatError, match=r"expected a file, got a folder without one of model"
    ):
        read_arrays(tmp_path)
    for name in ("a", "b"):
        save_file({"x": torch.ones(2)}, tmp_path / f"{name}.safetensors")
    with pytest.raises(FileFormatError, match=r"a folder with 2 files of safetensors and no index"):
        read_arrays(tmp_path)
    (tmp_path / "model.safetensors.index.json").write_text("{")
    with pytest.raises(FileFormatError, match="an index of tensors"):
        read_arrays(tmp_path)
    np.save(tmp_path / "model.npy", np.ones(2))
