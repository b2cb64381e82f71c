"""Files of weights are told apart by content, wherever the suffix says nothing."""

import argparse
import datetime
import io
import pickle
import zipfile
from pathlib import PurePosixPath

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from experiments.models.registry import load_model
from experiments.readers.arrays import read_arrays
from experiments.readers.kinds import kind_of
from polytope.errors import FileFormatError
from tests.campaigns.fuzz_arrays import archive

STATE = nn.Linear(5, 6).state_dict()
ADAM = torch.optim.Adam(nn.Linear(2, 2).parameters()).state_dict()
BESIDE = {
    "model_state": STATE,
    "acc": np.float64(0.5),
    "loss": np.arange(3.0),
    "args": argparse.Namespace(rate=0.1, folder=PurePosixPath("runs")),
    "when": datetime.datetime(2020, 1, 2),
    "history": list(range(200_000)),
}


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("name", ["net.model", "net.pyt", "net.pkl", "net.ckpt", "net.tar", "net"])
def test_a_file_of_torch_under_any_suffix(tmp_path, name, zipped):
    path = tmp_path / name
    torch.save(STATE, path, _use_new_zipfile_serialization=zipped)
    found = read_arrays(path)
    assert all(torch.equal(found[key], value) for key, value in STATE.items())
    assert kind_of(path) == "torch"


def test_arrays_and_safetensors_under_any_suffix(tmp_path):
    arrays = {key: value.numpy() for key, value in STATE.items()}
    np.savez(tmp_path / "net.npz", **arrays)
    np.save(tmp_path / "net.npy", arrays["weight"])
    save_file(dict(STATE), tmp_path / "net.safetensors")
    for name, kind in [("npz", "numpy"), ("npy", "numpy"), ("safetensors", "safetensors")]:
        path = (tmp_path / f"net.{name}").rename(tmp_path / f"{name}.weights")
        assert kind_of(path) == kind
        found = next(iter(read_arrays(path).values()))
        assert tuple(found.shape) in [(6, 5), (6,)]


def agent(path, state, version="2.0"):
    """As stable-baselines3 lays out its archives."""
    stream = io.BytesIO()
    torch.save(state, stream)
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("data", "{}")
        packed.writestr("policy.pth", stream.getvalue())
        packed.writestr("policy.optimizer.pth", b"not read")
        packed.writestr("_stable_baselines3_version", version)
    return path


def net(tmp_path):
    (tmp_path / "nets.py").write_text(
        "from torch import nn\n\ndef net():\n    return nn.Linear(5, 6)\n"
    )
    return f"{tmp_path / 'nets.py'}:net"


@pytest.mark.parametrize(
    "saved",
    [
        BESIDE,
        {"state_dict": [STATE], "epoch": 3},
        [STATE, ADAM],
        (7, {"nets": ({"a": [{"module": STATE}]}, "words")}),
        {"model": {f"module.{key}": value for key, value in STATE.items()}, "optimizer": ADAM},
    ],
)
def test_a_state_in_lists_and_beside_metrics(tmp_path, saved):
    path = tmp_path / "checkpoint.pth"
    for zipped in (True, False):
        torch.save(saved, path, _use_new_zipfile_serialization=zipped)
        loaded = load_model(net(tmp_path), path).module.state_dict()
        assert all(torch.equal(loaded[key], value) for key, value in STATE.items())


def test_the_policy_of_an_agent(tmp_path):
    path = agent(tmp_path / "agent.zip", {f"q_net.{key}": value for key, value in STATE.items()})
    assert sorted(read_arrays(path)) == ["q_net.bias", "q_net.weight"]
    loaded = load_model(net(tmp_path), path).module
    assert torch.equal(loaded.weight, STATE["weight"])
    whole = path.read_bytes()
    for size in range(0, len(whole), 97):
        path.write_bytes(whole[:size])
        with pytest.raises(FileFormatError):
            read_arrays(path)
    place = whole.index(STATE["weight"].numpy().tobytes())
    path.write_bytes(whole[:place] + b"\x01" + whole[place + 1 :])
    with pytest.raises(FileFormatError, match="Bad CRC-32"):
        read_arrays(path)


MADE = []


def count():
    MADE.append(1)


class Called:
    def __reduce__(self):
        return count, ()


class Renamed:
    """Pickled as a call of numpy's `scalar`, which is made of nothing but a stand-in."""

    def __reduce__(self):
        return np._core.multiarray.scalar, (np.dtype("O"), Called())


def test_values_beside_the_weights_are_not_made(tmp_path):
    path = tmp_path / "net.pth"
    for value in (Called(), Renamed()):
        torch.save({"state": STATE, "beside": value}, path)
        with pytest.raises(FileFormatError, match=r"a pickle that names code \(.*count\)"):
            read_arrays(path)
    torch.save({"state": STATE, "beside": argparse.Namespace(a=np.float32(2))}, path)
    assert sorted(read_arrays(path)) == ["state.bias", "state.weight"]
    assert MADE == []


def test_lists_that_hold_themselves_or_are_held_many_times(tmp_path):
    path = tmp_path / "net.pth"
    own = [STATE]
    own.append(own)
    many = [STATE]
    for _ in range(30):
        many = [many, many]
    for value in (own, many):
        torch.save(value, path)
        with pytest.raises(FileFormatError, match="at most 100,000 names, 32 mappings deep"):
            read_arrays(path)


def script():
    stream = io.BytesIO()
    torch.jit.save(torch.jit.script(nn.Linear(5, 6)), stream)
    return stream.getvalue()


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
@pytest.mark.parametrize(
    ("name", "make", "words"),
    [
        ("net.pkl", lambda: pickle.dumps({"weight": [1]}), r"got a pickle \(.*which can hold code"),
        ("net.h5", lambda: b"\x89HDF\r\n\x1a\n" + bytes(90), r"got an HDF5 file \(98 bytes\)"),
        ("net.skops", lambda: archive([("schema.json", b"{}")]), "an estimator saved by skops"),
        ("net.keras", lambda: archive([("model.weights.h5", b"")]), "a network of Keras, which"),
        ("net.zip", lambda: archive([("a.txt", b"words")]), "got one with 'a.txt' and 0 more"),
        ("net.weights", lambda: b"plain words, no arrays", "a file that starts with b'plain wo'"),
        ("net.pt", script, "got a program of TorchScript, which is never run"),
        ("net.model", script, "got a program of TorchScript, which is never run"),
    ],
)
def test_what_is_no_file_of_weights_is_named(tmp_path, name, make, words):
    path = tmp_path / name
    path.write_bytes(make())
    with pytest.raises(FileFormatError, match=words) as caught:
        read_arrays(path)
    assert "\n" not in str(caught.value)
