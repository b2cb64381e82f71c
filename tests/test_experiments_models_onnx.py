"""Networks from ONNX: against onnxruntime and torch, hand-written graphs, what is refused."""

import re
import sys
import warnings

import numpy as np
import pytest
import torch
from torch import fx, nn

onnx = pytest.importorskip("onnx", reason="needs the extra onnx")
from onnx import TensorProto, helper  # noqa: E402

from experiments.models.onnx.reader import read_onnx  # noqa: E402
from optimize import exact_layer, other_layers, relu_layers  # noqa: E402
from polytope.errors import InputError  # noqa: E402
from tests.examples.onnx_graphs import file, floats, model, op  # noqa: E402


def run_both(path, shape, *, seed=1):
    """Returns our output and onnxruntime's on random inputs (1, *shape)."""
    ort = pytest.importorskip("onnxruntime", reason="needs the extra onnxtest")
    x = floats(1, *shape, seed=seed)
    ours, _ = read_onnx(path, external_data=True)
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    with torch.no_grad():
        return ours(torch.from_numpy(x)).numpy(), session.run(None, {"x": x})[0]


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1 = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.b1 = nn.BatchNorm2d(8)
        self.c2 = nn.Conv2d(8, 8, 3, padding=1, groups=2)
        self.p = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.f = nn.Linear(16, 5)
        self.b1.running_mean.normal_()
        self.b1.running_var.uniform_(0.5, 2)

    def forward(self, x):
        x = self.p(torch.relu(self.b1(self.c1(x))))
        y = x + torch.relu(self.c2(x))
        y = torch.cat([x, nn.functional.avg_pool2d(y, 3, 1, padding=1)], 1)
        y = nn.functional.adaptive_avg_pool2d(y, 1)
        return self.f(y.view(y.size(0), -1))


def mlp():
    hidden = [nn.Linear(48, 16), nn.ReLU(), nn.Dropout(), nn.Linear(16, 8), nn.ReLU()]
    return nn.Sequential(nn.Flatten(), *hidden, nn.Linear(8, 3), nn.Softmax(1))


@pytest.mark.parametrize("dynamo", [True, False], ids=["dynamo", "torchscript"])
@pytest.mark.parametrize("dynamic", [True, False], ids=["any batch", "batch of one"])
@pytest.mark.parametrize(("make", "shape"), [(mlp, (3, 4, 4)), (Residual, (3, 17, 17))])
def test_exported_by_torch(tmp_path, make, shape, dynamic, dynamo):
    pytest.importorskip("onnxscript", reason="needs the extra onnxtest")
    torch.manual_seed(0)
    net = make().eval()
    path = tmp_path / "net.onnx"
    options = {}
    if dynamic:
        named = {"dynamic_shapes": ({0: torch.export.Dim("n")},)}
        options = named if dynamo else {"dynamic_axes": {"x": {0: "n"}}}
    x = torch.randn(2 if dynamic else 1, *shape)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the older exporter is deprecated
        torch.onnx.export(
            net, (x,), str(path), dynamo=dynamo, input_names=["x"], verbose=False, **options
        )
    found, read = read_onnx(path, external_data=True)
    assert read == shape
    assert isinstance(found, fx.GraphModule)
    wanted = [type(m) for m in net.modules() if isinstance(m, nn.Linear | nn.Conv2d)]
    assert [type(m) for m in found.modules() if isinstance(m, nn.Linear | nn.Conv2d)] == wanted
    batch = torch.randn(5, *shape)  # also where the file was made for one
    with torch.no_grad():
        assert torch.allclose(found(batch), net(batch), atol=1e-5)
    fx.symbolic_trace(found)
    if not dynamic:
        ours, theirs = run_both(path, shape)
        assert np.allclose(ours, theirs, atol=1e-5)


SMALL = {"w": floats(4, 3, 3, 3), "b": floats(4, seed=2)}


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"pads": [1, 1, 1, 1], "strides": [2, 2]},
        {"pads": [0, 1, 2, 0]},
        {"auto_pad": "SAME_UPPER", "strides": [2, 2]},
        {"auto_pad": "SAME_LOWER", "strides": [2, 1]},
        {"auto_pad": "VALID", "dilations": [2, 1]},
    ],
)
def test_convolutions(tmp_path, attributes):
    path = file(tmp_path, [op("Conv", "x w b", **attributes)], SMALL, [1, 3, 8, 9])
    ours, theirs = run_both(path, (3, 8, 9))
    assert ours.shape == theirs.shape
    assert np.allclose(ours, theirs, atol=1e-5)


@pytest.mark.parametrize(
    ("kind", "attributes"),
    [
        ("MaxPool", {"strides": [2, 2]}),
        ("MaxPool", {"strides": [2, 2], "ceil_mode": 1}),
        ("MaxPool", {"strides": [2, 2], "pads": [1, 1, 1, 1]}),
        ("MaxPool", {"strides": [2, 2], "pads": [0, 0, 1, 1]}),  # as TensorFlow exports it
        ("MaxPool", {"strides": [2, 2], "auto_pad": "SAME_UPPER"}),
        ("MaxPool", {"dilations": [2, 2]}),
        ("AveragePool", {"strides": [2, 2]}),
        ("AveragePool", {"strides": [2, 2], "pads": [1, 1, 1, 1]}),
        ("AveragePool", {"strides": [2, 2], "pads": [1, 1, 1, 1], "count_include_pad": 1}),
        ("AveragePool", {"strides": [2, 2], "pads": [0, 0, 1, 1], "count_include_pad": 1}),
        ("AveragePool", {"strides": [2, 2], "auto_pad": "SAME_UPPER"}),
    ],
)
@pytest.mark.parametrize("size", [8, 9])
def test_pools(tmp_path, kind, attributes, size):
    path = file(tmp_path, [op(kind, "x", kernel_shape=[3, 3], **attributes)], {}, [1, 2, size, 8])
    ours, theirs = run_both(path, (2, size, 8))
    assert ours.shape == theirs.shape
    assert np.allclose(ours, theirs, atol=1e-6)


@pytest.mark.parametrize(
    ("kernel", "pads", "size"),
    [
        (2, [0, 0, 1, 1], (4, 4)),  # rounding up would have a window too many
        (3, [0, 0, 1, 1], (5, 7)),  # rounding down one too few
        (3, [1, 0, 2, 0], (8, 8)),
        (3, [1, 0, 2, 0], (9, 8)),  # one axis needs the one way, one the other: by onnxruntime
    ],
)
def test_windows_that_start_in_the_padding_behind_are_left_out(tmp_path, kernel, pads, size):
    given = {"strides": [2, 2], "pads": pads, "count_include_pad": 1, "ceil_mode": 1}
    node = op("AveragePool", "x", kernel_shape=[kernel, kernel], **given)
    path = file(tmp_path, [node], {}, [1, 2, *size])
    ours, theirs = run_both(path, (2, *size))
    assert ours.shape == theirs.shape
    assert np.allclose(ours, theirs, atol=1e-6)


def test_a_pool_of_which_the_reference_is_wrong_needs_onnxruntime(tmp_path, monkeypatch):
    """The layer in front of it does not."""
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    given = {"strides": [2, 2], "pads": [1, 0, 2, 0], "count_include_pad": 1, "ceil_mode": 1}
    nodes = [op("Conv", "x w b", "z"), op("Relu", "z", "u"),
             op("AveragePool", "u", kernel_shape=[3, 3], **given)]  # fmt: skip
    net, shape = read_onnx(file(tmp_path, nodes, SMALL, [1, 3, 11, 10]))
    assert [layer.name for layer in relu_layers(net, shape)] == ["conv_0"]
    with pytest.raises(InputError, match=r"AveragePool.*onnxruntime, which runs such pools"):
        net(torch.zeros(1, *shape))


def test_a_pool_that_torch_cannot_pad_is_padded_before(tmp_path):
    node = op("MaxPool", "x", kernel_shape=[3, 3], pads=[0, 0, 2, 2])
    path = file(tmp_path, [node], {}, [1, 2, 8, 8])
    ours, theirs = run_both(path, (2, 8, 8))
    assert np.array_equal(ours, theirs)


NORM = {
    "s": floats(3),
    "t": floats(3, seed=3),
    "m": floats(3, seed=4),
    "v": np.abs(floats(3, seed=5)),
}


@pytest.mark.parametrize("shape", [(3,), (3, 4, 4)])
@pytest.mark.parametrize("opset", [7, 13, 17])
def test_batch_norm_and_relu(tmp_path, shape, opset):
    nodes = [op("BatchNormalization", "x s t m v", "z", epsilon=1e-3), op("Relu", "z")]
    path = file(tmp_path, nodes, NORM, [1, *shape], opset=opset)
    ours, theirs = run_both(path, shape)
    assert np.allclose(ours, theirs, atol=1e-5)


@pytest.mark.parametrize(
    ("nodes", "weights"),
    [
        ([op("MatMul", "x w", "z"), op("Add", "z b")], {"w": floats(6, 4), "b": floats(4)}),
        ([op("MatMul", "x w", "z"), op("Add", "b z")], {"w": floats(6, 4), "b": floats(1, 4)}),
        ([op("MatMul", "x w")], {"w": floats(6, 4)}),
        ([op("Gemm", "x w b", transB=1)], {"w": floats(4, 6), "b": floats(4)}),
        ([op("Gemm", "x w b")], {"w": floats(6, 4), "b": floats(1)}),
        ([op("Gemm", "x w")], {"w": floats(6, 4)}),
        ([op("Identity", "x", "z"), op("Dropout", "z", "u"), op("Relu", "u")], {}),
        ([op("Transpose", "w", "v", perm=[1, 0]), op("MatMul", "x v")], {"w": floats(4, 6)}),
        ([op("Unsqueeze", "x a", "z"), op("Squeeze", "z a")], {"a": np.array([1])}),
        ([op("Softmax", "x")], {}),
        ([op("Softmax", "x", "z"), op("Add", "z x")], {}),
        ([op("Reshape", "x s", "z"), op("Relu", "z")], {"s": np.array([0, 2, -1])}),
        ([op("Reshape", "x s", "z"), op("Reshape", "z t")], {"s": [-1, 3, 2], "t": [1, -1]}),
        ([op("Concat", "x x", axis=1)], {}),
    ],
)
def test_operators_on_vectors(tmp_path, nodes, weights):
    path = file(tmp_path, nodes, {k: np.asarray(v) for k, v in weights.items()}, [1, 6])
    ours, theirs = run_both(path, (6,))
    assert ours.shape == theirs.shape
    assert np.allclose(ours, theirs, atol=1e-6)


@pytest.mark.parametrize(
    "nodes",
    [
        [op("Conv", "x w", "z"), op("Add", "z c")],
        [op("GlobalAveragePool", "x", "z"), op("Flatten", "z")],
        [op("ReduceMean", "x", axes=[2, 3], keepdims=0)],
        [op("ReduceMean", "x", axes=[-1, -2])],
        [op("Pad", "x p", "z"), op("Conv", "z w b")],
        [op("Transpose", "x", perm=[0, 2, 3, 1])],
        [op("Shape", "x", "s"), op("Gather", "s i", "n"), op("Unsqueeze", "n a", "m"),
         op("Concat", "m k", "r", axis=0), op("Reshape", "x r")],
    ],
    ids=lambda nodes: nodes[0].op_type,
)  # fmt: skip
def test_operators_on_images(tmp_path, nodes):
    weights = SMALL | {
        "c": floats(1, 4, 1, 1),
        "p": np.array([0, 0, 1, 2, 0, 0, 0, 1]),
        "i": np.array(0),
        "a": np.array([0]),
        "k": np.array([-1]),
    }
    path = file(tmp_path, nodes, weights, [1, 3, 6, 7])
    ours, theirs = run_both(path, (3, 6, 7))
    assert ours.shape == theirs.shape
    assert np.allclose(ours, theirs, atol=1e-5)


def test_a_bias_added_behind_belongs_to_the_layer(tmp_path):
    nodes = [op("Conv", "x w", "z", name="/a/Conv"), op("Add", "z c", "u"), op("Relu", "u")]
    path = file(tmp_path, nodes, SMALL | {"c": floats(4, 1, 1)}, ["n", 3, 6, 6])
    net, _ = read_onnx(path)
    assert np.array_equal(net.a_Conv.bias.numpy(), floats(4, 1, 1).ravel())
    assert [name for name, _ in net.named_children()] == ["a_Conv", "relu_2"]


@pytest.mark.parametrize("kind", ["float16", "float32", "float64"])
def test_weights_are_taken_as_stored(tmp_path, kind):
    weight = floats(6, 4).astype(kind)
    code = helper.np_dtype_to_tensor_dtype(np.dtype(kind))
    net, shape = read_onnx(file(tmp_path, [op("MatMul", "x w")], {"w": weight}, [1, 6], kind=code))
    assert shape == (6,)
    assert np.array_equal(net.matmul_0.weight.numpy(), weight.T)


#: Operators and uses of them that torch has no name for here, or that change the batch axis.
OTHERS = {
    "an activation": ([op("Relu", "x", "z"), op("HardSwish", "z")], {}, [1, 4]),
    "a factor that is folded": ([op("Gemm", "x w", alpha=0.5)], {"w": floats(4, 2)}, [1, 4]),
    "a factor that is not": ([op("Gemm", "x w", alpha=0.3)], {"w": floats(4, 2)}, [1, 4]),
    "a product of inputs": ([op("MatMul", "x x")], {}, [1, 1]),
    "a weight on the left": ([op("MatMul", "w x")], {"w": floats(3, 4)}, [4, 1]),
    "a weight on the left of columns": ([op("MatMul", "w x")], {"w": floats(3, 4)}, [4, 2]),
    "a transposed input": ([op("Gemm", "x w", transA=1)], {"w": floats(4, 3)}, [4, 1]),
    "a transposed input of rows": ([op("Gemm", "x w", transA=1)], {"w": floats(4, 3)}, [4, 2]),
    "a weight on the left of signals": ([op("MatMul", "w x")], {"w": floats(3, 4)}, [1, 4, 2]),
    "no batch any more": ([op("Flatten", "x", axis=0)], {}, [1, 4]),
    "rows": ([op("Reshape", "x s")], {"s": np.array([4, 1])}, [1, 4]),
    "the batch last": ([op("Transpose", "x")], {}, [1, 4]),
    "the batch twice": ([op("Concat", "x x", axis=0)], {}, [1, 4]),
    "a vector": ([op("Relu", "x")], {}, [4]),
    "a softmax of the batch": ([op("Softmax", "x", axis=0)], {}, [1, 4]),
    "a vector added": ([op("Add", "x b")], {"b": floats(4)}, [1, 4]),
    "rows added": ([op("Add", "x b")], {"b": floats(3, 4)}, [1, 4]),
    "from a constant": ([op("Sub", "b x")], {"b": floats(4)}, [1, 4]),
    "a constant divided": ([op("Div", "b x")], {"b": floats(2, 1, 4)}, [1, 4]),
    "several terms": ([op("Sum", "x b x c")], {"b": floats(4), "c": floats(1, 4)}, [1, 4]),
    "one axis": ([op("Conv", "x w b")], {"w": floats(2, 1, 3), "b": floats(2)}, [1, 1, 9]),
    "three axes": ([op("Conv", "x w", pads=[0, 0, 0, 1, 1, 1])], {"w": floats(2, 1, 2, 2, 2)},
                   [1, 1, 3, 4, 3]),
    "a mean along one axis": ([op("AveragePool", "x", kernel_shape=[3])], {}, [1, 1, 9]),
    "transposed": ([op("ConvTranspose", "x w b", strides=[2, 2], pads=[1, 1, 1, 1],
                       output_padding=[1, 0])],
                   {"w": floats(3, 2, 3, 3), "b": floats(2)}, [1, 3, 4, 4]),
    "transposed in groups": ([op("ConvTranspose", "x w", group=2)], {"w": floats(4, 3, 2, 2)},
                             [1, 4, 3, 3]),
    "cut off": ([op("Clip", "x a b")], {"a": np.float32(-0.5), "b": np.float32(0.5)}, [1, 4]),
    "cut off below": ([op("Clip", "x a")], {"a": np.float32(-0.5)}, [1, 4]),
    "a ReLU": ([op("Clip", "x a")], {"a": np.float32(0)}, [1, 4]),
    "a maximum": ([op("Max", "z x")], {"z": np.zeros((1, 1), "f4")}, [1, 4]),
    "a maximum of both": ([op("Neg", "x", "n"), op("Max", "n x")], {}, [1, 4]),
    "a part": ([op("Slice", "x s e a")], {"s": [1], "e": [3], "a": [1]}, [1, 4]),
    "every second": ([op("Slice", "x s e a t")],
                     {"s": [-4], "e": [99], "a": [-1], "t": [2]}, [1, 4]),
    "backwards": ([op("Slice", "x s e a t")], {"s": [3], "e": [-9], "a": [1], "t": [-1]}, [1, 4]),
    "split": ([op("Split", "x s", "a b", axis=1), op("Concat", "b a", axis=1)],
              {"s": np.array([1, 3])}, [1, 4]),
    "halves": ([op("Split", "x", "a b", axis=-1), op("Mul", "a b")], {}, [1, 4]),
    "one place": ([op("Gather", "x i", axis=1)], {"i": np.array(2)}, [1, 4]),
    "the batch taken away": ([op("Gather", "x i", axis=0)], {"i": np.array(0)}, [1, 4]),
    "places": ([op("Gather", "x i", axis=2)], {"i": np.array([1, -1, 0])}, [1, 2, 3]),
    "squeezed": ([op("Squeeze", "x")], {}, [1, 1, 4]),
    "a largest": ([op("GlobalMaxPool", "x")], {}, [1, 2, 3, 4]),
    "sums": ([op("ReduceSum", "x a", keepdims=0)], {"a": np.array([1])}, [1, 3, 4]),
    "a mean into a layer": ([op("ReduceMean", "x", "z", axes=[1], keepdims=0),
                             op("MatMul", "z w")], {"w": floats(1, 3)}, [1, 4]),
    "a sum of all": ([op("ReduceSum", "x")], {}, [1, 3, 4]),
    "channels beside each other": ([op("LRN", "x", size=3, alpha=0.1, bias=2.0)], {}, [1, 5, 2, 2]),
    "another type and back": ([op("Cast", "x", "z", to=11), op("Cast", "z", to=1)], {}, [1, 4]),
    "ones around": ([op("Pad", "x p f")], {"p": [0, 1, 0, 2], "f": np.float32(1)}, [1, 4]),
    "reflected": ([op("Pad", "x p", mode="reflect")], {"p": [0, 1, 0, 2]}, [1, 4]),
    "zeros around channels and volumes": (
        [op("Pad", "x p")], {"p": [0, 1, 1, 0, 2, 0, 0, 0, 1, 1]}, [1, 2, 3, 2, 2]),
    "ones around channels and volumes": (
        [op("Pad", "x p f")], {"p": [0, 1, 0, 0, 2, 0, 0, 0, 1, 1], "f": np.float32(1)},
        [1, 2, 3, 2, 2]),
    "a largest of a series": ([op("GlobalMaxPool", "x")], {}, [1, 2, 3]),
    "a largest of a volume": ([op("GlobalMaxPool", "x")], {}, [1, 2, 3, 4, 2]),
    "a mean of a volume": ([op("GlobalAveragePool", "x")], {}, [1, 2, 3, 4, 2]),
    "wider": ([op("Expand", "x s")], {"s": [1, 3, 4]}, [1, 1, 4]),
    "a step": ([op("Sign", "x")], {}, [1, 4]),
    "the larger two": ([op("TopK", "x k", "y i")], {"k": [2]}, [1, 4]),
    "a whole": ([op("ReduceL2", "x", keepdims=1)], {}, [1, 4]),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_what_the_file_computes(tmp_path, name):
    """Also what is none of torch's operators, and what has no batch axis."""
    nodes, weights, shape = OTHERS[name]
    path = file(tmp_path, nodes, {k: np.asarray(v) for k, v in weights.items()}, shape)
    net, own = read_onnx(path)
    ort = pytest.importorskip("onnxruntime", reason="needs the extra onnxtest")
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    batch = floats(3, *own, seed=7)
    with torch.no_grad():
        found = net(torch.from_numpy(batch)).numpy()
    for one, ours in zip(batch, found, strict=True):  # each input as if it were alone
        theirs = session.run(None, {"x": one.reshape(shape)})[0]
        assert ours.size == theirs.size
        np.testing.assert_allclose(ours.ravel(), theirs.ravel(), rtol=1e-5, atol=1e-5)


def test_layers_behind_and_in_front_of_an_unknown_operator_are_offered(tmp_path):
    nodes = [op("Sign", "x", "s", name="/s"), op("Gemm", "s w", "z", name="/a"),
             op("Relu", "z", "u"), op("HardSwish", "u", name="/h")]  # fmt: skip
    path = file(tmp_path, nodes, {"w": floats(4, 3)}, [1, 4])
    net, shape = read_onnx(path)
    assert [layer.name for layer in relu_layers(net, shape)] == ["a"]
    assert np.array_equal(exact_layer(net, "a", shape).weight, floats(4, 3).T)


def inner(*nodes):
    """A graph without inputs, as the branches of an If are."""
    value = helper.make_tensor_value_info("i", TensorProto.FLOAT, None)
    return helper.make_graph(list(nodes), "inner", [], [value])


_BRANCH = inner(op("Neg", "z", "i"))
#: What nobody can say anything of, and what is said.
BEYOND = {
    "random": ([op("RandomNormalLike", "u", "v")], "the same each time, got RandomNormalLike"),
    "random by itself": ([op("RandomNormal", "", "v", shape=[1, 3])], "each time, got Random"),
    "of other domains": ([op("Identity", "u", "v")], "itself, got domain com"),
    "a graph inside": ([op("If", "c", "v", then_branch=_BRANCH, else_branch=_BRANCH)],
                       "without a graph inside, got If"),
    "as many as there are": ([op("NonZero", "u", "n"), op("Cast", "n", "v", to=1)],
                             "a shape that is the same for all inputs"),
    "a part that the input says": ([op("Cast", "u", "n", to=7), op("Slice", "u e n a", "v")],
                                   "expected"),
}  # fmt: skip


@pytest.mark.parametrize("name", BEYOND)
def test_what_nobody_knows_refuses_only_what_follows(tmp_path, name):
    nodes, reason = BEYOND[name]
    first = [op("Gemm", "x w", "z", name="/a"), op("Relu", "z", "u")]
    last = [op("MatMul", "v q", "t", name="/b"), op("Relu", "t")]
    weights = {"w": floats(4, 3), "q": floats(3, 2), "c": np.array(True), "e": [0, 0], "a": [0, 1]}
    made = model([*first, *nodes, *last], {k: np.asarray(v) for k, v in weights.items()}, [1, 4])
    if name == "of other domains":
        made.graph.node[2].op_type, made.graph.node[2].domain = "Odd", "com.example"
        made.opset_import.append(helper.make_opsetid("com.example", 1))
    onnx.save(made, tmp_path / "net.onnx")
    net, shape = read_onnx(tmp_path / "net.onnx")
    offered = [layer.name for layer in relu_layers(net, shape)]
    # An If whose branches read z is one more user of it.
    assert offered == ([] if name == "a graph inside" else ["a"])
    (told,) = [each.reason for each in other_layers(net) if each.name == "b"]
    assert reason in told
    with pytest.raises(InputError, match=re.escape(reason)):
        net(torch.zeros(1, 4))


@pytest.mark.parametrize("axis", [{}, {"axis": 1}, {"axis": 2}, {"axis": 3}, {"axis": 0}])
@pytest.mark.parametrize("kind", ["Softmax", "LogSoftmax", "Hardmax"])
def test_before_version_13_a_softmax_took_all_axes_behind_as_one(tmp_path, kind, axis):
    path = file(tmp_path, [op(kind, "x", **axis)], {}, [1, 3, 2, 2], opset=11)
    ours, theirs = run_both(path, (3, 2, 2))
    np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_an_operator_of_no_gradient_says_so(tmp_path):
    path = file(tmp_path, [op("Sign", "x", name="/a")], {}, [1, 4])
    net, _ = read_onnx(path)
    assert type(net.a).__name__ == "Sign"
    with pytest.raises(InputError, match="operators with a gradient before the layer, got Sign"):
        net(torch.ones(1, 4, requires_grad=True))


@pytest.mark.parametrize("first", [1, "n"])
def test_several_inputs_are_one_row(tmp_path, first):
    two = model([op("MatMul", "x w", "u"), op("Add", "u z")], {"w": floats(3, 2)}, [1, 3])
    two.graph.input[0].CopyFrom(helper.make_tensor_value_info("x", TensorProto.FLOAT, [first, 3]))
    two.graph.input.append(helper.make_tensor_value_info("z", TensorProto.FLOAT, [1, 2]))
    two.graph.output[0].CopyFrom(helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 2]))
    path = tmp_path / "two.onnx"
    onnx.save(two, path)
    net, shape = read_onnx(path)
    assert shape == (5,)
    row = floats(2, 5)
    with torch.no_grad():
        found = net(torch.from_numpy(row)).numpy()
    np.testing.assert_allclose(found, row[:, :3] @ floats(3, 2) + row[:, 3:], rtol=1e-5)


@pytest.mark.parametrize("shape", [(4,), (4, 1), (4, 2)])
def test_a_bias_behind_a_weight_on_the_left_belongs_to_the_layer(tmp_path, shape):
    nodes = [op("MatMul", "w x", "z", name="/a"), op("Add", "z b", "u"), op("Relu", "u")]
    bias = floats(3, *(1,) * (len(shape) - 1))
    path = file(tmp_path, nodes, {"w": floats(3, 4), "b": bias}, list(shape))
    net, own = read_onnx(path)
    assert [layer.name for layer in relu_layers(net, own)] == ["a"]
    columns = int(np.prod(shape[1:]))
    exact = exact_layer(net, "a", own)
    weight = exact.weight if columns == 1 else exact.weight.approx
    assert np.array_equal(weight, np.kron(floats(3, 4), np.eye(columns)))
    assert np.array_equal(exact.bias, np.repeat(bias.ravel(), columns))


def test_statistics_of_a_batch_are_named(tmp_path):
    nodes = [op("BatchNormalization", "x s t m v", "z p q", name="/n", training_mode=1),
             op("Conv", "z w", "c", name="/c"), op("Relu", "c")]  # fmt: skip
    net, shape = read_onnx(file(tmp_path, nodes, SMALL | NORM, [1, 3, 5, 5]))
    assert relu_layers(net, shape) == ()  # what feeds the layer depends on the whole batch
    [other] = other_layers(net, shape)
    assert (other.name, other.kind) == ("c", "Conv2d")
    assert "BatchNorm 'n', which takes its statistics from each batch" in other.reason
    with pytest.raises(InputError, match="BatchNorm with stored statistics, got 'n'"):
        exact_layer(net, "c", shape)


def test_random_graphs():
    """A sample of `python -m tests.campaigns.onnx_random`."""
    pytest.importorskip("onnxruntime", reason="needs the extra onnxtest")
    from tests.campaigns import onnx_random

    tally, wrong = onnx_random.run(60, seed=9)
    assert wrong == []
    assert tally["graphs compared"] >= 50
    assert tally["layers compared"] >= 5
