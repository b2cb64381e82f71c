"""Which tables does `collide lenet5` print?  Read from its record; nothing is computed here."""

from collections.abc import Iterator, Mapping
from typing import Any

from experiments.lenet5.meaning_tables import FAMILY, meanings_table, own_region_table, pieces_table
from experiments.show.numbers import fixed, percent, probability, short
from experiments.show.proof_cells import UNCERTIFIED, proof_cell
from experiments.show.tables import Table

Results = Mapping[str, Any]

START = {"target": "target", "other": "another digit", None: "none needed"}
SPACE = {"layer": "the layer's own space", "pixels": "pixels, the target's linear region"}


def lenet5_tables(results: Results) -> list[Table]:
    """Returns all tables of a record's results."""
    return [
        sets_table(results),
        facts_table(results),
        comparison_table(results),
        meanings_table(results),
        pieces_table(results),
        own_region_table(results),
    ]


def layer_name(layer: Mapping[str, Any]) -> str:
    """Returns what a table calls a layer.

    >>> layer_name({"network": "lenet5", "layer": "fc1"})
    'LeNet-5 fc1'
    """
    return f"{ {'lenet5': 'LeNet-5', 'mlp': 'MLP'}[layer['network']] } {layer['layer']}"


def set_name(one: Mapping[str, Any], units: int) -> str:
    """Returns what a table calls a set of vertices, with what is missing of it.

    Args:
        one: the set.
        units: how many vertices were asked for.

    >>> one = {"kind": "exact", "space": "layer", "solved": [3], "reason": "given up after 9 s"}
    >>> set_name({**one, "vertices": [{"status": "optimal"}, {"status": "unbounded"}]}, 5)
    "exact, the layer's own space; 1 of 5 vertices (1 unbounded, given up after 9 s)"
    """
    if one["kind"] == "exact":
        name, ended = f"exact, {SPACE[one['space']]}", [v["status"] for v in one["vertices"]]
        if len(one["solved"]) == units:
            return name
        others = [f"{ended.count(e)} {e}" for e in sorted(set(ended) - {"optimal"})]
        reasons = ", ".join([*others, one["reason"]] if one["reason"] else others)
        return f"{name}; {len(one['solved'])} of {units} vertices ({reasons})"
    return f"relaxed: {FAMILY[one['family']]}"


def every_set(results: Results) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Yields each layer with each of its sets."""
    for layer in results["layers"]:
        for one in layer["sets"]:
            yield layer, one


def sets_table(results: Results) -> Table:
    """Table 2 of the paper, a row a layer and set, in pixels and in the layer's space."""
    rows = []
    for layer, one in every_set(results):
        found = one.get("combinations", {})
        distances = one.get("distances", {})
        pixels, own = (distances.get(space, {}) for space in ("pixels", "layer"))
        rows.append(
            (
                layer_name(layer),
                set_name(one, len(layer["units"])),
                START[one["start"]],
                *_success(found.get("pixels")),
                *_success(found.get("layer")),
                probability(results["target"]["seen"][layer["network"]]["confidence"]),
                fixed(results["images"]["mean_distance"]),
                fixed(pixels.get("distance")),
                percent(pixels.get("ratio")),
                fixed(layer["layer_distance"]),
                fixed(own.get("distance")),
                percent(own.get("ratio")),
            )
        )
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
            proof_cell(one["vertices"]) if one["kind"] == "exact" else UNCERTIFIED
            for _, one in every_set(results)
        ),
        notes=_set_notes(results),
    )


def _success(found: Mapping[str, Any] | None) -> tuple[str, str, str, str]:
    if not found or "reason" in found:
        return "", "", "", ""
    uniform, stick = found["uniform"], found["stick"]
    return (
        percent(uniform["success"]),
        percent(stick["success"]),
        probability(uniform["target_class_confidence"]),
        probability(stick["target_class_confidence"]),
    )


def _set_notes(results: Results) -> tuple[str, ...]:
    target, other = results["target"], results["other"]
    nets = "; ".join(
        f"{net['architecture']}: test accuracy {percent(net['accuracy'], 2)}"
        for net in results["networks"].values()
    )
    units = "; ".join(
        f"{layer_name(layer)} {', '.join(map(str, layer['units']))}" for layer in results["layers"]
    )
    ended = [status for _, one in every_set(results) for status in one.get("status", ())]
    counts = ", ".join(f"{ended.count(e)} {e}" for e in sorted(set(ended)))
    count = next((layer["layer_images"] for layer in results["layers"]), 0)
    return (
        f"Target: test image {target['index']}, a {target['label']}; other digit: test image "
        f"{other['index']}, a {other['label']}. {nets}.",
        f"Units, the first inactive ones: {units}.",
        "Success: share of random convex combinations in the target's class, taken of the images "
        "(pixels), or of what enters the layer (layer) and put through the rest of the network. "
        "Weights uniform, or by stick-breaking. Confidence: mean probability of the target's "
        "class.",
        "Proposition 1 makes the set convex in the layer's own space; only for a first layer is "
        "this pixel space. Exact vertices of a deep layer's own space are points of that space: "
        "whether an image maps to them is not claimed.",
        f"The searches ended so: {counts}. No method here proves a minimum.",
        f"Image distance: mean l2 over {results['images']['which']}; in a layer, mean l2 of what "
        f"enters it at the first {count} test images.",
        "The paper's tables of LeNet-5 stand in its appendix, which is not at hand: no number of "
        "it is printed beside ours.",
    )


FACTS = (
    ("n_inputs", "d"),
    ("n_units", "N"),
    ("n_positive", "N+"),
    ("region_rows", "region rows"),
    ("region_ties", "of them tied"),
    ("rank_positive", "rank W+"),
    ("paper_bound", "d - N+"),
    ("dimension", "dimension"),
    ("kernel_condition", "ker W+ in ker W-"),
    ("lineality", "lineality"),
    ("bounded", "bounded"),
)


#: Of these there is a certificate each.
PROVED = ("rank_positive", "dimension", "kernel_condition", "lineality", "bounded")


def facts_table(results: Results) -> Table:
    """What each set is, in its spaces."""
    rows, notes, proved, asked = [], list[str](), 0, 0
    for layer in results["layers"]:
        for facts in layer["facts"]:
            words = [_fact(facts, name) for name, _ in FACTS]
            rows.append((layer_name(layer), SPACE[facts["space"]], *words, facts["reason"]))
            proofs = facts["certificates"].values()
            proved += sum(proof is not None for proof in proofs)
            asked += len(PROVED)  # what was given up has no entry
            notes += _sentences(layer, facts)
    return Table(
        name="facts-deep",
        title="The target's collision polytope: what enters the layer, and pixels",
        columns=("layer", "space", *(title for _, title in FACTS), "given up"),
        rows=tuple(rows),
        proofs=tuple(proof_cell(facts) for layer in results["layers"] for facts in layer["facts"]),
        notes=(
            *notes,
            f"{proved} of {asked} facts have a certificate that the checker accepted. Those about "
            "pixels state the composed system of the region; that it is the network's is computed, "
            "not certified.",
            "Own space: x >= 0 behind a ReLU, the pixel box for a first layer. Region rows: "
            "decisions of earlier ReLUs and max-pools; tied: the target lies on their facet.",
        ),
    )


def _fact(facts: Mapping[str, Any], name: str) -> str:
    if name.startswith("region") and facts["space"] != "pixels":
        return ""
    value = facts.get(name)
    if value is None:
        return "undecided"
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _sentences(layer: Mapping[str, Any], facts: Mapping[str, Any]) -> list[str]:
    """What a fact means, where it says something."""
    name, where = layer_name(layer), SPACE[facts["space"]]
    found = []
    if facts.get("dimension") == 0:
        found.append(
            f"{name}, {where}: the set is the target alone, so that it has one vertex and no other "
            "input collides there."
        )
    elif facts.get("kernel_condition") and facts["space"] == "pixels":
        found.append(
            f"{name}, {where}: in this region the active units determine all the others, so that "
            "every unit is constant on the set and each of its points is a minimum."
        )
    if facts.get("bounded") is False:
        found.append(
            f"{name}, {where}: the set is unbounded, and a unit that falls along a ray has no "
            "minimum."
        )
    return found


def comparison_table(results: Results) -> Table:
    """Every relaxed vertex beside the exact ones."""
    rows, proofs = [], []
    for layer, one in every_set(results):
        if one["kind"] == "exact":
            continue
        exact = {space: _exact_values(layer, space) for space in ("layer", "pixels")}
        for place, own in enumerate(one["layer"]):
            unit, through = own["unit"], one["pixels"][place]
            proofs.append(proof_cell(*_exact_vertices(layer, unit)))
            rows.append(
                (
                    layer_name(layer),
                    FAMILY[one["family"]],
                    START[one["start"]],
                    str(unit),
                    one["status"][place],
                    str(one["steps"][place]),
                    exact["layer"].get(unit, ""),
                    exact["pixels"].get(unit, "" if len(layer["spaces"]) > 1 else "the same"),
                    fixed(own["found_value"], 4),
                    short(own["worst_equality"]),
                    short(own["worst_inactive"]),
                    short(own["smallest_tolerance"]),
                    f"{through['differences']} of {through['decisions']}",
                    str(own["n_tight"]),
                    "yes" if own["is_vertex"] else "no",
                )
            )
    return Table(
        name="comparison-deep",
        title="Relaxed vertices beside the exact ones (values and errors exact)",
        columns=(
            *("layer", "search", "start", "unit", "ended", "steps"),
            *("minimum, layer's space", "minimum, pixels in the region", "found"),
            *("equality error", "positive inactive", "smallest tolerance"),
            *("decisions that differ", "tight", "vertex"),
        ),
        rows=tuple(rows),
        proofs=tuple(proofs),
        notes=(
            "Found, errors, tolerance, tight, vertex: of what enters the layer at the found image, "
            "in the layer's own space.",
            "Decisions that differ: of the ReLUs and max-pools before the layer, between found "
            "image and target; with none the image lies in the target's linear region.",
            "Certificates: of the minima; the other exact numbers are substitutions.",
        ),
    )


def _exact_vertices(layer: Mapping[str, Any], unit: int) -> list[Mapping[str, Any]]:
    """The exact vertices of a unit, in each space."""
    sets = [one for one in layer["sets"] if one["kind"] == "exact"]
    return [each for one in sets for each in one["vertices"] if each["unit"] == unit]


def _exact_values(layer: Mapping[str, Any], space: str) -> dict[int, str]:
    """Unit -> its exact minimum as text, or why there is none."""
    found = {}
    for one in layer["sets"]:
        if one["kind"] == "exact" and one["space"] == space:
            known = {each["unit"]: each for each in one["vertices"]}
            for unit in layer["units"]:
                if unit not in known:
                    found[unit] = "given up"
                elif known[unit]["value"] is None:
                    found[unit] = known[unit]["status"]
                else:
                    found[unit] = fixed(known[unit]["value"], 4)
    return found
