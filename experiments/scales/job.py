"""What is exact about one target of one network?  Its vertices, and the collisions near digits."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from experiments.measure.case import Case
from experiments.measure.distances import mean_pairwise
from experiments.measure.minimum import solved
from experiments.models.mlp import model_of
from experiments.run.outcomes import Key, Outcome
from experiments.run.proofs import Proof, Proofs
from polytope import CollisionPolytope, verify


@dataclass(frozen=True, kw_only=True)
class Apart:
    """How far apart the exact vertices of some units are.

    Attributes:
        distance: mean l2 distance of all pairs; None with fewer than two vertices.
        asked: units.
        verified: vertices whose certificate the checker accepted.
        certificates: those that were kept.
    """

    distance: float | None
    asked: int
    verified: int
    certificates: tuple[Proof, ...]


@dataclass(frozen=True, kw_only=True)
class Near:
    """The exact collision nearest (l2) to the image of another digit.

    Attributes:
        start: index of that test image.
        digit: its label.
        before: l2 distance of that image from the target.
        lower, upper: proved bounds of its distance from the set.
        after: l2 distance of the collision from the target.
        verified: whether the checker accepted the bounds.
        certificate: where it was kept.
    """

    start: int
    digit: int
    before: float
    lower: float
    upper: float
    after: float
    verified: bool
    certificate: Proof | None


@dataclass(frozen=True, kw_only=True)
class TargetResults:
    """One target of one network.

    Attributes:
        label: the target's digit.
        network_class, confidence: what the network says of it.
        n_positive: active units.
        exact: vertices with all pixels free.
        rarely: with the rarely lit pixels held at the target's values.
        near: collisions nearest to other digits, those that were found.
    """

    label: int
    network_class: int
    confidence: float
    n_positive: int
    exact: Apart
    rarely: Apart
    near: tuple[Near, ...]


@dataclass(frozen=True, eq=False)
class Start:
    """A test image from which the nearest collision is sought."""

    index: int
    digit: int
    image: NDArray[np.float32]


@dataclass(frozen=True)
class TargetKey(Key[TargetResults]):
    """Names a target of a network; deviation None is the usual start."""

    WORK = "target"
    deviation: float | None
    seed: int
    target: int


@dataclass(frozen=True, eq=False, kw_only=True)
class TargetJob:
    """One target of one network.

    Attributes:
        key: which.
        case: first layer and target; its units are chosen here.
        weights: of the whole network.
        label: the target's digit.
        units: how many vertices.
        rarely: (d,) pixels that training rarely lights.
        starts: images of other digits.
        keep: whether certificates are kept, or checked and dropped.
    """

    key: TargetKey
    case: Case
    weights: Mapping[str, NDArray[np.float32]]
    label: int
    units: int
    rarely: NDArray[np.bool_]
    starts: tuple[Start, ...]
    keep: bool

    def run(self, folder: Path) -> Outcome[TargetResults]:
        """Solves, proves and checks; the collisions (n, d) are the array `near`."""
        torch.set_num_threads(1)
        polytope, held = self.case.polytope(), self.case.polytope(fixed=self.rarely)
        proofs = Proofs(folder, self.case.sources, polytope.layer) if self.keep else None
        with torch.no_grad():
            logits = model_of(self.weights)(torch.from_numpy(self.case.target)).double()
        chances = torch.softmax(logits, 0)
        near, points = [], []
        for start in self.starts:
            found, point = self._near(polytope, start, proofs)
            if found is not None:
                near.append(found)
                points.append(point)
        results = TargetResults(
            label=self.label,
            network_class=int(chances.argmax()),
            confidence=float(chances.max()),
            n_positive=polytope.n_positive,
            exact=self._apart(polytope, proofs, "vertex"),
            rarely=self._apart(held, None, "rarely"),
            near=tuple(near),
        )
        return Outcome(results, {"near": np.array(points).reshape(-1, polytope.n_inputs)})

    def _apart(self, polytope: CollisionPolytope, proofs: Proofs | None, name: str) -> Apart:
        """The vertices of the first inactive units, each with its certificate checked."""
        found = polytope.unit_vertices(polytope.inactive_units[: self.units])
        kept, verified = [], 0
        for unit, result in found.items():
            if result.certificate is None:
                continue
            if proofs is None:
                verify(result.certificate)
            elif (
                proof := proofs.keep(f"{self.key}-{name}-{unit}", result.certificate)
            ) is not None:
                kept.append(proof)
            verified += 1
        points = np.array(list(solved(found).values()))
        return Apart(
            distance=mean_pairwise(points) if len(points) >= 2 else None,
            asked=len(found),
            verified=verified,
            certificates=tuple(kept),
        )

    def _near(
        self, polytope: CollisionPolytope, start: Start, proofs: Proofs | None
    ) -> tuple[Near | None, NDArray[np.float64]]:
        found = polytope.nearest(start.image, "l2")
        if found.point is None:
            return None, np.zeros(0)
        point, proof = found.point.to_float(), None
        if found.certificate is not None:
            if proofs is None:
                verify(found.certificate)
            else:
                proof = proofs.keep(f"{self.key}-near-{start.digit}", found.certificate)
        target = self.case.target.astype(np.float64)
        near = Near(
            start=start.index,
            digit=start.digit,
            before=float(np.linalg.norm(start.image.astype(np.float64) - target)),
            lower=found.lower,
            upper=found.upper,
            after=float(np.linalg.norm(point - target)),
            verified=found.certificate is not None,
            certificate=proof,
        )
        return near, point
