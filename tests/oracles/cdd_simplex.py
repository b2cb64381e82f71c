"""cddlib's exact dual simplex, in a process of its own: on some programs it ends its process.

cddlib 0.94 with GMP frees what it does not own (`ddf_FreeLPData` in `dd_LPSolve`) on rare programs;
that is its failure, not the end of a run over ten thousand instances.
"""

from __future__ import annotations

import atexit
import multiprocessing
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import cdd
import cdd.gmp

_SECONDS = 30


def minimum(rows: Sequence[Sequence[int]], first: int, cost: Sequence[Fraction]) -> Fraction | None:
    """The least ``cost . x`` over rows ``(b, c)`` with ``b + c x >= 0``, from `first` on equations.

    None where there is none.

    Raises:
        RuntimeError: cddlib ended its process, or gave no answer in time.
    """
    return _Child.the().ask((rows, first, cost))


class _Child:
    """The process; one for all programs, begun anew when it ends."""

    _only: _Child | None = None

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()

    @classmethod
    def the(cls) -> _Child:
        if cls._only is None:
            cls._only = cls()
            atexit.register(cls.stop)
        return cls._only

    @classmethod
    def stop(cls) -> None:
        if cls._only is not None:
            cls._only._process.kill()
            cls._only._process.join()
            cls._only._pipe.close()
            cls._only = None

    def ask(self, question: Any) -> Fraction | None:
        try:
            self._pipe.send(question)
            if self._pipe.poll(_SECONDS):
                found: Fraction | None = self._pipe.recv()
                return found
        except (EOFError, OSError):
            self.stop()
            raise RuntimeError("cddlib's simplex ended its process") from None
        self.stop()
        raise RuntimeError(f"cddlib's simplex gave no answer in {_SECONDS} s")


def _serve(pipe: Any) -> None:
    while True:
        try:
            rows, first, cost = pipe.recv()
        except EOFError:
            return
        matrix = cdd.gmp.matrix_from_array(
            [[Fraction(v) for v in row] for row in rows],
            rep_type=cdd.RepType.INEQUALITY,
            lin_set=set(range(first, len(rows))),
            obj_type=cdd.LPObjType.MIN,
            obj_func=[Fraction(0), *cost],
        )
        program = cdd.gmp.linprog_from_matrix(matrix)
        cdd.gmp.linprog_solve(program)
        optimal = program.status == cdd.LPStatusType.OPTIMAL
        pipe.send(Fraction(program.obj_value) if optimal else None)
