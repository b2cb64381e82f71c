"""What numbers does a certificate state?  A second reader: no code shared with the checker."""

import io
import json
from fractions import Fraction as F
from pathlib import Path

import numpy as np

DTYPES = {"F16": "<f2", "F32": "<f4", "F64": "<f8", "I8": "i1", "I16": "<i2", "I32": "<i4"}
DTYPES |= {"I64": "<i8", "U8": "u1", "U16": "<u2", "U32": "<u4", "U64": "<u8"}


def rational(pair):
    return F(int(pair[0], 16), int(pair[1], 16))


def vector(spec):
    den = int(spec["den"], 16)
    values = [F(int(num, 16), den) for num in spec["num"]]
    if "index" not in spec:
        return values
    full = [F(0)] * spec["length"]
    for j, value in zip(spec["index"], values, strict=True):
        full[j] = value
    return full


def from_bytes(raw, dtype, shape):
    if dtype == "BF16":
        raw = b"".join(b"\0\0" + raw[i : i + 2] for i in range(0, len(raw), 2))
    return np.frombuffer(raw, DTYPES.get(dtype, "<f4")).reshape(shape)


def from_file(spec, folder):
    data, tensor = (Path(folder) / spec["file"]).read_bytes(), spec["tensor"]
    kind = Path(spec["file"]).suffix
    if kind in (".npy", ".npz"):
        found = np.load(io.BytesIO(data), allow_pickle=False)
        return found[tensor] if kind == ".npz" else found
    if kind == ".safetensors":
        start = 8 + int.from_bytes(data[:8], "little")
        entry = json.loads(data[8:start])[tensor]
        low, high = entry["data_offsets"]
        return from_bytes(data[start + low : start + high], entry["dtype"], entry["shape"])
    shape = np.frombuffer(data, ">u4", data[3], 4).tolist()
    items = np.frombuffer(data, "u1", -1, 4 + 4 * len(shape)).reshape(shape[0], -1)
    item, _, over = tensor.partition("/")
    return items[int(item)].astype(np.float32) / np.float32(over) if over else items[int(item)]


def shaped(spec, folder=None):
    """The entries as Fractions, row by row, and the shape."""
    if "file" in spec:
        values = from_file(spec, folder)
    elif spec["dtype"] == "Q":
        flat = [rational(pair) for pair in zip(spec["num"], spec["den"], strict=True)]
        values = np.array([*flat, None], object)[:-1].reshape(spec["shape"])
    else:
        values = from_bytes(bytes.fromhex(spec["data"]), spec["dtype"], spec["shape"])
    return [F(v) for v in values.reshape(-1).tolist()], values.shape


def array(spec, folder=None):
    """A list of Fractions, or of rows."""
    flat, shape = shaped(spec, folder)
    if len(shape) == 1:
        return flat
    count, size = shape
    return [flat[i * size : (i + 1) * size] for i in range(count)]


def sides(spec):
    """The floors or ceilings by unit."""
    pairs = map(rational, zip(spec["num"], spec["den"], strict=True))
    return dict(zip(spec["units"], pairs, strict=True))
