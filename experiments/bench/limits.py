"""What can this device do at most?  Measured rates of a large matrix product and a convolution."""

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

#: Side of the matrices, and images and side of the convolution (256 channels, 3 x 3), by device.
_SIZES = {"cuda": (8192, 64, 56), "cpu": (1024, 2, 28)}
_SECONDS = 0.5


def device_limits(device: "torch.device") -> Mapping[str, float]:
    """Returns FLOP/s by name: products and convolutions, in float32 (no TF32) and in bfloat16."""
    import torch

    side, images, extent = _SIZES["cuda" if device.type == "cuda" else "cpu"]
    found = {}
    for words, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        matrix = torch.ones(side, side, dtype=dtype, device=device)
        pixels = torch.ones(images, 256, extent, extent, dtype=dtype, device=device)
        kernel = torch.ones(256, 256, 3, 3, dtype=dtype, device=device)
        pixels = pixels.contiguous(memory_format=torch.channels_last)
        kernel = kernel.contiguous(memory_format=torch.channels_last)

        def multiply(a: Any = matrix) -> None:
            torch.mm(a, a)

        def convolve(x: Any = pixels, k: Any = kernel) -> None:
            torch.nn.functional.conv2d(x, k, padding=1)

        work = 2.0 * images * 256 * 256 * 9 * extent**2
        found[f"matrix product, {words}"] = 2.0 * side**3 / _seconds(multiply, device)
        found[f"convolution, {words}"] = work / _seconds(convolve, device)
    return found


def _seconds(call: Callable[[], None], device: "torch.device") -> float:
    """Returns the least time of a call, over about half a second of calls."""
    best, began = float("inf"), time.perf_counter()
    call()
    while time.perf_counter() - began < _SECONDS or best == float("inf"):
        _wait(device)
        start = time.perf_counter()
        call()
        _wait(device)
        best = min(best, time.perf_counter() - start)
    return best


def _wait(device: "torch.device") -> None:
    import torch

    if device.type == "cuda":
        torch.cuda.synchronize(device)
