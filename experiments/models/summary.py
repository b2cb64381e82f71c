"""What does a record keep of a trained network?"""

from dataclasses import dataclass
from typing import Any

from experiments.models.train import TrainedNet


@dataclass(frozen=True, kw_only=True)
class NetworkSummary:
    """A trained network, and where it came from.

    Attributes:
        architecture: in words.
        accuracy: on the test images.
        validation_accuracy: on the held-out training images, at the stop.
        training_steps: optimiser steps taken.
        sha256: of the checkpoint.
        trained_with_torch: the version.
    """

    architecture: str
    accuracy: float
    validation_accuracy: float
    training_steps: int
    sha256: str
    trained_with_torch: str

    @classmethod
    def of(cls, net: TrainedNet[Any], architecture: str) -> "NetworkSummary":
        """Summarises a network."""
        return cls(
            architecture=architecture,
            accuracy=net.accuracy,
            validation_accuracy=net.validation_accuracy,
            training_steps=net.steps,
            sha256=net.sha256,
            trained_with_torch=net.torch_version,
        )
