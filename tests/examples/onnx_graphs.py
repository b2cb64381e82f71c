"""How is an ONNX graph written by hand?  Input x, output y."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def file(tmp_path, nodes, weights, shape, **options):
    """Writes a graph with input x and output y."""
    path = tmp_path / "net.onnx"
    onnx.save(model(nodes, weights, shape, **options), path)
    return path


def model(nodes, weights, shape, *, opset=17, outputs=("y",), kind=TensorProto.FLOAT):
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", kind, shape)],
        [helper.make_tensor_value_info(name, kind, None) for name in outputs],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in weights.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    made = onnx.shape_inference.infer_shapes(made)  # the checker wants shapes of outputs
    for each in made.graph.output:
        if not each.type.tensor_type.HasField("shape"):
            each.CopyFrom(helper.make_tensor_value_info(each.name, kind, shape))
    return made


def op(kind, inputs, outputs="y", **attributes):
    name = attributes.pop("name", "")
    return helper.make_node(kind, inputs.split(), outputs.split(), name=name, **attributes)


def floats(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
