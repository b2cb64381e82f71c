"""What do the tables of detail of a run on pairs of images hold?  Spaces, vertices, senses."""

from collections.abc import Iterator

from experiments.images.results import ExactPoint, ImageResults, Measured
from experiments.measure.sampling import SCHEMES
from experiments.show.numbers import fixed, percent, probability, short
from experiments.show.proof_cells import uncertified
from experiments.show.tables import Table


def yes(value: bool | None) -> str:
    """Returns a verdict in a word; "" where there is none."""
    return "" if value is None else ("yes" if value else "no")


def spaces_table(results: ImageResults) -> Table:
    """Combinations of images beside combinations of what enters the layer."""
    rows = [
        (results.title_of(one), form, *row)
        for one in results.sets
        for form, measured in one.measures.forms().items()
        for row in _space_rows(measured)
    ]
    reasons = {
        measured.layer_reason for one in results.sets for measured in one.measures.forms().values()
    }
    return Table(
        name="spaces",
        title="Where one may interpolate: images, or what enters the layer",
        columns=(
            *("vertices", "form", "combined", "weights", "success", "winner conf."),
            *("target class conf.", "worst active error", "worst positive inactive"),
        ),
        rows=tuple(rows),
        proofs=uncertified(rows),
        notes=(
            *results.remarks,
            "Proposition 1 makes the set convex in the layer's own input space. In pixel space "
            "nothing does, unless the layer is the first: what is found there is an observation.",
            "Worst active error: largest |p - p_t| over the target's active units and all "
            "combinations; worst positive inactive: largest max(0, p) over the others; in the "
            "float32 run.",
            *(
                f"Combinations of the layer's input are left out: {reason}."
                for reason in reasons
                if reason
            ),
        ),
    )


def _space_rows(measured: Measured) -> Iterator[tuple[str, ...]]:
    for space, found in (("pixels", measured.pixels), ("layer's input", measured.layer)):
        for scheme in SCHEMES:
            if scheme in found:
                each = found[scheme]
                yield (
                    space,
                    scheme,
                    percent(each.success),
                    probability(each.winner_confidence),
                    probability(each.target_class_confidence),
                    short(each.worst_active),
                    short(each.worst_inactive),
                )


def vertices_table(results: ImageResults) -> Table:
    """Each vertex: its unit, its class and how far its units are off."""
    rows = [
        (
            results.title_of(one),
            form,
            str(each.unit),
            short(each.pre_activation, 4),
            results.name_of(each.winner),
            probability(each.confidence),
            probability(each.target_class_confidence),
            short(each.worst_active),
            short(each.worst_inactive),
            fixed(measured.spread.from_target[place]),
            fixed(measured.spread.from_start[place]),
        )
        for one in results.sets
        for form, measured in one.measures.forms().items()
        for place, each in enumerate(measured.vertices)
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
        notes=results.remarks,
    )


def meanings_table(results: ImageResults) -> Table:
    """In which senses each vertex collides."""
    rows = []
    for one in results.sets:
        units, meanings = one.search.units, one.measures.meanings
        points = results.exact.points.get(str(one), (None,) * len(units))
        for unit, point, each in zip(units, points, meanings, strict=True):
            rows.append(
                (
                    results.title_of(one),
                    str(unit),
                    *_exactly(point),
                    yes(each.bit_equal),
                    short(each.tolerance),
                    short(each.png_truncated),
                    short(each.png_tolerance),
                )
            )
    return Table(
        name="meanings",
        title=f"In which sense the vertices collide, {results.layer_name}",
        columns=(
            *("vertices", "unit", "equal over the rationals", "least exact tolerance"),
            *("active off (exact)", "inactive above 0 (exact)", "signs lost / gained"),
            *("bit-equal floats", "float tolerance", "8-bit PNG, truncated", "8-bit PNG, rounded"),
        ),
        rows=tuple(rows),
        proofs=uncertified(rows),
        notes=(
            *results.remarks,
            "Over the rationals: the layer's input as the float run stores it, put into the exact "
            "layer. Bit-equal: post-activations of the float32 run, one image at a time, on "
            f"{results.device}. Tolerances: largest difference of post-activations.",
            "Signs lost: active units of the target that do not fire, exactly; gained: others that "
            "do.",
            *((f"Exact: {results.exact.reason}.",) if results.exact.reason else ()),
        ),
    )


def _exactly(point: ExactPoint | None) -> tuple[str, ...]:
    if point is None:
        return ("",) * 5
    return (
        yes(point.collides),
        short(point.smallest_tolerance),
        short(point.worst_equality),
        short(point.worst_inactive),
        f"{point.newly_inactive} / {point.newly_active}",
    )


def ball_table(results: ImageResults) -> Table:
    """The authors' control: random images on a sphere around the vertices' mean."""
    rows = []
    for one in results.sets:
        ball, stick = one.measures.ball, one.measures.png.pixels["stick"]
        if ball is not None:
            rows.append(
                (
                    results.title_of(one),
                    fixed(ball.radius),
                    str(ball.samples),
                    percent(ball.success),
                    probability(ball.winner_confidence),
                    probability(ball.target_class_confidence),
                    percent(stick.success),
                    probability(stick.winner_confidence),
                )
            )
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
            *results.remarks,
            "Radius: least l2 distance from the mean to a vertex. Directions: noise uniform in a "
            "cube, scaled to length 1. Nothing is clipped. Vertices: as 8-bit PNG, truncated. "
            "So the authors' scripts code it; the paper prints no number of it.",
        ),
    )
