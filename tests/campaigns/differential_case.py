"""One set, and whom to ask about it; see differential.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from polytope import CollisionPolytope
from tests.campaigns.differential_tally import Tally
from tests.oracles.exact_engines import Engine
from tests.oracles.exact_oracle import Oracle


@dataclass
class Case:
    """One set: ours, its definition, two engines and a referee, and where the counts go."""

    polytope: CollisionPolytope
    oracle: Oracle
    engines: tuple[Engine, ...]
    referee: Callable[[], Engine]
    tally: Tally
    rng: np.random.Generator

    def agree(self, question: str, ours: Any, ask: Callable[[Engine], Any]) -> None:
        """Compare a verdict with both engines."""
        self.tally.agree(question, ours, ask, self.engines, self.referee)

    def equal(self, question: str, ours: Any, theirs: Any) -> None:
        """Compare what substitution shows."""
        self.tally.equal(question, ours, theirs)
