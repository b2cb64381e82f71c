"""What does the report of `collide small` say?  Its page, read from the record."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from experiments.run.record import read_record
from experiments.show.numbers import percent, short
from experiments.show.page import Page, Section, write_page
from experiments.small.tables import small_tables, target_name

_SECTIONS = (
    Section(
        name="sets",
        title="Relaxed against exact: how much of the set is seen",
        tables=("sets",),
        figures=(
            ("projection", "The set's vertices and the hulls of the points found, projected."),
            ("section", "The set, or a section of it, with the inequalities on its sides."),
        ),
    ),
    Section(
        name="facts",
        title="What this set is",
        tables=("facts",),
        proofs=("box-",),
    ),
    Section(
        name="units",
        title="Every inactive unit",
        tables=("units",),
        figures=(("images", "Images of the exact and relaxed vertices of some units."),),
        proofs=("unit-", "distance-"),
    ),
    Section(
        name="targets",
        title="Every test point",
        tables=("targets",),
        figures=(("targets", "Number of vertices of every test point by its active units."),),
    ),
)


def write_small_report(folder: Path) -> Path:
    """Writes `report.html` from the record, tables and figures of a run of `collide small`.

    Raises:
        FileFormatError: there is no record.
        OutputError: the file cannot be written.
    """
    record = read_record(folder)
    results = record.results
    data, network = results["data"], results["network"]
    kept = "" if data["variance"] == 1 else f", {percent(data['variance'])} of the variance"
    page = Page(
        title=f"A small network on the {data['name']}",
        heading=f"A small network analysed completely: {data['name']}",
        lead=(
            f"Data: {data['name']}, {data['dimension']} inputs{kept}, {data['n_train']} points for "
            f"training and {data['n_test']} for testing. Network {network['architecture']}, test "
            f"accuracy {percent(network['accuracy'])}. Target: {target_name(results)}."
        ),
        conclusion=conclusion(results),
        headline=headline(results),
        sections=_SECTIONS,
        points="points.npz",
    )
    return write_page(folder, record, page=page, tables=small_tables(results))


def conclusion(results: Mapping[str, Any]) -> str:
    """Returns the run's result in one sentence."""
    facts, vertices = results["facts"], results["vertices"]
    if facts["dimension"] == 0:
        return "Nothing else in the box collides with the target: the set is this one point."
    sets = {one["key"]: one for one in results["sets"]}
    own, count = sets["units"], vertices["count"]
    text = (
        f"The set has dimension {facts['dimension']} and {count:,} vertices (complete, "
        f"certified); the exact minima of all {own['points']} inactive units show "
        f"{own['distinct']} of them"
    )
    if own["hausdorff"]["upper"] == 0:
        return f"{text}, and their hull is the whole set."
    share = own["volume_ratio"]
    volume = "" if share is None else f" hold {percent(share)} of its volume in their hull"
    return (
        f"{text},{f'{volume},' if volume else ''} and leave points of the set up to "
        f"{short(own['hausdorff']['upper'], 3)} away, of a diameter of "
        f"{short(sets['all']['diameter']['upper'], 3)}."
    )


def headline(results: Mapping[str, Any]) -> list[str]:
    """Returns the main numbers as sentences, without a verdict."""
    sets = {one["key"]: one for one in results["sets"]}
    lines = []
    for key, name in (("hinge", "the hinge"), ("absolute", "the paper's penalty")):
        one, found = sets[key], results["relaxed"][key]["comparisons"]
        vertices = sum(each["is_vertex"] for each in found)
        tolerances = [each["smallest_tolerance"]["approx"] for each in found]
        lines.append(
            f"relaxed vertices by {name}: Hausdorff distance of their hull and the set "
            f"{short(one['hausdorff']['upper'], 3)} (set to hull "
            f"{short(one['from_set']['upper'], 3)}, hull to set "
            f"{short(one['from_hull']['upper'], 3)}); {vertices or 'none'} of {len(found)} "
            f"{'are vertices' if vertices > 1 else 'is a vertex'}; tolerance needed up to "
            f"{short(max(tolerances))}"
        )
    every = results["targets"]["each"]
    alone = sum(row["dimension"] == 0 for row in every)
    sizes = [row["vertices"] for row in every if row["vertices"] is not None]
    lines.append(
        f"all {len(every)} test points: {alone} have no other collision at all; the others' sets "
        f"have up to {max(sizes, default=0):,} vertices"
    )
    return lines
