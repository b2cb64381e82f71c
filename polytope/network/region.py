"""Where is a network affine around a point?  Its linear region, and the map inside it, exact.

A ReLU decides whether it lets its input through, a max-pool which entry wins.  Where all decisions
are those of the target, the network is one affine map; the points that decide so are a polyhedron.
A max-pool directly behind a ReLU is one decision, max(0, x_1, ..., x_k): who loses need not keep
its sign, so that the region is as large as it can be.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

from polytope.errors import InputError, ShapeError
from polytope.exact.array import ExactArray
from polytope.exact.brief import Brief
from polytope.exact.rational import RationalVector
from polytope.exact.scaled import ScaledMatrix
from polytope.network.forms import Form, Forms, over_one_denominator
from polytope.network.graph import Affine, Concat, Maximum, Network, Relu

#: Choice of a decision at which the output is 0: a ReLU that is off.
OFF = -1


class Place(NamedTuple):
    """One decision of the network: which entry of which node (as numbered in ``Network``)."""

    node: int
    output: int


Pattern = Mapping[Place, int]
"""Choice of each decision: the place of the entry that passes, or ``OFF``."""


class Crossing(NamedTuple):
    """What changes beyond one facet of a region: this decision then chooses ``choice``."""

    place: Place
    choice: int


@dataclass(frozen=True, eq=False, repr=False)
class LinearRegion(Brief):
    """All inputs that decide as a pattern says, and the affine map of the network there.

    Attributes:
        network: the network.
        pattern: its decisions.
        weight, bias: the layer's pre-activation is ``weight @ x + bias``, (N, d) and (N,).
        rows, offsets: the region is ``rows @ x + offsets <= 0``, (R, d) and (R,).
        crossings: what changes beyond each row.
    """

    network: Network
    pattern: Pattern
    weight: ScaledMatrix
    bias: tuple[Fraction, ...]
    rows: ScaledMatrix
    offsets: tuple[Fraction, ...]
    crossings: tuple[Crossing, ...]

    def differences(self, x: Any) -> tuple[Place, ...]:
        """The decisions that x (d,), taken exactly, makes otherwise; none iff x is in the region.

        A tie differs from nothing: the region is closed.
        """
        values = self.network.values(_point(x, self.network))
        return tuple(
            place
            for place, choice in self.pattern.items()
            if not _agrees(self.network, place, choice, values=values)
        )

    def contains(self, x: Any) -> bool:
        """Whether x (d,), taken exactly, lies in the region."""
        return not self.differences(x)

    def beyond(self, row: int) -> LinearRegion:
        """The region on the other side of a row, should it have a facet there."""
        crossing = self.crossings[row]
        return region_of(self.network, {**self.pattern, crossing.place: crossing.choice})


def linear_region(network: Network, target: Any) -> LinearRegion:
    """The linear region that the target (d,), taken exactly, decides.

    A ReLU at exactly 0 counts as off, of equal entries the first wins: the target then lies on the
    boundary of the region.

    Raises:
        ShapeError, NonFiniteError, InexactError: the target is no finite vector of that length.
        LimitError: an affine map is too large to be written out.

    Example: |x| = ReLU(x) + ReLU(-x) is x itself where x >= 0.

        >>> from polytope.network.graph import Affine, Network, Relu
        >>> from polytope.exact.array import ExactArray
        >>> def affine(source, weight, bias):
        ...     return Affine(
        ...         source,
        ...         ExactArray.of(weight, "weight", ndim=2),
        ...         ExactArray.of(bias, "bias", ndim=1),
        ...     )
        >>> two = Network(1, (affine(0, [[1], [-1]], [0, 0]), Relu(1), affine(2, [[1, 1]], [0])))
        >>> region = linear_region(two, [3])
        >>> region.weight.data.tolist(), region.rows.data.tolist()
        ([[Fraction(1, 1)]], [[Fraction(-1, 1)], [Fraction(-1, 1)]])
    """
    values = network.values(_point(target, network))
    return _walk(network, lambda place: _choice(network, place, values))


def region_of(network: Network, pattern: Pattern) -> LinearRegion:
    """The linear region of a pattern, perhaps empty."""
    return _walk(network, pattern.__getitem__)


def _point(x: Any, network: Network) -> RationalVector:
    vector = x if isinstance(x, RationalVector) else ExactArray.of(x, "x", ndim=1).vector()
    if len(vector) != network.n_inputs:
        raise ShapeError(f"x: expected {network.n_inputs} numbers, got {len(vector)}")
    return vector


def _entries(network: Network, place: Place) -> tuple[int, list[int], bool]:
    """Source and places a decision is about, and whether 0 is among the candidates."""
    node = network.nodes[place.node - 1]
    if isinstance(node, Relu):
        return node.source, [place.output], True
    if not isinstance(node, Maximum):
        raise InputError(f"place: expected a ReLU or a maximum, got node {place.node}")
    before = network.nodes[node.source - 1] if node.source else None
    if isinstance(before, Relu) and node.source in network.fused:
        return before.source, node.places[place.output], True
    return node.source, node.places[place.output], False


def _choice(network: Network, place: Place, values: tuple[RationalVector, ...]) -> int:
    source, places, has_zero = _entries(network, place)
    numbers = values[source].numerators
    best = max(places, key=numbers.__getitem__)  # the first of equal ones
    return OFF if has_zero and numbers[best] <= 0 else best


def _agrees(
    network: Network, place: Place, choice: int, *, values: tuple[RationalVector, ...]
) -> bool:
    source, places, has_zero = _entries(network, place)
    numbers = values[source].numerators
    most = max(numbers[j] for j in places)
    if choice == OFF:
        return most <= 0
    return numbers[choice] == most and (not has_zero or most >= 0)


class _Rows:
    """The region's rows as they are found."""

    def __init__(self) -> None:
        self.integers: list[list[int]] = []
        self.offsets: list[Fraction] = []
        self.denominators: list[int] = []
        self.crossings: list[Crossing] = []

    def add(self, form: Form, denominator: int, crossing: Crossing) -> None:
        """Ask ``form <= 0``; a row without inputs is kept where it is false, for nothing else."""
        numbers = list(map(int, form))
        constant = numbers.pop()
        if any(numbers) or constant > 0:
            self.integers.append(numbers)
            self.denominators.append(denominator)
            self.offsets.append(Fraction(constant, denominator))
            self.crossings.append(crossing)


def _walk(network: Network, choose: Callable[[Place], int]) -> LinearRegion:
    found = [Forms.of_input(network.n_inputs)]
    rows, pattern = _Rows(), dict[Place, int]()
    for number, node in enumerate(network.nodes, start=1):
        if isinstance(node, Affine):
            found.append(found[node.source].through(node))
        elif isinstance(node, Relu | Maximum):
            if number in network.fused:
                found.append(found[node.source])  # the max-pools behind it decide
                continue
            forms, chosen = found[node.source], list[Form]()
            for output in range(network.lengths[number]):
                place = Place(number, output)
                pattern[place] = choose(place)
                chosen.append(_decide(network, place, pattern[place], forms=forms, rows=rows))
            found.append(forms.picked(chosen))
        else:
            parts = over_one_denominator([found[source] for source in node.sources])
            if isinstance(node, Concat):
                joined = [row for part in parts for row in part.table]
            else:
                joined = [_total(each) for each in zip(*(p.table for p in parts), strict=True)]
            found.append(parts[0].picked(joined))
    last = [list(map(int, row)) for row in found[-1].table]
    denominator = found[-1].denominator
    return LinearRegion(
        network,
        pattern,
        ScaledMatrix([row[:-1] for row in last], [denominator] * len(last)),
        tuple(Fraction(row[-1], denominator) for row in last),
        ScaledMatrix(rows.integers, rows.denominators, width=network.n_inputs),
        tuple(rows.offsets),
        tuple(rows.crossings),
    )


def _total(forms: tuple[Form, ...]) -> Form:
    total = forms[0]
    for form in forms[1:]:
        total = [a + b for a, b in zip(total, form, strict=True)]
    return total


def _decide(network: Network, place: Place, choice: int, *, forms: Forms, rows: _Rows) -> Form:
    """The form that passes one decision; what makes it pass goes into the rows."""
    _, places, has_zero = _entries(network, place)
    table = forms.table
    if choice == OFF:
        for j in places:
            rows.add(table[j], forms.denominator, Crossing(place, j))
        return forms.zero
    winner = table[choice]
    if has_zero:
        rows.add([-v for v in winner], forms.denominator, Crossing(place, OFF))
    for j in places:
        if j != choice:
            form = [a - b for a, b in zip(table[j], winner, strict=True)]
            rows.add(form, forms.denominator, Crossing(place, j))
    return winner
