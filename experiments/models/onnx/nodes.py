"""What are the operators and values of an ONNX graph that becomes a torch module?"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import Tensor, fx, nn

from experiments.readers.foreign_files import reason
from polytope.errors import CollisionError, FileFormatError, InputError

if TYPE_CHECKING:
    import onnx


class TooLargeError(InputError):
    """More numbers than a network's; never tried in another way."""


@dataclass(frozen=True, eq=False)
class Value:
    """What a name of the graph stands for: a step, and what it gives (no numbers).

    Attributes:
        node: the step.
        example: its tensor, whose first axis counts the inputs of the batch.
        batched: whether the file has that axis as its own first one; else it is torch's alone, and
            the file's tensor is of one input.
    """

    node: fx.Node
    example: Tensor
    batched: bool = True

    @property
    def shape(self) -> tuple[int, ...]:
        """As the file has it."""
        return tuple(self.example.shape if self.batched else self.example.shape[1:])

    def axis(self, axis: int) -> int:
        """Torch's number of an axis of the file's."""
        return axis % len(self.shape) + (0 if self.batched else 1)


@dataclass(frozen=True, eq=False)
class Unknown:
    """What a name stands for where nothing is known of it: the step, and why."""

    node: fx.Node
    reason: str


@dataclass(frozen=True, eq=False, kw_only=True)
class Node:
    """One operator of the graph.

    Attributes:
        op: its type.
        name: of the module that it becomes.
        place: how an error names it.
        inputs: names; "" for one that is left out.
        outputs: names.
        attributes: by name, as Python values and numpy arrays.
        proto: as the file has it.
        captured: names that graphs inside of it read.
    """

    op: str
    name: str
    place: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    proto: "onnx.NodeProto"
    captured: tuple[str, ...] = ()

    @property
    def reads(self) -> tuple[str, ...]:
        """All names that it needs."""
        return (*self.inputs, *self.captured)

    def refuse(self, wanted: str, got: object) -> InputError:
        """Returns the error that this operator is used in a way that is not supported."""
        return InputError(f"{self.place}: expected {wanted}, got {got}")

    def misfit(self, problem: Exception) -> CollisionError:
        """Returns the error that a library refused this operator."""
        if isinstance(problem, CollisionError):
            return problem
        return FileFormatError(
            f"{self.place}: expected shapes and types that fit, got: {reason(problem)}"
        )


def module_name(name: str, op: str, index: int, *, taken: set[str]) -> str:
    """Returns a name for torch: the node's own, its other signs as "_", made unique.

    >>> module_name("/features/0/Conv", "Conv", 3, taken=set())
    'features_0_Conv'
    >>> module_name("", "Gemm", 3, taken={"gemm_3"})
    'gemm_3_2'
    """
    usual = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_") or f"{op.lower()}_{index}"
    found, count = usual, 1
    # Names of nn.Module's own attributes cannot be used.
    while found in taken or hasattr(nn.Module, found) or found == "x":
        count += 1
        found = f"{usual}_{count}"
    taken.add(found)
    return found


def captured(proto: "onnx.NodeProto") -> Iterator[str]:
    """Yields the names that graphs inside of an operator read, their own ones among them."""
    for attribute in proto.attribute:
        for graph in (attribute.g, *attribute.graphs):
            yield from (each.name for each in graph.output)
            for node in graph.node:
                yield from node.input
                yield from captured(node)
