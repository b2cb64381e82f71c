"""What is the target's set, and where do the searches end beside it?  Two of the tables."""

from experiments.measure.facts import Fact
from experiments.mnist.results import MnistResults
from experiments.mnist.searches import START, name_of
from experiments.show.numbers import fixed, short, word
from experiments.show.proof_cells import proof_cell
from experiments.show.tables import Table

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


def facts_table(results: MnistResults) -> Table:
    """The polytope's own facts in the three domains, and how many of them are proved."""
    networks = results.networks
    all_facts = [facts for each in networks for facts in each.facts]
    proofs = [proof for facts in all_facts for proof in facts.certificates.values()]
    proved = sum(proof is not None for proof in proofs)
    rows = [
        (each.name, title, *(word(getattr(facts, name)) for facts in each.facts))
        for each in networks
        for name, title, _ in FACTS
    ]
    return Table(
        name="facts",
        title="The target's collision polytope in three domains",
        columns=("network", "fact", *(facts.domain for facts in networks[0].facts)),
        rows=tuple(rows),
        proofs=tuple(
            proof_cell([facts.certificates[kind] for facts in each.facts])
            for each in networks
            for *_, kind in FACTS
        ),
        notes=(
            *(f"{each.name} network, {f.sentence}." for each in networks for f in each.facts),
            f"{proved} of {len(proofs)} certificates (rank, kernel condition, dimension, "
            "lineality, boundedness, by domain) were saved and then accepted by the checker; "
            "an entry without one reads undecided. N+ is counted, exactly, by putting the target "
            "into the layer.",
        ),
    )


def comparison_table(results: MnistResults) -> Table:
    """Every relaxed vertex beside the exact one."""
    rows, proofs = [], []
    for network in results.networks:
        exact = {(o.control, each.unit): each for o in network.exact for each in o.vertices}
        for one in network.relaxed:
            found = zip(one.comparisons, one.search.status, one.search.steps, strict=True)
            for each, status, steps in found:
                proofs.append(proof_cell(exact.get((one.control, each.unit)), each))
                rows.append(
                    (
                        network.name,
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
            *("network", "search", "start", "unit", "ended", "steps"),
            *("exact minimum", "found", "rel. gap"),
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
