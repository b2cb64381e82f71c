"""How does the share that keeps its class grow with the scale?  Every network a dot."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.scales.results import ScalesResults, Summary, deviation_text
from experiments.show.figures import BLUE, GREEN, ORANGE


def scales_figure(results: ScalesResults) -> Figure:
    """Left: what the nearest collision looks like; right: how far it and the vertices are."""
    figure = Figure(figsize=(10, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    usual = [each for each in results.summaries if each.deviation is None]
    known = [each for each in results.summaries if each.deviation is not None]
    ordered = [*usual, *sorted(known, key=lambda each: each.deviation or 0)]
    _shares(left, ordered)
    _distances(right, ordered, results.image_distance)
    names = [deviation_text(each.deviation).replace(" ", "\n") for each in ordered]
    for axes in (left, right):
        axes.set_xticks(range(len(ordered)), names)
        axes.set_xlabel("standard deviation of the initial weights and biases")
        axes.legend(fontsize=8, loc="lower left", bbox_to_anchor=(0, 1), frameon=False)
        axes.grid(visible=True, alpha=0.3)
    return figure


def _shares(axes: Axes, ordered: Sequence[Summary]) -> None:
    """How many collisions look like what they are nearest to, and like the target."""
    places = range(len(ordered))
    for judge, color, words in (
        ("neighbours", BLUE, "nearest training images"),
        ("convolutional", ORANGE, "a CNN trained apart"),
    ):
        kept = [100 * getattr(each, judge).of_start for each in ordered]
        axes.plot(places, kept, color=color, marker="o", label=f"keeps the start's class: {words}")
    lost = [100 * each.neighbours.target / max(1, len(each.nearest)) for each in ordered]
    words = "looks like the target (nearest training images)"
    axes.plot(places, lost, color=GREEN, marker="s", linestyle="--", label=words)
    dots = [(place, 100 * s) for place, each in enumerate(ordered) for s in each.by_seed]
    x, y = zip(*dots, strict=True)
    words = "one network: nearest training images"
    axes.scatter(x, y, s=10, color="black", zorder=3, label=words)
    axes.set_ylabel("share of the nearest exact collisions, %")
    axes.set_ylim(-3, 103)


def _distances(axes: Axes, ordered: Sequence[Summary], images: float) -> None:
    """Between the vertices, and from an image to its nearest collision."""
    for values, color, words in (
        ([each.exact for each in ordered], BLUE, "five exact vertices, mean distance"),
        ([each.rarely for each in ordered], GREEN, "the same, rarely lit pixels fixed"),
        ([each.nearest for each in ordered], ORANGE, "from another digit to its nearest collision"),
    ):
        _band(axes, values, color, words)
    axes.axhline(images, color="black", linestyle=":", linewidth=1, label="random test images")
    axes.set_ylabel("l2 distance (pixels in [0, 1])")
    axes.set_ylim(bottom=0)


def _band(axes: Axes, values: Sequence[tuple[float, ...]], color: str, words: str) -> None:
    """A line through the means, and the middle half of the values around it."""
    places = range(len(values))
    low, high = ([float(np.quantile(each, q)) for each in values] for q in (0.25, 0.75))
    axes.plot(places, [np.mean(each) for each in values], color=color, marker="o", label=words)
    axes.fill_between(places, low, high, color=color, alpha=0.15, linewidth=0)
