"""What does a finished run of `collide lenet5` print, and which files does it leave?"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from experiments.lenet5.figures import write_lenet5_figures
from experiments.lenet5.tables import layer_name, lenet5_tables, set_name
from experiments.run.proofs import keep_checker
from experiments.run.record import FILE_NAME, read_record
from experiments.show.numbers import fixed, percent
from experiments.show.page import Page, Section, write_page
from experiments.show.tables import write_tables

#: Left to the files: long.
FILES_ONLY = ("comparison-deep",)


def finish_lenet5(folder: Path, *, as_json: bool) -> str:
    """Writes tables, figures and report of a run, prints the tables, and returns `limit_note`.

    Raises:
        FileFormatError: the folder holds no record.
        OutputError: a file cannot be written.
    """
    record = read_record(folder)
    results = record.results
    tables = lenet5_tables(results)
    write_tables(folder, tables)
    write_lenet5_figures(folder, results)
    keep_checker(folder)
    write_page(folder, record, page=_page(results), tables=tables)
    if as_json:
        document = json.loads((folder / FILE_NAME).read_bytes())
        print(json.dumps({"folder": str(folder), "results": document["results"]}))
        return limit_note(results)
    for table in tables:
        if table.name not in FILES_ONLY and table.rows:
            print(table.markdown())
    written = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    print(f"written to {folder}: {', '.join(written)}")
    return limit_note(results)


def limit_note(results: Mapping[str, Any]) -> str:
    """Says which exact work a limit ended; "" where it ended none."""
    given_up = []
    for layer in results["layers"]:
        parts = [(f"facts, {each['space']}", each) for each in layer["facts"]]
        parts += [(f"vertices, {one['space']}", one) for one in layer["sets"] if "reason" in one]
        parts += [("pieces", layer["pieces"] or {})]
        parts += [(f"own region of {name}", one) for name, one in layer["own_regions"].items()]
        given_up += [
            f"{layer_name(layer)} ({name}: {part['reason']})"
            for name, part in parts
            if part.get("reason")
        ]
    if not given_up:
        return ""
    return f"limit: exact work was given up at {'; '.join(given_up)}; --seconds is the limit"


def _page(results: Mapping[str, Any]) -> Page:
    target = results["target"]
    pictures = tuple(
        (f"vertices-{layer['name']}", f"Images: vertices at {layer_name(layer)}, a row a set.")
        for layer in results["layers"]
    )
    return Page(
        title="Collision polytopes at deep layers on MNIST",
        heading="Exact and relaxed collisions at the layers of LeNet-5, MNIST",
        lead=(
            f"Target: test image {target['index']}, a {target['label']}. "
            + "; ".join(
                f"{net['architecture']}, test accuracy {percent(net['accuracy'], 2)}"
                for net in results["networks"].values()
            )
            + "."
        ),
        conclusion=_conclusion(results),
        headline=_headline(results),
        sections=(
            Section(name="sets", title="Distances and success", tables=("table2-deep",)),
            Section(name="images", title="The vertices", figures=pictures),
            Section(
                name="facts",
                title="What these sets are",
                tables=("facts-deep",),
                proofs=("rank-", "lineality-", "boundedness-", "dimension-", "kernel-"),
            ),
            Section(
                name="comparison",
                title="Relaxed beside exact",
                tables=("comparison-deep",),
                proofs=("vertex-",),
            ),
            Section(name="meanings", title="In which sense?", tables=("meanings-deep",)),
            Section(
                name="pieces",
                title="Beyond the linear region",
                tables=("pieces-deep", "own-regions"),
                figures=(("pieces", "The known set grows with the regions entered."),),
                proofs=("piece-", "own-"),
            ),
        ),
        points="vertices.npz",
    )


def _conclusion(results: Mapping[str, Any]) -> str:
    """Returns the dimensions of the sets in one sentence."""
    parts = []
    for layer in results["layers"]:
        for facts in layer["facts"]:
            where = "" if len(layer["spaces"]) == 1 else f" ({facts['space']})"
            value = facts.get("dimension")
            words = "undecided" if value is None else str(value)
            parts.append(f"{layer_name(layer)}{where} {words} of {facts.get('n_inputs', '?')}")
    return f"Dimensions of the target's collision polytopes: {', '.join(parts)}."


def _headline(results: Mapping[str, Any]) -> list[str]:
    lines = []
    for layer in results["layers"]:
        for one in layer["sets"]:
            if one["kind"] == "relaxed" and one["start"] == "target":
                found = one["distances"]["pixels"]
                name = set_name(one, len(layer["units"]))
                lines.append(
                    f"{layer_name(layer)}, {name}: mean distance of the vertices "
                    f"{fixed(found['distance'])}, {percent(found['ratio'])} of the distance of "
                    "test images"
                )
    return lines
