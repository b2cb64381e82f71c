import io
import pickle
import sys
import zipfile

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from experiments.models.registry import load_model
from experiments.models.weights import load_weights
from experiments.readers.arrays import read_arrays
from polytope.errors import FileFormatError, InputError, NonFiniteError, ShapeError

FACTORY = """
import torch
from torch import nn

class Net(nn.Module):
    input_shape = (4,)
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(4, 3)
        self.bn = nn.BatchNorm1d(3)
        self.fc2 = nn.Linear(3, 2)
    def forward(self, x):
        return self.fc2(torch.relu(self.bn(self.fc1(x))))

def broken():
    raise ValueError("no such layer\\nand more")

def leaving():
    raise SystemExit(3)

def number():
    return 3

def infinite():
    net = Net()
    net.fc2.bias.data[1] = float("inf")
    return net

answer = 42
"""


@pytest.fixture
def factory(tmp_path):
    path = tmp_path / "nets.py"
    path.write_text(FACTORY)
    return path


def test_a_built_in_network():
    loaded = load_model("mlp")
    assert loaded.input_shape == (784,)
    assert loaded.source == "random (seed 0): no --weights"
    assert not loaded.module.training
    again, other = load_model("mlp"), load_model("mlp", seed=1)
    assert torch.equal(loaded.module.output.weight, again.module.output.weight)
    assert not torch.equal(loaded.module.output.weight, other.module.output.weight)


def test_the_seed_of_a_factory_leaves_the_callers_alone():
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    load_model("mlp")
    assert torch.equal(torch.rand(3), wanted)


def test_a_factory_of_a_file(factory):
    loaded = load_model(f"{factory}:Net")
    assert loaded.input_shape == (4,)
    assert list(loaded.files) == [str(factory)]
    assert loaded.module(torch.zeros(1, 4)).shape == (1, 2)
    assert load_model(f"{factory}:Net", input_shape=(1, 4)).input_shape == (1, 4)


def test_a_factory_of_a_package(factory, monkeypatch):
    monkeypatch.chdir(factory.parent)
    before = list(sys.path)
    try:
        assert isinstance(load_model("nets:Net").module, nn.Module)
    finally:
        sys.modules.pop("nets", None)
    assert sys.path == before
    assert isinstance(load_model("experiments.models.mlp:MLP").module, nn.Module)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("broken", "got ValueError: no such layer$"),
        ("leaving", "got SystemExit: 3"),
        ("number", "to return a torch.nn.Module, got int"),
        (
            "answer",
            r"a callable of .*\(Net, broken, leaving, number, infinite\), got 'ans",
        ),
        ("absent", "got 'absent'"),
        ("infinite", r"fc2.bias: expected finite numbers, got inf at index \[1\]"),
    ],
)
def test_a_factory_that_fails_is_one_sentence(factory, name, message):
    with pytest.raises(InputError, match=message):
        load_model(f"{factory}:{name}")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("resnet", r"expected a built-in name \(mlp, .*FILE.onnx; got 'resnet'"),
        ("net.pt", r"net.pt, which holds weights and no architecture \(give it as --weights\)"),
        ("absent.py:Net", "absent.py, which does not exist"),
        ("no.such.package:Net", "ModuleNotFoundError"),
        (":Net", "got ':Net'"),
        ("nets.py:", "got 'nets.py:'"),
    ],
)
def test_words_that_are_no_model(spec, message):
    with pytest.raises(InputError, match=message):
        load_model(spec)


def test_a_file_with_an_error_of_syntax(tmp_path):
    path = tmp_path / "bad.py"
    path.write_text("def f(:\n")
    with pytest.raises(InputError, match="got SyntaxError"):
        load_model(f"{path}:f")
    assert "_collide_user_bad" not in sys.modules


def state(factory, seed=3):
    return dict(load_model(f"{factory}:Net", seed=seed).module.state_dict())


def written(tmp_path, kind, tensors):
    path = tmp_path / f"weights.{kind}"
    if kind == "safetensors":
        save_file({name: value.contiguous() for name, value in tensors.items()}, path)
    elif kind == "npz":
        np.savez(path, **{name: value.numpy() for name, value in tensors.items()})
    else:
        torch.save(tensors, path)
    return path


@pytest.mark.parametrize("kind", ["safetensors", "npz", "pt", "pth"])
def test_weights_of_every_format(factory, tmp_path, kind):
    tensors = state(factory)
    path = written(tmp_path, kind, tensors)
    loaded = load_model(f"{factory}:Net", path)
    assert loaded.source == str(path)
    assert set(loaded.files) == {str(factory), str(path)}
    assert all(torch.equal(v, tensors[k]) for k, v in loaded.module.state_dict().items())


@pytest.mark.parametrize("prefix", ["module.", "state_dict.", "model.net."])
def test_one_prefix_is_taken_off(factory, tmp_path, prefix):
    tensors = {prefix + name: value for name, value in state(factory).items()}
    path = written(tmp_path, "safetensors", tensors | {"optimizer.step": torch.zeros(1)})
    loaded = load_model(f"{factory}:Net", path).module
    assert torch.equal(loaded.fc1.weight, tensors[f"{prefix}fc1.weight"])
    both = tensors | {f"ema.{name}": value for name, value in state(factory).items()}
    with pytest.raises(FileFormatError, match=r"expected one state dict, got 2: under 'ema.'"):
        load_model(f"{factory}:Net", written(tmp_path, "npz", both))


def test_missing_and_unexpected_tensors_are_named(factory, tmp_path):
    tensors = state(factory)
    tensors["fc3.weight"] = tensors.pop("fc2.weight")
    del tensors["bn.num_batches_tracked"]  # bookkeeping: it may be absent
    path = written(tmp_path, "safetensors", tensors)
    with pytest.raises(
        FileFormatError,
        match=r"expected the 8 tensors .* with 'fc2.weight' missing and 'fc3.weight' that the mo",
    ):
        load_model(f"{factory}:Net", path)
    with pytest.raises(FileFormatError, match=r"'bn.bias', .* and 3 more missing"):
        load_model(f"{factory}:Net", written(tmp_path, "npz", {"a": torch.zeros(1)}))


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (torch.zeros(4, 3), ShapeError, r"fc1.weight: expected shape \(3, 4\) .* got \(4, 3\)"),
        (torch.full((3, 4), torch.nan), NonFiniteError, r"got nan at index \[0, 0\]"),
        (
            torch.full((3, 4), 0.1, dtype=torch.float64),
            InputError,
            "torch.float32, the model's type, holds ex",
        ),
        (
            torch.full((3, 4), 1e300, dtype=torch.float64),
            InputError,
            "holds exactly, got torch.float64",
        ),
        (torch.zeros(3, 4) + 1j, InputError, "real numbers, got one complex"),
        (torch.eye(3, 4).to_sparse(), InputError, "of layout torch.sparse_coo"),
        (torch.zeros(3, 4, device="meta"), InputError, "without data"),
    ],
)
def test_tensors_that_do_not_fit(factory, tmp_path, value, error, message):
    path = written(tmp_path, "pt", state(factory) | {"fc1.weight": value})
    with pytest.raises(error, match=message):
        load_model(f"{factory}:Net", path)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_types_are_taken_where_nothing_is_rounded(factory, tmp_path, dtype):
    halves = {k: v.to(dtype) if v.is_floating_point() else v for k, v in state(factory).items()}
    loaded = load_model(f"{factory}:Net", written(tmp_path, "safetensors", halves)).module
    assert loaded.fc1.weight.dtype == torch.float32
    assert torch.equal(loaded.fc1.weight.to(dtype), halves["fc1.weight"])


class Evil:
    def __reduce__(self):
        return (print, ("this code must not run",))


def test_code_in_a_pickle_is_not_run(factory, tmp_path, capsys):
    path = tmp_path / "evil.pt"
    torch.save({"fc1.weight": Evil()}, path)
    with pytest.raises(FileFormatError, match="holds tensors alone"):
        load_model(f"{factory}:Net", path)
    (tmp_path / "old.pt").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(FileFormatError, match="holds tensors alone"):
        load_model(f"{factory}:Net", tmp_path / "old.pt")
    (tmp_path / "old.pkl").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(FileFormatError, match="save the tensors with safetensors"):
        load_model(f"{factory}:Net", tmp_path / "old.pkl")
    assert "must not run" not in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["safetensors", "npz", "pt"])
def test_every_cut_is_one_error(factory, tmp_path, kind):
    path = written(tmp_path, kind, state(factory))
    whole = path.read_bytes()
    for size in [0, 1, 7, 20, len(whole) // 2, len(whole) - 1]:
        path.write_bytes(whole[:size])
        with pytest.raises(FileFormatError):
            load_model(f"{factory}:Net", path)


@pytest.mark.parametrize("kind", ["safetensors", "npz", "pt"])
def test_foreign_files_are_named(factory, tmp_path, kind):
    path = tmp_path / f"weights.{kind}"
    for data, message in [
        (b"", r"got an empty one \(0 bytes\)"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:12\n", "a Git LFS pointer to it"),
        (b"\n<!DOCTYPE HTML><html>no</html>", "got a web page"),
        (b"just some text", "expected a readable"),
    ]:
        path.write_bytes(data)
        with pytest.raises(FileFormatError, match=message):
            load_model(f"{factory}:Net", path)
    with pytest.raises(FileFormatError, match=r"absent.pt: expected a readable .* No such file"):
        load_model(f"{factory}:Net", tmp_path / "absent.pt")
    (tmp_path / "folder").mkdir()
    with pytest.raises(FileFormatError, match=r"expected a file, got a folder without one of"):
        load_model(f"{factory}:Net", tmp_path / "folder")


def header(shape):
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        stream, {"descr": "<f8", "fortran_order": False, "shape": shape}
    )
    return stream.getvalue()


def test_an_array_that_claims_more_than_there_is(tmp_path):
    path = tmp_path / "big.npy"
    path.write_bytes(header((1 << 40,)) + bytes(64))
    with pytest.raises(FileFormatError, match=r"expected 8,796,093,022,208 bytes behind .*got 64"):
        read_arrays(path)
    packed = tmp_path / "big.npz"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("weight.npy", header((1 << 20, 1 << 20)))
    with pytest.raises(FileFormatError, match=r"8,796,093,022,208 bytes .* got 0"):
        read_arrays(packed)
    bomb = tmp_path / "bomb.npz"
    np.savez_compressed(bomb, weight=np.zeros(1 << 20))
    with pytest.raises(FileFormatError, match="headers that declare 8,388,"):
        read_arrays(bomb)
    fair = tmp_path / "fair.npz"
    np.savez_compressed(fair, weight=np.zeros(1000), bias=np.arange(9))
    assert read_arrays(fair)["weight"].shape == (1000,)


def test_weights_into_a_network_of_any_module():
    net = nn.Sequential(nn.Linear(2, 2))
    with pytest.raises(FileFormatError, match=r"no-such-file\.npz: expected"):
        load_weights(net, "no-such-file.npz")


def test_an_onnx_file_takes_no_weights(tmp_path):
    with pytest.raises(InputError, match=r"weights: expected none with a.onnx"):
        load_model("a.onnx", tmp_path / "w.npz")


def test_published_weights_come_with_their_preprocessing(tmp_path):
    from experiments.models.squeezenet import SqueezeNet

    torch.manual_seed(0)
    path = tmp_path / "squeeze.pt"
    state = SqueezeNet().state_dict()
    torch.save({k: v for k, v in state.items() if not k.startswith("step.")}, path)
    loaded = load_model("squeezenet", path)
    assert loaded.input_shape == (3, 224, 224)
    assert loaded.ends == load_model("squeezenet").ends == (0, 255)
    assert loaded.source == f"{path} (torchvision)"
    assert set(map(len, loaded.files.values())) == {64}
    assert load_model("lenet5").ends == (0, 1)
    np.savez(tmp_path / "weights.npz", a=np.zeros(3))
    with pytest.raises(FileFormatError, match=r"weights\.npz"):
        load_model("vgg16", tmp_path / "weights.npz")
