"""When does a long list stop?  Limits of count, time and memory, and who is told meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from polytope.errors import InputError
from polytope.exact.arguments import integer, shown

#: Bases of a perturbed set up to which completeness is certified, unless the caller asks for more;
#: beyond it two exact engines are compared.  0.05 to 0.2 ms each here, as much for the checker.
CERTIFIED_BASES = 25_000
#: Bytes a list may take unless the caller says otherwise: some million vertices.
LARGEST_LIST = 4 << 30

#: Called now and then with the number of bases proved and of bases waiting.
Progress = Callable[[int, int], None]


def bytes_each(normals: Sequence[Sequence[int]]) -> int:
    """Bytes of one listed vertex: its basis, edges, incidence, and n + 1 exact integers.

    A determinant has about n times as many bits as the largest entry of the rows.
    """
    m, n = len(normals), len(normals[0])
    bits = max(max(map(abs, row)) for row in normals).bit_length()
    return 13 * n + 8 + m // 4 + (n + 1) * (40 + n * bits // 7)


class LimitReached(Exception):
    """A limit of the caller's was reached; ``str()`` says which."""


@dataclass(frozen=True)
class Limits:
    """Where to stop: number of vertices, seconds, bytes (None for no limit).

    ``bases`` bounds the bases of a degenerate set for which completeness is certified.
    """

    count: int | None = None
    seconds: float | None = None
    memory: int | None = None
    bases: int = CERTIFIED_BASES
    deadline: float | None = None

    @classmethod
    def of(cls, seconds: float | None, count: int | None, memory: int | None, bases: int) -> Limits:
        """Take the limits of a caller, ``max_seconds`` and so on.

        Raises:
            InputError: if one is not a positive number.
        """
        whole = {"max_count": count, "max_memory": memory, "max_bases": bases}
        for name, value in whole.items():
            if value is not None or name == "max_bases":
                integer(value, name, least=1)
        if seconds is not None and (
            isinstance(seconds, bool)
            or not isinstance(seconds, (int, float))
            or not 0 < seconds < float("inf")
        ):
            raise InputError(
                f"max_seconds: expected a positive number of seconds, got {shown(seconds)}"
            )
        return cls(count, seconds, memory, bases)

    def begin(self) -> Limits:
        """Start the clock."""
        if self.seconds is None:
            return self
        return replace(self, deadline=time.perf_counter() + self.seconds)

    def seconds_left(self) -> float | None:
        """Seconds until the deadline, at least a little."""
        if self.deadline is None:
            return None
        return max(self.deadline - time.perf_counter(), 0.001)

    def check_time(self) -> None:
        """Raise :class:`LimitReached` past the deadline."""
        if self.deadline is not None and time.perf_counter() > self.deadline:
            raise LimitReached(f"max_seconds: {self.seconds} s have passed")

    def check_size(self, count: int, waiting: int, bytes_each: int) -> None:
        """Raise :class:`LimitReached` if a list has become too long."""
        if self.count is not None and count > self.count:
            raise LimitReached(f"max_count: {self.count} vertices were listed")
        if self.memory is not None and (count + waiting) * bytes_each > self.memory:
            raise LimitReached(f"max_memory: {self.memory} bytes would be exceeded")
