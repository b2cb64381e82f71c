"""What can one step of a model do?  A dozen kinds, whatever way they were written in.

Numbers (weights, biases, ...) are tensors, plain numbers, None, or the steps that compute them.
"""

from dataclasses import dataclass
from typing import Any


class Operation:
    """What a step does: one of the classes below."""


@dataclass(frozen=True, eq=False)
class Weighted(Operation):
    """A layer: `weight` applied to the last axis (Linear), or as a convolution.

    Attributes:
        border: zeros that a step in front of a convolution puts around its input, as `Border` has
            them, in addition to `padding`.
        transposed: whether the weight is stored (inputs, units), as in `x @ W`.
        entered: the step that enters, where that is not the first argument.
        output_padding: of a transposed convolution.
    """

    kind: str
    name: str
    weight: Any
    bias: Any
    stride: Any = 1
    padding: Any = 0
    dilation: Any = 1
    groups: int = 1
    padding_mode: str = "zeros"
    border: tuple[int, ...] = ()
    transposed: bool = False
    entered: Any = None
    output_padding: Any = 0


@dataclass(frozen=True, eq=False)
class Norm(Operation):
    """A BatchNorm over axis 1; None where torch has no such number."""

    name: str
    mean: Any
    variance: Any
    weight: Any
    bias: Any
    eps: float
    batch_statistics: bool


@dataclass(frozen=True)
class Rectifier(Operation):
    """max(0, x)."""


@dataclass(frozen=True)
class Pool(Operation):
    """A maximum or an average over windows that move along one or two axes."""

    maximum: bool
    axes: int
    kernel: Any
    stride: Any
    padding: Any = 0
    dilation: Any = 1
    count_include_pad: bool = True
    divisor: int | None = None


@dataclass(frozen=True)
class AdaptivePool(Operation):
    """A maximum or an average over as many windows as asked for."""

    maximum: bool
    axes: int


@dataclass(frozen=True)
class Mean(Operation):
    """An average over axes; None for all."""

    axes: Any


@dataclass(frozen=True)
class Total(Operation):
    """A sum over axes; None for all."""

    axes: Any


@dataclass(frozen=True)
class Largest(Operation):
    """A maximum over axes; None for all."""

    axes: Any


@dataclass(frozen=True, eq=False)
class Leaky(Operation):
    """x where x > 0, `slope` x elsewhere: a number, or one for each channel (axis 1)."""

    slope: Any


@dataclass(frozen=True)
class Clip(Operation):
    """The nearest number between two; None where there is no end."""

    low: float | None
    high: float | None


@dataclass(frozen=True)
class Move(Operation):
    """Entries are moved, chosen or padded with zeros; `in_order`: all of them, in their order."""

    in_order: bool


@dataclass(frozen=True)
class Border(Move):
    """Zeros around an image or a signal, which a convolution behind takes as its own padding.

    `sizes` are in torch's order: the last axis first, its beginning before its end.
    """

    sizes: tuple[int, ...] = ()


@dataclass(frozen=True)
class Filled(Operation):
    """A border of one number that is not 0."""

    value: Any


@dataclass(frozen=True)
class Join(Operation):
    """Tensors behind each other along an axis; `parts` may be a step that has several.

    `stacked`: the axis is a new one.
    """

    parts: Any
    axis: int
    stacked: bool = False


@dataclass(frozen=True)
class Combine(Operation):
    """The sum, difference, product or quotient of two things, of which one may be a constant."""

    sign: str
    left: Any
    right: Any


@dataclass(frozen=True)
class Metadata(Operation):
    """A shape or another property that carries no entry."""


@dataclass(frozen=True)
class Unknown(Operation):
    """Anything else."""
