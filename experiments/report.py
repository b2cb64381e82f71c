"""How is a run read without a terminal?  One HTML file that opens from disk, no network."""

import base64
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from experiments.figures import FOLDER as FIGURES
from experiments.files import write_text
from experiments.mnist_tables import mnist_tables
from experiments.numbers import fixed, percent, short
from experiments.proofs import command
from experiments.record import Record, read_exact, read_record
from experiments.searches import title_of
from experiments.tables import Table

FILE_NAME = "report.html"

#: Sections: id, title, tables, figures with their alternative text, names of certificates.
_SECTIONS = (
    ("table2", "Table 2: distances and success", ("table2",), (), ("vertex-",)),
    (
        "table1",
        "Table 1: the vertices",
        (),
        (("table1", "Rows of five images each: relaxed, exact and control vertices."),),
        (),
    ),
    ("facts", "What this set is", ("facts",), (), ("free-", "nonnegative-", "box-")),
    ("comparison", "Relaxed beside exact", ("comparison",), (), ("distance-",)),
    (
        "nearest",
        "Nearest exact collisions",
        ("nearest",),
        (("nearest", "For each digit its image and the nearest exact collisions."),),
        ("nearest.",),
    ),
    (
        "curve",
        "Tolerance against distance",
        ("curve",),
        (("curve", "Distance to another digit's image falls as the tolerance grows."),),
        ("curve.",),
    ),
    (
        "controls",
        "The controls",
        (),
        (("masks", "Maps of the pixels that training hardly ever lights."),),
        (),
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
    tables = {table.name: table for table in mnist_tables(results)}
    proofs = list(certificates(results))
    environment = Environment(
        loader=PackageLoader("experiments"),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    text = environment.get_template(FILE_NAME).render(
        target=results["target"],
        network=results["network"],
        accuracy=percent(results["network"]["accuracy"], 2),
        conclusion=conclusion(results),
        headline=headline(results),
        sections=[_section(folder, parts, tables, proofs) for parts in _SECTIONS],
        provenance=list(_provenance(record)),
    )
    path = Path(folder) / FILE_NAME
    write_text(path, text)
    return path


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


def certificates(results: Any) -> Iterator[dict[str, str]]:
    """Yields every certificate named anywhere in a record's results, in their order."""
    if isinstance(results, Mapping):
        if set(results) == {"file", "claim"}:
            file = str(results["file"])
            yield {
                "file": file,
                "name": Path(file).stem,
                "claim": str(results["claim"]).partition(": ")[2] or str(results["claim"]),
                "command": command(file),
            }
            return
        results = list(results.values())
    if isinstance(results, list):
        for value in results:
            yield from certificates(value)


def _section(
    folder: Path, parts: tuple[Any, ...], tables: Mapping[str, Table], proofs: list[dict[str, str]]
) -> dict[str, Any]:
    name, title, wanted, figures, starts = parts
    drawn = [
        {"data": _inline(path), "alt": alt}
        for figure, alt in figures
        if (path := Path(folder) / FIGURES / f"{figure}.png").is_file()
    ]
    return {
        "id": name,
        "title": title,
        "tables": [tables[table] for table in wanted],
        "figures": drawn,
        "proofs": [p for p in proofs if p["name"].startswith(starts)] if starts else [],
    }


def _inline(path: Path) -> str:
    return "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode()


def _provenance(record: Record) -> Iterator[tuple[str, str]]:
    for group in (record.options, record.data, record.versions):
        for name, value in group.items():
            yield name, "" if value is None else str(value)
