"""What does the network say of convex combinations?  Classes, confidences, success rates."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

#: How random weights are drawn.
SCHEMES = {
    "uniform": "uniform on the simplex (Dirichlet with all parameters 1)",
    "stick": "stick-breaking as in the authors' scripts: each weight a uniform share of the rest",
}


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a network says of one input: its class, and the probability of it."""

    winner: int
    confidence: float


@dataclass(frozen=True, kw_only=True)
class Combined:
    """What a network says of random convex combinations.

    Attributes:
        samples: how many.
        success: share whose class is the target's.
        target_class_confidence: mean probability of the target's class.
        winner_confidence: mean probability of the class that won.
    """

    samples: int
    success: float
    target_class_confidence: float
    winner_confidence: float


def weights(scheme: str, *, samples: int, points: int, seed: int) -> NDArray[np.float64]:
    """Returns random convex weights (samples, points).

    Args:
        scheme: "uniform", or "stick" whose mean weights are 1/2, 1/4, ..., the last two equal.
        samples: number of combinations.
        points: number of vertices.
        seed: not negative.
    """
    random = np.random.default_rng([seed, list(SCHEMES).index(scheme)])
    if scheme == "uniform":
        return random.dirichlet(np.ones(points), size=samples)
    drawn = np.zeros((samples, points))
    rest = np.ones(samples)
    for column in range(points - 1):
        drawn[:, column] = random.random(samples) * rest
        rest = rest - drawn[:, column]
    drawn[:, -1] = rest
    return drawn


def probabilities(model: nn.Module, points: NDArray[np.floating]) -> NDArray[np.float64]:
    """Returns the network's class probabilities (n, classes) of points (n, d).

    The points are rounded to float32, as the network runs; the softmax is taken in float64.
    """
    with torch.no_grad():
        logits = model(torch.from_numpy(np.asarray(points, dtype=np.float32)))
        found: NDArray[np.float64] = torch.softmax(logits.double(), dim=1).numpy()
    return found


def classify(model: nn.Module, points: NDArray[np.floating]) -> tuple[Verdict, ...]:
    """Returns class and confidence of each point (n, d)."""
    return verdicts(probabilities(model, points))


def verdicts(table: NDArray[np.float64]) -> tuple[Verdict, ...]:
    """Returns class and confidence of each row of probabilities (n, classes)."""
    return tuple(Verdict(winner=int(row.argmax()), confidence=float(row.max())) for row in table)


def judge(
    model: nn.Module, vertices: NDArray[np.float64], wanted: int, *, samples: int, seed: int
) -> dict[str, Combined]:
    """Returns how random convex combinations of vertices (k, d) are classified, by scheme.

    Args:
        model: takes (n, d) float32.
        vertices: combined in float64.
        wanted: the target's class; a combination is a success where its class is this one.
        samples: combinations a scheme.
        seed: of the weights.
    """
    found = {}
    for scheme in SCHEMES:
        drawn = weights(scheme, samples=samples, points=len(vertices), seed=seed)
        table = probabilities(model, drawn @ vertices)
        winners = table.argmax(axis=1)
        found[scheme] = Combined(
            samples=samples,
            success=float((winners == wanted).mean()),
            target_class_confidence=float(table[:, wanted].mean()),
            winner_confidence=float(table.max(axis=1).mean()),
        )
    return found
