"""What does a search return?  `VertexSearch`, with a status for each vertex."""

from dataclasses import dataclass
from enum import Enum

import torch
from torch import Tensor

from optimize.search.objective import Objective
from polytope.exact.brief import Brief


class SearchStatus(Enum):
    """Why the search of one vertex ended; the text says what to try next."""

    CONVERGED = "the method's duality-gap rule holds in float64 (an estimate without finite bounds)"
    PLATEAU = "no further progress; nothing proves a minimum, compare with the exact vertex"
    STEP_LIMIT = "max_steps reached; raise it, or resume from the checkpoint"
    TIME_LIMIT = "max_seconds reached; raise it, or resume from the checkpoint"
    DIVERGED = "values became NaN or infinite; lower the learning rate"
    STOPPED = "the caller's watch ended the search; nothing was concluded from where it stood"


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class History(Brief):
    """Values of every vertex over the steps; a finished vertex keeps its last value.

    Attributes:
        steps: (K,) step numbers, 0 first.
        objective: (K, V) eq. 1.
        pre_activation: (K, V) of the unit pushed down.
        equality_residual: (K, V) as in `VertexSearch`.
        violation: (K, V) as in `VertexSearch`.
    """

    steps: Tensor
    objective: Tensor
    pre_activation: Tensor
    equality_residual: Tensor
    violation: Tensor


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class VertexSearch(Brief):
    """V = T x U relaxed vertices of T targets, on the CPU; vertex t * U + k is unit k of target t.

    Everything but `gap` and `lower_bound` is measured on `points` as returned, after they were
    rounded to the model's floating type (in float64 for a first layer).  Nothing here is exact:
    `compare` is.

    Attributes:
        points: (V, *input) in the model's floating type, inside the bounds.
        layer_inputs: (V, d), what enters the layer: points of the polytope's space.
        units: (V,) unit pushed down.
        targets: (V,) index of the target in the batch.
        pre_activation: (V,) of that unit.
        objective: (V,) eq. 1.
        equality_residual: (V,) largest |p_j - p_t,j| over the target's active units.
        violation: (V,) largest max(0, p_j) over its inactive units.
        status: V of `SearchStatus`.
        converged: (V,) bool: status is CONVERGED.
        steps: (V,) steps taken.
        gap: (V,) the method's relative duality gap at the last check; NaN where it has none.
        lower_bound: (V,) the method's lower bound of the optimal value; NaN likewise.  Computed in
            float64 from weak duality: a bound up to rounding where every coordinate that needs one
            has a finite bound, else an estimate.
        history: values over the steps.
        form: the terms minimised.
        method: the optimiser and its options, as text.
        seconds: wall time of this call (a resumed run counts from its resumption).
    """

    points: Tensor
    layer_inputs: Tensor
    units: Tensor
    targets: Tensor
    pre_activation: Tensor
    objective: Tensor
    equality_residual: Tensor
    violation: Tensor
    status: tuple[SearchStatus, ...]
    steps: Tensor
    gap: Tensor
    lower_bound: Tensor
    history: History
    form: Objective
    method: str
    seconds: float

    @property
    def converged(self) -> Tensor:
        """(V,) bool: where the status is CONVERGED.

        The method's duality gap, computed in float64, is within its tolerance.  With finite bounds
        that proves the minimum to that tolerance up to rounding; where a bound is missing and its
        reduced cost is not exactly 0, it is an estimate.
        """
        return torch.tensor([each is SearchStatus.CONVERGED for each in self.status])
