"""Which padding of torch is the padding of an ONNX window?  The same outputs, or a refusal."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from experiments.models.onnx.build import Node


@dataclass(frozen=True, kw_only=True)
class Windows:
    """Windows over height and width.

    Attributes:
        kernel, stride, dilation: of each axis.
        before, after: padding of each axis.
        ceil: whether windows that are not full at the end count.
    """

    kernel: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    before: tuple[int, int]
    after: tuple[int, int]
    ceil: bool

    @property
    def symmetric(self) -> bool:
        """Whether both ends of each axis are padded alike."""
        return self.before == self.after

    @property
    def padded(self) -> bool:
        """Whether anything is padded."""
        return any((*self.before, *self.after))

    def zero_pad(self) -> tuple[int, int, int, int]:
        """The padding in the order of `nn.ZeroPad2d`: left, right, top, bottom."""
        (top, left), (bottom, right) = self.before, self.after
        return (left, right, top, bottom)


def read_windows(node: Node, kernel: Sequence[int], size: Sequence[int]) -> Windows:
    """Returns the windows of a convolution or pool.

    Args:
        node: the operator.
        kernel: height and width of a window.
        size: height and width of its input, which "SAME" padding depends on.

    Raises:
        InputError: the attributes are not those of two axes.
    """
    given = node.attributes
    stride, dilation = _pair(node, "strides", 1), _pair(node, "dilations", 1)
    auto = _text(given.get("auto_pad", "NOTSET"))
    pads = given.get("pads", [0, 0, 0, 0])
    if len(pads) != 4 or min(pads) < 0:
        raise node.refuse("4 pads >= 0", list(pads))
    before, after = (pads[0], pads[1]), (pads[2], pads[3])
    if auto not in ("NOTSET", ""):
        if "pads" in given and any(pads):
            raise node.refuse("no pads beside auto_pad", list(pads))
        before, after = (0, 0), (0, 0)
    if auto in ("SAME_UPPER", "SAME_LOWER"):
        whole = [
            max(0, (-(-n // s) - 1) * s + d * (k - 1) + 1 - n)
            for n, s, d, k in zip(size, stride, dilation, kernel, strict=True)
        ]
        small, large = [n // 2 for n in whole], [n - n // 2 for n in whole]
        first, last = (small, large) if auto == "SAME_UPPER" else (large, small)
        before, after = (first[0], first[1]), (last[0], last[1])
    elif auto not in ("NOTSET", "", "VALID"):
        raise node.refuse("auto_pad NOTSET, VALID, SAME_UPPER or SAME_LOWER", auto)
    return Windows(
        kernel=(int(kernel[0]), int(kernel[1])),
        stride=stride,
        dilation=dilation,
        before=before,
        after=after,
        ceil=bool(given.get("ceil_mode", 0)),
    )


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
    bare = replace(windows, before=(0, 0), after=(0, 0))
    for ceil in (False, True):
        if _count(bare, inside, (0, 0), ceil=ceil) == wanted:
            return ceil
    raise node.refuse(
        "windows that torch has too, behind padding that differs at both ends",
        f"{windows.before} before, {windows.after} behind, ceil_mode 1",
    )


def _count(
    windows: Windows, size: Sequence[int], after: tuple[int, int], *, ceil: bool
) -> tuple[int, ...]:
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


def _pair(node: Node, name: str, usual: int) -> tuple[int, int]:
    given = node.attributes.get(name, [usual, usual])
    if len(given) != 2 or min(given) < 1:
        raise node.refuse(f"2 {name} >= 1", list(given))
    return int(given[0]), int(given[1])


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
