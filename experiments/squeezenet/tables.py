"""Which tables does `collide squeezenet` print besides each layer's own?  From its record alone."""

from collections.abc import Iterator

from experiments.show.numbers import NO_BOUND, fixed, percent, short
from experiments.show.proof_cells import proof_cell, uncertified
from experiments.show.tables import Table
from experiments.squeezenet.results import CertifiedPosition, Positions, SqueezeNetResults

#: Accuracy on the thousand samples at their original size, no padding at conv10.
EXPECTED = {"top1": 0.673, "top5": 0.862}


def squeezenet_tables(results: SqueezeNetResults) -> list[Table]:
    """Returns the tables of the whole run."""
    tables, positions = [accuracy_table(results)], results.positions
    if positions is not None:
        tables += [positions_table(positions), gap_table(positions), tolerance_table(positions)]
    return tables


def accuracy_table(results: SqueezeNetResults) -> Table:
    """How well the network knows the images."""
    found = results.accuracy
    ours = (f"here, {found.images} images", percent(found.top1), percent(found.top5))
    rows, stored = [ours], results.source == "release"
    if stored:
        expected = "for comparison: the thousand samples at their original size"
        rows.append((expected, percent(EXPECTED["top1"]), percent(EXPECTED["top5"])))
    return Table(
        name="accuracy",
        title=f"{results.title}: accuracy",
        columns=("images", "top-1", "top-5"),
        rows=tuple(rows),
        proofs=uncertified(rows),
        notes=(
            f"Images: {results.images}, {results.resize}.",
            f"Weights: SHA-256 {results.weights.sha256}, {results.weights.verified}.",
            *(
                ["For comparison: a stored number of the project, not of this run."]
                if stored
                else []
            ),
        ),
    )


def positions_table(positions: Positions) -> Table:
    """The exact set at each certified position, and how far the found points moved there."""
    return Table(
        name="positions",
        title="conv10 at x >= 0, position by position: 1,000 units on 512 inputs each",
        columns=(
            *("position", "inputs > 0", "N+", "rank W+", "ker W+ in ker W-", "dimension"),
            *("d - N+", "set"),
            *(f"moved, {title}" for title in positions.titles.values()),
            *(f"tolerance, {title}" for title in positions.titles.values()),
        ),
        rows=tuple(_position_row(positions, entry) for entry in positions.certified),
        proofs=tuple(proof_cell(entry.facts) for entry in positions.certified),
        notes=tuple(_position_notes(positions)),
    )


def _position_row(positions: Positions, entry: CertifiedPosition) -> tuple[str, ...]:
    at, facts = entry.position, entry.facts
    length = positions.target_length[at]
    moves = [[moved[at] for moved in positions.moved[key]] for key in positions.titles]
    return (
        positions.place_of(at),
        str(entry.support),
        str(facts.n_positive),
        str(facts.rank_positive),
        _yes(facts.kernel_condition),
        "" if facts.dimension is None else str(facts.dimension),
        str(facts.paper_bound),
        entry.kind,
        *(percent(sum(m) / len(m) / length) if length else "no length" for m in moves),
        *(short(max(entry.tolerance[key])) for key in positions.titles),
    )


def _position_notes(positions: Positions) -> Iterator[str]:
    certified, total = positions.certified, len(positions.n_positive)
    kinds = [entry.kind for entry in certified]
    counts = ", ".join(f"{kinds.count(kind)} {kind}" for kind in sorted(set(kinds)))
    yield (
        f"{len(certified)} of {total} positions certified: {counts}. The whole set is the product "
        "over all positions."
    )
    proofs = [proof for entry in certified for proof in entry.facts.certificates.values()]
    proved = sum(proof is not None for proof in proofs)
    yield (
        f"{proved} of {len(proofs)} certificates (dimension, boundedness, rank, kernel condition) "
        "were saved in conv10/certificates and then accepted by the checker."
    )
    dimensions = [entry.facts.dimension for entry in certified]
    missing = {entry.dimension_reason for entry in certified if entry.facts.dimension is None}
    if missing:
        yield f"Dimension undecided: {', '.join(sorted(missing))}."
    if "single point" in kinds:
        yield (
            "Single point: proved by the maximum 0, at a vertex, of the sum of the inputs that are "
            "0 at the target (no pre-activation is 0 there), or by the certificate of dimension 0."
        )
    yield (
        "d - N+ (Proposition 1): the least dimension of the subspace that the active units leave; "
        f"the set in it can have fewer dimensions, down to a single point; {NO_BOUND}."
    )
    yield (
        "Moved: mean over the vertices of the l2 distance from the target's inputs at the "
        "position, over their length. Where the set is a single point every true collision has 0% "
        "there. Tolerance: the largest exact one of the vertices at this position."
    )
    known = [dimension for dimension in dimensions if dimension is not None]
    if len(known) == total:
        yield f"Dimension of the whole set: {sum(known)} (of {512 * total})."


def gap_table(positions: Positions) -> Table:
    """Every chosen unit: exact minimum beside what the searches found."""
    rows, proofs = [], []
    chosen = sorted(
        ((unit, entry) for entry in positions.certified for unit in entry.units),
        key=lambda pair: pair[0].unit,
    )
    for key, title in positions.titles.items():
        for unit, entry in chosen:
            minimum, found = unit.minimum, unit.found[key]
            proofs.append(proof_cell(minimum, found))
            rows.append(
                (
                    title,
                    str(unit.unit),
                    str(minimum.unit),
                    positions.place_of(entry.position),
                    entry.kind,
                    minimum.status if minimum.value is None else short(minimum.value, 5),
                    short(unit.target_value, 5),
                    short(found.found_value, 5),
                    short(found.gap, 4),
                    short(found.worst_equality),
                    short(found.worst_inactive),
                    short(found.distance_linf),
                )
            )
    return Table(
        name="gap",
        title="conv10: each vertex beside the exact optimum for its unit, at the unit's position",
        columns=(
            *("vertices", "unit", "class", "position", "set", "exact minimum", "target's value"),
            *("found", "gap", "worst active error", "worst positive inactive"),
            "distance to the set (linf)",
        ),
        rows=tuple(rows),
        proofs=tuple(proofs),
        notes=(
            "The other positions do not enter the minimum of a unit. Unbounded: over this set the "
            "unit falls without end along a ray, so it has no vertex.",
            "Unit: its number in the layer, class x positions + position (row x columns + column). "
            "A certificate states one position, so that its unit is the class; its file is named "
            "conv10-unit(unit)-class(class)-....json.",
            "Target's value, found: pre-activations at the target and at the found point. Gap: "
            "found - exact minimum. It can be negative only where the found point lies outside of "
            "the set, and is often positive there too: the errors say how far outside. Worst "
            "active error: largest distance of an active unit from the target's; worst positive "
            "inactive: largest positive pre-activation of an inactive unit.",
        ),
    )


def tolerance_table(positions: Positions) -> Table:
    """The least tolerance at which each vertex truly collides, over all positions."""
    rows = [
        (
            title,
            str(unit),
            _yes(each.exact),
            short(each.tolerance, 4),
            positions.place_of(each.position),
        )
        for key, title in positions.titles.items()
        for unit, each in zip(positions.units, positions.exact[key], strict=True)
    ]
    return Table(
        name="exact",
        title="conv10: do the vertices collide over the rationals?",
        columns=("vertices", "unit", "equal over the rationals", "least tolerance", "worst at"),
        rows=tuple(rows),
        proofs=uncertified(rows),
        notes=(
            "The layer's input as the float run stores it, put into the exact layer, all "
            f"{len(positions.n_positive)} positions.",
        ),
    )


def _yes(value: bool | None) -> str:
    return "undecided" if value is None else ("yes" if value else "no")


def headline(results: SqueezeNetResults) -> list[str]:
    """Returns the run's outcome in sentences, for the terminal."""
    lines = []
    for layer, found in results.layers.items():
        for one in found.sets:
            measured = one.measures.found
            share, ratio = measured.pixels["uniform"].success, measured.spread.ratio
            of_images = f" ({percent(ratio)} of the images')" if ratio else ""
            lines.append(
                f"{layer}, {found.title_of(one)}: vertices {fixed(measured.spread.distance)} "
                f"apart{of_images}, {percent(share)} of the combinations (uniform weights) in the "
                "target's class"
            )
    return lines
