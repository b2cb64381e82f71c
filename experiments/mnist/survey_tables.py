"""Which tables does the survey print?  Read from its record; nothing is computed here."""

from collections.abc import Mapping, Sequence

from experiments.measure.search import MAX_STEPS
from experiments.mnist.searches import RULES
from experiments.mnist.survey_results import (
    COLUMNS,
    Observation,
    Spread,
    Summary,
    SurveyResults,
)
from experiments.paper import TABLE_2
from experiments.show.numbers import fixed, percent, short, spread_text
from experiments.show.proof_cells import uncertified
from experiments.show.tables import Table

NAMES = {
    "absolute": "paper's penalty, run to convergence",
    "absolute_never": "paper's penalty, never-lit pixels fixed",
    "absolute_rarely": "paper's penalty, pixels lit in <1% fixed",
    "hinge": "hinge, run to convergence",
    "exact": "exact",
    "never": "exact, never-lit pixels fixed",
    "rarely": "exact, pixels lit in <1% fixed",
}


def survey_tables(results: SurveyResults) -> list[Table]:
    """Returns all tables of a survey's results."""
    found = results.summary
    return [
        means_table(results),
        _by(found, found.by_seed, name="survey-seeds", heading="training seed"),
        _by(found, found.by_label, name="survey-digits", heading="the target's digit"),
        held_table(found.observations),
    ]


def means_table(results: SurveyResults) -> Table:
    """Mean distance of the vertices over all rows, by family."""
    printed, found = TABLE_2[0], results.summary
    rows: list[tuple[str, ...]] = [
        (
            "paper, Table 2 (one target)",
            str(printed.vertex_distance),
            percent(printed.ratio),
            *("", "", ""),
        )
    ]
    for family in COLUMNS:
        search = found.searches.get(family)
        rows.append(
            (
                NAMES[family],
                spread_text(found.distances[family]),
                percent(found.ratios[family]),
                ended_text(found, family),
                short(search.max_relative_gap.max) if search else "",
                short(search.max_tolerance.max) if search else "",
            )
        )
    count, controls = found.distances["exact"].count, results.controls
    return Table(
        name="survey",
        title=f"Mean l2 distance of the vertices, {count} rows (target, training seed), "
        f"{results.network} network",
        columns=(
            *("vertices", "mean ± std (least to largest)", "of image distance"),
            *("proved or converged", "largest rel. gap", "tolerance needed (largest)"),
        ),
        rows=tuple(rows),
        proofs=uncertified(rows),
        notes=(
            f"Mean distance of all pairs of test images: {fixed(results.image_distance)}.",
            f"Controls: {controls['never']} pixels never lit, "
            f"{controls['rarely']} lit in under 1% of the training images.",
            f"Accuracies of the {results.network} networks: "
            + ", ".join(percent(net.accuracy, 2) for net in results.networks.values())
            + ".",
            f"Stopping rule of the paper's penalty, with and without controls: "
            f"{RULES['absolute']}; of the hinge: {RULES['hinge']}. A search that has not converged "
            f"ends after {MAX_STEPS:,} steps and counts in every mean.",
            "Tolerance needed (largest): the smallest tolerance at which every point of the row's "
            "search collides, largest over all rows.",
            "Proved: certificates accepted by the checker / vertices asked for. They are checked "
            "in the run and not kept: "
            f"`collide mnist --network {results.network} --target T --seed S` keeps those of one "
            "row.",
        ),
    )


def ended_text(found: Summary, family: str) -> str:
    """Returns how many vertices of a family were proved, or how many of its searches converged."""
    if proofs := found.proofs.get(family):
        return f"{proofs.verified}/{proofs.asked} proved"
    search = found.searches[family]
    return f"{search.converged}/{search.asked} converged"


def _by(
    found: Summary, groups: Mapping[int, Mapping[str, Spread]], *, name: str, heading: str
) -> Table:
    """The same in groups of rows."""
    rows = [
        (
            str(group),
            str(means["exact"].count),
            *(spread_text(means[family]) for family in COLUMNS),
        )
        for group, means in groups.items()
    ]
    return Table(
        name=name,
        title=f"Mean l2 distance of the vertices, by {heading}: mean ± std (least to largest)",
        columns=(heading, "rows", *(NAMES[family] for family in COLUMNS)),
        rows=tuple(rows),
        proofs=uncertified(rows),
        notes=tuple(
            f"{NAMES[family]}: {ended_text(found, family)}, all rows." for family in found.searches
        ),
    )


def held_table(observations: Sequence[Observation]) -> Table:
    """Each observation, with the number of rows in which it held."""
    rows = [
        (one.statement, f"{one.held} of {one.rows}", spread_text(one.ratio)) for one in observations
    ]
    left_out = "; ".join(
        f"{one.rows - one.ratio.count} of {one.rows} in '{one.statement}'"
        for one in observations
        if one.ratio.count < one.rows
    )
    return Table(
        name="survey-observations",
        title="Observations, compared row by row",
        columns=("statement", "held in", "ratio: mean ± std (least to largest)"),
        rows=tuple(rows),
        proofs=uncertified(rows),
        notes=(
            "Ratio, row by row: in each statement, the distance said to be larger / the one said "
            "to be smaller (exact / paper's penalty; free pixels / held pixels). "
            f"Rows with a zero divisor are left out of it: {left_out or 'none'}.",
            "Ratio of the last statement: 1 + |hinge's distance - exact one's| / exact one's.",
        ),
    )
