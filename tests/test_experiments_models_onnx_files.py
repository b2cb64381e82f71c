"""ONNX files that are none, that point elsewhere, or ask for too much."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="needs the extra onnx")
from onnx import TensorProto  # noqa: E402

from experiments.models.onnx.reader import read_onnx  # noqa: E402
from polytope.errors import FileFormatError, InputError  # noqa: E402
from tests.examples.onnx_graphs import file, floats, model, op  # noqa: E402


def test_files_that_are_no_networks(tmp_path):
    path = file(tmp_path, [op("MatMul", "x w")], {"w": floats(40, 40)}, [1, 40])
    whole = path.read_bytes()
    bad = {
        "empty": (b"", r"got an empty one \(0 bytes\)"),
        "cut": (whole[: len(whole) // 2], "must be an ONNX file"),
        "text": (b"hello, this is text", "must be an ONNX file"),
        "page": (b"<!DOCTYPE html><html></html>", "got a web page"),
        "pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS"),
        "nothing": (onnx.ModelProto(ir_version=8).SerializeToString(), "without any operator"),
    }
    for name, (data, message) in bad.items():
        other = tmp_path / f"{name}.onnx"
        other.write_bytes(data)
        with pytest.raises(FileFormatError, match=message):
            read_onnx(other)
    with pytest.raises(FileFormatError, match="cannot be read: No such file"):
        read_onnx(tmp_path / "absent.onnx")


def test_an_invalid_graph_is_refused(tmp_path):
    net = model([op("Relu", "nothing")], {}, [1, 4])
    path = tmp_path / "net.onnx"
    path.write_bytes(net.SerializeToString())
    with pytest.raises(FileFormatError, match="must be a valid ONNX model"):
        read_onnx(path)
    with pytest.raises(FileFormatError, match=r"valid ONNX model|shapes and types that fit"):
        read_onnx(file(tmp_path, [op("MatMul", "x w")], {"w": floats(5, 2)}, [1, 4]))


def external(tmp_path, location):
    net = model([op("MatMul", "x w")], {"w": floats(6, 4)}, [1, 6])
    weight = net.graph.initializer[0]
    data = weight.raw_data
    weight.ClearField("raw_data")
    weight.data_location = TensorProto.EXTERNAL
    weight.external_data.add(key="location", value=str(location))
    path = tmp_path / "model" / "net.onnx"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(net.SerializeToString())
    return path, data


def test_external_data_only_when_asked_for(tmp_path):
    path, data = external(tmp_path, "weights.bin")
    (path.parent / "weights.bin").write_bytes(data)
    with pytest.raises(InputError, match="allow that with --external-data"):
        read_onnx(path)
    net, _ = read_onnx(path, external_data=True)
    assert np.array_equal(net.matmul_0.weight.numpy(), floats(6, 4).T)


@pytest.mark.parametrize("how", ["parent", "absolute", "symlink", "hardlink", "absent", "short"])
def test_external_data_elsewhere_is_refused(tmp_path, how):
    secret = tmp_path / "secret.bin"
    place = {"parent": "../secret.bin", "absolute": str(secret)}.get(how, "inside.bin")
    path, data = external(tmp_path, place)
    secret.write_bytes(data)
    if how == "symlink":
        (path.parent / "inside.bin").symlink_to(secret)
    if how == "hardlink":
        (path.parent / "inside.bin").hardlink_to(secret)
    if how == "short":
        (path.parent / "inside.bin").write_bytes(data[:10])
    with pytest.raises(FileFormatError, match=r"external data cannot be read|tensor name: w"):
        read_onnx(path, external_data=True)


def test_an_old_onnx_reads_nothing(tmp_path, monkeypatch):
    path = file(tmp_path, [op("Relu", "x")], {}, [1, 4])
    monkeypatch.setattr(onnx, "__version__", "1.20.1")
    with pytest.raises(FileFormatError, match=r"net.onnx: expected onnx 1.21 or later"):
        read_onnx(path)


@pytest.mark.parametrize("size", [-1, 1 << 40, (1 << 62) + 1])
def test_sizes_that_a_file_declares_take_no_memory(tmp_path, size):
    net = model([op("Relu", "x")], {}, [1, 4])
    net.graph.input[0].type.tensor_type.shape.dim[1].dim_value = size
    net.graph.output[0].CopyFrom(net.graph.input[0])
    net.graph.output[0].name = "y"
    path = tmp_path / "net.onnx"
    path.write_bytes(net.SerializeToString())
    with pytest.raises(InputError, match=r"at most 268,435,456 numbers|leaves open"):
        read_onnx(path)


def test_constants_that_grow_and_padding_without_end_are_refused(tmp_path):
    grown = [op("Concat", " ".join([f"c{i}"] * 20), f"c{i + 1}", axis=0) for i in range(9)]
    path = file(tmp_path, [*grown, op("Relu", "x")], {"c0": floats(4)}, [1, 4])
    with pytest.raises(InputError, match="bytes of computed constants"):
        read_onnx(path)
    pads = np.array([0, 0, 1 << 30, 0, 0, 0, 1 << 30, 0])
    path = file(tmp_path, [op("Pad", "x p")], {"p": pads}, [1, 1, 4, 4])
    with pytest.raises(InputError, match="at most 268,435,456 numbers an input"):
        read_onnx(path)


def test_weights_of_another_type_or_number_of_channels_are_refused(tmp_path):
    nodes = [op("Conv", "x w")]
    path = file(tmp_path, nodes, {"w": floats(2, 2, 3, 3)}, [1, 4, 5, 5])
    with pytest.raises((FileFormatError, InputError), match=r"channels that do not fit|valid ONNX"):
        read_onnx(path)


def test_without_the_package_the_extra_is_named(tmp_path):
    path = file(tmp_path, [op("Relu", "x")], {}, [1, 4])
    code = (
        "import sys; sys.modules['onnx'] = None\n"
        "from pathlib import Path\n"
        "from experiments.models.onnx.reader import read_onnx\n"
        f"read_onnx(Path({str(path)!r}))"
    )
    root = Path(__file__).resolve().parent.parent
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False
    )
    assert "install the extra `onnx`" in done.stderr.splitlines()[-1]
