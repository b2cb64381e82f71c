"""Which inequalities does the set not need?  Each is proved redundant, or needed by a point.

One exact program an inequality ``a x <= b``: maximise ``a x`` over all the others and over ``a x <=
b + s`` with some s > 0.  Above b, the optimal point violates this inequality alone; at b or below,
the multipliers of the optimum show that the others imply it.  Where the set is empty, the others
imply it iff they are empty without it (contradictions.py).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

from polytope.answers.certificates import Certificate
from polytope.answers.memory import once
from polytope.errors import InputError
from polytope.exact.brief import Brief
from polytope.exact.rational import RationalVector
from polytope.lp.linprog import Unsolved, solve
from polytope.lp.program import LinearProgram
from polytope.questions.claims import implicit_equalities
from polytope.questions.contradictions import empty_without, superfluous_equations
from polytope.questions.feasibility import feasibility
from polytope.sets.halfspaces import Bound, Halfspace, Multipliers, Row, System, inequalities
from polytope.sets.rows import Rows


@dataclass(frozen=True, eq=False, repr=False)
class Redundancy(Brief):
    """Which inequalities (rows and bounds) of a set are implied by the others.

    Of two equal inequalities each is redundant as long as the other is there: ``redundant`` names
    both, and ``minimal`` keeps one.

    Attributes:
        redundant: inequalities that all the other constraints together imply.
        irredundant: inequalities that they do not imply.
        minimal: inequalities that, with the equalities, describe the same set, none of them implied
            by the others: ``irredundant``, and of the rest what is needed once the ones before it
            are gone.  One of several possible choices.
        implicit: inequalities that hold with equality on the whole set; none of an empty one.
        certificates: one for each inequality in ``redundant`` and ``irredundant``.  If it is not in
            ``minimal``, the multipliers use no inequality that was left out before it, so these
            certificates taken from the last to the first prove ``minimal`` to be enough.  Of an
            empty set, what is redundant has a certificate that the set is empty, whose multipliers
            do not use it (nor what was left out before it).
        undecided: inequalities about which nothing was proved (they count as needed in
            ``minimal``).
        reason: why something is undecided.
        superfluous: equations that are combinations of those before them, by exact rank: the set
            is described by ``minimal`` and the other equations.  They have no certificates.
    """

    redundant: tuple[Halfspace, ...]
    irredundant: tuple[Halfspace, ...]
    minimal: tuple[Halfspace, ...]
    implicit: tuple[Halfspace, ...]
    certificates: Mapping[Halfspace, Certificate] = field(repr=False)
    undecided: tuple[Halfspace, ...] = ()
    reason: str = ""
    superfluous: tuple[Row, ...] = ()

    def __bool__(self) -> bool:
        raise InputError("Redundancy: expected to be asked for .redundant or .minimal, got bool()")


@once
def redundancy(layer: Rows) -> Redundancy:
    """Decide for each inequality of the set whether the others imply it, see :class:`Redundancy`.

    At most two programs an inequality; made for small layers (tens of units and inputs).
    """
    names, system = inequalities(layer.system), layer.system
    superfluous = superfluous_equations(system)
    found = feasibility(layer)
    if found.feasible is None:
        reason = found.reason or "whether the set is empty was not decided"
        return Redundancy((), (), names, (), {}, names, reason, superfluous)
    empty = not found.feasible

    def decide(name: Halfspace, removed: Collection[Halfspace]) -> _Verdict:
        if empty:
            return empty_without(system, {name, *removed})
        return _decide(system, name, removed)

    sorted_out = _sort_out(layer, names, decide, empty=empty)
    return replace(
        sorted_out,
        implicit=() if empty else implicit_equalities(layer).tight,
        superfluous=superfluous,
    )


#: Multipliers of others that imply an inequality, a point that violates it alone, or why neither.
_Verdict = Multipliers | RationalVector | str


def _sort_out(
    layer: Rows,
    names: tuple[Halfspace, ...],
    decide: Callable[[Halfspace, Collection[Halfspace]], _Verdict],
    *,
    empty: bool,
) -> Redundancy:
    """Ask about each inequality, and then leave out what is implied, one after the other."""
    certificates: dict[Halfspace, Certificate] = {}
    redundant: list[Halfspace] = []
    undecided: dict[Halfspace, str] = {}
    for name in names:
        verdict = decide(name, ())
        if isinstance(verdict, str):
            undecided[name] = verdict
            continue
        if isinstance(verdict, Multipliers):
            redundant.append(name)
        certificates[name] = _certificate(layer, name, verdict, empty=empty)
    removed: list[Halfspace] = []
    for name in redundant:
        verdict = decide(name, removed)
        if isinstance(verdict, Multipliers):
            removed.append(name)
            certificates[name] = _certificate(layer, name, verdict, empty=empty)
    return Redundancy(
        tuple(redundant),
        tuple(name for name in names if name in certificates and name not in redundant),
        tuple(name for name in names if name not in removed),
        (),
        certificates,
        tuple(undecided),
        "; ".join(sorted(set(undecided.values()))),
    )


def _certificate(
    layer: Rows, name: Halfspace, verdict: Multipliers | RationalVector, *, empty: bool
) -> Certificate:
    claim = {"inequality": name}
    if isinstance(verdict, Multipliers) and empty:
        return Certificate("empty", {}, layer, lambda: {"multipliers": verdict})
    if isinstance(verdict, Multipliers):
        return Certificate("redundant", claim, layer, lambda: {"multipliers": verdict})
    return Certificate("irredundant", claim, layer, lambda: {"point": verdict})


def _decide(system: System, name: Halfspace, removed: Collection[Halfspace] = ()) -> _Verdict:
    """Return multipliers of others that imply it, or a point that violates it alone, or why not.

    The others are all that are not ``removed``; the set must not be empty.
    """
    program, objective, limit = _program(system, name, removed)
    solution = solve(program.with_objective(objective))
    if isinstance(solution, Unsolved):
        return solution.reason or "a program could not be solved exactly"
    if -solution.value > limit:
        return solution.point.reduced()
    found = solution.multipliers()
    scale = 1 if isinstance(name, Bound) else system.scale(name.unit)
    return Multipliers(found.weights, found.denominator * scale)


def _program(
    system: System, name: Halfspace, removed: Collection[Halfspace]
) -> tuple[LinearProgram, RationalVector, Fraction]:
    """Return the program, and the inequality in integers: minus its left side, its right side."""
    base = LinearProgram.over(system, RationalVector((0,) * system.n_inputs))
    lower = [None if Bound("lower", j) in removed else v for j, v in enumerate(base.lower)]
    upper = [None if Bound("upper", j) in removed else v for j, v in enumerate(base.upper)]
    rows, limit = [], Fraction(0)
    objective = [0] * system.n_inputs
    if isinstance(name, Bound):
        j, side = name.coordinate, lower if name.side == "lower" else upper
        sign = 1 if name.side == "lower" else -1
        bound = side[j]
        if bound is None:
            raise InputError(f"name: expected an inequality of the set, got {name}")
        objective[j], limit, side[j] = sign, -sign * bound, bound - sign
    for row in base.rows:
        if row.name == name and isinstance(name, Row):
            integers = system.integer_row(name.unit)
            objective, limit = [-name.sign * v for v in integers], row.rhs
            # As far as one step along the row's largest entry, so that the float solver sees it.
            rows.append(replace(row, rhs=row.rhs + max(1, *map(abs, integers))))
        elif row.name not in removed:
            rows.append(row)
    program = LinearProgram(system, tuple(rows), tuple(lower), tuple(upper), base.objective)
    return program, RationalVector(tuple(objective)), limit
