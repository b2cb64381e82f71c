"""ONNX files as such: what is refused, old versions, hints that are wrong, sizes left open."""

import numpy as np
import pytest
import torch
from torch import nn

onnx = pytest.importorskip("onnx", reason="needs the extra onnx")
from onnx import TensorProto, helper  # noqa: E402

from experiments.models.onnx.reader import read_onnx  # noqa: E402
from optimize import relu_layers  # noqa: E402
from polytope.errors import InputError  # noqa: E402
from tests.examples.onnx_graphs import file, floats, model, op  # noqa: E402


@pytest.mark.parametrize(
    ("nodes", "weights", "shape", "message"),
    [
        ([op("Relu", "x")], {}, ["n", "m"], r"input-shape: .*leaves open \(\?\)"),
        ([op("Relu", "w")], {"w": floats(1, 4)}, [1, 4], "outputs that depend on the input"),
        ([op("Identity", "w")], {"w": floats(1, 4)}, [1, 4], "outputs that depend on the input"),
        ([op("Conv", "x w")], {"w": floats(2, 3, 3)}, [1, 2, 9], "channels|valid ONNX"),
        ([op("Conv", "x w b")], {"w": floats(2, 1, 3), "b": floats(3)}, [1, 1, 9], "bias|valid"),
    ],
)
def test_what_is_refused_is_named(tmp_path, nodes, weights, shape, message):
    with pytest.raises(InputError, match=message):
        read_onnx(file(tmp_path, nodes, weights, shape))


def test_other_opsets_inputs_and_types_are_refused(tmp_path):
    nodes = [op("Upsample", "x", width_scale=2.0, height_scale=2.0)]
    with pytest.raises(InputError, match=r"version 7 or newer \(opset\), or such as ONNX conv"):
        read_onnx(file(tmp_path, nodes, {}, [1, 1, 4, 4], opset=6))
    with pytest.raises(InputError, match=r"expected an input of floats, got int64"):
        read_onnx(file(tmp_path, [op("Identity", "x")], {}, [1, 4], kind=TensorProto.INT64))


def test_files_of_old_versions_are_brought_up_to_date(tmp_path):
    """Before version 7 an Add said how to broadcast, and a Dropout that it does nothing."""
    weights = {"w": floats(4, 3, 3, 3), "b": floats(4, 4)}
    nodes = [op("Conv", "x w", "z", name="/c"), op("Relu", "z", "u"),
             op("Add", "u b", "v", broadcast=1), op("Dropout", "v", is_test=1)]  # fmt: skip
    net, shape = read_onnx(file(tmp_path, nodes, weights, [1, 3, 6, 6], opset=6))
    x = torch.from_numpy(floats(2, *shape))
    wanted = torch.relu(nn.functional.conv2d(x, net.c.weight)) + torch.from_numpy(weights["b"])
    np.testing.assert_allclose(net(x).numpy(), wanted.numpy(), atol=1e-5)
    assert [layer.name for layer in relu_layers(net, shape)] == ["c"]


def test_what_the_converter_of_old_versions_gets_wrong_is_refused(tmp_path):
    """It would add four biases of four channels along too many axes."""
    node = op("Add", "x b", broadcast=1, axis=1)
    with pytest.raises(InputError, match="an axis along which they broadcast, got Add"):
        read_onnx(file(tmp_path, [node], {"b": floats(4)}, [1, 4, 6, 6], opset=6))


def test_wrong_hints_do_not_matter(tmp_path):
    made = model([op("Neg", "x", "z"), op("Relu", "z")], {}, [1, 4])
    made.graph.value_info.append(helper.make_tensor_value_info("z", TensorProto.FLOAT, [1, 9]))
    made.graph.value_info.append(onnx.ValueInfoProto(name="u"))
    made.graph.output[0].ClearField("type")
    onnx.save(made, tmp_path / "net.onnx")
    assert read_onnx(tmp_path / "net.onnx")[1] == (4,)


def test_sizes_left_open_are_given(tmp_path):
    path = file(tmp_path, [op("Relu", "x")], {}, ["n", 3, "h", "w"])
    assert read_onnx(path, input_shape=(3, 5, 6))[1] == (3, 5, 6)
    with pytest.raises(InputError, match=r"input-shape: expected 3,\?,\? as in"):
        read_onnx(path, input_shape=(4, 5, 6))
