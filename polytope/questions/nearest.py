"""How near does the set come to a point?  Exact in linf and l1, between bounds in l2.

The lower bound is a separating functional: for any g of dual norm at most 1, every x of the set has
``||x - p|| >= g (x - p) >= min over the set of g x  -  g p``, and weak duality bounds that minimum.
"""

from __future__ import annotations

from fractions import Fraction
from math import lcm

from polytope.answers.certificates import Certificate
from polytope.answers.results import NearestResult, NearestStatus
from polytope.errors import InputError
from polytope.exact.arguments import shown
from polytope.exact.rational import RationalVector
from polytope.exact.roots import outward, root_bounds
from polytope.lp.linprog import Optimum, Unsolved, solve
from polytope.lp.program import LinearProgram, LPRow
from polytope.questions.euclidean import Projection, project
from polytope.questions.feasibility import feasibility
from polytope.sets.halfspaces import Multipliers
from polytope.sets.rows import Rows

NORMS = ("linf", "l1", "l2")


def nearest(layer: Rows, origin: RationalVector, norm: str) -> NearestResult:
    """Distance from ``origin`` to the set, see :class:`NearestResult`."""
    if norm not in NORMS:
        raise InputError(f"norm: expected one of {', '.join(NORMS)}, got {shown(norm)}")
    found = feasibility(layer)
    if found.feasible is False:
        return NearestResult(NearestStatus.EMPTY, norm, certificate=found.certificate)
    if found.feasible is None:
        return NearestResult(NearestStatus.UNDECIDED, norm, reason=found.reason)
    if norm == "l2":
        return _euclidean(layer, origin)
    program = _linf(layer, origin) if norm == "linf" else _l1(layer, origin)
    solution = solve(program)
    if isinstance(solution, Unsolved):
        reason = solution.reason or "the distance program could not be proved"
        return NearestResult(NearestStatus.UNDECIDED, norm, reason=reason)
    return _exact(layer, origin, norm, solution)


def _exact(layer: Rows, origin: RationalVector, norm: str, solution: Optimum) -> NearestResult:
    n, full = layer.n_inputs, solution.point
    if norm == "linf":
        point = RationalVector(full.numerators[:n], full.denominator)
        distance = Fraction(full.numerators[n], full.denominator)
    else:
        moved = [a - b for a, b in zip(full.numerators[:n], full.numerators[n:], strict=True)]
        point = _added(origin, RationalVector(tuple(moved), full.denominator))
        distance = Fraction(sum(full.numerators), full.denominator)
    multipliers = solution.multipliers()

    def witness() -> dict[str, object]:
        functional = (
            _linf_functional(solution, n)
            if norm == "linf"
            else _l1_functional(layer, origin, multipliers)
        )
        return {"point": point, "functional": functional, "multipliers": multipliers}

    claim = {"from": origin, "norm": norm, "distance": distance}
    certificate = Certificate("nearest", claim, layer, witness)
    lower, upper = outward(distance)
    return NearestResult(
        NearestStatus.EXACT, norm, distance, lower, upper, point.reduced(), certificate
    )


def _added(a: RationalVector, b: RationalVector) -> RationalVector:
    common = lcm(a.denominator, b.denominator)
    left, right = common // a.denominator, common // b.denominator
    pairs = zip(a.numerators, b.numerators, strict=True)
    return RationalVector(tuple(x * left + y * right for x, y in pairs), common)


def _linf(layer: Rows, origin: RationalVector) -> LinearProgram:
    """Minimise t over x in the set, ``x_j - t <= p_j`` and ``-x_j - t <= -p_j``."""
    n = layer.n_inputs
    base = LinearProgram.over(layer.system, RationalVector((0,) * n))
    rows = list(base.rows)
    for j, p in enumerate(origin):
        for sign in (1, -1):
            rows.append(LPRow(None, 1, sign * p, False, {j: sign, n: -1}))
    return LinearProgram(
        layer.system,
        tuple(rows),
        (*base.lower, Fraction(0)),
        (*base.upper, None),
        RationalVector((0,) * n + (1,)),
    )


def _linf_functional(solution: Optimum, n: int) -> RationalVector:
    """Multipliers of the norm rows: ``g_j`` is the one of ``x_j - t`` less that of ``-x_j - t``."""
    dual = solution.dual
    entries = [0] * n
    first = len(solution.program.rows) - 2 * n
    for r, numerator in zip(solution.tight, dual.numerators, strict=True):
        if r >= first:
            entries[(r - first) // 2] += numerator if (r - first) % 2 == 0 else -numerator
    return RationalVector(tuple(entries), dual.denominator)


def _l1(layer: Rows, origin: RationalVector) -> LinearProgram:
    """Minimise ``sum (u + v)`` over ``x = p + u - v`` in the set, ``u, v >= 0``.

    Bounds of x become bounds of u and v: where p_j leaves the domain, one of them has to move.
    """
    n, system = layer.n_inputs, layer.system
    base = LinearProgram.over(system, RationalVector((0,) * n))
    shift = system.values(origin)
    rows = []
    for row in base.rows:
        unit = row.unit or 0
        integer = system.integer_row(unit)
        extra = {n + j: -row.factor * v for j, v in enumerate(integer) if v}
        rhs = row.rhs - row.factor * shift[unit] * system.scale(unit)
        rows.append(LPRow(unit, row.factor, rhs, row.equality, extra, row.name))
    zero = Fraction(0)
    lower_u, upper_u, lower_v, upper_v = [], [], [], []
    for p, low, high in zip(origin, system.lower, system.upper, strict=True):
        lower_u.append(max(zero, low - p) if low is not None else zero)
        upper_u.append(None if high is None else max(zero, high - p))
        lower_v.append(max(zero, p - high) if high is not None else zero)
        upper_v.append(None if low is None else max(zero, p - low))
    return LinearProgram(
        system,
        tuple(rows),
        (*lower_u, *lower_v),
        (*upper_u, *upper_v),
        RationalVector((1,) * (2 * n)),
    )


def _l1_functional(layer: Rows, origin: RationalVector, multipliers: Multipliers) -> RationalVector:
    """Minus the combination of rows, clipped to [-1, 1]: the bounds of x take up the rest.

    Where the origin lies outside the bounds ``x_j - p_j`` has one sign only, and +-1 is best.
    """
    combined = layer.system.combine(multipliers)
    den = combined.denominator
    entries = []
    bounds = zip(layer.system.lower, layer.system.upper, strict=True)
    for v, p, (low, high) in zip(combined.numerators, origin, bounds, strict=True):
        if low is not None and p < low:
            entries.append(den)
        elif high is not None and p > high:
            entries.append(-den)
        else:
            entries.append(max(-den, min(den, -v)))
    return RationalVector(tuple(entries), den)


def _euclidean(layer: Rows, origin: RationalVector) -> NearestResult:
    projection = project(layer, origin)
    if projection is None or _is_loose(layer, origin, projection):
        projection = _tightened(layer, origin, projection)
    if projection is None:
        reason = "neither the quadratic program nor the linf program gave a certified point"
        return NearestResult(NearestStatus.UNDECIDED, "l2", reason=reason)
    lower, upper = _squared_bounds(layer, origin, projection)
    claim = {"from": origin, "norm": "l2", "lower_squared": lower, "upper_squared": upper}
    certificate = Certificate(
        "nearest",
        claim,
        layer,
        lambda: {
            "point": projection.point,
            "functional": projection.functional,
            "multipliers": projection.multipliers,
        },
    )
    return NearestResult(
        NearestStatus.BOUNDED,
        "l2",
        None,
        root_bounds(lower)[0],
        root_bounds(upper)[1],
        projection.point,
        certificate,
    )


def _squared_bounds(
    layer: Rows, origin: RationalVector, projection: Projection
) -> tuple[Fraction, Fraction]:
    upper = sum(((a - b) ** 2 for a, b in zip(projection.point, origin, strict=True)), Fraction(0))
    bound = _functional_bound(layer, origin, projection)
    return bound**2 if bound is not None and bound > 0 else Fraction(0), upper


def _is_loose(layer: Rows, origin: RationalVector, projection: Projection) -> bool:
    lower, upper = _squared_bounds(layer, origin, projection)
    return upper > lower * Fraction(101, 100) and upper > Fraction(1, 10**6)


def _tightened(layer: Rows, origin: RationalVector, found: Projection | None) -> Projection | None:
    """Take point and functional from the linf program where they are better.

    ``|x|_inf <= |x|_2``, and a functional of l1 norm at most 1 has an l2 norm of at most 1.
    """
    other = nearest(layer, origin, "linf")
    if other.certificate is None or other.point is None:
        return found
    parts = other.certificate.witness
    linf = Projection(other.point, parts["functional"], parts["multipliers"])
    if found is None:
        return linf
    mine, its = _squared_bounds(layer, origin, found), _squared_bounds(layer, origin, linf)
    below, above = (linf if its[0] > mine[0] else found), (linf if its[1] < mine[1] else found)
    return Projection(above.point, below.functional, below.multipliers)


def _functional_bound(
    layer: Rows, origin: RationalVector, projection: Projection
) -> Fraction | None:
    g = projection.functional
    bound = layer.system.lower_bound(g, projection.multipliers)
    if bound is None:
        return None
    total = sum(a * b for a, b in zip(g.numerators, origin.numerators, strict=True))
    return bound - Fraction(total, g.denominator * origin.denominator)
