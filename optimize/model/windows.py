"""Which entries of an image does each window of a convolution or a pool see?  Index arithmetic.

Images are flat, in row-major order (channel, height, width); a signal (channel, length) is an
image of height 1.
"""

from dataclasses import dataclass

import numpy as np

Pair = tuple[int, int]


@dataclass(frozen=True)
class Window:
    """How a window moves over an image: kernel, step, zero (or minus infinite) border, spread."""

    kernel: Pair
    stride: Pair
    padding: Pair
    dilation: Pair = (1, 1)


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


def pool_windows(rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """Flat places (channels * outputs, k) that each output of a pool sees, -1 for none.

    Args:
        rows: (output height, kernel height) places, outside the image where a window sees nothing.
        columns: (output width, kernel width) likewise.
        shape: (channels, height, width) of the image.
    """
    channels, height, width = shape
    inside_rows, inside_columns = (rows >= 0) & (rows < height), (columns >= 0) & (columns < width)
    flat = rows[:, None, :, None] * width + columns[None, :, None, :]
    inside = inside_rows[:, None, :, None] & inside_columns[None, :, None, :]
    flat = np.where(inside, flat, -1).reshape(len(rows) * len(columns), -1)
    offset = np.arange(channels)[:, None, None] * (height * width)
    return np.where(flat < 0, -1, flat + offset).reshape(channels * len(flat), -1)


def average_sizes(window: Window, image: Pair, output: Pair) -> np.ndarray:
    """What torch divides an average by when the border counts: (output height * width,) ints.

    A window that ceil_mode lets hang over the border is counted up to the border's end only.
    """
    sizes = []
    for axis in (0, 1):
        begins = np.arange(output[axis]) * window.stride[axis] - window.padding[axis]
        ends = np.minimum(begins + window.kernel[axis], image[axis] + window.padding[axis])
        sizes.append(ends - begins)
    return np.multiply.outer(sizes[0], sizes[1]).reshape(-1)


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


def tap_count(window: Window, image: Pair, output: Pair, *, used: np.ndarray) -> int:
    """How many products there are, with `used` (kernel) entries that are not zero in each place."""
    counts = []
    for axis in (0, 1):
        at = places(image[axis], output[axis], window, axis=axis)
        counts.append(((at >= 0) & (at < image[axis])).sum(0))
    return int((np.multiply.outer(*counts) * used.astype(object)).sum())


def convolution_taps(
    window: Window, image: Pair, output: Pair, *, channels: int, weight: np.ndarray
) -> Taps:
    """All products of a convolution with `channels` input channels.

    Args:
        window: how it moves.
        image: (height, width) of an input channel.
        output: (height, width) of an output channel.
        channels: how many enter; those of the weight divide them into groups.
        weight: (channels out, channels in / groups, kernel height, kernel width).
    """
    behind, into = weight.shape[:2]
    rows, columns = (places(image[k], output[k], window, axis=k) for k in (0, 1))
    seen = pool_windows(rows, columns, (into, *image))
    # Outputs by channels times kernel: what one output sees of the channels of its group.
    count = output[0] * output[1]
    seen = seen.reshape(into, count, -1).transpose(1, 0, 2).reshape(count, -1)
    inside, used = seen >= 0, weight.reshape(behind, -1) != 0
    per_group = behind // (channels // into)
    found = []
    for out in range(behind):
        kept = inside & used[out]
        row, entry = np.nonzero(kept)
        offset = out // per_group * into * image[0] * image[1]
        found.append((row + out * count, seen[kept] + offset, entry + out * used.shape[1]))
    return Taps(*(np.concatenate(parts) for parts in zip(*found, strict=True)))
