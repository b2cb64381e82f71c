"""What else can be certified?  The active set, a point of the user's own, implicit equalities."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from polytope.answers.certificates import Certificate
from polytope.answers.memory import once
from polytope.answers.results import Residuals
from polytope.errors import InputError
from polytope.exact.brief import Brief
from polytope.exact.rational import RationalVector
from polytope.questions.dimension import dimension
from polytope.questions.membership import as_point
from polytope.questions.safe_bounds import ObjectiveBounds, objective_bounds
from polytope.sets.halfspaces import Bound, Halfspace, Multipliers, Row, inequalities
from polytope.sets.layer import Layer
from polytope.sets.rows import Rows


@dataclass(frozen=True, eq=False, repr=False)
class ActiveSet(Brief):
    """The units with a positive pre-activation at the target, and those where it is exactly zero.

    Of a set in a network's input space (``RegionPolytope``) they are those of the composed system,
    the rows of the region among them.

    Attributes:
        active: z_i > 0.
        ties: z_i = 0 (they count as inactive, as in the paper).
        certificate: proves both lists to be exactly these.
    """

    active: tuple[int, ...]
    ties: tuple[int, ...]
    certificate: Certificate = field(repr=False)


@dataclass(frozen=True, eq=False, repr=False)
class Membership(Brief):
    """Whether a point lies in the set.

    Attributes:
        inside: the verdict, by exact substitution.
        distance: linf distance from the target; None where the set has none.  0: it is the target.
        smallest_tolerance: the least tolerance at which the point collides (its domain aside).
        certificate: that the point lies in the set; None if it does not.
    """

    inside: bool
    distance: Fraction | None
    smallest_tolerance: Fraction
    certificate: Certificate | None = field(repr=False)

    def __bool__(self) -> bool:
        raise InputError("Membership: expected to be asked for .inside, got bool()")


@dataclass(frozen=True, eq=False, repr=False)
class ImplicitEqualities(Brief):
    """Which inequalities (rows and bounds) hold with equality on the whole set.

    Attributes:
        tight: those that do.
        strict: those that do not.
        certificates: one for each in `tight`, and for each in `strict` for which a point of the set
            is at hand: not for bounds that the target lies on where a minor shows that it can leave
            them (the certificate of the dimension has it).  Empty if the set is.
        reason: why nothing was proved.
    """

    tight: tuple[Halfspace, ...]
    strict: tuple[Halfspace, ...]
    certificates: Mapping[Halfspace, Certificate] = field(repr=False)
    reason: str = ""


class Claims:
    """Questions of a collision polytope whose answers are little more than their certificates."""

    layer: Rows
    if TYPE_CHECKING:  # what the class that inherits this has
        residuals: Callable[[Any], Residuals]

    def active_set(self) -> ActiveSet:
        """Which units are active at the target, and which are exactly zero there.

        Raises:
            InputError: if the set was asked for by an activation, which does not tell zeros, or is
                not that of a ReLU layer.
        """
        layer = self.layer
        if not isinstance(layer, Layer):
            got = type(layer).__name__
            raise InputError(f"target: expected that of a ReLU layer, got a set of {got}")
        if layer.target is None:
            raise InputError("target: expected a set made by from_layer, got one by activation")
        claim = {"active": list(layer.active), "zero": list(layer.ties)}
        return ActiveSet(layer.active, layer.ties, Certificate("active_set", claim, layer, dict))

    def membership(self, x: Any) -> Membership:
        """Whether x (d,), taken exactly, lies in the set; if so, with a certificate."""
        layer, point = self.layer, as_point(x, self.layer)
        inside, target = layer.contains(point), layer.target_vector
        certificate = Certificate("contains", {}, layer, lambda: {"point": point})
        return Membership(
            inside,
            None if target is None else _distance(point, target),
            self.residuals(point).smallest_tolerance,
            certificate if inside else None,
        )

    def implicit_equalities(self) -> ImplicitEqualities:
        """Which inequalities of the set are equations in truth, each with its proof."""
        return implicit_equalities(self.layer)

    def objective_bounds(self, c: Any) -> ObjectiveBounds:
        """Certified bounds of the minimum of ``c . x``: one float solve, no exact one.

        Above stands the value at a known point, so that only the lower bound is sharp (see
        :meth:`CollisionPolytope.minimize` for the exact minimum).
        """
        return objective_bounds(self.layer, as_point(c, self.layer, "c"))


def _distance(x: RationalVector, y: RationalVector) -> Fraction:
    gaps = [
        abs(a * y.denominator - b * x.denominator)
        for a, b in zip(x.numerators, y.numerators, strict=True)
    ]
    return Fraction(max(gaps), x.denominator * y.denominator)


@once
def implicit_equalities(layer: Rows) -> ImplicitEqualities:
    """Decide it for every inequality, by the witness of the dimension: see the class."""
    size = dimension(layer)
    if size.certificate is None or size.value == -1:
        return ImplicitEqualities((), (), {}, size.reason or "the set is empty")
    witness = size.certificate.witness
    multipliers, point = witness.get("implicit"), witness.get("interior", layer.target_vector)
    used = _tight(layer, multipliers)
    names = inequalities(layer.system)
    certificates = {
        name: Certificate(
            "implicit_equality",
            {"inequality": name, "holds": True},
            layer,
            lambda: {"point": point, "multipliers": multipliers},
        )
        for name in names
        if name in used
    }
    certificates |= _strict(layer, size.certificate, [n for n in names if n not in used])
    # All that is not used is loose at some point of the set: that is how the dimension was proved.
    tight = tuple(name for name in names if name in used)
    strict = tuple(name for name in names if name not in used)
    return ImplicitEqualities(tight, strict, certificates)


def _strict(
    layer: Rows, proof: Certificate, names: list[Halfspace]
) -> dict[Halfspace, Certificate]:
    """A certificate for each inequality in which the point of the witness is strict.

    Near a target on some bounds (the witness is a minor there) no point was computed: those bounds
    have none.
    """
    point = proof.witness.get("interior", layer.target_vector)
    if not isinstance(point, RationalVector):
        return {}
    system, values = layer.system, layer.values(point)
    found: dict[Halfspace, Certificate] = {}
    for name in names:
        if isinstance(name, Bound):
            ends = system.lower if name.side == "lower" else system.upper
            loose = point[name.coordinate] != ends[name.coordinate]
        else:
            loose = name.sign * values[name.unit] != system.rhs[system.position[name]]
        if loose:
            claim = {"inequality": name, "holds": False}
            found[name] = Certificate("implicit_equality", claim, layer, lambda: {"point": point})
    return found


def _tight(layer: Rows, multipliers: object) -> set[Halfspace]:
    """All that the multipliers use, and the bounds of fixed coordinates."""
    used: set[Halfspace] = set()
    if isinstance(multipliers, Multipliers):
        used |= {Row(*row) for row, weight in multipliers.weights.items() if weight}
        for j, g in enumerate(layer.system.combine(multipliers).numerators):
            used |= {Bound("lower" if g > 0 else "upper", j)} if g else set()
    for j, (low, high) in enumerate(zip(layer.system.lower, layer.system.upper, strict=True)):
        if low is not None and low == high:
            used |= {Bound("lower", j), Bound("upper", j)}
    return used
