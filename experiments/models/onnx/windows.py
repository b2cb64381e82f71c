"""Which padding of torch is the padding of an ONNX window?  The same outputs, or a refusal."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from experiments.models.onnx.nodes import Node

Sizes = tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Windows:
    """Windows over one, two or three axes.

    Attributes:
        kernel, stride, dilation: of each axis.
        before, after: padding of each axis.
        ceil: whether windows that are not full at the end count.
    """

    kernel: Sizes
    stride: Sizes
    dilation: Sizes
    before: Sizes
    after: Sizes
    ceil: bool

    @property
    def symmetric(self) -> bool:
        """Whether both ends of each axis are padded alike."""
        return self.before == self.after

    @property
    def padding(self) -> Sizes:
        """In the order of torch's padding modules: the last axis first, its beginning first."""
        return torch_order(self.before, self.after)

    @property
    def bare(self) -> "Windows":
        """The same over an input that is padded already."""
        none = (0,) * len(self.kernel)
        return replace(self, before=none, after=none)


def torch_order(before: Sequence[int], after: Sequence[int]) -> Sizes:
    """Returns paddings as torch's modules take them.

    >>> torch_order((1, 2), (3, 4))
    (2, 4, 1, 3)
    """
    return tuple(chain.from_iterable(zip(reversed(before), reversed(after), strict=True)))


def read_windows(node: Node, kernel: Sequence[int], size: Sequence[int]) -> Windows:
    """Returns the windows of a convolution or pool.

    Args:
        node: the operator.
        kernel: sizes of a window.
        size: sizes of its input along the same axes, which "SAME" padding depends on.

    Raises:
        InputError: the attributes are not those of so many axes.
    """
    given, axes = node.attributes, len(kernel)
    if len(size) != axes:
        raise node.refuse(f"an input of {axes} axes behind the channels", f"{len(size)}")
    stride, dilation = _each(node, "strides", axes), _each(node, "dilations", axes)
    auto = _text(given.get("auto_pad", "NOTSET"))
    pads = list(given.get("pads", [0] * 2 * axes))
    if len(pads) != 2 * axes or min(pads) < 0:
        raise node.refuse(f"{2 * axes} pads >= 0", pads)
    if auto not in ("NOTSET", ""):
        if any(pads):
            raise node.refuse("no pads beside auto_pad", pads)
        pads = _same(node, auto, kernel, size)
    return Windows(
        kernel=tuple(map(int, kernel)),
        stride=stride,
        dilation=dilation,
        before=tuple(pads[:axes]),
        after=tuple(pads[axes:]),
        ceil=bool(given.get("ceil_mode", 0)),
    )


def _same(node: Node, auto: str, kernel: Sequence[int], size: Sequence[int]) -> list[int]:
    """The pads that a word stands for."""
    axes = len(kernel)
    if auto == "VALID":
        return [0] * 2 * axes
    if auto not in ("SAME_UPPER", "SAME_LOWER"):
        raise node.refuse("auto_pad NOTSET, VALID, SAME_UPPER or SAME_LOWER", auto)
    stride, dilation = _each(node, "strides", axes), _each(node, "dilations", axes)
    whole = [
        max(0, (-(-n // s) - 1) * s + d * (k - 1) + 1 - n)
        for n, s, d, k in zip(size, stride, dilation, kernel, strict=True)
    ]
    small, large = [n // 2 for n in whole], [n - n // 2 for n in whole]
    return [*small, *large] if auto == "SAME_UPPER" else [*large, *small]


def pooling_ceil(node: Node, windows: Windows, size: Sequence[int]) -> bool:
    """Returns torch's `ceil_mode` with which a pool has the outputs of the file.

    A pool that ignores what is padded does not see how far the end is padded, only how many
    windows there are: torch, padding both ends like the beginning, has as many with one of its two
    ways of rounding, or the file is refused.

    Raises:
        InputError: neither has.
    """
    wanted = _count(windows, size, windows.after, ceil=windows.ceil)
    for ceil in (False, True):
        if _count(windows, size, windows.before, ceil=ceil) == wanted:
            return ceil
    raise node.refuse(
        "pads that torch has too (the same at both ends)",
        f"{windows.before} before and {windows.after} behind",
    )


def padded_ceil(node: Node, windows: Windows, size: Sequence[int]) -> bool:
    """Returns torch's `ceil_mode` for a pool behind its padding, which is a step of its own.

    torch then lets a window start in the padding behind, which ONNX leaves out.

    Raises:
        InputError: torch has another number of windows with both of its ways of rounding.
    """
    wanted = _count(windows, size, windows.after, ceil=windows.ceil)
    inside = [n + p + q for n, p, q in zip(size, windows.before, windows.after, strict=True)]
    bare = windows.bare
    for ceil in (False, True):
        if _count(bare, inside, bare.after, ceil=ceil) == wanted:
            return ceil
    raise node.refuse(
        "windows that torch has too, behind padding that differs at both ends",
        f"{windows.before} before, {windows.after} behind, ceil_mode 1",
    )


def _count(windows: Windows, size: Sequence[int], after: Sizes, *, ceil: bool) -> Sizes:
    counts = []
    for n, k, s, d, p, q in zip(
        size, windows.kernel, windows.stride, windows.dilation, windows.before, after, strict=True
    ):
        room = n + p + q - d * (k - 1) - 1
        count = (-(-room // s) if ceil else room // s) + 1
        if ceil and (count - 1) * s >= n + p:
            count -= 1  # a window that would start in the padding behind is left out
        counts.append(count)
    return tuple(counts)


def _each(node: Node, name: str, axes: int) -> Sizes:
    given = node.attributes.get(name, [1] * axes)
    if len(given) != axes or min(given) < 1:
        raise node.refuse(f"{axes} {name} >= 1", list(given))
    return tuple(map(int, given))


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
