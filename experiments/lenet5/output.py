"""What does a finished run of `collide lenet5` print, and which files does it leave?"""

from pathlib import Path

from experiments.lenet5.figures import write_lenet5_figures
from experiments.lenet5.results import Lenet5Results
from experiments.lenet5.tables import lenet5_tables, set_name
from experiments.run.record import read_record
from experiments.show.numbers import fixed, percent, word
from experiments.show.page import Page, Section, write_run
from experiments.show.printed import print_tables

#: Left to the files: long.
FILES_ONLY = ("comparison-deep",)


def finish_lenet5(folder: Path, *, as_json: bool) -> str:
    """Writes tables, figures and report of a run, prints the tables, and returns `limit_note`.

    Raises:
        FileFormatError: the folder holds no record.
        OutputError: a file cannot be written.
    """
    record = read_record(folder, Lenet5Results)
    results = record.results
    tables = lenet5_tables(results)
    write_lenet5_figures(folder, results)
    write_run(folder, record, tables=tables, page=_page(results))
    print_tables(folder, [t for t in tables if t.name not in FILES_ONLY and t.rows], as_json)
    return limit_note(results)


def limit_note(results: Lenet5Results) -> str:
    """Says which exact work a limit ended; "" where it ended none."""
    given_up = []
    for layer in results.layers:
        parts = [(f"facts, {each.space}", each.reason) for each in layer.facts]
        parts += [(f"vertices, {one.space}", one.reason) for one in layer.exact]
        parts += [("pieces", layer.pieces.reason)] if layer.pieces else []
        parts += [(f"own region of {o.family}-{o.start}", o.reason) for o in layer.own_regions]
        given_up += [f"{layer.title} ({name}: {reason})" for name, reason in parts if reason]
    if not given_up:
        return ""
    return f"limit: exact work was given up at {'; '.join(given_up)}; --seconds is the limit"


def _page(results: Lenet5Results) -> Page:
    target = results.target
    pictures = tuple(
        (f"vertices-{layer.name}", f"Images: vertices at {layer.title}, a row a set.")
        for layer in results.layers
    )
    return Page(
        title="Collision polytopes at deep layers on MNIST",
        heading="Exact and relaxed collisions at the layers of LeNet-5, MNIST",
        lead=(
            f"Target: test image {target.index}, a {target.label}. "
            + "; ".join(
                f"{net.architecture}, test accuracy {percent(net.accuracy, 2)}"
                for net in results.networks.values()
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


def _conclusion(results: Lenet5Results) -> str:
    """Returns the dimensions of the sets in one sentence."""
    parts = []
    for layer in results.layers:
        for each in layer.facts:
            where, known = "" if layer.is_first else f" ({each.space})", each.facts
            value, inputs = (None, "?") if known is None else (known.dimension, known.n_inputs)
            parts.append(f"{layer.title}{where} {word(value)} of {inputs}")
    return f"Dimensions of the target's collision polytopes: {', '.join(parts)}."


def _headline(results: Lenet5Results) -> list[str]:
    lines = []
    for layer in results.layers:
        for one in layer.relaxed:
            if one.start == "target":
                found = one.distances["pixels"]
                name = set_name(one, len(layer.units))
                lines.append(
                    f"{layer.title}, {name}: mean distance of the vertices "
                    f"{fixed(found.distance)}, {percent(found.ratio)} of the distance of "
                    "test images"
                )
    return lines
