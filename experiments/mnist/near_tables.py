"""How near does an exact collision come to another image?  The tables of `collide mnist` on it."""

from experiments.mnist.results import MnistResults, NearPoint, NetworkResults
from experiments.show.numbers import between, fixed, probability, short
from experiments.show.proof_cells import proof_cell
from experiments.show.tables import Table


def nearest_table(results: MnistResults) -> Table:
    """The nearest exact collision with the target to one image of each digit."""
    rows, proofs = [], []
    pairs = [(each.name, one) for each in results.networks for one in each.nearest]
    for name, one in sorted(pairs, key=lambda pair: pair[1].digit):
        proofs.append(proof_cell(one))
        l2, linf, l1 = (one.near.norms[norm] for norm in ("l2", "linf", "l1"))
        rows.append(
            (
                str(one.digit),
                str(one.image.index),
                name,
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
            *("digit", "test image", "network", "digit to target, l2", "l2", "linf", "l1"),
            *("collision to target, l2", "network says", "confidence"),
            "label of nearest training image",
            "tolerance of the digit",
        ),
        rows=tuple(rows),
        proofs=tuple(proofs),
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
    image = results.networks[0].curve.image
    pairs = [(each.name, one) for each in results.networks for one in each.curve.points]
    pairs.sort(key=lambda pair: pair[1].tolerance)
    rows = [
        (
            f"{one.tolerance:g}",
            name,
            between(one.norms["l2"].lower, one.norms["l2"].upper),
            fixed(one.norms["linf"].distance, 4),
            *_seen(one.norms["l2"]),
        )
        for name, one in pairs
    ]
    return Table(
        name="curve",
        title=(
            f"Tolerance against certified distance to test image {image.index}, a {image.label}"
        ),
        columns=(
            *("tolerance", "network", "l2", "linf", "nearest to target, l2", "network says"),
            *("confidence", "label of nearest training image"),
        ),
        rows=tuple(rows),
        proofs=tuple(proof_cell(one) for _, one in pairs),
        notes=tuple(map(_curve_note, results.networks)),
    )


def _curve_note(each: NetworkResults) -> str:
    curve = each.curve
    return (
        f"{each.name} network: smallest tolerance of the grid at which the l2 nearest collision is "
        f"of another class for the network: {_tolerance(curve.first_other_class)}; at which its "
        f"nearest training image has another label: {_tolerance(curve.first_other_neighbour)}; at "
        f"which the digit's image itself collides: {short(curve.image_tolerance, 4)} "
        "(exact, not of the grid)."
    )


def _tolerance(value: float | None) -> str:
    return "none of the grid" if value is None else f"{value:g}"
