"""Does no other input collide with the target?  And may it be so, by the rows that point its way?

Three conditions at a target x, on the whole space R^d and without a tolerance, from strong to weak:
the rows of the active units (z_i > 0) have rank d; x is the only point of its set; the rows with
z_i >= 0 have rank d.  The last is the condition that Puthawala, Kothari, Lassas, Dokmanic & de Hoop
2022 ("Globally injective ReLU networks") put on each x: a directed spanning set.  Neither
implication can be turned round at one x; docs/mathematics.md has the proofs and the examples.
"""

from __future__ import annotations

from dataclasses import dataclass

from polytope.answers.certificates import Certificate
from polytope.answers.memory import once
from polytope.answers.results import Dimension
from polytope.errors import InputError
from polytope.exact.brief import Brief
from polytope.questions.dimension import dimension
from polytope.questions.kernel import lineality, rank_positive
from polytope.sets.domains import Free
from polytope.sets.layer import Layer
from polytope.sets.rows import Rows, entries


@dataclass(frozen=True, eq=False, repr=False)
class Uniqueness(Brief):
    """Whether a target is alone in its collision polytope.

    On the domain ``Free()`` and without a tolerance, ``unique`` says that the layer is injective at
    the target: no other x of R^d has its post-activation.  The layer is injective iff that holds at
    every x, which no finite number of targets shows.

    Attributes:
        unique: whether the set is a single point; None if undecided.
        dimension: dimension of the set: 0 if unique, -1 if it is empty, None if undecided.
        rank_active: rank of the rows with z_i > 0; d implies unique, on every domain.
        rank_nonnegative: rank of the rows with z_i >= 0; None without a target, where the z_i are
            not known.
        spanning: whether that rank is d.  If not, the target is not unique on ``Free()`` (bounds of
            another domain may still single it out).
        certificate: proves which point is the only one, or else the dimension; None if undecided.
        spanning_certificate: proves ``rank_nonnegative``: the lineality of the layer that has only
            the units with z_i >= 0.  None if there are none.
        reason: why it is undecided.
    """

    unique: bool | None
    dimension: int | None
    rank_active: int
    rank_nonnegative: int | None
    spanning: bool | None
    certificate: Certificate | None
    spanning_certificate: Certificate | None = None
    reason: str = ""

    def __bool__(self) -> bool:
        raise InputError("Uniqueness: expected to be asked for .unique or .spanning, got bool()")


@once
def uniqueness(layer: Rows) -> Uniqueness:
    """Decide whether the set of a layer is a single point, see :class:`Uniqueness`."""
    size = dimension(layer)
    rank, proof = _rank_nonnegative(layer)
    return Uniqueness(
        None if size.value is None else size.value == 0,
        size.value,
        rank_positive(layer).value,
        rank,
        None if rank is None else rank == layer.n_inputs,
        _proof(size),
        proof,
        size.reason,
    )


def _proof(size: Dimension) -> Certificate | None:
    """That the set is its only point; or else what dimension it has."""
    proof = size.certificate
    if proof is None or size.value != 0:
        return proof
    parts = proof.witness
    point = parts.get("interior", proof.layer.target_vector)
    witness = {"implicit": parts.get("implicit"), "minor": parts.get("target", parts.get("minor"))}
    return Certificate("unique", {"point": point}, proof.layer, lambda: witness)


def _rank_nonnegative(layer: Rows) -> tuple[int | None, Certificate | None]:
    """Rank of the rows with z_i >= 0, by the lineality of the layer made of them."""
    if not isinstance(layer, Layer) or layer.target is None:
        return None, None
    units = [i for i, sign in enumerate(layer.signs) if sign >= 0]
    if not units:
        return 0, None
    weight = layer.weight.take(units, range(layer.n_inputs))
    bias = entries(layer.bias, units)
    rows = Layer(weight, bias, Free(), layer.target, None, layer.tolerance * 0)
    found = lineality(rows)
    return layer.n_inputs - found.dimension, found.certificate
