"""Which tables does an experiment on pairs of images print?  Read from its record alone."""

from collections.abc import Iterator

from experiments.images.detail_tables import (
    ball_table,
    meanings_table,
    spaces_table,
    vertices_table,
)
from experiments.images.layer_table import layer_table
from experiments.images.results import ImageDistances, ImageResults
from experiments.paper import TABLE_4, TEXT, CollisionRow
from experiments.show.numbers import fixed, percent, probability
from experiments.show.proof_cells import uncertified
from experiments.show.tables import Table

MAIN = "table4"  # name of the main table


def image_tables(results: ImageResults) -> list[Table]:
    """Returns all tables of a record's results."""
    return [
        main_table(results),
        spaces_table(results),
        layer_table(results),
        vertices_table(results),
        meanings_table(results),
        ball_table(results),
    ]


def main_table(results: ImageResults) -> Table:
    """The paper's Table 4, its row above ours."""
    rows = [*map(_paper_row, TABLE_4), *_main_rows(results)]
    title = f"vertices of one collision polytope, {results.title}, {results.layer_name}"
    five = len(results.sets[0].search.units) == 5
    return Table(
        name=MAIN,
        title=f"Table 4: five {title}" if five else title,
        columns=(
            *("vertices", "form", "success", "target conf.", "interpolated conf."),
            *("same, target's class", "image distance", "vertex distance", "ratio"),
            *("success (uniform)", "conf. (uniform)"),
        ),
        rows=tuple(rows),
        proofs=uncertified(rows),
        notes=tuple(_main_notes(results)),
    )


def _paper_row(printed: CollisionRow) -> tuple[str, ...]:
    return (
        f"paper, Table {printed.table}: {printed.title}",
        "",
        str(printed.success),
        str(printed.target_confidence),
        str(printed.sample_confidence),
        "",
        str(printed.image_distance),
        str(printed.vertex_distance),
        percent(printed.ratio),
        "",
        "",
    )


def _main_rows(results: ImageResults) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for one in results.sets:
        for form, measured in one.measures.forms().items():
            stick, uniform = measured.pixels["stick"], measured.pixels["uniform"]
            rows.append(
                (
                    results.title_of(one),
                    form,
                    percent(stick.success),
                    probability(results.target.confidence),
                    probability(stick.winner_confidence),
                    probability(stick.target_class_confidence),
                    fixed(results.images.mean_distance),
                    fixed(measured.spread.distance),
                    percent(measured.spread.ratio),
                    percent(uniform.success),
                    probability(uniform.winner_confidence),
                )
            )
    return rows


def _main_notes(results: ImageResults) -> Iterator[str]:
    target = results.target
    starts = ", ".join(
        f"{each.name} (seen as {each.class_name}, {probability(each.confidence)})"
        for name, each in results.starts.items()
        if name != "target"
    )
    yield from results.remarks
    yield (
        f"Target: {target.name}, seen as {target.class_name} ({probability(target.confidence)})"
        + (f", labelled {target.label_name}" if target.label_name else "")
        + (f". Other starts: {starts}." if starts else ".")
    )
    yield (
        f"Success: share of {results.samples} random convex combinations of the images in the "
        "target's class; weights by stick-breaking as in the authors' scripts, and uniform on the "
        "simplex. Confidence: mean probability of the class that wins, as the authors measured, "
        "and of the target's class. The paper prints no number for the latter and for uniform "
        "weights: its cells are empty."
    )
    yield (
        "The paper measured its vertices after saving them as 8-bit PNG files, values truncated; "
        "which of its rows were so measured is known from its scripts alone."
    )
    yield _images_note(results.images)
    yield from _accuracy_note(results)
    for name, recipe in results.recipes.items():
        yield f"{recipe.title}: {recipe.rule} ({_ended(results, name)})."


def _images_note(images: ImageDistances) -> str:
    if images.mean_distance is None:
        return "Image distance: fewer than two images were given, so it and the ratio are empty."
    return (
        f"Image distance: mean l2 over all {images.pairs} pairs of {images.which}; the paper "
        "does not say which images and pairs it took, so compare ratios."
    )


def _accuracy_note(results: ImageResults) -> Iterator[str]:
    found = results.accuracy
    if found is not None and found.images:
        yield (
            f"Accuracy on {found.images} labelled images of the folder: top-1 "
            f"{percent(found.top1)}, top-5 {percent(found.top5)}"
            f" (paper: {TEXT['vgg16_top5_accuracy']} top-5 on ImageNet's test set)."
        )


def _ended(results: ImageResults, recipe: str) -> str:
    searches = [one.search for one in results.sets if one.recipe == recipe]
    ended = [status for each in searches for status in each.status]
    steps = [count for each in searches for count in each.steps]
    words = ", ".join(
        f"{ended.count(each)} {each.replace('_', ' ')}" for each in sorted(set(ended))
    )
    return f"{words}; {min(steps)} to {max(steps)} steps"
