"""Which tables does `collide mnist` print?  Read from its record; nothing is computed here."""

from experiments.mnist.near_tables import curve_table, nearest_table
from experiments.mnist.results import (
    ExactSet,
    MnistResults,
    NetworkResults,
    RelaxedSet,
    VertexSet,
)
from experiments.mnist.searches import CONTROL, FAMILY, RULES, START, steps_of, title_of
from experiments.mnist.set_tables import comparison_table, facts_table
from experiments.paper import TABLE_2, TEXT, CollisionRow
from experiments.show.numbers import fixed, percent, probability, short
from experiments.show.proof_cells import UNCERTIFIED, proof_cell
from experiments.show.tables import Table

STARTS = ("target", "other")
#: Network -> how it starts, in words.
START_OF = {
    "wide": "weights and biases from N(0, 1)",
    "default": "weights and biases as PyTorch starts them",
}


def mnist_tables(results: MnistResults) -> list[Table]:
    """Returns all tables of a record's results."""
    return [
        table_2(results),
        facts_table(results),
        comparison_table(results),
        nearest_table(results),
        curve_table(results),
    ]


def table_2(results: MnistResults) -> Table:
    """The paper's Table 2, and below it what each network gives."""
    rows = [_paper_row(start, printed) for start, printed in zip(STARTS, TABLE_2, strict=True)]
    proofs = [UNCERTIFIED] * len(rows)
    for each in results.networks:
        for one in _in_order(each):
            rows.append(_set_row(results, each, one))
            proofs.append(_set_proof(one))
    return Table(
        name="table2",
        title="Table 2: five vertices of one collision polytope, MNIST, first hidden layer",
        columns=(
            "network",
            "vertices",
            "start",
            "steps",
            "success",
            "success (stick)",
            "target conf.",
            "combination conf.",
            "same (stick)",
            "image distance",
            "vertex distance",
            "ratio",
            "active error",
            "positive inactive",
        ),
        rows=tuple(rows),
        proofs=tuple(proofs),
        notes=_notes_2(results),
    )


EMPTY = ""  # what the paper does not say: steps, errors, how its weights were drawn


def _paper_row(start: str, printed: CollisionRow) -> tuple[str, ...]:
    return (
        "paper's",
        "paper, Table 2",
        START[start],
        EMPTY,
        str(printed.success),
        EMPTY,
        str(printed.target_confidence),
        str(printed.sample_confidence),
        EMPTY,
        str(printed.image_distance),
        str(printed.vertex_distance),
        percent(printed.ratio),
        EMPTY,
        EMPTY,
    )


def _in_order(each: NetworkResults) -> list[VertexSet]:
    """The recipe first, below the paper; then by start; then exact and the controls."""
    free: list[VertexSet] = [s for s in each.relaxed if s.control == "none"]
    held: list[VertexSet] = [s for s in each.relaxed if s.control != "none"]
    early = [one for one in free if one.family == "early"]
    rest = [one for one in free if one.family != "early"]
    return early + rest + sorted([*held, *each.exact], key=_by_control)


def _by_control(one: VertexSet) -> tuple[int, str]:
    return list(CONTROL).index(one.control), one.family


def _set_proof(one: VertexSet) -> str:
    """Of the vertices: what is measured on them is a float, and relaxed ones have none."""
    return proof_cell(one.vertices) if isinstance(one, ExactSet) else UNCERTIFIED


def _set_row(results: MnistResults, each: NetworkResults, one: VertexSet) -> tuple[str, ...]:
    found = one.measured
    combined = {} if found is None else found.combinations
    uniform, stick = combined.get("uniform"), combined.get("stick")
    return (
        each.name,
        title_of(one),
        START[one.start],
        steps_of(one) if isinstance(one, RelaxedSet) else "",
        percent(uniform and uniform.success),
        percent(stick and stick.success),
        probability(each.target.seen.confidence),
        probability(uniform and uniform.target_class_confidence),
        probability(stick and stick.target_class_confidence),
        fixed(results.images.mean_distance),
        fixed(found and found.distance),
        percent(found and found.ratio),
        *_errors(one),
    )


def _errors(one: VertexSet) -> tuple[str, str]:
    """Largest error of an active unit, and largest positive inactive one, over the vertices."""
    if isinstance(one, ExactSet):
        return ("0", "0") if one.solved else ("", "")
    active = max(each.worst_equality for each in one.comparisons)
    return short(active), short(max(each.worst_inactive for each in one.comparisons))


def _notes_2(results: MnistResults) -> tuple[str, ...]:
    target, controls = results.networks[0].target, results.controls
    measured = [one.measured for one in results.sets if one.measured is not None]
    samples = measured[0].combinations["uniform"].samples if measured else 0
    exact = [v for each in results.networks for one in each.exact for v in one.vertices]
    proved = sum(each.certificate is not None for each in exact)
    relaxed = [one for each in results.networks for one in each.relaxed]
    rules = []
    for family, rule in RULES.items():
        ended = [e for one in relaxed if one.family == family for e in one.search.status]
        counts = ", ".join(f"{ended.count(e)} {e}" for e in sorted(set(ended)))
        rules.append(f"{FAMILY[family]}: {rule} ({counts})")
    return (
        f"Target: test image {target.index}, a {target.label}.",
        *map(_network_note, results.networks),
        f"Success: share of {samples} random convex combinations in the target's class; weights "
        "uniform on the simplex, or by stick-breaking as in the authors' scripts. Confidence: mean "
        "probability of the target's class, in float32.",
        "Active error: largest error of an active unit's pre-activation, positive inactive: "
        "largest positive one of an inactive unit, over the vertices, exact before rounding; a "
        "point collides where both are 0.",
        _recipe_note(results),
        f"Image distance: mean l2 over {results.images.which} "
        f"({results.images.pairs} pairs); the paper does not say which pairs it took.",
        f"Exact vertices need no start. {proved} of {len(exact)} are proved and checked "
        "from the saved certificate: a real-arithmetic statement on the stored weights. It is "
        "about the vertices; what is measured on them is in floats.",
        f"Controls: {controls['never'].pixels} pixels are never lit in training, "
        f"{controls['rarely'].pixels} in under 1% of the images; the target lights "
        f"{controls['never'].lit_in_target} and {controls['rarely'].lit_in_target} of them.",
        *(f"Stopping rule of {rule}." for rule in rules),
    )


def _network_note(each: NetworkResults) -> str:
    return (
        f"{each.name} network: {each.network.architecture}, {START_OF[each.name]}; test accuracy "
        f"{percent(each.network.accuracy, 2)} (paper: {TEXT['mnist_accuracy']}); units "
        f"{', '.join(map(str, each.units))}."
    )


def _recipe_note(results: MnistResults) -> str:
    steps = {each.name: each.courses[0].step_size for each in results.networks if each.courses}
    sizes = ", ".join(f"{size:g} ({name})" for name, size in steps.items())
    return (
        "Paper's recipe: eq. 1 with alpha 10, the authors' optimiser with a step of "
        f"{sizes}, which nobody printed, stopped at the first step at which the vertices are "
        f"{TABLE_2[0].vertex_distance} (from the target) or {TABLE_2[1].vertex_distance} (from the "
        "other digit) apart. Vertices that start from one point pass every distance up to their "
        "last: that this one is met proves nothing by itself."
    )
