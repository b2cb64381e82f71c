"""What does the paper's recipe do on its way?  Stopped at the paper's distance, or watched.

The recipe is eq. 1 with alpha 10, the authors' momentum form and clipping.  The size of its step on
MNIST and the number of steps are not printed, and the released scripts were stopped by hand.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from experiments.measure.case import Case
from experiments.measure.distances import mean_pairwise
from experiments.mnist.results import Moment
from experiments.paper import TABLE_2
from optimize import Authors, Objective, Stopping, VertexSearch, find_vertices

#: Network -> size of the step, ours: on both some 2 / (alpha times the largest singular value of W+
#: squared), alike in relation to the curvature of eq. 1. With 1e-4 the default network's vertices
#: are 1.1 apart after 20,000 steps.
STEPS: Mapping[str, float] = MappingProxyType({"wide": 1e-4, "default": 1e-2})
#: Start -> mean distance of the vertices that the paper prints.
WANTED: Mapping[str, float] = MappingProxyType(
    {
        "target": TABLE_2[0].vertex_distance.value or 0.0,
        "other": TABLE_2[1].vertex_distance.value or 0.0,
    }
)
#: Steps between two looks of a watched search, and moments kept in each tenfold of steps.
LOOK, A_DECADE = 10, 20


@dataclass(frozen=True, eq=False, kw_only=True)
class Recipe:
    """The paper's recipe for the units of one case.

    Attributes:
        case: layer, target and units.
        start: (d,) where every vertex starts.
        step_size: of the authors' optimiser.
        max_steps: limit.
        given: further arguments of `find_vertices`.
    """

    case: Case
    start: NDArray[np.float32]
    step_size: float
    max_steps: int
    given: Mapping[str, Any]

    def until(self, model: Any, layer: str, distance: float) -> VertexSearch:
        """Stops at the first step at which the vertices are so far apart in the mean.

        They are `STOPPED` there, or reached the limit of steps before.
        """

        def watch(step: int, points: Tensor) -> bool:
            return mean_pairwise(_array(points)) >= distance

        return self._search(model, layer, every=1, watch=watch)

    def course(self, model: Any, layer: str) -> tuple[Moment, ...]:
        """Takes all steps, and returns the moments on the way."""
        kept = moments_kept(self.max_steps)
        found: list[Moment] = []

        def watch(step: int, points: Tensor) -> bool:
            if step in kept:
                found.append(self._moment(step, _array(points)))
            return False

        self._search(model, layer, every=min(LOOK, self.max_steps), watch=watch)
        return tuple(found)

    def _search(self, model: Any, layer: str, *, every: int, watch: Any) -> VertexSearch:
        return find_vertices(
            model,
            layer,
            self.case.target,
            objective=Objective(),
            optimizer=Authors(learning_rate=self.step_size),
            start=self.start,
            units=list(self.case.units),
            bounds=self.case.bounds(),
            # No plateau: the way is wanted, and what ends it is the watch or the limit.
            stopping=Stopping(
                max_steps=self.max_steps, check_every=every, patience=self.max_steps + 1
            ),
            history_every=every * (self.max_steps // every),
            watch=watch,
            progress=False,
            **self.given,
        )

    def _moment(self, step: int, points: NDArray[np.float64]) -> Moment:
        weight, bias = (a.astype(np.float64) for a in (self.case.weight, self.case.bias))
        target, pre = weight @ self.case.target.astype(np.float64) + bias, points @ weight.T + bias
        active = target > 0
        return Moment(
            step=step,
            distance=mean_pairwise(points),
            active=float(np.abs(pre - target)[:, active].max(initial=0)),
            inactive=float(pre[:, ~active].max(initial=0)),
            moved=float(np.linalg.norm(points - self.start, axis=1).mean()),
        )


def _array(points: Tensor) -> NDArray[np.float64]:
    array: NDArray[np.float64] = points.double().cpu().numpy()
    return array


def moments_kept(max_steps: int) -> frozenset[int]:
    """Returns the steps at which a watched search is measured, 0 not among them.

    >>> sorted(moments_kept(100))[:6], len(moments_kept(20_000))
    ([10, 20, 30, 40, 50, 60], 56)
    """
    count = 1 + round(A_DECADE * np.log10(max(1, max_steps / LOOK)))
    wanted = LOOK * np.logspace(0, np.log10(max(1, max_steps / LOOK)), count)
    looks = {LOOK * round(step / LOOK) for step in wanted.tolist()} | {max_steps}
    return frozenset(step for step in looks if step <= max_steps)
