"""What does the report of `collide mnist` say?  Its page, read from the record."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from experiments.mnist.searches import title_of
from experiments.mnist.tables import mnist_tables
from experiments.run.record import read_exact, read_record
from experiments.show.numbers import fixed, percent, short
from experiments.show.page import Page, Section, write_page

_SECTIONS = (
    Section(
        name="table2",
        title="Table 2: distances and success",
        tables=("table2",),
        proofs=("vertex-",),
    ),
    Section(
        name="table1",
        title="Table 1: the vertices",
        figures=(("table1", "Rows of five images each: relaxed, exact and control vertices."),),
    ),
    Section(
        name="facts",
        title="What this set is",
        tables=("facts",),
        proofs=("free-", "nonnegative-", "box-"),
    ),
    Section(
        name="comparison",
        title="Relaxed beside exact",
        tables=("comparison",),
        proofs=("distance-",),
    ),
    Section(
        name="nearest",
        title="Nearest exact collisions",
        tables=("nearest",),
        figures=(("nearest", "For each digit its image and the nearest exact collisions."),),
        proofs=("nearest.",),
    ),
    Section(
        name="curve",
        title="Tolerance against distance",
        tables=("curve",),
        figures=(("curve", "Distance to another digit's image falls as the tolerance grows."),),
        proofs=("curve.",),
    ),
    Section(
        name="controls",
        title="The controls",
        figures=(("masks", "Maps of the pixels that training hardly ever lights."),),
    ),
)


def write_report(folder: Path) -> Path:
    """Writes `report.html` from the record, tables and figures of a run of `collide mnist`.

    Raises:
        FileFormatError: there is no record.
        OutputError: the file cannot be written.
    """
    record = read_record(folder)
    results = record.results
    target, network = results["target"], results["network"]
    page = Page(
        title="Collision polytopes on MNIST",
        heading="Exact and relaxed collisions at the first hidden layer, MNIST",
        lead=(
            f"Target: test image {target['index']}, a {target['label']}. Network "
            f"{network['architecture']}, test accuracy {percent(network['accuracy'], 2)}."
        ),
        conclusion=conclusion(results),
        headline=headline(results),
        sections=_SECTIONS,
        points="vertices.npz",
    )
    return write_page(folder, record, page=page, tables=mnist_tables(results))


def conclusion(results: Mapping[str, Any]) -> str:
    """Returns the run's result in one sentence: the exact vertices beside the paper's penalty's."""
    sets = {one["key"]: one for one in results["sets"]}
    exact, found = sets["exact.none"], sets["relaxed.absolute.target.none"]
    tolerances = [each["smallest_tolerance"] for each in found["comparisons"]]
    meeting = sum(read_exact(value) == 0 for value in tolerances)
    text = (
        f"Exact vertices: {_apart(exact, 'of the distance of random test images')}; "
        f"the paper's penalty: {_apart(found)}; "
        f"{meeting or 'none'} of its {len(tolerances)} points "
        f"{'collide' if meeting > 1 else 'collides'} exactly"
    )
    known = [value["approx"] for value in tolerances]
    if not known or None in known:
        return f"{text}."
    return f"{text} (smallest tolerances {short(min(known))} to {short(max(known))})."


def _apart(one: Mapping[str, Any], what: str = "") -> str:
    if one.get("distance") is None:
        return "undecided"
    share = f"{percent(one.get('ratio'))} {what}".rstrip()
    return f"{fixed(one['distance'])} apart ({share})"


def headline(results: Mapping[str, Any]) -> list[str]:
    """Returns the run's main numbers as sentences, without a verdict."""
    lines = [
        title_of(one)
        + (f" (start: {one['start']})" if one["start"] else "")
        + f": mean distance of the vertices {fixed(one.get('distance'))}, "
        f"{percent(one.get('ratio'))} of the distance of test images"
        for one in results["sets"]
    ]
    hinge = [one for one in results["sets"] if one["family"] == "hinge"]
    gaps = [c["relative_gap"] for one in hinge for c in one["comparisons"]]
    tolerances = [c["smallest_tolerance"]["approx"] for one in hinge for c in one["comparisons"]]
    if gaps and None not in gaps:
        lines.append(
            f"hinge runs: largest relative gap to the exact minimum {short(max(gaps))}, "
            f"smallest tolerance at which every found point collides {short(max(tolerances))} "
            "(largest over the points)"
        )
    return lines
