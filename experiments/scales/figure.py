"""How does the share that keeps its class grow with the scale?  Every network a dot."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.scales.results import ScalesResults
from experiments.show.figures import BLUE, GREEN, ORANGE


def scales_figure(results: ScalesResults) -> Figure:
    """Left: what the nearest collision looks like; right: how far it and the vertices are."""
    figure = Figure(figsize=(10, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    known = sorted(
        (each for each in results.summaries if each.deviation is not None),
        key=lambda each: each.deviation or 0,
    )
    usual = [each for each in results.summaries if each.deviation is None]
    ordered = [*usual, *known]
    names = [
        "torch's\ndefault" if each.deviation is None else f"{each.deviation:g}" for each in ordered
    ]
    places = np.arange(len(ordered))
    for shares, color, text in (
        ([each.neighbours for each in ordered], BLUE, "nearest training images"),
        ([each.convolutional for each in ordered], ORANGE, "a CNN trained apart"),
    ):
        kept = [100 * each.of_start for each in shares]
        left.plot(places, kept, color=color, marker="o", label=f"keeps the start's class: {text}")
    lost = [100 * each.neighbours.target / max(1, len(each.nearest)) for each in ordered]
    left.plot(
        places,
        lost,
        color=GREEN,
        marker="s",
        linestyle="--",
        label="looks like the target (nearest training images)",
    )
    for place, each in zip(places, ordered, strict=True):
        left.scatter(
            [place] * len(each.by_seed),
            [100 * s for s in each.by_seed],
            s=10,
            color="black",
            zorder=3,
            label="one network: nearest training images" if place == 0 else None,
        )
    left.set_ylabel("share of the nearest exact collisions, %")
    left.set_ylim(-3, 103)
    for values, color, text in (
        ([each.exact for each in ordered], BLUE, "five exact vertices, mean distance"),
        ([each.rarely for each in ordered], GREEN, "the same, rarely lit pixels fixed"),
        ([each.nearest for each in ordered], ORANGE, "from another digit to its nearest collision"),
    ):
        _band(right, places, values, color, text)
    right.axhline(
        results.image_distance,
        color="black",
        linestyle=":",
        linewidth=1,
        label="random test images",
    )
    right.set_ylabel("l2 distance (pixels in [0, 1])")
    right.set_ylim(bottom=0)
    for axes in (left, right):
        axes.set_xticks(places, names)
        axes.set_xlabel("standard deviation of the initial weights and biases")
        axes.legend(fontsize=8, loc="lower left", bbox_to_anchor=(0, 1), frameon=False)
        axes.grid(visible=True, alpha=0.3)
    return figure


def _band(
    axes: Axes, places: np.ndarray, values: list[tuple[float, ...]], color: str, text: str
) -> None:
    """A line through the means, and the middle half of the values around it."""
    means = [float(np.mean(each)) for each in values]
    low, high = ([float(np.quantile(each, q)) for each in values] for q in (0.25, 0.75))
    axes.plot(places, means, color=color, marker="o", label=text)
    axes.fill_between(places, low, high, color=color, alpha=0.15, linewidth=0)
