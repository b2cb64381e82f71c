"""How do the distances of a survey spread?  One strip a family, beside the paper's number."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from experiments.mnist.survey_results import COLUMNS, Summary, SurveyResults
from experiments.mnist.survey_tables import NAMES, ended_text
from experiments.paper import TABLE_2
from experiments.show.figures import BLUE, GREEN, ORANGE, write_figures


def write_survey_figure(folder: Path, results: SurveyResults) -> Path:
    """Draws `folder/figures/survey.png`.

    Raises:
        OutputError: the file cannot be written.
    """
    return write_figures(folder, {"survey": survey_figure(results)})[0]


def _color(family: str) -> str:
    """One colour for each way of searching; its controls stand beside it."""
    if family.startswith("absolute"):
        return ORANGE
    return GREEN if family == "hinge" else BLUE


def _tick(family: str, found: Summary) -> str:
    """A family's name in short lines, with the count of what converged or was proved."""
    name = NAMES[family].replace(", ", ",\n").replace(" pixels", "\npixels")
    return f"{name}\n{ended_text(found, family)}"


def survey_figure(results: SurveyResults) -> Figure:
    """Every row's mean distance by family, quartiles as boxes."""
    figure = Figure(figsize=(10, 4.8), layout="constrained")
    axes = figure.subplots()
    random = np.random.default_rng(0)  # of the sideways scatter alone
    for place, family in enumerate(COLUMNS, start=1):
        values = [row.distance(family) for row in results.rows]
        known = np.array([value for value in values if value is not None])
        aside = place + random.uniform(-0.18, 0.18, len(known))
        axes.scatter(aside, known, s=8, color=_color(family), alpha=0.5, linewidths=0)
        if len(known):
            black = {"color": "black"}
            axes.boxplot(
                [known], positions=[place], widths=0.55, showfliers=False, medianprops=black
            )
    printed = TABLE_2[0].vertex_distance
    lines = (
        (results.image_distance, "black", "mean of all pairs of test images"),
        (printed.value or 0, "dimgrey", f"paper, one target: {printed}"),
    )
    for value, color, text in lines:
        axes.axhline(value, color=color, linestyle="--", linewidth=1, label=text)
    names = [_tick(family, results.summary) for family in COLUMNS]
    axes.set_xticks(range(1, len(COLUMNS) + 1), names, fontsize=8)
    axes.set_xlim(0.5, len(COLUMNS) + 0.5)
    axes.set_ylim(bottom=-0.2)
    axes.set_ylabel("mean l2 distance of the vertices")
    axes.set_title(
        f"{results.network} network: {len(results.rows)} rows (target, training seed), a dot each; "
        "box: quartiles and median;\nwhiskers: farthest rows within 1.5 interquartile ranges of "
        "the box",
        fontsize=9,
    )
    handles = axes.get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=2, fontsize=8)
    return figure
