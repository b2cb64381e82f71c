"""How do the vertices of the paper's recipe move, step by step?  A line a network, both starts."""

from typing import Any

from matplotlib.figure import Figure

from experiments.mnist.near_figures import COLORS
from experiments.mnist.results import Course, MnistResults, NetworkResults
from experiments.paper import TABLE_2
from experiments.show.numbers import fixed

STARTS = {"target": "start = target", "other": "start = another digit"}


def course_figure(results: MnistResults) -> Figure | None:
    """Distance of the vertices, errors and way from the start against the steps taken."""
    if not any(each.courses for each in results.networks):
        return None
    figure = Figure(figsize=(10, 9.5), layout="constrained")
    grid = figure.subplots(3, len(STARTS), sharex=True, sharey="row")
    for column, (start, words) in enumerate(STARTS.items()):
        far, wrong, moved = (line[column] for line in grid)
        far.set_title(words, fontsize=10)
        printed = TABLE_2[column].vertex_distance
        far.axhline(
            printed.value, color="black", linestyle="--", linewidth=1, label=f"paper: {printed}"
        )
        for each in results.networks:
            for course in each.courses:
                if course.start == start:
                    _distances(far, each, course)
                    _errors(wrong, each, course)
                    _ways(moved, each, course)
        wrong.set_yscale("log")
        moved.set_xlabel("steps of the authors' optimiser")
    for axes, words in zip(
        grid[:, 0],
        (
            "mean l2 distance of the vertices",
            "largest error (pre-activation)",
            "mean l2 distance from the start",
        ),
        strict=True,
    ):
        axes.set_ylabel(words)
    for axes in grid.flat:
        axes.set_xscale("log")
        axes.grid(alpha=0.3)
        axes.legend(fontsize=7, ncols=2 if axes in grid[0] else 1)
    # Once all is drawn: the starts share an axis, and the first row has room for its legend.
    grid[0, 0].set_ylim(0, 1.25 * grid[0, 0].get_ylim()[1])
    grid[2, 0].set_ylim(bottom=0)
    figure.suptitle(
        "The paper's recipe on its way; vertical lines: first step at the paper's distance",
        fontsize=10,
    )
    return figure


def _distances(axes: Any, each: NetworkResults, course: Course) -> None:
    name, color = each.name, COLORS[each.name]
    steps = [moment.step for moment in course.moments]
    axes.plot(
        steps,
        [moment.distance for moment in course.moments],
        color=color,
        label=f"{name} network (step {course.step_size:g})",
    )
    exact = each.vertices().measured
    penalty = each.search("absolute", course.start).measured
    for found, style, words in ((exact, ":", "exact"), (penalty, "-.", "penalty's minimum")):
        if found is not None:
            axes.axhline(
                found.distance,
                color=color,
                linestyle=style,
                linewidth=1,
                label=f"{name}, {words}: {fixed(found.distance)}",
            )
    _mark(axes, each, course)


def _errors(axes: Any, each: NetworkResults, course: Course) -> None:
    color, steps = COLORS[each.name], [moment.step for moment in course.moments]
    for values, style, words in (
        ([moment.active for moment in course.moments], "-", "of an active unit"),
        ([moment.inactive or None for moment in course.moments], "--", "positive inactive unit"),
    ):
        axes.plot(steps, values, color=color, linestyle=style, label=f"{each.name}: {words}")
    _mark(axes, each, course)


def _ways(axes: Any, each: NetworkResults, course: Course) -> None:
    axes.plot(
        [moment.step for moment in course.moments],
        [moment.moved for moment in course.moments],
        color=COLORS[each.name],
        label=f"{each.name} network",
    )
    _mark(axes, each, course)


def _mark(axes: Any, each: NetworkResults, course: Course) -> None:
    """A thin line at the step at which the paper's distance is reached, where it is."""
    search = each.search("early", course.start).search
    if set(search.status) == {"stopped"}:
        axes.axvline(max(search.steps), color=COLORS[each.name], linewidth=0.7, alpha=0.6)
