"""What are the sets of `collide lenet5`, and how do relaxed vertices stand beside exact ones?"""

from experiments.lenet5.results import ExactSet, Layer, Lenet5Results, SpaceFacts
from experiments.lenet5.words import FAMILY, SPACE, START
from experiments.run.proofs import Proof
from experiments.show.numbers import NO_BOUND, fixed, short, word
from experiments.show.proof_cells import proof_cell
from experiments.show.tables import Table

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


def facts_table(results: Lenet5Results) -> Table:
    """What each set is, in its spaces."""
    rows, notes = [], list[str]()
    proofs: list[Proof | None] = []
    for layer in results.layers:
        for facts in layer.facts:
            words = [_fact(facts, name) for name, _ in FACTS]
            rows.append((layer.title, SPACE[facts.space], *words, facts.reason))
            proofs += facts.facts.certificates.values() if facts.facts else []
            notes += _sentences(layer, facts)
    proved = sum(proof is not None for proof in proofs)
    asked = len(PROVED) * len(rows)  # what was given up has no entry
    return Table(
        name="facts-deep",
        title="The target's collision polytope: what enters the layer, and pixels",
        columns=("layer", "space", *(title for _, title in FACTS), "given up"),
        rows=tuple(rows),
        proofs=tuple(proof_cell(facts) for layer in results.layers for facts in layer.facts),
        notes=(
            *notes,
            f"{proved} of {asked} facts have a certificate that the checker accepted. Those about "
            "pixels state the composed system of the region; that it is the network's is computed, "
            "not certified.",
            "Own space: x >= 0 behind a ReLU, the pixel box for a first layer. Region rows: "
            "decisions of earlier ReLUs and max-pools; tied: the target lies on their facet. "
            f"d - N+: {NO_BOUND}.",
        ),
    )


def _fact(found: SpaceFacts, name: str) -> str:
    if name.startswith("region"):
        return "" if found.space != "pixels" else word(getattr(found, name))
    return word(None if found.facts is None else getattr(found.facts, name))


def _sentences(layer: Layer, found: SpaceFacts) -> list[str]:
    """What a fact means, where it says something."""
    known, where = found.facts, f"{layer.title}, {SPACE[found.space]}"
    if known is None:
        return []
    sentences = []
    if known.dimension == 0:
        sentences.append(
            f"{where}: the set is the target alone, so that it has one vertex and no other input "
            "collides there."
        )
    elif known.kernel_condition and found.space == "pixels":
        sentences.append(
            f"{where}: in this region the active units determine all the others, so that every "
            "unit is constant on the set and each of its points is a minimum."
        )
    if known.bounded is False:
        sentences.append(
            f"{where}: the set is unbounded, and a unit that falls along a ray has no minimum."
        )
    return sentences


def comparison_table(results: Lenet5Results) -> Table:
    """Every relaxed vertex beside the exact ones."""
    rows, proofs = [], []
    for layer in results.layers:
        exact = {one.space: _minima(layer, one) for one in layer.exact}
        for one in layer.relaxed:
            found = zip(one.layer, one.pixels, one.search.status, one.search.steps, strict=True)
            for own, through, status, steps in found:
                unit = own.unit
                vertices = [v for each in layer.exact for v in each.vertices if v.unit == unit]
                proofs.append(proof_cell(vertices))
                rows.append(
                    (
                        layer.title,
                        FAMILY[one.family],
                        START[one.start],
                        str(unit),
                        status,
                        str(steps),
                        exact["layer"][unit],
                        "the same" if layer.is_first else exact["pixels"][unit],
                        fixed(own.found_value, 4),
                        short(own.worst_equality),
                        short(own.worst_inactive),
                        short(own.smallest_tolerance),
                        f"{through.differences} of {through.decisions}",
                        str(own.n_tight),
                        word(own.is_vertex),
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


def _minima(layer: Layer, one: ExactSet) -> dict[int, str]:
    """Unit -> its exact minimum as text, or why there is none."""
    known = {each.unit: each for each in one.vertices}
    found = {}
    for unit in layer.units:
        if unit not in known:
            found[unit] = "given up"
        elif known[unit].value is None:
            found[unit] = known[unit].status
        else:
            found[unit] = fixed(known[unit].value, 4)
    return found
