"""How does the paper's recipe move from one start?  One job of `collide mnist`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from experiments.mnist.jobs import LAYER
from experiments.mnist.recipe import Recipe
from experiments.mnist.results import Course
from experiments.models.mlp import model_of
from experiments.run.outcomes import Key, Outcome


@dataclass(frozen=True)
class CourseKey(Key[Course]):
    """The recipe on one network, from "target" or "other"."""

    WORK = "course"
    network: str
    start: str


@dataclass(frozen=True, eq=False, kw_only=True)
class CourseJob:
    """The recipe, watched up to its limit.

    Attributes:
        key: of the job.
        recipe: case, start, step and limit.
        weights: the network's parameters.
    """

    key: CourseKey
    recipe: Recipe
    weights: Mapping[str, NDArray[np.float32]]

    def run(self, folder: Path) -> Outcome[Course]:
        """Takes the steps; nothing here is proved."""
        moments = self.recipe.course(model_of(self.weights), LAYER)
        step = self.recipe.step_size
        return Outcome(Course(start=self.key.start, step_size=step, moments=moments))
