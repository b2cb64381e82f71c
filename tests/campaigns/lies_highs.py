"""The lies of HiGHS: wrong statuses, impossible bases, garbage points, and exceptions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import highspy
import numpy as np

from polytope.lp import highs
from tests.campaigns.lies_distortions import DISTORTIONS, raises

Patch = Any  # of pytest, or one that counts
Rng = np.random.Generator
Tell = Callable[[Patch, Rng], None]

_TRUE = highspy.Highs
_STATUSES = list(highspy.HighsModelStatus.__members__.values())


class LyingHighs:
    """HiGHS with one method replaced; what is not replaced goes to the real one."""

    def __init__(self, replaced: dict[str, Callable[[Any], Any]]) -> None:
        self._true, self._replaced = _TRUE(), replaced

    def __getattr__(self, name: str) -> Any:
        if name in self._replaced:
            return lambda *args: self._replaced[name](getattr(self._true, name), *args)
        return getattr(self._true, name)


def _highs(**replaced: Callable[[Rng], Callable[..., Any]]) -> Tell:
    def tell(patch: Patch, rng: Rng) -> None:
        given = {name: make(rng) for name, make in replaced.items()}
        patch.setattr(highs.highspy, "Highs", lambda: LyingHighs(given))

    return tell


def _raise(rng: Rng) -> Callable[..., Any]:
    def method(*_: Any) -> Any:
        raise raises(rng)

    return method


def _nothing(_: Rng) -> Callable[..., Any]:
    return lambda *_: highspy.HighsStatus.kError


def _status(rng: Rng) -> Callable[..., Any]:
    return lambda *_: _STATUSES[int(rng.integers(len(_STATUSES)))]


def _always(status: str) -> Callable[[Rng], Callable[..., Any]]:
    return lambda _: lambda *_: getattr(highspy.HighsModelStatus, status)


class _Told:
    """A basis or a solution with the fields that polytope/lp/highs.py reads."""

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)


def _basis(kind: str) -> Callable[[Rng], Callable[..., Any]]:
    kinds = list(highspy.HighsBasisStatus.__members__.values())
    basic, lower = highspy.HighsBasisStatus.kBasic, highspy.HighsBasisStatus.kLower

    def make(rng: Rng) -> Callable[..., Any]:
        def method(true: Callable[[], Any]) -> Any:
            found = true()
            columns, rows = list(found.col_status), list(found.row_status)
            if kind == "invalid":
                return _Told(valid=False, col_status=[], row_status=[])
            if kind == "random":
                columns, rows = ([kinds[int(k)] for k in rng.integers(len(kinds), size=len(part))]
                                 for part in (columns, rows))  # fmt: skip
            elif kind == "shuffled":
                columns = [columns[k] for k in rng.permutation(len(columns))]
                rows = [rows[k] for k in rng.permutation(len(rows))]
            elif kind == "flipped":
                columns, rows = ([lower if s == basic else basic for s in part]
                                 for part in (columns, rows))  # fmt: skip
            elif kind == "empty":
                columns, rows = [], []
            elif kind == "short":
                columns, rows = columns[:-1], rows[:-1]
            elif kind == "long":
                columns, rows = [*columns, basic, basic], [*rows, basic, lower]
            return _Told(valid=True, col_status=columns, row_status=rows)

        return method

    return make


def _solution(change: Callable[..., Any]) -> Callable[[Rng], Callable[..., Any]]:
    def make(rng: Rng) -> Callable[..., Any]:
        return lambda true: _Told(col_value=change(np.array(true().col_value), rng).tolist())

    return make


HIGHS: dict[str, Tell] = {
    "HiGHS does not run": _highs(run=_nothing),
    "HiGHS raises": _highs(run=_raise),
    "HiGHS refuses the model": _highs(passModel=_nothing),
    "HiGHS raises at the model": _highs(passModel=_raise),
    "HiGHS has no basis, and raises": _highs(getBasis=_raise),
    "HiGHS has any status": _highs(getModelStatus=_status),
    "HiGHS ignores changed costs": _highs(changeColsCost=_nothing),
    "HiGHS ignores changed bounds": _highs(changeColsBounds=_nothing, changeRowsBounds=_nothing),
    **{
        f"HiGHS: always {status}": _highs(getModelStatus=_always(status))
        for status in ("kOptimal", "kInfeasible", "kUnbounded", "kModelEmpty", "kUnknown")
    },
    **{
        f"HiGHS: {kind} basis": _highs(getBasis=_basis(kind))
        for kind in ("invalid", "random", "shuffled", "flipped", "empty", "short", "long")
    },
    **{
        f"HiGHS: random basis, {status}": _highs(
            getBasis=_basis("random"), getModelStatus=_always(status)
        )
        for status in ("kOptimal", "kInfeasible", "kUnbounded")
    },
    **{
        f"HiGHS: solution {change.__name__[1:]}": _highs(getSolution=_solution(change))
        for change in DISTORTIONS
    },
}
