"""Which entries of an image does each window of a convolution or a pool see?  Index arithmetic.

Images are flat, in row-major order (channel, and one to three axes: a signal, an image, a volume).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

#: One number for each axis.
Sizes = tuple[int, ...]


@dataclass(frozen=True)
class Window:
    """How a window moves over an image: kernel, step, zero (or minus infinite) border, spread."""

    kernel: Sizes
    stride: Sizes
    padding: Sizes
    dilation: Sizes


def places(size: int, count: int, window: Window, *, axis: int) -> np.ndarray:
    """Places (count, kernel) along one axis of length `size`, possibly outside of it."""
    begins = np.arange(count) * window.stride[axis] - window.padding[axis]
    return begins[:, None] + np.arange(window.kernel[axis]) * window.dilation[axis]


def adaptive_places(size: int, count: int) -> np.ndarray:
    """Places (count, k) of adaptive pooling along one axis, -1 where a window is shorter."""
    outputs = np.arange(count)
    begins = outputs * size // count
    ends = -((-(outputs + 1) * size) // count)
    at = begins[:, None] + np.arange(int((ends - begins).max(initial=0)))
    return np.where(at < ends[:, None], at, -1)


def pool_windows(along: Sequence[np.ndarray], shape: Sizes) -> np.ndarray:
    """Flat places (channels * outputs, k) that each output of a pool sees, -1 for none.

    Args:
        along: for each axis, (outputs, kernel) places, outside the image where nothing is seen.
        shape: (channels, *sizes) of the image.
    """
    channels, *sizes = shape
    axes = len(sizes)
    flat, inside = np.zeros((1,) * 2 * axes, dtype=np.int64), np.ones((1,) * 2 * axes, dtype=bool)
    for axis, (at, size) in enumerate(zip(along, sizes, strict=True)):
        form = [1] * 2 * axes
        form[axis], form[axes + axis] = at.shape
        flat = flat * size + at.reshape(form)
        inside = inside & ((at >= 0) & (at < size)).reshape(form)
    outputs = math.prod(len(at) for at in along)
    flat = np.where(inside, flat, -1).reshape(outputs, -1)
    offset = np.arange(channels)[:, None, None] * math.prod(sizes)
    return np.where(flat < 0, -1, flat + offset).reshape(channels * outputs, -1)


def average_sizes(window: Window, image: Sizes, output: Sizes) -> np.ndarray:
    """What torch divides an average by when the border counts: (outputs,) ints.

    A window that ceil_mode lets hang over the border is counted up to the border's end only.
    """
    total = np.ones(1, dtype=np.int64)
    for axis, count in enumerate(output):
        begins = np.arange(count) * window.stride[axis] - window.padding[axis]
        ends = np.minimum(begins + window.kernel[axis], image[axis] + window.padding[axis])
        total = np.multiply.outer(total, ends - begins).reshape(-1)
    return total


def same_padding(kernel: int, dilation: int) -> tuple[int, int]:
    """Zeros before and behind an axis for padding="same", as torch splits them."""
    total = dilation * (kernel - 1)
    return total // 2, total - total // 2


@dataclass(frozen=True, eq=False)
class Taps:
    """The products of a convolution with the entries of its weight that are not zero.

    Attributes:
        rows, columns: (k,) flat places in output and input, row by row, columns ascending.
        entries: (k,) flat places in the weight (channels out, channels in / groups, kernel).
    """

    rows: np.ndarray
    columns: np.ndarray
    entries: np.ndarray


def tap_count(window: Window, image: Sizes, output: Sizes, *, used: np.ndarray) -> int:
    """How many products there are, with `used` (*kernel) entries that are not zero a place."""
    total = used.astype(object)
    for axis, (size, count) in enumerate(zip(image, output, strict=True)):
        at = places(size, count, window, axis=axis)
        seen = ((at >= 0) & (at < size)).sum(0)
        total = total * seen.reshape([-1 if k == axis else 1 for k in range(len(image))])
    return int(total.sum())


def convolution_taps(
    window: Window, image: Sizes, output: Sizes, *, channels: int, weight: np.ndarray
) -> Taps:
    """All products of a convolution with `channels` input channels.

    Args:
        window: how it moves.
        image: sizes of an input channel.
        output: sizes of an output channel.
        channels: how many enter; those of the weight divide them into groups.
        weight: (channels out, channels in / groups, *kernel).
    """
    behind, into = weight.shape[:2]
    along = [places(size, output[k], window, axis=k) for k, size in enumerate(image)]
    seen = pool_windows(along, (into, *image))
    # Outputs by channels times kernel: what one output sees of the channels of its group.
    count, inner = math.prod(output), math.prod(image)
    seen = seen.reshape(into, count, -1).transpose(1, 0, 2).reshape(count, -1)
    inside, used = seen >= 0, weight.reshape(behind, -1) != 0
    per_group = behind // (channels // into)
    found = []
    for out in range(behind):
        kept = inside & used[out]
        row, entry = np.nonzero(kept)
        offset = out // per_group * into * inner
        found.append((row + out * count, seen[kept] + offset, entry + out * used.shape[1]))
    return Taps(*(np.concatenate(parts) for parts in zip(*found, strict=True)))
