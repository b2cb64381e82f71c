"""Can a verdict be mistaken for a truth value, or a missing point for one?"""

import pytest

from polytope import CollisionPolytope, LPResult, LPStatus
from polytope.errors import InputError


@pytest.mark.parametrize("question", ["kernel_condition", "boundedness", "feasibility"])
def test_a_verdict_is_no_truth_value(question):
    verdict = getattr(CollisionPolytope.from_layer([[1, 2]], [0], [1, 1]), question)()
    with pytest.raises(InputError, match=r"\.holds, \.bounded, \.feasible"):
        bool(verdict)


def test_an_unsolved_program_has_no_point():
    with pytest.raises(InputError, match="got status EMPTY"):
        LPResult(LPStatus.EMPTY).point_float()
