"""Which tables does `collide mnist` print?  Read from its record; nothing is computed here."""

from experiments.measure.facts import Fact
from experiments.mnist.near_tables import curve_table, nearest_table
from experiments.mnist.results import ExactSet, MnistResults, VertexSet
from experiments.mnist.searches import CONTROL, FAMILY, RULES, name_of, title_of
from experiments.paper import TABLE_2, TEXT
from experiments.show.numbers import fixed, percent, probability, short, word
from experiments.show.proof_cells import UNCERTIFIED, proof_cell
from experiments.show.tables import Table

START = {"target": "target", "other": "another digit", None: "none needed"}

#: Name in the record, title, and the certificate that states it (N+ in its first words).
FACTS: tuple[tuple[str, str, Fact], ...] = (
    ("n_positive", "active units N+", "rank"),
    ("rank_positive", "rank W+", "rank"),
    ("kernel_condition", "ker W+ in ker W-", "kernel"),
    ("dimension", "dimension", "dimension"),
    ("paper_bound", "paper's bound d - N+", "dimension"),
    ("lineality", "lineality", "lineality"),
    ("pointed", "pointed (has vertices)", "lineality"),
    ("bounded", "bounded", "boundedness"),
)


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
    """The paper's Table 2, each of its rows above ours."""
    rows: list[tuple[str, ...]] = []
    proofs: list[str] = []
    for start, printed in zip(("target", "other"), TABLE_2, strict=True):
        rows.append(
            (
                "paper, Table 2",
                START[start],
                str(printed.success),
                EMPTY_SCHEME,
                str(printed.target_confidence),
                str(printed.sample_confidence),
                EMPTY_SCHEME,
                str(printed.image_distance),
                str(printed.vertex_distance),
                percent(printed.ratio),
            )
        )
        ours = [s for s in results.relaxed if (s.start, s.control) == (start, "none")]
        rows += [_set_row(results, one) for one in ours]
        proofs += [UNCERTIFIED, *map(_set_proof, ours)]
    rest: list[VertexSet] = [s for s in results.relaxed if s.control != "none"]
    rest = sorted([*rest, *results.exact], key=_by_control)
    rows += [_set_row(results, one) for one in rest]
    proofs += map(_set_proof, rest)
    return Table(
        name="table2",
        title="Table 2: five vertices of one collision polytope, MNIST, first hidden layer",
        columns=(
            "vertices",
            "start",
            "success",
            "success (stick)",
            "target conf.",
            "combination conf.",
            "same (stick)",
            "image distance",
            "vertex distance",
            "ratio",
        ),
        rows=tuple(rows),
        proofs=tuple(proofs),
        notes=_notes_2(results),
    )


EMPTY_SCHEME = ""  # the paper does not say how its weights were drawn


def _by_control(one: VertexSet) -> tuple[int, str]:
    return list(CONTROL).index(one.control), one.family


def _set_proof(one: VertexSet) -> str:
    """Of the vertices: what is measured on them is a float, and relaxed ones have none."""
    return proof_cell(one.vertices) if isinstance(one, ExactSet) else UNCERTIFIED


def _set_row(results: MnistResults, one: VertexSet) -> tuple[str, ...]:
    found = one.measured
    combined = {} if found is None else found.combinations
    uniform, stick = combined.get("uniform"), combined.get("stick")
    return (
        title_of(one),
        START[one.start],
        percent(uniform and uniform.success),
        percent(stick and stick.success),
        probability(results.target.seen.confidence),
        probability(uniform and uniform.target_class_confidence),
        probability(stick and stick.target_class_confidence),
        fixed(results.images.mean_distance),
        fixed(found and found.distance),
        percent(found and found.ratio),
    )


def _notes_2(results: MnistResults) -> tuple[str, ...]:
    target, controls = results.target, results.controls
    measured = [one.measured for one in results.sets if one.measured is not None]
    samples = measured[0].combinations["uniform"].samples if measured else 0
    exact = [each for one in results.exact for each in one.vertices]
    proved = sum(each.certificate is not None for each in exact)
    rules = []
    for family, rule in RULES.items():
        ended = [e for one in results.relaxed if one.family == family for e in one.search.status]
        counts = ", ".join(f"{ended.count(e)} {e}" for e in sorted(set(ended)))
        rules.append(f"{FAMILY[family]}: {rule} ({counts})")
    return (
        f"Target: test image {target.index}, a {target.label}; units "
        f"{', '.join(map(str, results.units))}; network accuracy "
        f"{percent(results.network.accuracy, 2)} (paper: {TEXT['mnist_accuracy']}).",
        f"Success: share of {samples} random convex combinations in the target's class; weights "
        "uniform on the simplex, or by stick-breaking as in the authors' scripts. Confidence: mean "
        "probability of the target's class, in float32.",
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


def facts_table(results: MnistResults) -> Table:
    """The polytope's own facts in the three domains, and how many of them are proved."""
    proofs = [proof for facts in results.facts for proof in facts.certificates.values()]
    proved = sum(proof is not None for proof in proofs)
    rows = [
        (title, *(word(getattr(facts, name)) for facts in results.facts))
        for name, title, _ in FACTS
    ]
    return Table(
        name="facts",
        title="The target's collision polytope in three domains",
        columns=("fact", *(facts.domain for facts in results.facts)),
        rows=tuple(rows),
        proofs=tuple(
            proof_cell([facts.certificates[kind] for facts in results.facts]) for *_, kind in FACTS
        ),
        notes=(
            *(f"{facts.sentence.capitalize()}." for facts in results.facts),
            f"{proved} of {len(proofs)} certificates (rank, kernel condition, dimension, "
            "lineality, boundedness, by domain) were saved and then accepted by the checker; "
            "an entry without one reads undecided. N+ is counted, exactly, by putting the target "
            "into the layer.",
        ),
    )


def comparison_table(results: MnistResults) -> Table:
    """Every relaxed vertex beside the exact one."""
    rows, proofs = [], []
    exact = {(one.control, each.unit): each for one in results.exact for each in one.vertices}
    for one in results.relaxed:
        found = zip(one.comparisons, one.search.status, one.search.steps, strict=True)
        for each, status, steps in found:
            proofs.append(proof_cell(exact.get((one.control, each.unit)), each))
            rows.append(
                (
                    name_of(one).removeprefix("relaxed: "),
                    START[one.start],
                    str(each.unit),
                    status,
                    str(steps),
                    fixed(each.exact_value, 4),
                    fixed(each.found_value, 4),
                    short(each.relative_gap),
                    short(each.worst_equality),
                    short(each.worst_inactive),
                    short(each.smallest_tolerance),
                    short(each.distance_linf),
                    str(each.n_tight),
                    word(each.is_vertex),
                )
            )
    return Table(
        name="comparison",
        title="Relaxed vertices beside the exact ones (values, errors, distances exact)",
        columns=(
            *("search", "start", "unit", "ended", "steps", "exact minimum", "found", "rel. gap"),
            *("equality error", "positive inactive", "smallest tolerance", "linf to the set"),
            *("tight", "vertex"),
        ),
        rows=tuple(rows),
        proofs=tuple(proofs),
        notes=(
            "Minimum and found: pre-activation of the unit pushed down. A found value below the "
            "minimum belongs to a point outside of the polytope.",
            "Rel. gap: |found - exact minimum| / |exact minimum|. Equality error: largest "
            "|W+ x + b+ - z+| over the active units. Positive inactive: largest positive "
            "pre-activation of an inactive unit, 0 if none.",
            "Smallest tolerance: the least e at which the point collides with the target within e.",
            "Tight: constraints of units and bounds of pixels that hold with equality at the found "
            "point. Vertex: whether the found point is a vertex of the polytope.",
            "Rows with a control are compared with the exact minimum under the same control.",
            "Certificates: of the minimum and of the distance; the other exact numbers are "
            "substitutions of the found point.",
        ),
    )
