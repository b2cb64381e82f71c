"""Which tables does the survey print?  Read from its record; nothing is computed here."""

from collections.abc import Mapping
from typing import Any

from experiments.mnist_tables import RULES
from experiments.numbers import fixed, percent, short, spread_text
from experiments.paper import TABLE_2
from experiments.survey_summary import COLUMNS
from experiments.tables import Table

NAMES = {
    "absolute": "paper's penalty, converged",
    "absolute_never": "paper's penalty, never-lit pixels fixed",
    "absolute_rarely": "paper's penalty, pixels lit in <1% fixed",
    "hinge": "hinge, converged",
    "exact": "exact",
    "never": "exact, never-lit pixels fixed",
    "rarely": "exact, pixels lit in <1% fixed",
}
Results = Mapping[str, Any]


def survey_tables(results: Results) -> list[Table]:
    """Returns all tables of a survey's results."""
    return [means_table(results), seeds_table(results), labels_table(results), held_table(results)]


def means_table(results: Results) -> Table:
    """Mean distance of the vertices over all rows, by family."""
    printed = TABLE_2[0]
    rows: list[tuple[str, ...]] = [
        (
            "paper, Table 2 (one target)",
            str(printed.vertex_distance),
            percent(printed.ratio),
            *("", "", ""),
        )
    ]
    for family in COLUMNS:
        proofs = results["proofs"].get(family)
        search = results["searches"].get(family)
        rows.append(
            (
                NAMES[family],
                spread_text(results["distances"][family]),
                percent(results["ratios"][family]),
                _proved(proofs) if proofs else _converged(search),
                short(search["max_relative_gap"]["max"]) if search else "",
                short(search["max_tolerance"]["max"]) if search else "",
            )
        )
    count = results["distances"]["exact"]["count"]
    controls = results["controls"]
    return Table(
        name="survey",
        title=f"Mean l2 distance of the vertices, {count} rows (target, training seed)",
        columns=(
            *("vertices", "mean ± std (least to largest)", "of image distance"),
            *("proved or converged", "largest rel. gap", "largest tolerance"),
        ),
        rows=tuple(rows),
        notes=(
            f"Mean distance of all pairs of test images: {fixed(results['image_distance'])}.",
            f"Controls: {controls['never']['pixels']} pixels never lit, "
            f"{controls['rarely']['pixels']} lit in under 1% of the training images.",
            "Network accuracies: "
            + ", ".join(percent(net["accuracy"], 2) for net in results["networks"])
            + ".",
            *(
                f"{NAMES[family].capitalize()}: {RULES[family]}."
                for family in ("absolute", "hinge")
            ),
            "Proved: certificates accepted by the checker / vertices asked for.",
        ),
    )


def _proved(found: Mapping[str, Any]) -> str:
    return f"{found['verified']}/{found['asked']} proved"


def _converged(found: Mapping[str, Any]) -> str:
    return f"{found['converged']}/{found['asked']} converged"


def seeds_table(results: Results) -> Table:
    """The same by training seed."""
    return _by(results["by_seed"], "survey-seeds", "training seed", "by training seed")


def labels_table(results: Results) -> Table:
    """The same by the target's digit."""
    return _by(results["by_label"], "survey-digits", "digit", "by the target's digit")


def _by(groups: Mapping[str, Any], name: str, heading: str, title: str) -> Table:
    rows = [
        (
            group,
            str(found["exact"]["count"]),
            *(spread_text(found[family]) for family in COLUMNS),
        )
        for group, found in groups.items()
    ]
    return Table(
        name=name,
        title=f"Mean l2 distance of the vertices, {title}: mean ± std (least to largest)",
        columns=(heading, "rows", *(NAMES[family] for family in COLUMNS)),
        rows=tuple(rows),
    )


def held_table(results: Results) -> Table:
    """Each observation, with the number of rows in which it held."""
    rows = [
        (
            one["statement"],
            f"{one['held']} of {one['rows']}",
            spread_text(one["ratio"]) if one["rows"] else "",
        )
        for one in results["observations"]
    ]
    return Table(
        name="survey-observations",
        title="Observations, compared row by row",
        columns=("statement", "held in", "ratio: mean ± std (least to largest)"),
        rows=tuple(rows),
    )
