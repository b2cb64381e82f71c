"""Which tables does an experiment on pairs of images print?  Read from its record alone."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from experiments.numbers import fixed, percent, probability, short
from experiments.paper import ROWS, CollisionRow
from experiments.tables import Table

Results = Mapping[str, Any]
Entry = Mapping[str, Any]

SPACES = {"pixels": "pixels", "layer": "layer's input"}


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


def title_of(results: Results, one: Entry) -> str:
    """Returns recipe and start of a set of vertices, in words."""
    title = results["recipe_titles"][one["recipe"]]
    start = "target" if one["start"] == "target" else results["starts"][one["start"]]["name"]
    return f"{title}; start: {start}"


def remarks(results: Results) -> tuple[str, ...]:
    """Returns what must stand below every table of a run."""
    return tuple(results["remarks"])


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
        "and of the target's class.",
        "The paper measured its vertices after saving them as 8-bit PNG files, values truncated; "
        "which of its rows were so measured is known from its scripts alone.",
        _images_note(images),
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


def _ended(results: Results, recipe: str) -> str:
    searches = [one["search"] for one in results["sets"] if one["recipe"] == recipe]
    ended = [status for each in searches for status in each["status"]]
    steps = [count for each in searches for count in each["steps"]]
    words = ", ".join(
        f"{ended.count(each)} {each.replace('_', ' ')}" for each in sorted(set(ended))
    )
    return f"{words}; {min(steps)} to {max(steps)} steps"


def spaces_table(results: Results) -> Table:
    """Combinations of images beside combinations of what enters the layer."""
    rows = []
    for one in results["sets"]:
        for form in results["forms"]:
            for space, name in SPACES.items():
                rows += list(_space_rows(results, one, form, (space, name)))
    reasons = {
        one[form]["layer"]["reason"]
        for one in results["sets"]
        for form in results["forms"]
        if "reason" in one[form]["layer"]
    }
    return Table(
        name="spaces",
        title="Where one may interpolate: images, or what enters the layer",
        columns=(
            "vertices",
            "form",
            "combined",
            "weights",
            "success",
            "winner conf.",
            "target class conf.",
            "worst active error",
            "worst positive inactive",
        ),
        rows=tuple(rows),
        notes=(
            *remarks(results),
            "Proposition 1 makes the set convex in the layer's own input space. In pixel space "
            "nothing does, unless the layer is the first: what is found there is an observation.",
            "Worst active error: largest |p - p_t| over the target's active units and all "
            "combinations; worst positive inactive: largest max(0, p) over the others; in the "
            "float32 run.",
            *(f"Combinations of the layer's input are left out: {reason}." for reason in reasons),
        ),
    )


def _space_rows(
    results: Results, one: Entry, form: str, space: tuple[str, str]
) -> Iterator[tuple[str, ...]]:
    found = one[form][space[0]]
    if "reason" in found:
        return
    for scheme in results["schemes"]:
        each = found[scheme]
        yield (
            title_of(results, one),
            results["forms"][form],
            space[1],
            scheme,
            percent(each["success"]),
            probability(each["winner_confidence"]),
            probability(each["target_class_confidence"]),
            short(each["worst_active"]),
            short(each["worst_inactive"]),
        )


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
    facts = exact.get("facts")
    if facts:
        domains = [facts["domains"].get(name, {}) for name in ("free", "nonnegative")]
        rows += [
            (title, *(_fact(one, name, proof) for one in domains))
            for name, (title, proof) in FACTS.items()
        ]
    return Table(
        name="layer",
        title=f"The target's set at {results['layer_name']}",
        columns=("fact", "x free", "x >= 0"),
        rows=tuple(rows),
        notes=(*remarks(results), *_layer_notes(results)),
    )


def _fact(found: Entry, name: str, proof: str) -> str:
    if name not in found:
        return "not proved in time"
    value = found[name]
    if value is None or not found[f"{proof}_proved"]:
        return "undecided"
    return _yes(value) if isinstance(value, bool) else str(value)


def _layer_notes(results: Results) -> Iterator[str]:
    layer, exact = results["layer"], results["exact"]
    if layer["least_lines"]:
        yield (
            f"With x free the set contains at least d - N = {layer['least_lines']} independent "
            "lines, so it has no vertices there: the paper's need the box of the images, or x >= 0."
        )
    if not layer["entered_nonnegative"]:
        yield "x >= 0: what enters the layer has negative numbers, so that set is not asked about."
    facts = exact.get("facts")
    if facts is None:
        yield f"Exact facts: {exact['reason'] or 'left out on request'}."
        return
    if facts["limit"] is not None:
        yield f"Exact facts were given up after {facts['limit']:g} seconds (--facts)."
    if facts["broken"]:
        yield f"Exact facts are incomplete: {facts['broken']}."
    if not facts["saved"]:
        yield (
            "Each fact was proved, and its certificate not saved: certificates hold the layer, "
            "which is gigabytes of text here (`collide bench fc6 --verify` has such ones checked)."
        )


def vertices_table(results: Results) -> Table:
    """Each vertex: its unit, its class and how far its units are off."""
    rows = [
        (
            title_of(results, one),
            results["forms"][form],
            str(each["unit"]),
            short(each["pre_activation"], 4),
            _name(results, each["class"]),
            probability(each["confidence"]),
            probability(each["target_class_confidence"]),
            short(each["worst_active"]),
            short(each["worst_inactive"]),
            fixed(one[form]["from_target"][place]),
            fixed(one[form]["from_start"][place]),
        )
        for one in results["sets"]
        for form in results["forms"]
        for place, each in enumerate(one[form]["vertices"])
    ]
    return Table(
        name="vertices",
        title="The vertices one by one",
        columns=(
            *("vertices", "form", "unit", "its pre-activation", "class", "confidence"),
            *("target class conf.", "worst active error", "worst positive inactive"),
            *("l2 from target", "l2 from start"),
        ),
        rows=tuple(rows),
        notes=remarks(results),
    )


def _name(results: Results, index: int) -> str:
    known: Sequence[str] = results["class_names"]
    return known[index] if index < len(known) else f"class {index}"


def meanings_table(results: Results) -> Table:
    """In which senses each vertex collides."""
    rows = [
        (
            title_of(results, one),
            str(unit),
            _yes(each["exact"]),
            short(each["exact_tolerance"]),
            short(each.get("worst_equality")),
            short(each.get("worst_inactive")),
            _signs(each),
            _yes(each["bit_equal"]),
            short(each["tolerance"]),
            short(each["png_truncated"]),
            short(each["png_tolerance"]),
        )
        for one in results["sets"]
        for unit, each in zip(one["search"]["units"], one["meanings"], strict=True)
    ]
    return Table(
        name="meanings",
        title=f"In which sense the vertices collide, {results['layer_name']}",
        columns=(
            *("vertices", "unit", "equal over the rationals", "least exact tolerance"),
            *("active off (exact)", "inactive above 0 (exact)", "signs lost / gained"),
            *("bit-equal floats", "float tolerance", "8-bit PNG, truncated", "8-bit PNG, rounded"),
        ),
        rows=tuple(rows),
        notes=(
            *remarks(results),
            "Over the rationals: the layer's input as the float run stores it, put into the exact "
            "layer. Bit-equal: post-activations of the float32 run, one image at a time, on "
            f"{results['device']}. Tolerances: largest difference of post-activations.",
            "Signs lost: active units of the target that do not fire, exactly; gained: others that "
            "do.",
            *((f"Exact: {results['exact']['reason']}.",) if results["exact"]["reason"] else ()),
        ),
    )


def _signs(each: Entry) -> str:
    if "newly_active" not in each:
        return ""
    return f"{each['newly_inactive']} / {each['newly_active']}"


def _yes(value: bool | None) -> str:
    return "" if value is None else ("yes" if value else "no")


def ball_table(results: Results) -> Table:
    """The authors' control: random images on a sphere around the vertices' mean."""
    rows = [
        (
            title_of(results, one),
            fixed(one["ball"]["radius"]),
            str(one["ball"]["samples"]),
            percent(one["ball"]["success"]),
            probability(one["ball"]["winner_confidence"]),
            probability(one["ball"]["target_class_confidence"]),
            percent(one["png"]["pixels"]["stick"]["success"]),
            probability(one["png"]["pixels"]["stick"]["winner_confidence"]),
        )
        for one in results["sets"]
        if "ball" in one
    ]
    return Table(
        name="ball",
        title="The authors' control: images on a sphere around the vertices' mean",
        columns=(
            *("vertices", "radius", "images", "success", "winner conf.", "target class conf."),
            *("success, combinations", "conf., combinations"),
        ),
        rows=tuple(rows),
        notes=(
            *remarks(results),
            "Radius: least l2 distance from the mean to a vertex. Directions: noise uniform in a "
            "cube, scaled to length 1. Nothing is clipped. Vertices: as 8-bit PNG, truncated. "
            "So the authors' scripts code it; the paper prints no number of it.",
        ),
    )
