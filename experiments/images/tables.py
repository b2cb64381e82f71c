"""Which tables does an experiment on pairs of images print?  Read from its record alone."""

from collections.abc import Iterator, Mapping
from typing import Any

from experiments.images.detail_tables import (
    ball_table,
    meanings_table,
    remarks,
    spaces_table,
    title_of,
    vertices_table,
    yes,
)
from experiments.paper import ROWS, TEXT, CollisionRow
from experiments.show.numbers import fixed, percent, probability, short
from experiments.show.proof_cells import proof_cell, uncertified
from experiments.show.tables import Table

Results = Mapping[str, Any]
Entry = Mapping[str, Any]


def image_tables(results: Results) -> list[Table]:
    """Returns all tables of a record's results."""
    return [
        main_table(results),
        spaces_table(results),
        layer_table(results),
        vertices_table(results),
        meanings_table(results),
        ball_table(results),
    ]


def table_name(results: Results) -> str:
    """Returns the name of the main table: "table4" where the paper has one of that number."""
    number = results["paper_table"]
    return f"table{number}" if number else "polytopes"


def main_table(results: Results) -> Table:
    """The paper's Table 4, its row above ours."""
    number = results["paper_table"]
    rows = [_paper_row(each) for each in ROWS if each.table == number]
    for one in results["sets"]:
        rows += [_main_row(results, one, form) for form in results["forms"]]
    return Table(
        name=table_name(results),
        title=(f"Table {number}: " if number else "")
        + f"five vertices of one collision polytope, {results['title']}, {results['layer_name']}"
        if _vertices(results) == 5
        else f"vertices of one collision polytope, {results['title']}, {results['layer_name']}",
        columns=(
            "vertices",
            "form",
            "success",
            "target conf.",
            "interpolated conf.",
            "same, target's class",
            "image distance",
            "vertex distance",
            "ratio",
            "success (uniform)",
            "conf. (uniform)",
        ),
        rows=tuple(rows),
        proofs=uncertified(rows),
        notes=_main_notes(results),
    )


def _vertices(results: Results) -> int:
    return len(results["sets"][0]["search"]["units"])


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


def _main_row(results: Results, one: Entry, form: str) -> tuple[str, ...]:
    about = one[form]
    stick, uniform = about["pixels"]["stick"], about["pixels"]["uniform"]
    return (
        title_of(results, one),
        results["forms"][form],
        percent(stick["success"]),
        probability(results["target"]["confidence"]),
        probability(stick["winner_confidence"]),
        probability(stick["target_class_confidence"]),
        fixed(results["images"]["mean_distance"]),
        fixed(about["distance"]),
        percent(about["ratio"]),
        percent(uniform["success"]),
        probability(uniform["winner_confidence"]),
    )


def _main_notes(results: Results) -> tuple[str, ...]:
    target, images = results["target"], results["images"]
    starts = ", ".join(
        f"{each['name']} (seen as {each['class_name']}, {probability(each['confidence'])})"
        for name, each in results["starts"].items()
        if name != "target"
    )
    return (
        *remarks(results),
        f"Target: {target['name']}, seen as {target['class_name']} "
        f"({probability(target['confidence'])})"
        + (f", labelled {target['label_name']}" if target["label_name"] else "")
        + (f". Other starts: {starts}." if starts else "."),
        f"Success: share of {results['samples']} random convex combinations of the images in the "
        "target's class; weights by stick-breaking as in the authors' scripts, and uniform on the "
        "simplex. Confidence: mean probability of the class that wins, as the authors measured, "
        "and of the target's class. The paper prints no number for the latter and for uniform "
        "weights: its cells are empty.",
        "The paper measured its vertices after saving them as 8-bit PNG files, values truncated; "
        "which of its rows were so measured is known from its scripts alone.",
        _images_note(images),
        *_accuracy_note(results),
        *(
            f"{results['recipe_titles'][name]}: {rule} ({_ended(results, name)})."
            for name, rule in results["recipes"].items()
        ),
    )


def _images_note(images: Entry) -> str:
    if images["mean_distance"] is None:
        return "Image distance: fewer than two images were given, so it and the ratio are empty."
    return (
        f"Image distance: mean l2 over all {images['pairs']} pairs of {images['which']}; the paper "
        "does not say which images and pairs it took, so compare ratios."
    )


def _accuracy_note(results: Results) -> Iterator[str]:
    found = results["accuracy"]
    if found and found["images"]:
        yield (
            f"Accuracy on {found['images']} labelled images of the folder: top-1 "
            f"{percent(found['top1'])}, top-5 {percent(found['top5'])}"
            + (
                f" (paper: {TEXT['vgg16_top5_accuracy']} top-5 on ImageNet's test set)."
                if results["paper_table"]
                else "."
            )
        )


def _ended(results: Results, recipe: str) -> str:
    searches = [one["search"] for one in results["sets"] if one["recipe"] == recipe]
    ended = [status for each in searches for status in each["status"]]
    steps = [count for each in searches for count in each["steps"]]
    words = ", ".join(
        f"{ended.count(each)} {each.replace('_', ' ')}" for each in sorted(set(ended))
    )
    return f"{words}; {min(steps)} to {max(steps)} steps"


FACTS = {
    "rank_positive": ("rank W+", "rank"),
    "kernel_condition": ("ker W+ in ker W-", "kernel"),
    "dimension": ("dimension", "dimension"),
    "lineality": ("lineality", "lineality"),
    "pointed": ("pointed (has vertices)", "lineality"),
}


def layer_table(results: Results) -> Table:
    """Sizes of the layer and facts of the target's set, x free and x >= 0."""
    layer, exact = results["layer"], results["exact"]
    sizes = [
        ("inputs d", layer["n_inputs"]),
        ("units N", layer["n_units"]),
        ("active units N+ (float run)", layer["n_positive"]),
        ("paper's bound d - N+", layer["paper_bound"]),
        ("half-spaces N - N+", layer["halfspaces"]),
        ("pre-activations exactly 0 (float run)", layer["zeros"]),
    ]
    if "counts" in exact:
        sizes += [
            ("active units N+ (exact)", exact["counts"]["n_positive"]),
            ("signs that differ, float and exact", exact["counts"]["sign_disagreements"]),
        ]
    rows: list[tuple[str, ...]] = [(name, str(value), str(value)) for name, value in sizes]
    proofs = list(uncertified(rows))
    facts = exact.get("facts")
    if facts:
        why = "no answer: the process ended" if facts["broken"] else "not proved in time"
        domains = [facts["domains"].get(name) for name in ("free", "nonnegative")]
        rows += [
            (title, *(_fact(one, name, proof, why) for one in domains))
            for name, (title, proof) in FACTS.items()
        ]
        proofs += [
            proof_cell([{"certificate": (one or {}).get(f"{kind}_certificate")} for one in domains])
            for _, kind in FACTS.values()
        ]
    return Table(
        name="layer",
        title=f"The target's set at {results['layer_name']}",
        columns=("fact", "x free", "x >= 0"),
        rows=tuple(rows),
        proofs=tuple(proofs),
        notes=(*remarks(results), *_layer_notes(results)),
    )


def _fact(found: Entry | None, name: str, proof: str, missing: str) -> str:
    """A cell; None: the domain was not asked about."""
    if found is None:
        return "not asked"
    if name not in found:
        return missing
    value = found[name]
    if value is None or not found[f"{proof}_proved"]:
        return "undecided"
    return yes(value) if isinstance(value, bool) else str(value)


def _vertex_note(results: Results, found: Entry) -> Iterator[str]:
    """One sentence on the exact vertex, where there is one."""
    if found.get("vertex") != "vertex":
        if "vertex" in found:
            yield f"An exact vertex, x >= 0: {found['vertex_reason'] or found['vertex']}."
        return
    text = (
        "One exact vertex, x >= 0, was proved (the target pushed to one, no unit's extreme): "
        f"{found['vertex_tight']} rows and all but {found['vertex_positive']} inputs are tight, "
        f"l2 {fixed(found['vertex_distance'])} from the target's"
    )
    seen = results["exact_vertex"]
    if seen:
        name = _class_name(results, seen["class"])
        text += (
            f"; rounded to float32 the network sees {name} ({probability(seen['confidence'])}), "
            f"active units off by {short(seen['worst_active'])}, others above 0 by "
            f"{short(seen['worst_inactive'])}"
        )
    yield f"{text}."


def _class_name(results: Results, index: int) -> str:
    known = results["class_names"]
    return known[index] if index < len(known) else f"class {index}"


def _missing(domains: Entry) -> Iterator[str]:
    """Names of the facts that were not reached in time."""
    names = ("rank", "kernel", "dimension", "lineality")
    for domain, found in domains.items():
        title = {"free": "x free", "nonnegative": "x >= 0"}[domain]
        wanted = (*names, "vertex") if domain == "nonnegative" else names
        yield from (f"{name} ({title})" for name in wanted if f"{name}_proved" not in found)


def _layer_notes(results: Results) -> Iterator[str]:
    layer, exact = results["layer"], results["exact"]
    yield (
        "d - N+ (Proposition 1): the least dimension of the subspace that the active units leave, "
        "exact where the rows of W+ are independent; the set in it can have fewer dimensions."
    )
    if layer["least_lines"]:
        yield (
            f"With x free the set contains at least d - N = {layer['least_lines']} independent "
            "lines, so it has no vertices there: the paper's need the box of the images, or x >= 0."
        )
    if not layer["entered_nonnegative"]:
        yield "x >= 0: what enters the layer has negative numbers, so that set is not asked about."
    facts = exact.get("facts")
    if facts is None:
        yield f"Exact facts: {exact['reason'] or 'not asked for here'}."
        return
    missing = ", ".join(_missing(facts["domains"]))
    if facts["limit"] is not None and missing:
        yield (
            f"Exact facts were given up after {facts['limit']:g} seconds (--facts); missing: "
            f"{missing}."
        )
    if facts["broken"]:
        yield f"Exact facts are incomplete: {facts['broken']}."
    yield from _vertex_note(results, facts["domains"].get("nonnegative", {}))
    proved = sum(
        value is True and name.endswith("_proved")
        for found in facts["domains"].values()
        for name, value in found.items()
    )
    if proved and not facts["saved"]:
        yield (
            f"{proved} answers were proved, and their certificates not saved: these hold the "
            "layer, which is gigabytes of text here (`collide bench fc6 --verify` has such ones "
            "checked)."
        )
