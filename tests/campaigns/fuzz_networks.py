"""Which files of networks deceive?  ONNX graphs, SqueezeNet's code, checkpoints of our own."""

from __future__ import annotations

import hashlib
import json
import random
import struct
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save
from torch import nn

from experiments.datasets.mnist import Mnist
from experiments.models.architectures import Architecture, TrainOptions
from experiments.models.squeezenet import release_shapes
from experiments.models.squeezenet_codec import CODES, decode
from experiments.models.train import METADATA, _load, _weights_sha256
from optimize.search.checkpoint import Checkpoint, load_checkpoint
from polytope.errors import ChecksumError, FileFormatError
from tests.campaigns.fuzz_arrays import any_safetensors
from tests.campaigns.fuzz_mutations import WORDS, any_bytes, any_json, number_field
from tests.campaigns.fuzz_targets import Target

_SPLIT = b"\n--\n"


def targets(name: str) -> Target:
    if name == "onnx":
        samples = [made.SerializeToString() for made in networks()]
        return Target(
            suffix=".onnx", samples=samples, mutate=any_onnx, read=read_network, compare=same_onnx
        )
    if name == "squeezenet":
        return Target(
            suffix=".net", samples=[squeezenet()], mutate=any_net, read=read_net, compare=same_net
        )
    if name == "trained":
        return Target(
            suffix=".safetensors",
            samples=[trained()],
            mutate=any_trained,
            read=read_trained,
            compare=same_trained,
        )
    return Target(suffix=".search", samples=[search()], mutate=any_search, read=read_search)


# --- ONNX ------------------------------------------------------------------------------------


def floats(*shape: int) -> np.ndarray:
    return np.random.default_rng(len(shape)).standard_normal(shape).astype(np.float32)


def networks() -> list[Any]:
    from onnx import TensorProto, helper, numpy_helper

    def model(nodes: list[Any], weights: dict[str, np.ndarray], shape: list[Any]) -> Any:
        graph = helper.make_graph(
            [helper.make_node(n[0], n[1].split(), n[2].split(), **n[3]) for n in nodes],
            "net",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", None])],
            [numpy_helper.from_array(value, name) for name, value in weights.items()],
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)

    dense = [("Gemm", "x w b", "h", {"transB": 1}), ("Relu", "h", "r", {})]
    dense += [("MatMul", "r v", "m", {}), ("Add", "m c", "y", {})]
    weights = {"w": floats(4, 3), "b": floats(4), "v": floats(4, 2), "c": floats(2)}
    image = [("Conv", "x k", "a", {"pads": [1, 1, 1, 1], "strides": [1, 1]})]
    image += [("BatchNormalization", "a s s s v", "n", {}), ("Relu", "n", "r", {})]
    image += [("MaxPool", "r", "p", {"kernel_shape": [2, 2], "strides": [2, 2]})]
    image += [("Shape", "p", "sh", {}), ("Gather", "sh i", "g", {}), ("Unsqueeze", "g z", "u", {})]
    image += [("Concat", "u o", "t", {"axis": 0}), ("Reshape", "p t", "f", {})]
    image += [("AveragePool", "p", "q", {"kernel_shape": [2, 2]})]
    image += [("Flatten", "q", "e", {}), ("Concat", "f e", "l", {"axis": 1})]
    image += [("Pad", "x pd", "xx", {}), ("Softmax", "l", "y", {"axis": 1})]
    others = {"k": floats(2, 1, 3, 3), "s": abs(floats(2)), "v": abs(floats(2))}
    others |= {"i": np.array(0), "z": np.array([0]), "o": np.array([-1])}
    others |= {"pd": np.array([0, 0, 1, 1, 0, 0, 1, 1])}
    return [
        model(dense, weights, ["n", 3]),
        model(dense, weights, [1, 3]),
        model(image, others, [1, 1, 4, 4]),
    ]


def any_onnx(data: bytes, rng: random.Random) -> bytes:
    import onnx

    if rng.random() < 0.3:
        return any_bytes(data, rng)
    model = onnx.load_model_from_string(data)
    for _ in range(rng.choice((1, 1, 2))):
        if rng.random() < 0.6:
            changed_message(model, rng)
        else:
            odd_network(model, rng)
    return bytes(model.SerializeToString())


def changed_message(message: Any, rng: random.Random) -> None:
    """Walks down to a random field of a protocol buffer and changes it."""
    fields = message.ListFields()
    if not fields or rng.random() < 0.05:
        return
    field, value = rng.choice(fields)
    if hasattr(value, "append"):
        place, choice = rng.randrange(len(value)), rng.random()
        if choice < 0.15:
            del value[place]
        elif choice < 0.3:
            value.append(value[rng.randrange(len(value))])
        elif hasattr(value[place], "ListFields"):
            changed_message(value[place], rng)
        else:
            value[place] = scalar(value[place], rng)
    elif hasattr(value, "ListFields"):
        changed_message(value, rng)
    elif rng.random() < 0.1:
        message.ClearField(field.name)
    else:
        try:
            setattr(message, field.name, scalar(value, rng))
        except (ValueError, TypeError, UnicodeError):
            message.ClearField(field.name)


def scalar(value: Any, rng: random.Random) -> Any:
    if isinstance(value, bytes):
        return any_bytes(value, rng)
    if isinstance(value, str):
        return rng.choice(
            ("", value + "_", "x", "y", "Relu", rng.choice(WORDS).replace("\ud800", ""))
        )
    if isinstance(value, float):
        return rng.choice((0.0, -1.0, float("nan"), float("inf"), 1e-38, 1e38))
    small = (-3, -1, 0, 1, 2, 3, 4, 5, 7, 8, 11, 16, 17, 30, 99, 1 << 20, (1 << 31) - 1)
    return rng.choice(small) if rng.random() < 0.9 else rng.choice((1 << 40, (1 << 62) + 1))


def odd_network(model: Any, rng: random.Random) -> None:
    """A change with a meaning: sizes, types, operators, data elsewhere."""
    from onnx import TensorProto, helper

    graph, huge = model.graph, rng.choice((0, -1, 1 << 20, 1 << 31, 1 << 40, (1 << 62) + 1))
    tensor = graph.initializer[rng.randrange(len(graph.initializer))] if graph.initializer else None
    node = graph.node[rng.randrange(len(graph.node))] if graph.node else None
    if tensor is None or node is None:
        return
    dims = graph.input[0].type.tensor_type.shape.dim if graph.input else []
    choice = rng.randrange(9)
    if choice == 0 and tensor.dims:
        tensor.dims[rng.randrange(len(tensor.dims))] = huge
    elif choice == 1 and dims:
        dims[rng.randrange(len(dims))].dim_value = huge
    elif choice == 2:
        tensor.data_type = rng.randrange(30)
    elif choice == 3:
        node.op_type = rng.choice(("Add", "Conv", "Pad", "Gemm", "Squeeze", "Loop", "If", "Relu"))
    elif choice == 4 and node.attribute:
        node.attribute[rng.randrange(len(node.attribute))].ints[:] = [huge] * rng.choice((1, 2, 4))
    elif choice == 5:
        tensor.data_location = TensorProto.EXTERNAL
        where = rng.choice(("../x", "/etc/passwd", "weights.bin", "", "a/../../b"))
        for key, value in (("location", where), ("offset", str(huge)), ("length", str(huge))):
            tensor.external_data.add(key=key, value=value)
    elif choice == 6:
        node.input[:] = [rng.choice(("x", "y", "", *(t.name for t in graph.initializer)))] * len(
            node.input
        )
    elif choice == 7:
        node.attribute.append(
            helper.make_attribute(
                rng.choice(("group", "axis", "perm", "pads", "ceil_mode", "keepdims")),
                rng.choice(([huge], [1, 0], 2, 7)),
            )
        )
    else:
        tensor.CopyFrom(helper.make_tensor(tensor.name, TensorProto.INT64, [4], [0, 0, huge, huge]))


def read_network(path: Path) -> Any:
    from experiments.models.onnx.reader import read_onnx

    return read_onnx(path, input_shape=None, external_data=len(path.read_bytes()) % 2 == 0)


def same_onnx(path: Path, value: Any) -> str:
    """Runs the reference implementation of ONNX beside our network."""
    import onnx
    from onnx.reference import ReferenceEvaluator

    model, (module, shape) = onnx.load(path), value
    first = model.graph.input[0].type.tensor_type
    sizes = [max(0, dim.dim_value) for dim in first.shape.dim]
    if np.prod(shape) * max(1, sizes[0]) > 10_000:
        return ""
    kind = onnx.helper.tensor_dtype_to_np_dtype(first.elem_type)
    x = np.random.default_rng(0).standard_normal((sizes[0] or 1, *shape)).astype(kind)
    with np.errstate(all="ignore"):
        expected = ReferenceEvaluator(model).run(None, {model.graph.input[0].name: x})[0]
    with torch.no_grad():
        ours = module(torch.from_numpy(x))
    found = (ours[0] if isinstance(ours, tuple) else ours).numpy()
    close = found.shape == expected.shape and np.allclose(
        found, expected, 1e-2, 1e-3, equal_nan=True
    )
    return "" if close else f"output {found.ravel()[:3]} of {expected.ravel()[:3]}"


# --- SqueezeNet ------------------------------------------------------------------------------


def squeezenet() -> bytes:
    """Two non-zeros a layer."""
    rng = np.random.default_rng(0)
    counts, parts = [], []
    for shape in release_shapes().values():
        book, bias = rng.standard_normal((2, max(CODES, shape[0]))).astype("<f4")
        counts.append(2)
        parts += [book[:CODES].tobytes(), bias[: shape[0]].tobytes(), b"\x01\xff", b"\x3f"]
    return struct.pack(f"<{len(counts)}I", *counts) + b"".join(parts)


def any_net(data: bytes, rng: random.Random) -> bytes:
    if rng.random() < 0.4:
        place = 4 * rng.randrange(len(release_shapes()))
        value = rng.choice((0, 1, 3, 4, 1 << 20, (1 << 32) - 1, rng.randrange(2000)))
        return data[:place] + struct.pack("<I", value) + data[place + 4 :]
    return any_bytes(data, rng)


def read_net(path: Path) -> Any:
    return decode(path.read_bytes(), name=str(path))


def same_net(path: Path, found: Any) -> str:
    """Decodes number by number, as the format is described."""
    data, shapes = path.read_bytes(), release_shapes()
    counts = struct.unpack_from(f"<{len(shapes)}I", data)
    at = 4 * len(shapes)
    for count, (layer, shape) in zip(counts, shapes.items(), strict=True):
        book = struct.unpack_from(f"<{CODES}f", data, at)
        at += 4 * (CODES + shape[0])
        codes, gaps = data[at : at + count], data[at + count : at + count + (count + 1) // 2]
        at += count + (count + 1) // 2
        flat = np.full(int(np.prod(shape)), book[0], dtype=np.float32)
        place = -1
        for k, code in enumerate(codes):
            place += 1 + ((gaps[k // 2] >> 4) if k % 2 else (gaps[k // 2] & 15))
            flat[place] = book[code]
        if flat.tobytes() != found[f"{layer}.weight"].tobytes():
            return f"{layer} differs"
    return "" if at == len(data) else "bytes are left"


# --- checkpoints -----------------------------------------------------------------------------

IDENTITY = {"seed": 1, "architecture": "tiny"}
ARCHITECTURE = Architecture(
    name="tiny",
    words="a tiny network",
    build=partial(nn.Linear, 784, 10),
    shape=(784,),
    options=TrainOptions(),
)
IMAGES = np.zeros((4, 784), dtype=np.uint8)
DATA = Mnist(IMAGES, IMAGES[:, 0], IMAGES, IMAGES[:, 0], checksums={})


def trained() -> bytes:
    torch.manual_seed(0)
    weights = dict(ARCHITECTURE.build().state_dict())
    document = {**IDENTITY, "validation_accuracy": 0.9, "steps": 5, "torch": "2"}
    document["weights_sha256"] = _weights_sha256(weights)
    return save(weights, {METADATA: json.dumps(document, sort_keys=True)})


def any_trained(data: bytes, rng: random.Random) -> bytes:
    size = struct.unpack("<Q", data[:8])[0]
    if rng.random() < 0.5:
        return any_safetensors(data, rng)
    header = json.loads(data[8 : 8 + size])
    metadata = header["__metadata__"]
    metadata[METADATA] = any_json(metadata[METADATA].encode(), rng).decode("utf-8", "replace")
    encoded = json.dumps(header).encode()
    return struct.pack("<Q", len(encoded)) + encoded + data[8 + size :]


def read_trained(path: Path) -> Any:
    lines: list[str] = []
    found = _load(path, ARCHITECTURE, IDENTITY, data=DATA, report=lines.append)
    if found is None:
        (line,) = lines
        raise FileFormatError(line)
    return found


def same_trained(path: Path, found: Any) -> str:
    torch.manual_seed(0)
    expected = ARCHITECTURE.build().state_dict()
    for name, value in found.model.state_dict().items():
        if value.dtype != expected[name].dtype or not torch.equal(value, expected[name]):
            return f"{name} is not what was saved"
    return ""


def search() -> bytes:
    state = save({"points": torch.ones(2, 3), "codes": torch.tensor([1, 2])})
    index = {
        "schema": "collision-polytopes/search-checkpoint/1",
        "step": 3,
        "state": "state-3.safetensors",
        "sha256": hashlib.sha256(state).hexdigest(),
        "fingerprint": "mine",
    }
    return json.dumps(index).encode() + _SPLIT + state


def any_search(data: bytes, rng: random.Random) -> bytes:
    index, _, state = data.partition(_SPLIT)
    if rng.random() < 0.5:
        return any_json(index, rng) + _SPLIT + state
    damaged = any_safetensors(state, rng)
    if rng.random() < 0.7:
        known = json.loads(index) | {"sha256": hashlib.sha256(damaged).hexdigest()}
        index = json.dumps(known).encode()
    return (
        number_field(index, rng) + _SPLIT + damaged
        if rng.random() < 0.1
        else index + _SPLIT + damaged
    )


def read_search(path: Path) -> Checkpoint:
    index, _, state = path.read_bytes().partition(_SPLIT)
    folder = path.parent / "search"
    folder.mkdir(exist_ok=True)
    (folder / "search.json").write_bytes(index)
    (folder / "state-3.safetensors").write_bytes(state)
    found = load_checkpoint(folder, "mine")
    if found is None:
        raise ChecksumError("no checkpoint")
    return found
