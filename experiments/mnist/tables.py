"""Which tables does `collide mnist` print?  Read from its record; nothing is computed here."""

from collections.abc import Mapping
from typing import Any

from experiments.mnist.searches import CONTROL, FAMILY, RULES, name_of, title_of
from experiments.paper import TABLE_2, TEXT
from experiments.show.numbers import between, fixed, percent, probability, short
from experiments.show.proof_cells import UNCERTIFIED, proof_cell
from experiments.show.tables import Table

Results = Mapping[str, Any]

START = {"target": "target", "other": "another digit", None: "none needed"}

#: Name in the record, title, and the certificate that states it (N+ in its first words).
FACTS = (
    ("n_positive", "active units N+", "rank"),
    ("rank_positive", "rank W+", "rank"),
    ("kernel_condition", "ker W+ in ker W-", "kernel"),
    ("dimension", "dimension", "dimension"),
    ("paper_bound", "paper's bound d - N+", "dimension"),
    ("lineality", "lineality", "lineality"),
    ("pointed", "pointed (has vertices)", "lineality"),
    ("bounded", "bounded", "boundedness"),
)


def mnist_tables(results: Results) -> list[Table]:
    """Returns all tables of a record's results."""
    return [
        table_2(results),
        facts_table(results),
        comparison_table(results),
        nearest_table(results),
        curve_table(results),
    ]


def table_2(results: Results) -> Table:
    """The paper's Table 2, each of its rows above ours."""
    rows: list[tuple[str, ...]] = []
    proofs: list[str] = []
    for start, printed in zip(("target", "other"), TABLE_2, strict=True):
        ratio = printed.ratio
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
                percent(ratio),
            )
        )
        ours = [s for s in results["sets"] if s["start"] == start and s["control"] == "none"]
        rows += [_set_row(results, one) for one in ours]
        proofs += [UNCERTIFIED, *map(_set_proof, ours)]
    rest = [s for s in results["sets"] if s["start"] is None or s["control"] != "none"]
    rest.sort(key=_by_control)
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


def _by_control(one: Mapping[str, Any]) -> tuple[int, str]:
    return list(CONTROL).index(one["control"]), one["family"]


def _set_proof(one: Mapping[str, Any]) -> str:
    """Of the vertices: what is measured on them is a float, and relaxed ones have none."""
    return proof_cell(one["vertices"]) if one["kind"] == "exact" else UNCERTIFIED


def _set_row(results: Results, one: Mapping[str, Any]) -> tuple[str, ...]:
    found = one.get("combinations")
    uniform = found["uniform"] if found else {}
    stick = found["stick"] if found else {}
    return (
        title_of(one),
        START[one["start"]],
        percent(uniform.get("success")),
        percent(stick.get("success")),
        probability(results["target"]["confidence"]),
        probability(uniform.get("target_class_confidence")),
        probability(stick.get("target_class_confidence")),
        fixed(results["images"]["mean_distance"]),
        fixed(one.get("distance")),
        percent(one.get("ratio")),
    )


def _notes_2(results: Results) -> tuple[str, ...]:
    target, network = results["target"], results["network"]
    controls = results["controls"]
    samples = next(
        (s["combinations"]["uniform"]["samples"] for s in results["sets"] if "combinations" in s), 0
    )
    exact = [s for s in results["sets"] if s["kind"] == "exact"]
    proved = sum(v["certificate"] is not None for s in exact for v in s["vertices"])
    asked = sum(len(s["vertices"]) for s in exact)
    rules = []
    for family, rule in RULES.items():
        ended = [e for s in results["sets"] if s["family"] == family for e in s["status"]]
        counts = ", ".join(f"{ended.count(e)} {e}" for e in sorted(set(ended)))
        rules.append(f"{FAMILY[family]}: {rule} ({counts})")
    return (
        f"Target: test image {target['index']}, a {target['label']}; units "
        f"{', '.join(map(str, results['units']))}; network accuracy "
        f"{percent(network['accuracy'], 2)} (paper: {TEXT['mnist_accuracy']}).",
        f"Success: share of {samples} random convex combinations in the target's class; weights "
        "uniform on the simplex, or by stick-breaking as in the authors' scripts. Confidence: mean "
        "probability of the target's class, in float32.",
        f"Image distance: mean l2 over {results['images']['which']} "
        f"({results['images']['pairs']} pairs); the paper does not say which pairs it took.",
        f"Exact vertices need no start. {proved} of {asked} are proved and checked from the saved "
        "certificate: a real-arithmetic statement on the stored weights. It is about the vertices; "
        "what is measured on them is in floats.",
        f"Controls: {controls['never']['pixels']} pixels are never lit in training, "
        f"{controls['rarely']['pixels']} in under 1% of the images; the target lights "
        f"{controls['never']['lit_in_target']} and {controls['rarely']['lit_in_target']} of them.",
        *(f"Stopping rule of {rule}." for rule in rules),
    )


def facts_table(results: Results) -> Table:
    """The polytope's own facts in the three domains, and how many of them are proved."""
    proofs = [proof for facts in results["facts"] for proof in facts["certificates"].values()]
    proved = sum(proof is not None for proof in proofs)
    rows = [
        (title, *(_word(facts[name]) for facts in results["facts"])) for name, title, _ in FACTS
    ]
    return Table(
        name="facts",
        title="The target's collision polytope in three domains",
        columns=("fact", *(facts["domain"] for facts in results["facts"])),
        rows=tuple(rows),
        proofs=tuple(
            proof_cell([{"certificate": facts["certificates"][kind]} for facts in results["facts"]])
            for *_, kind in FACTS
        ),
        notes=(
            *(f"{facts['sentence'].capitalize()}." for facts in results["facts"]),
            f"{proved} of {len(proofs)} certificates (rank, kernel condition, dimension, "
            "lineality, boundedness, by domain) were saved and then accepted by the checker; "
            "an entry without one reads undecided. N+ is counted, exactly, by putting the target "
            "into the layer.",
        ),
    )


def _word(value: Any) -> str:
    if value is None:
        return "undecided"
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def comparison_table(results: Results) -> Table:
    """Every relaxed vertex beside the exact one."""
    rows, proofs = [], []
    exact = {
        (one["control"], each["unit"]): each
        for one in results["sets"]
        if one["kind"] == "exact"
        for each in one["vertices"]
    }
    for one in results["sets"]:
        for place, each in enumerate(one.get("comparisons", ())):
            proofs.append(proof_cell(exact.get((one["control"], each["unit"])), each))
            rows.append(
                (
                    name_of(one).removeprefix("relaxed: "),
                    START[one["start"]],
                    str(each["unit"]),
                    one["status"][place],
                    str(one["steps"][place]),
                    fixed(each["exact_value"], 4),
                    fixed(each["found_value"], 4),
                    short(each["relative_gap"]),
                    short(each["worst_equality"]),
                    short(each["worst_inactive"]),
                    short(each["smallest_tolerance"]),
                    short(each["distance_linf"]),
                    str(each["n_tight"]),
                    _word(each["is_vertex"]),
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


def nearest_table(results: Results) -> Table:
    """The nearest exact collision with the target to one image of each digit."""
    rows = []
    for one in results["nearest"]:
        l2 = one["l2"]
        looks = l2.get("looks")
        rows.append(
            (
                str(one["digit"]),
                str(one["image"]["index"]),
                fixed(one["image_to_target"]["l2"]),
                between(l2["lower"], l2["upper"]),
                fixed(one["linf"]["distance"], 4),
                fixed(one["l1"]["distance"]),
                fixed(l2["to_target"]["l2"]) if looks else "",
                str(looks["class"]) if looks else "",
                probability(looks["confidence"]) if looks else "",
                str(looks["nearest_training_label"]) if looks else "",
                short(one["image_tolerance"], 3),
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
        proofs=tuple(map(proof_cell, results["nearest"])),
        notes=(
            "l2, linf, l1: certified distance from the digit's image to the set of exact "
            "collisions (linf and l1 exact, l2 between bounds). The next columns speak of the l2 "
            "nearest collision.",
            "Label of nearest training image: that of the l2 nearest of the 60,000 training "
            "images. Tolerance of the digit: at this tolerance the digit's image itself collides.",
        ),
    )


def curve_table(results: Results) -> Table:
    """Tolerance against distance to another digit's image."""
    curve = results["curve"]
    rows = []
    for one in curve["points"]:
        looks = one.get("looks")
        rows.append(
            (
                f"{one['tolerance']:g}",
                between(one["l2"]["lower"], one["l2"]["upper"]),
                fixed(one["linf"]["distance"], 4),
                fixed(one["to_target"]["l2"]) if looks else "",
                str(looks["class"]) if looks else "",
                probability(looks["confidence"]) if looks else "",
                str(looks["nearest_training_label"]) if looks else "",
            )
        )
    image = curve["image"]
    return Table(
        name="curve",
        title=(
            f"Tolerance against certified distance to test image {image['index']}, "
            f"a {image['label']}"
        ),
        columns=(
            *("tolerance", "l2", "linf", "nearest to target, l2", "network says", "confidence"),
            "label of nearest training image",
        ),
        rows=tuple(rows),
        proofs=tuple(map(proof_cell, curve["points"])),
        notes=(
            "Smallest tolerance of the grid at which the l2 nearest collision is of another class "
            f"for the network: {_tolerance(curve['first_other_class'])}; at which its nearest "
            f"training image has another label: {_tolerance(curve['first_other_neighbour'])}; at "
            f"which the digit's image itself collides: {short(curve['image_tolerance'], 4)} "
            "(exact, not of the grid).",
        ),
    )


def _tolerance(value: float | None) -> str:
    return "none of the grid" if value is None else f"{value:g}"
