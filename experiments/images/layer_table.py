"""What is the target's set?  Sizes of the layer, and the facts that were proved in time."""

from collections.abc import Iterator

from experiments.images.detail_tables import yes
from experiments.images.facts import FACTS, LimitedFacts, PushedVertex
from experiments.images.results import ImageResults
from experiments.measure.facts import Fact
from experiments.show.numbers import fixed, paper_bound, probability, short
from experiments.show.proof_cells import proof_cell, uncertified
from experiments.show.tables import Table

DOMAINS = {"free": "x free", "nonnegative": "x >= 0"}
#: Attribute of `Facts` -> its title, and the fact whose certificate proves it.
_FACTS: dict[str, tuple[str, Fact]] = {
    "rank_positive": ("rank W+", "rank"),
    "kernel_condition": ("ker W+ in ker W-", "kernel"),
    "dimension": ("dimension", "dimension"),
    "lineality": ("lineality", "lineality"),
    "pointed": ("pointed (has vertices)", "lineality"),
}


def layer_table(results: ImageResults) -> Table:
    """Sizes of the layer and facts of the target's set, x free and x >= 0."""
    layer, exact = results.layer, results.exact
    sizes = [
        ("inputs d", layer.n_inputs),
        ("units N", layer.n_units),
        ("active units N+ (float run)", layer.n_positive),
        ("paper's bound d - N+", paper_bound(layer.paper_bound)),
        ("half-spaces N - N+", layer.halfspaces),
        ("pre-activations exactly 0 (float run)", layer.zeros),
    ]
    if exact.counts is not None:
        sizes += [
            ("active units N+ (exact)", exact.counts.n_positive),
            ("signs that differ, float and exact", exact.counts.sign_disagreements),
        ]
    rows: list[tuple[str, ...]] = [(name, str(value), str(value)) for name, value in sizes]
    proofs = list(uncertified(rows))
    if exact.facts is not None:
        for name, (title, fact) in _FACTS.items():
            rows.append((title, *(fact_cell(exact.facts, domain, name) for domain in DOMAINS)))
            known = exact.facts.domains.values()
            proofs.append(proof_cell([each.facts.certificates.get(fact) for each in known]))
    return Table(
        name="layer",
        title=f"The target's set at {results.layer_name}",
        columns=("fact", *DOMAINS.values()),
        rows=tuple(rows),
        proofs=tuple(proofs),
        notes=(*results.remarks, *layer_notes(results)),
    )


def fact_cell(facts: LimitedFacts, domain: str, name: str) -> str:
    """Returns the answer in one domain; `name` is of `_FACTS`."""
    if domain not in facts.asked:
        return "not asked"
    known, proof = facts.domains.get(domain), _FACTS[name][1]
    if known is None or proof not in known.facts.certificates:
        return "no answer: the process ended" if facts.broken else "not proved in time"
    value = getattr(known.facts, name)
    if value is None or known.facts.certificates[proof] is None:
        return "undecided"
    return yes(value) if isinstance(value, bool) else str(value)


def layer_notes(results: ImageResults) -> Iterator[str]:
    """Yields what must be known of the numbers in the table."""
    layer, facts = results.layer, results.exact.facts
    yield (
        "d - N+ (Proposition 1): the least dimension of the subspace that the active units leave, "
        "exact where the rows of W+ are independent; the set in it can have fewer dimensions."
    )
    if layer.least_lines:
        yield (
            f"With x free the set contains at least d - N = {layer.least_lines} independent "
            "lines, so it has no vertices there: the paper's need the box of the images, or x >= 0."
        )
    if not layer.entered_nonnegative:
        yield "x >= 0: what enters the layer has negative numbers, so that set is not asked about."
    if facts is None:
        yield f"Exact facts: {results.exact.reason or 'not asked for here'}."
        return
    missing = ", ".join(missing_facts(facts))
    if facts.limit is not None and missing:
        yield (
            f"Exact facts were given up after {facts.limit:g} seconds (--facts); missing: "
            f"{missing}."
        )
    if facts.broken:
        yield f"Exact facts are incomplete: {facts.broken}."
    known = facts.domains.get("nonnegative")
    if known is not None and known.vertex is not None:
        yield _vertex_note(results, known.vertex)
    proved = sum(
        proof is not None for each in facts.domains.values() for proof in each.proofs.values()
    )
    if proved and not facts.saved:
        yield (
            f"{proved} answers were proved, and their certificates not saved: these hold the "
            "layer, which is gigabytes of text here (`collide bench fc6 --verify` has such ones "
            "checked)."
        )


def missing_facts(facts: LimitedFacts) -> Iterator[str]:
    """Yields the names of the facts that were not reached in time."""
    for domain in facts.asked:
        known = facts.domains.get(domain)
        reached = {} if known is None else known.proofs
        wanted = (*FACTS, "vertex") if domain == "nonnegative" else FACTS
        yield from (f"{name} ({DOMAINS[domain]})" for name in wanted if name not in reached)


def _vertex_note(results: ImageResults, found: PushedVertex) -> str:
    """One sentence on the exact vertex."""
    if found.status != "vertex":
        return f"An exact vertex, x >= 0: {found.reason or found.status}."
    text = (
        "One exact vertex, x >= 0, was proved (the target pushed to one, no unit's extreme): "
        f"{found.tight} rows and all but {found.positive} inputs are tight, "
        f"l2 {fixed(found.distance)} from the target's"
    )
    seen = results.exact_vertex
    if seen is not None:
        text += (
            f"; rounded to float32 the network sees {results.name_of(seen.winner)} "
            f"({probability(seen.confidence)}), active units off by {short(seen.worst_active)}, "
            f"others above 0 by {short(seen.worst_inactive)}"
        )
    return f"{text}."
