"""What can I ask of the set of inputs that collide with a target?  One class, one question each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from polytope.answers.generators import Generators
from polytope.answers.results import (
    Boundedness,
    Dimension,
    Feasibility,
    KernelCondition,
    Lineality,
    LPResult,
    NearestResult,
    Rank,
    Residuals,
    TightConstraints,
)
from polytope.errors import InputError, ShapeError, UnitError
from polytope.exact.arguments import instance, integer, integers, shown
from polytope.exact.brief import Brief, line, table
from polytope.measures.measures import Measures
from polytope.questions import dimension as _dimension
from polytope.questions import feasibility as _feasibility
from polytope.questions import kernel as _kernel
from polytope.questions import membership as _membership
from polytope.questions import nearest as _nearest
from polytope.questions import recession as _recession
from polytope.questions.claims import Claims
from polytope.questions.minimize import Minimizer, unit_vertices
from polytope.questions.redundancy import Redundancy, redundancy
from polytope.questions.uniqueness import Uniqueness, uniqueness
from polytope.sets import product as _product
from polytope.sets.domains import Domain
from polytope.sets.halfspace_input import halfspace_rows
from polytope.sets.layer import Layer
from polytope.sets.nonlinear_layer import NonlinearLayer
from polytope.sets.nonlinearity import RELU, function_of
from polytope.sets.repeated import RepeatedUnits, repeated_units
from polytope.sets.rows import Rows
from polytope.vertices.enumeration import enumerate_generators
from polytope.vertices.limits import CERTIFIED_BASES, LARGEST_LIST, Limits, Progress
from polytope.vertices.purification import Purification, purify
from polytope.vertices.size_estimate import SizeEstimate, estimate_vertices


class CollisionPolytope(Measures, Claims):
    """All inputs that one ReLU layer cannot tell from a target (Li, Zhang & Malik 2019, Prop. 1).

    ``C = {x in D : w_i x + b_i = z_i where z_i > 0, w_i x + b_i <= 0 elsewhere}`` with
    ``z = W x_t + b``.  Every answer is exact and carries a certificate; the claims are about the
    real-arithmetic layer with the weights as stored, not about its float execution.

    Example:
        The unit square, seen through one unit that fires at the corner (1, 1) only:

        >>> from polytope import Box, CollisionPolytope
        >>> P = CollisionPolytope.from_layer([[2, 2]], [-3], [0, 0], domain=Box(0, 1))
        >>> P.dimension().value, P.unit_vertex(0).value
        (2, Fraction(-3, 1))
    """

    def __init__(self, layer: Rows) -> None:
        """Use :meth:`from_layer` or :meth:`from_activation`."""
        self.layer = instance(layer, Rows, "layer")

    @classmethod
    def from_layer(
        cls,
        weight: Any,
        bias: Any,
        target: Any,
        *,
        domain: Domain | None = None,
        tolerance: Any = 0,
        nonlinearity: str = RELU,
        rounding: str = "inner",
    ) -> CollisionPolytope:
        """Build the set of inputs with the same post-activation as ``target``.

        Args:
            weight: (N, d) float16/32/64, bfloat16 (torch), integers or Fractions, taken exactly.
            bias: (N,).
            target: (d,), a point of the domain.
            domain: ``Free()`` (default), ``Nonnegative()`` or ``Box(lower, upper)``.
            tolerance: e >= 0, taken exactly; e > 0 gives all x whose post-activations differ from
                the target's by at most e, the paper's "approximately colliding" examples.
            nonlinearity: what stands behind the weights, "relu" by default; "tanh", "sigmoid",
                "softplus", "selu", "elu(1)", "leaky_relu(0.01)", "clipped_relu(6)", "relu6",
                "hard_tanh", "hard_sigmoid": the set is that of the real function.
            rounding: of the ends of intervals that are irrational: "inner" (every point of the set
                truly collides) or "outer" (what lies outside of it truly does not).

        A layer without units (N = 0) asks nothing: its set is the domain.

        Raises:
            ShapeError: if the shapes do not fit or the layer has no input.
            NonFiniteError: for NaN or infinite numbers, naming argument and index.
            DomainError: if the target lies outside the domain.
            InputError: if the nonlinearity is not known.

        Example: tanh is within 1/10 of its value at 20 for all pre-activations above 1.4722...

            >>> from polytope import CollisionPolytope
            >>> P = CollisionPolytope.from_layer(
            ...     [[1, 0]], [0], [20, 0], tolerance=0.1, nonlinearity="tanh"
            ... )
            >>> round(float(P.unit_vertex(0).value), 10), P.dimension().value
            (1.4722194896, 2)
        """
        given = {"domain": domain, "tolerance": tolerance}
        if function_of(nonlinearity) is None:
            return cls(Layer.of(weight, bias, target, **given))
        return cls(
            NonlinearLayer.of(nonlinearity, weight, bias, target=target, rounding=rounding, **given)
        )

    @classmethod
    def from_activation(
        cls,
        weight: Any,
        bias: Any,
        activation: Any,
        *,
        domain: Domain | None = None,
        tolerance: Any = 0,
        nonlinearity: str = RELU,
        rounding: str = "inner",
    ) -> CollisionPolytope:
        """Build the set of inputs with a wanted post-activation (N,), perhaps unattainable.

        Raises:
            InputError: if some ``activation`` is farther than the tolerance from all values of the
                function (of a ReLU: if it is negative), or without a tolerance is that of an
                irrational pre-activation alone; otherwise as :meth:`from_layer`.
        """
        if activation is None:
            raise ShapeError("activation: expected 1 axes, got None")
        given = {"activation": activation, "domain": domain, "tolerance": tolerance}
        if function_of(nonlinearity) is None:
            return cls(Layer.of(weight, bias, None, **given))
        return cls(NonlinearLayer.of(nonlinearity, weight, bias, rounding=rounding, **given))

    @classmethod
    def from_halfspaces(
        cls, matrix: Any, bound: Any, *, equalities: Any = None, values: Any = None
    ) -> CollisionPolytope:
        """Build any polyhedron ``{x : matrix x <= bound, equalities x = values}``.

        Unit i < m is the inequality i, unit m + k the equation k, on the free domain.  Every
        question can be asked of it, and has its certificate.

        Args:
            matrix: (m, d) floats, integers or Fractions, taken exactly; None if there are none.
                Of shape (0, d), it says d alone: without any row the set is R^d.
            bound: (m,).
            equalities: (e, d), or None.
            values: (e,).

        Raises:
            ShapeError: if the shapes do not fit, or nothing says d.
            NonFiniteError: for NaN or infinite numbers, naming argument and index.

        Example:
            >>> from polytope import CollisionPolytope
            >>> P = CollisionPolytope.from_halfspaces([[-1, 0], [0, -1], [1, 1]], [0, 0, 1])
            >>> P.dimension().value, P.is_vertex([1, 0])
            (2, True)
        """
        return cls(halfspace_rows(matrix, bound, equalities=equalities, values=values))

    def __repr__(self) -> str:
        """Sizes, split and domain in one line."""
        return line(type(self).__name__, self._shown())

    def _repr_html_(self) -> str:
        """The same as a table, for notebooks."""
        return table(["", type(self).__name__], self._shown().items())

    def _shown(self) -> dict[str, str]:
        names = ("n_units", "n_inputs", "n_positive")
        sizes = {name: str(getattr(self, name)) for name in names}
        return {**sizes, "domain": type(self.layer.domain).__name__, **self.layer.words}

    @property
    def n_inputs(self) -> int:
        """Number d of inputs."""
        return self.layer.n_inputs

    @property
    def n_units(self) -> int:
        """Number N of units."""
        return self.layer.n_units

    @property
    def n_positive(self) -> int:
        """Number N+ of active units, from the exact pre-activation."""
        return len(self.active_units)

    @property
    def active_units(self) -> tuple[int, ...]:
        """Units with a positive exact pre-activation at the target."""
        return self.layer.active

    @property
    def inactive_units(self) -> tuple[int, ...]:
        """The other units; a pre-activation of exactly zero counts here, as in the paper."""
        return self.layer.inactive

    @property
    def ties(self) -> tuple[int, ...]:
        """Units whose pre-activation at the target is exactly zero."""
        return self.layer.ties

    @property
    def sign_disagreements(self) -> tuple[int, ...]:
        """Units that a forward pass in the stored float type would split differently."""
        return self.layer.sign_disagreements

    def rank_positive(self) -> Rank:
        """Exact rank of W+."""
        return _kernel.rank_positive(self.layer)

    def kernel_condition(self) -> KernelCondition:
        """Whether ker(W+) lies in ker(W-), the case distinction of Proposition 1."""
        return _kernel.kernel_condition(self.layer)

    def dimension(self) -> Dimension:
        """Exact dimension of the set, beside the paper's bound ``d - N+`` for the subspace."""
        return _dimension.dimension(self.layer)

    def lineality(self) -> Lineality:
        """Dimension of the lineality space; a set with lines has no vertices."""
        return _kernel.lineality(self.layer)

    def boundedness(self) -> Boundedness:
        """Whether the set is bounded; if not, with a ray."""
        return _recession.boundedness(self.layer)

    def uniqueness(self) -> Uniqueness:
        """Whether no other input collides, beside the condition of directed spanning sets."""
        return uniqueness(self.layer)

    def redundancy(self) -> Redundancy:
        """Which inequalities the others imply, and a subsystem without such ones."""
        return redundancy(self.layer)

    def repeated_units(self) -> RepeatedUnits:
        """Which units have no weights, parallel weights, or the same half-space; all legal.

        Raises:
            LimitError: for sparse weights too large to be written out.
        """
        return repeated_units(self.layer)

    def factors(self) -> tuple[Factor, ...]:
        """The set as a product: one factor for each group of units that share no input with others.

        A 1 x 1 convolution has one a position, a grouped one (without overlapping windows) one a
        group; most layers have one factor, themselves.  The dimension is the sum of the factors',
        the vertices are all combinations of theirs, and the set is empty iff a factor is.
        """
        return tuple(
            Factor(part.units, part.inputs, CollisionPolytope(part.layer))
            for part in _product.parts(self.layer)
        )

    def feasibility(self) -> Feasibility:
        """Whether the set has a point; if not, with Farkas multipliers."""
        return _feasibility.feasibility(self.layer)

    def minimize(self, c: Any) -> LPResult:
        """Minimise ``c . x`` over the set; c (d,) is taken exactly (maximise with -c).

        Every call starts afresh: where several points are optimal, the one returned does not
        depend on what was asked before.
        """
        objective = _membership.as_point(c, self.layer, "c")
        return Minimizer(self.layer).minimize(objective)

    def unit_vertex(self, unit: int) -> LPResult:
        """Minimise the pre-activation ``w_i x + b_i`` of an inactive unit (the paper's direction).

        Raises:
            UnitError: if the unit does not exist or is active.
        """
        return Minimizer(self.layer).unit(self._inactive(unit))

    def unit_vertices(self, units: Sequence[int] | None = None) -> dict[int, LPResult]:
        """Minimise every inactive unit (or the given ones), warm-started, two at a time."""
        return dict(self.iter_unit_vertices(units))

    def iter_unit_vertices(
        self, units: Sequence[int] | None = None
    ) -> Iterator[tuple[int, LPResult]]:
        """As :meth:`unit_vertices`, one at a time, for progress bars and early stops."""
        if units is None:
            return unit_vertices(self.layer, self.inactive_units)
        chosen = [self._inactive(i) for i in integers(units, "units", error=UnitError)]
        return unit_vertices(self.layer, chosen)

    def vertices(
        self,
        *,
        max_seconds: float | None = None,
        max_count: int | None = None,
        max_memory: int | None = LARGEST_LIST,
        max_bases: int = CERTIFIED_BASES,
        progress: Progress | None = None,
    ) -> Generators:
        """List all vertices, extreme rays and lines, exact, with a certificate of completeness.

        Args:
            max_seconds: stop after so long, with what was found (status PARTIAL).
            max_count: stop beyond so many vertices (of the perturbed set, if it is degenerate).
            max_memory: stop before the lists need more bytes than this (4 GiB; None: no limit).
            max_bases: certify a degenerate set (more than n rows tight at a vertex) up to so many
                bases of its perturbation; beyond it, two exact engines are compared.
            progress: called now and then with the numbers of vertices proved and waiting.

        Raises:
            InputError: if a limit is not a positive number.
        """
        if progress is not None and not callable(progress):
            raise InputError(f"progress: expected a function or None, got {shown(progress)}")
        limits = Limits.of(max_seconds, max_count, max_memory, max_bases)
        return enumerate_generators(self.layer, limits, progress)

    def estimate_vertices(self, *, walkers: int = 1000, seed: int = 0) -> SizeEstimate | None:
        """Estimate how many vertices there are before listing them, by random walks (floats).

        Beside the estimate stands an exact upper bound.  None if no point was found, or the set is
        far too large for a list (hundreds of free coordinates).

        Args:
            walkers: how many walks, at least 2: only where two meet is something learnt.
            seed: of the random numbers; equal seeds give equal estimates.

        Raises:
            InputError: if they are no such ints.
        """
        walkers, seed = integer(walkers, "walkers", least=2), integer(seed, "seed", least=0)
        return estimate_vertices(self.layer, walkers=walkers, seed=seed)

    def contains(self, x: Any) -> bool:
        """Whether x (d,), taken exactly, lies in the set."""
        return self.layer.contains(_membership.as_point(x, self.layer))

    def residuals(self, x: Any) -> Residuals:
        """Exact residuals of x (d,), taken exactly."""
        return _membership.residuals(self.layer, _membership.as_point(x, self.layer))

    def tight_constraints(self, x: Any) -> TightConstraints:
        """Constraints tight at x (d,), their exact rank, and whether x is a vertex."""
        return _membership.tight_constraints(self.layer, _membership.as_point(x, self.layer))

    def is_vertex(self, x: Any) -> bool:
        """Whether x (d,) is a vertex of the set."""
        return self.tight_constraints(x).is_vertex

    def purify(self, x: Any = None) -> Purification:
        """Push a point of the set, x (d,) or the target, to a vertex of the face it lies in.

        No linear program is solved, so this is the way to a vertex of sets too large for one.

        Raises:
            InputError: if x does not lie in the set.
        """
        return purify(self.layer, None if x is None else _membership.as_point(x, self.layer))

    def nearest(self, x: Any, norm: str = "linf") -> NearestResult:
        """Distance from x (d,) to the set in "linf" or "l1" (exact) or "l2" (between bounds)."""
        return _nearest.nearest(self.layer, _membership.as_point(x, self.layer), norm)

    def _inactive(self, unit: int) -> int:
        index = integer(unit, "unit", error=UnitError)
        if not 0 <= index < self.n_units:
            raise UnitError(f"unit: expected 0 <= unit < {self.n_units}, got {shown(index)}")
        if index in self.active_units:
            raise UnitError(f"unit: expected an inactive unit, got {unit}, which is active")
        return index


@dataclass(frozen=True, eq=False, repr=False)
class Factor(Brief):
    """One factor of a set that is a product.

    Attributes:
        units: its units in the whole layer, in the order of the factor's own.
        inputs: its coordinates in the whole space, likewise.
        polytope: the factor.  Where no unit sees the inputs it has one unit of weight 0.
    """

    units: tuple[int, ...]
    inputs: tuple[int, ...]
    polytope: CollisionPolytope
