"""Random problems, claims and witnesses of small numbers: what the checker accepts is true."""

import random

import pytest

from polytope import checker
from tests.examples.certificate_forger import Forger
from tests.oracles.certificate_oracle import is_true

TRIES = 1500  # of each kind


@pytest.mark.parametrize("kind", checker.CLAIMS)
def test_no_forgery_is_accepted(kind):
    rng, accepted = random.Random(f"forgeries of {kind}"), 0
    for _ in range(3 * TRIES if kind == "nearest" else TRIES):  # it is the rarest to come near
        forger = Forger(rng, kind)
        forged = forger.document()
        # The distances of the oracle's l2 are for the plane.
        if kind == "nearest" and forged["problem"]["weight"]["shape"][1] != 2:
            continue
        try:
            checker.check(forged, problem=forger.parsed)
        except checker.CheckError:
            continue
        accepted += 1
        assert is_true(forged), forged
    assert accepted >= 8  # the search does come near the truth
