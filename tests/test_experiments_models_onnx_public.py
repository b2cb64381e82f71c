"""Public networks: the walk that finds layers in a file, what is said of each file, the page."""

import gzip
import json

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="needs the extra onnx")
pytest.importorskip("onnxruntime", reason="needs the extra onnxtest")

from tests.campaigns import public_networks  # noqa: E402
from tests.campaigns.public_network_child import examined  # noqa: E402
from tests.campaigns.public_network_graph import Public  # noqa: E402
from tests.campaigns.public_network_page import page  # noqa: E402
from tests.examples.onnx_graphs import floats, model, op  # noqa: E402

WEIGHTS = {"w": floats(4, 3), "v": floats(4, 3, seed=1), "b": floats(3)}
LAYER = [op("MatMul", "x w", "z"), op("Add", "z b", "u"), op("Relu", "u")]
BRANCHES = [op("MatMul", "x w", "z"), op("MatMul", "x v", "t"), op("Add", "z t", "u"),
            op("Relu", "u")]  # fmt: skip
OFF = [op("MatMul", "x w", "z"), op("Softmax", "z", "u"), op("Relu", "u")]
POOLED = [op("Conv", "x k", "z"), op("MaxPool", "z", "u", kernel_shape=[2]), op("Relu", "u")]


def test_layers_are_found_from_the_file():
    found = Public.of(model(LAYER, WEIGHTS, [1, 4]))
    assert [(each.index, each.tensors) for each in found.weighted] == [(0, ("x", "u"))]
    found = Public.of(model(BRANCHES, WEIGHTS, [1, 4]))
    assert found.weighted == ()
    assert found.sums == {frozenset({0, 1}): "u"}
    assert Public.of(model(OFF, WEIGHTS, [1, 4])).weighted == ()
    (pooled,) = Public.of(model(POOLED, {"k": floats(2, 1, 3)}, [1, 1, 8])).weighted
    assert pooled.tensors == ("x", "z")


def folder(tmp_path):
    """Two collections: layers, branches, a file that is none, a pointer, an empty one."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    onnx.save(model(LAYER, WEIGHTS, [1, 4]), tmp_path / "a" / "layer.onnx")
    packed = gzip.compress(model(BRANCHES, WEIGHTS, [1, 4]).SerializeToString())
    (tmp_path / "a" / "branches.onnx.gz").write_bytes(packed)
    (tmp_path / "b" / "none.onnx").write_bytes(b"\x08no network")
    (tmp_path / "b" / "pointer.onnx").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    (tmp_path / "b" / "large.onnx").write_bytes(b"")
    return tmp_path


def test_a_folder_is_walked_and_written_down(tmp_path, capsys):
    place = folder(tmp_path)
    options = ["--out", str(tmp_path / "page.md"), "--json", str(tmp_path / "answers.json")]
    assert public_networks.main([str(place), *options]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "0 differences and faults in 5 files"
    answers = {each["path"]: each for each in json.loads((tmp_path / "answers.json").read_text())}
    layer, branches = answers["a/layer.onnx"], answers["a/branches.onnx.gz"]
    assert (layer["verdict"], layer["weighted"], layer["offered"]) == ("read", 1, 1)
    assert layer["difference"] < 1e-6
    assert layer["outputs"] < 1e-6
    assert (branches["weighted"], branches["offered"], branches["sums"]) == (0, 1, 1)
    assert answers["b/none.onnx"]["verdict"] == "damaged"
    assert {answers[f"b/{name}.onnx"]["verdict"] for name in ("pointer", "large")} == {"not had"}
    text = (tmp_path / "page.md").read_text()
    assert "| a | 2 | 0 | 1 | 1 | 1 | 1 | 0 |" in text
    assert "| b | 3 | 2 | 0 | 0 | 0 | 0 | 0 |" in text
    assert text == page(list(answers.values()), public_networks.MOST)


def test_a_layer_that_differs_is_seen(tmp_path, monkeypatch):
    """The comparison is with the file, not with the reader: another weight in the reader shows."""
    path = tmp_path / "layer.onnx"
    onnx.save(model(LAYER, WEIGHTS, [1, 4]), path)
    from experiments.models.onnx import linear

    right = linear.tensor
    monkeypatch.setattr(linear, "tensor", lambda array: right(np.asarray(array) * 1.01))
    found = examined(path)
    assert found.difference > public_networks.MOST
    assert found.place == "matmul_0"


def test_a_file_that_takes_too_long_or_too_much_stops_no_other(tmp_path):
    path = tmp_path / "layer.onnx"
    onnx.save(model(LAYER, WEIGHTS, [1, 4]), path)
    child = public_networks.Child(memory=6000 << 20, seconds=0.01)
    assert child.ask(path)["verdict"] == "beyond the limits"
    child.seconds = 120
    assert child.ask(path)["verdict"] == "read"
    child.stop()
    small = public_networks.Child(memory=100 << 20, seconds=120)
    try:
        assert small.ask(path)["reason"] == "more than 100 MiB"
    finally:
        small.stop()
