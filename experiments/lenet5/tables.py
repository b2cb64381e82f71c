"""Which tables does `collide lenet5` print?  Read from its record; nothing is computed here."""

from collections.abc import Mapping

from experiments.lenet5.exact_tables import comparison_table, facts_table
from experiments.lenet5.meaning_tables import meanings_table, own_region_table, pieces_table
from experiments.lenet5.results import ExactSet, Layer, Lenet5Results, RelaxedSet
from experiments.lenet5.words import FAMILY, SPACE, START
from experiments.measure.judged import Judged
from experiments.show.numbers import fixed, percent, probability
from experiments.show.proof_cells import UNCERTIFIED, proof_cell
from experiments.show.tables import Table


def lenet5_tables(results: Lenet5Results) -> list[Table]:
    """Returns all tables of a record's results."""
    return [
        sets_table(results),
        facts_table(results),
        comparison_table(results),
        meanings_table(results),
        pieces_table(results),
        own_region_table(results),
    ]


def set_name(one: RelaxedSet | ExactSet, units: int) -> str:
    """Returns what a table calls a set of vertices, with what is missing of it.

    Args:
        one: the set.
        units: how many vertices were asked for.
    """
    if isinstance(one, RelaxedSet):
        return f"relaxed: {FAMILY[one.family]}"
    name, ended = f"exact, {SPACE[one.space]}", [each.status for each in one.vertices]
    if len(one.solved) == units:
        return name
    others = [f"{ended.count(e)} {e}" for e in sorted(set(ended) - {"optimal"})]
    reasons = ", ".join([*others, one.reason] if one.reason else others)
    return f"{name}; {len(one.solved)} of {units} vertices ({reasons})"


def sets_table(results: Lenet5Results) -> Table:
    """Table 2 of the paper, a row a layer and set, in pixels and in the layer's space."""
    rows = [_set_row(results, layer, one) for layer in results.layers for one in layer.sets]
    return Table(
        name="table2-deep",
        title="Table 2 at deep layers: vertices of one collision polytope, MNIST",
        columns=(
            *("layer", "vertices", "start"),
            *("success, pixels", "(stick)", "confidence", "(stick)"),
            *("success, layer", "(stick)", "confidence", "(stick)"),
            "target conf.",
            *("image distance", "vertex distance", "ratio"),
            *("same in the layer: images", "vertices", "ratio"),
        ),
        rows=tuple(rows),
        proofs=tuple(
            proof_cell(one.vertices) if isinstance(one, ExactSet) else UNCERTIFIED
            for layer in results.layers
            for one in layer.sets
        ),
        notes=_set_notes(results),
    )


def _set_row(results: Lenet5Results, layer: Layer, one: RelaxedSet | ExactSet) -> tuple[str, ...]:
    found, pixels, own = one.combinations, *map(one.distances.get, ("pixels", "layer"))
    return (
        layer.title,
        set_name(one, len(layer.units)),
        START[one.start],
        *_success(found.pixels if found else {}),
        *_success(found.layer if found else {}),
        probability(results.target.seen[layer.network].confidence),
        fixed(results.images.mean_distance),
        fixed(pixels and pixels.distance),
        percent(pixels and pixels.ratio),
        fixed(layer.layer_distance),
        fixed(own and own.distance),
        percent(own and own.ratio),
    )


def _success(found: Mapping[str, Judged]) -> tuple[str, str, str, str]:
    if not found:
        return "", "", "", ""
    uniform, stick = found["uniform"], found["stick"]
    return (
        percent(uniform.success),
        percent(stick.success),
        probability(uniform.target_class_confidence),
        probability(stick.target_class_confidence),
    )


def _set_notes(results: Lenet5Results) -> tuple[str, ...]:
    target, other = results.target, results.other
    nets = "; ".join(
        f"{net.architecture}: test accuracy {percent(net.accuracy, 2)}"
        for net in results.networks.values()
    )
    units = "; ".join(
        f"{layer.title} {', '.join(map(str, layer.units))}" for layer in results.layers
    )
    searches = [one.search for layer in results.layers for one in layer.relaxed]
    ended = [status for search in searches for status in search.status]
    counts = ", ".join(f"{ended.count(e)} {e}" for e in sorted(set(ended)))
    count = next((layer.layer_images for layer in results.layers), 0)
    return (
        f"Target: test image {target.index}, a {target.label}; other digit: test image "
        f"{other.index}, a {other.label}. {nets}.",
        f"Units, the first inactive ones: {units}.",
        "Success: share of random convex combinations in the target's class, taken of the images "
        "(pixels), or of what enters the layer (layer) and put through the rest of the network. "
        "Weights uniform, or by stick-breaking. Confidence: mean probability of the target's "
        "class.",
        "Proposition 1 makes the set convex in the layer's own space; only for a first layer is "
        "this pixel space. Exact vertices of a deep layer's own space are points of that space: "
        "whether an image maps to them is not claimed.",
        f"The searches ended so: {counts}. No method here proves a minimum.",
        f"Image distance: mean l2 over {results.images.which}; in a layer, mean l2 of what "
        f"enters it at the first {count} test images.",
        "The paper's tables of LeNet-5 stand in its appendix, which is not at hand: no number of "
        "it is printed beside ours.",
    )
