"""How near does an exact collision come to another image?  The tables of `collide mnist` on it."""

from experiments.mnist.results import MnistResults, NearPoint
from experiments.show.numbers import between, fixed, probability, short
from experiments.show.proof_cells import proof_cell
from experiments.show.tables import Table


def nearest_table(results: MnistResults) -> Table:
    """The nearest exact collision with the target to one image of each digit."""
    rows = []
    for one in results.nearest:
        l2, linf, l1 = (one.near.norms[norm] for norm in ("l2", "linf", "l1"))
        rows.append(
            (
                str(one.digit),
                str(one.image.index),
                fixed(one.image_to_target.l2),
                between(l2.lower, l2.upper),
                fixed(linf.distance, 4),
                fixed(l1.distance),
                *_seen(l2),
                short(one.near.image_tolerance, 3),
            )
        )
    return Table(
        name="nearest",
        title="Nearest exact collision with the target to one image of each digit",
        columns=(
            *("digit", "test image", "digit to target, l2", "l2", "linf", "l1"),
            *("collision to target, l2", "network says", "confidence"),
            "label of nearest training image",
            "tolerance of the digit",
        ),
        rows=tuple(rows),
        proofs=tuple(map(proof_cell, results.nearest)),
        notes=(
            "l2, linf, l1: certified distance from the digit's image to the set of exact "
            "collisions (linf and l1 exact, l2 between bounds). The next columns speak of the l2 "
            "nearest collision.",
            "Label of nearest training image: that of the l2 nearest of the 60,000 training "
            "images. Tolerance of the digit: at this tolerance the digit's image itself collides.",
        ),
    )


def _seen(l2: NearPoint) -> tuple[str, str, str, str]:
    """Distance to the target, class, confidence and neighbour of an l2 nearest collision."""
    looks = l2.looks
    if looks is None or l2.to_target is None:
        return "", "", "", ""
    return (
        fixed(l2.to_target.l2),
        str(looks.seen.winner),
        probability(looks.seen.confidence),
        str(looks.nearest_training_label),
    )


def curve_table(results: MnistResults) -> Table:
    """Tolerance against distance to another digit's image."""
    curve, image = results.curve, results.curve.image
    rows = [
        (
            f"{one.tolerance:g}",
            between(one.norms["l2"].lower, one.norms["l2"].upper),
            fixed(one.norms["linf"].distance, 4),
            *_seen(one.norms["l2"]),
        )
        for one in curve.points
    ]
    return Table(
        name="curve",
        title=(
            f"Tolerance against certified distance to test image {image.index}, a {image.label}"
        ),
        columns=(
            *("tolerance", "l2", "linf", "nearest to target, l2", "network says", "confidence"),
            "label of nearest training image",
        ),
        rows=tuple(rows),
        proofs=tuple(map(proof_cell, curve.points)),
        notes=(
            "Smallest tolerance of the grid at which the l2 nearest collision is of another class "
            f"for the network: {_tolerance(curve.first_other_class)}; at which its nearest "
            f"training image has another label: {_tolerance(curve.first_other_neighbour)}; at "
            f"which the digit's image itself collides: {short(curve.image_tolerance, 4)} "
            "(exact, not of the grid).",
        ),
    )


def _tolerance(value: float | None) -> str:
    return "none of the grid" if value is None else f"{value:g}"
