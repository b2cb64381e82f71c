"""How is SqueezeNet's compressed file read?  `compressed_SqueezeNet.net`, 0.7 MB.

From songhan/SqueezeNet-Deep-Compression (Han, Mao & Dally 2016).  First a uint32 count of non-zeros
for each of the 26 layers; then, layer by layer, 256 float32 values (the codebook), the float32
biases, a uint8 code a non-zero, and 4-bit gaps between them, the low half of each byte first.  The
k-th non-zero stands at the running sum of (gap + 1), less 1, in the flattened (out, in, k, k)
weight; where the true gap exceeds 15 a "non-zero" of code 0 stands between.  Places that are not
named have code 0.  All numbers are little-endian.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.models.squeezenet import release_shapes
from polytope.errors import FileFormatError

CODES = 256
LARGEST_GAP = 15
Weights = dict[str, NDArray[np.float32]]


@dataclass(eq=False)
class _Reader:
    """Takes one piece after the other from the file's bytes."""

    data: bytes
    name: str
    place: int = 0

    def take(self, dtype: str, count: int, what: str) -> NDArray[np.generic]:
        """Returns the next `count` numbers."""
        size = np.dtype(dtype).itemsize * count
        if self.place + size > len(self.data):
            raise FileFormatError(
                f"{self.name}: expected {what} at byte {self.place}, {size} bytes, "
                f"got {len(self.data) - self.place}"
            )
        found = np.frombuffer(self.data, dtype=dtype, count=count, offset=self.place)
        self.place += size
        return found


def decode(data: bytes, *, name: str = "the file") -> Weights:
    """Returns the weights and biases in the file, e.g. "fire2/squeeze1x1.weight" (16, 96, 1, 1).

    Args:
        data: of the compressed file.
        name: how errors call it.

    Raises:
        FileFormatError: too short, too long, a place outside of its layer, or a value that is not
            finite.
    """
    reader, found = _Reader(data, name), Weights()
    shapes = release_shapes()
    counts = reader.take("<u4", len(shapes), "the counts of non-zeros")
    for count, (layer, shape) in zip(counts.tolist(), shapes.items(), strict=True):
        book = reader.take("<f4", CODES, f"the codebook of {layer}")
        bias = reader.take("<f4", shape[0], f"the biases of {layer}")
        codes = reader.take("u1", count, f"the codes of {layer}")
        packed = reader.take("u1", (count + 1) // 2, f"the gaps of {layer}")
        high, low = np.divmod(packed.astype(np.int64), 16)
        gaps = np.stack([low, high], axis=1).ravel()[:count]
        places = np.cumsum(gaps + 1) - 1
        if count and places[-1] >= math.prod(shape):
            raise FileFormatError(
                f"{name}: expected places below {math.prod(shape)} in {layer}, got {places[-1]}"
            )
        full = np.zeros(math.prod(shape), dtype=np.uint8)
        full[places] = codes
        found[f"{layer}.weight"] = book[full].reshape(shape).astype(np.float32)
        found[f"{layer}.bias"] = bias.astype(np.float32)
    if reader.place != len(data):
        raise FileFormatError(f"{name}: expected {reader.place} bytes, got {len(data)}")
    for key, values in found.items():
        if not np.isfinite(values).all():
            raise FileFormatError(f"{name}: expected finite numbers in {key}, got others")
    return found
