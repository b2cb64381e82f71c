"""What do the tables of detail of a run on pairs of images hold?  Spaces, vertices, senses."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from experiments.show.numbers import fixed, percent, probability, short
from experiments.show.proof_cells import uncertified
from experiments.show.tables import Table

Results = Mapping[str, Any]
Entry = Mapping[str, Any]

SPACES = {"pixels": "pixels", "layer": "layer's input"}


def title_of(results: Results, one: Entry) -> str:
    """Returns recipe and start of a set of vertices, in words."""
    title = results["recipe_titles"][one["recipe"]]
    start = "target" if one["start"] == "target" else results["starts"][one["start"]]["name"]
    return f"{title}; start: {start}"


def remarks(results: Results) -> tuple[str, ...]:
    """Returns what must stand below every table of a run."""
    return tuple(results["remarks"])


def yes(value: bool | None) -> str:
    """Returns a verdict in a word; "" where there is none."""
    return "" if value is None else ("yes" if value else "no")


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
        proofs=uncertified(rows),
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
        proofs=uncertified(rows),
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
            yes(each["exact"]),
            short(each["exact_tolerance"]),
            short(each.get("worst_equality")),
            short(each.get("worst_inactive")),
            _signs(each),
            yes(each["bit_equal"]),
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
        proofs=uncertified(rows),
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
        proofs=uncertified(rows),
        notes=(
            *remarks(results),
            "Radius: least l2 distance from the mean to a vertex. Directions: noise uniform in a "
            "cube, scaled to length 1. Nothing is clipped. Vertices: as 8-bit PNG, truncated. "
            "So the authors' scripts code it; the paper prints no number of it.",
        ),
    )
