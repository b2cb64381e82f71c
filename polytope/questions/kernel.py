"""How many directions do the rows leave free?  Rank of W+, kernel condition, lineality."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from polytope.answers.certificates import Certificate
from polytope.answers.memory import once
from polytope.answers.results import KernelCondition, Lineality, Rank
from polytope.errors import LimitError
from polytope.sets.domains import Free
from polytope.sets.halfspaces import Row
from polytope.sets.linalg import Minor, Span, independent_rows, span
from polytope.sets.rows import Rows

#: Inactive rows tried one by one before all of them are reduced together.
_TRIES = 3


class ProvedRank(NamedTuple):
    """A rank proved from both sides: the size of a minor, and the span of the other rows.

    There is no span if there are no other rows, or the minor has all the columns.
    """

    minor: Minor
    span: Span | None


def exact_rank(
    layer: Rows, rows: Sequence[Row], columns: Sequence[int] | None = None
) -> ProvedRank:
    """Rank of some weight rows on some columns, proved from both sides.

    Raises:
        LimitError: if every modulus tried lost rank (never seen).
    """
    chosen = range(layer.n_inputs) if columns is None else columns
    minor = independent_rows(layer.weight, rows, chosen)
    if len(minor.rows) in (len(rows), len(chosen)):
        return ProvedRank(minor, None)
    found = span(layer.weight, minor, rows, chosen)
    if found is None:
        raise LimitError("rank: every modulus tried divides a maximal minor; none was left")
    return ProvedRank(minor, found)


@once
def active_rank(layer: Rows) -> ProvedRank:
    """Rank of W+ on all columns, see :func:`exact_rank`: several questions need it."""
    return exact_rank(layer, [Row("equality", i) for i in layer.active])


@once
def rank_positive(layer: Rows) -> Rank:
    """Exact rank of W+, the weight rows of the active units."""
    minor, found = active_rank(layer)
    claim = {"rank": len(minor.rows)}
    return Rank(
        len(minor.rows),
        Certificate("rank_positive", claim, layer, lambda: {"minor": minor, "span": found}),
        Certificate("rank_at_least", claim, layer, lambda: {"minor": minor}),
        Certificate("rank_at_most", claim, layer, lambda: {"span": found}),
    )


@once
def kernel_condition(layer: Rows) -> KernelCondition:
    """Decide ker(W+) in ker(W-), the case distinction of Proposition 1.

    It fails iff some inactive row is independent of W+; one such row settles it.
    """
    inactive = [Row("upper", i) for i in layer.inactive]
    base, found = active_rank(layer)
    if len(base.rows) == layer.n_inputs:  # ker W+ = {0}
        full = Certificate("kernel", {"holds": True}, layer, lambda: {"minor": base})
        return KernelCondition(True, full)
    for row in inactive[:_TRIES]:
        larger = _with_row(layer, base, row)
        if larger is not None:
            return _fails(layer, row, larger, found)
    largest = independent_rows(layer.weight, [*base.rows, *inactive], range(layer.n_inputs))
    for row in largest.rows:
        larger = None if row in base.rows else _with_row(layer, base, row)
        if larger is not None:
            return _fails(layer, row, larger, found)
    combination = span(layer.weight, base, [*base.rows, *inactive])
    if combination is None:
        raise LimitError("kernel_condition: every modulus tried divides a maximal minor")
    certificate = Certificate("kernel", {"holds": True}, layer, lambda: {"span": combination})
    return KernelCondition(True, certificate)


def _with_row(layer: Rows, base: Minor, row: Row) -> Minor | None:
    rows = [*base.rows, row]
    minor = independent_rows(layer.weight, rows, range(layer.n_inputs))
    return minor if len(minor.rows) == len(rows) else None


def _fails(layer: Rows, row: Row, larger: Minor, found: Span | None) -> KernelCondition:
    certificate = Certificate(
        "kernel",
        {"holds": False},
        layer,
        lambda: {"unit": row.unit, "minor": larger, "span": found},
    )
    return KernelCondition(False, certificate)


@once
def lineality(layer: Rows) -> Lineality:
    """Dimension of the lineality space: ``d - rank(W)`` if x is free, else 0."""
    if not isinstance(layer.domain, Free):
        certificate = Certificate("lineality", {"dimension": 0}, layer, dict)
        return Lineality(0, True, certificate)
    minor, found = exact_rank(layer, layer.one_row_a_unit)
    value = layer.n_inputs - len(minor.rows)
    certificate = Certificate(
        "lineality", {"dimension": value}, layer, lambda: {"minor": minor, "span": found}
    )
    return Lineality(value, value == 0, certificate)
