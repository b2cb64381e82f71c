"""Which tables does `collide small` print?  Read from its record; nothing is computed here."""

from experiments.measure.facts import Fact
from experiments.measure.set_measures import Measured
from experiments.run.words import counted
from experiments.show.numbers import NO_BOUND, between, fixed, paper_bound, percent, short, word
from experiments.show.proof_cells import UNCERTIFIED, proof_cell
from experiments.show.tables import Table
from experiments.small.results import Interval, MeanWidth, SmallResults

#: Name in the record, title, and the certificate that states it (d, N and N+ in its first words).
FACTS: tuple[tuple[str, str, Fact], ...] = (
    ("n_inputs", "inputs d", "rank"),
    ("n_units", "units N", "rank"),
    ("n_positive", "active units N+", "rank"),
    ("rank_positive", "rank W+", "rank"),
    ("kernel_condition", "ker W+ in ker W-", "kernel"),
    ("paper_bound", "paper's bound d - N+", "dimension"),
    ("dimension", "dimension", "dimension"),
    ("lineality", "lineality", "lineality"),
    ("bounded", "bounded", "boundedness"),
)
SETS = {
    "absolute": "paper's penalty, a point a unit",
    "hinge": "hinge, a point a unit",
    "units": "exact minima, one a unit",
}
#: Penalty -> what a table calls it.
_PENALTIES = {"hinge": "hinge", "absolute": "paper's penalty"}


def small_tables(results: SmallResults) -> list[Table]:
    """Returns all tables of a record's results."""
    return [facts_table(results), sets_table(results), units_table(results), targets_table(results)]


def facts_table(results: SmallResults) -> Table:
    """The target's set: what it is and how large."""
    facts, vertices = results.facts, results.vertices
    whole, unique = results.whole, results.uniqueness
    shown = {name: word(getattr(facts, name)) for name, *_ in FACTS}
    shown["paper_bound"] = paper_bound(facts.paper_bound)
    rows = [(title, shown[name]) for name, title, _ in FACTS]
    facets, volume = vertices.facets, whole.volume
    rows += [
        ("rank of the rows with z >= 0", str(unique.rank_nonnegative)),
        ("directed spanning set", word(unique.spanning)),
        ("unique (no other collision)", word(unique.unique)),
        ("vertices", f"{vertices.count:,} ({vertices.status})"),
        ("facets", f"{facets.count} of {counted(facets.inequalities, 'inequalities')}"),
        (
            f"volume ({vertices.dimension}-dimensional)",
            short(volume.value, 6) or volume.reason,
        ),
        ("diameter", _bounds(whole.diameter)),
        ("radius of the largest ball", _bounds(vertices.ball)),
        ("mean width", _width(whole.mean_width)),
    ]
    proofs = [
        *facts.certificates.values(),
        unique.certificates.unique,
        vertices.certificate,
    ]
    if unique.rank_nonnegative:  # rank 0 has nothing to prove
        proofs.append(unique.certificates.spanning)
    cells = [proof_cell(facts.certificates[kind]) for *_, kind in FACTS]
    cells += [proof_cell(unique.certificates.spanning)] * 2
    cells += [proof_cell(unique.certificates.unique)]
    cells += [proof_cell(vertices.certificate), *[UNCERTIFIED] * 5]
    return Table(
        name="facts",
        title=f"The collision polytope of {target_name(results)}, in the box around all data",
        columns=("fact", "value"),
        rows=tuple(rows),
        proofs=tuple(cells),
        notes=(
            f"{sum(p is not None for p in proofs)} of {len(proofs)} certificates (rank, kernel "
            "condition, dimension, lineality, boundedness, uniqueness, vertices) were saved and "
            "then accepted "
            "by the checker. Volume, diameter and ball lie between proved bounds that agree to "
            "the digits shown; the mean width is an estimate over random directions of the affine "
            "hull, ± standard error.",
        ),
    )


def target_name(results: SmallResults) -> str:
    """Returns the target in words."""
    kind = "a " if results.data.name == "digits" else "moon "
    return f"test point {results.target.index}, {kind}{results.target.label}"


def _bounds(found: Measured) -> str:
    return between(found.lower, found.upper)


def _width(width: MeanWidth) -> str:
    return f"{fixed(width.value, 3)} ± {fixed(width.standard_error, 3)}"


def sets_table(results: SmallResults) -> Table:
    """How much of the set each way of finding points shows."""
    proofs = {"units": proof_cell(results.units)}
    rows = []
    for key, one in results.hulls.items():
        different = f" ({one.distinct} different)" if one.distinct < one.points else ""
        rows.append(
            (
                SETS[key],
                f"{one.points}{different}",
                fixed(one.mean_pairwise_distance, 3),
                fixed(one.diameter, 3),
                _width(one.mean_width),
                percent(one.volume_ratio),
                _distance(one.from_set),
                _distance(one.from_hull),
                _distance(one.hausdorff),
            )
        )
    whole = results.whole
    rows.append(
        (
            "all vertices: the set itself",
            str(whole.points),
            fixed(whole.mean_pairwise_distance.value, 3),
            fixed(whole.diameter.upper, 3),
            _width(whole.mean_width),
            *("100.0%", "", "", "0"),
        )
    )
    return Table(
        name="sets",
        title="Points beside the whole set",
        columns=(
            *("points", "how many", "mean distance", "diameter", "mean width", "volume"),
            *("set to hull", "hull to set", "Hausdorff distance"),
        ),
        rows=tuple(rows),
        proofs=(
            *(proofs.get(key, UNCERTIFIED) for key in results.hulls),
            proof_cell(results.vertices.certificate),
        ),
        notes=(
            "Set to hull: largest l2 distance from a point of the set to the hull of the points "
            "(what they miss); hull to set: the other way (how far they leave it); Hausdorff: the "
            "larger. All three between proved bounds, which agree to the digits shown.",
            "Volume: of the points' hull, projected onto the set's affine hull, over the set's "
            "(floats). Mean distance: over all pairs of the points, repeated ones included. Mean "
            "width: over the same random directions for all, ± standard error.",
            "Certificates: of the points or of their list; the measures of a row have none.",
        ),
    )


def _distance(found: Interval) -> str:
    texts = [short(found.lower, 4), short(found.upper, 4)]
    return texts[0] if texts[0] == texts[1] else " to ".join(texts)


def units_table(results: SmallResults) -> Table:
    """Every inactive unit: its exact minimum, and what each search found."""
    relaxed = {title: results.relaxed[penalty] for penalty, title in _PENALTIES.items()}
    rows = []
    for place, unit in enumerate(results.units):
        row = [str(unit.unit), fixed(unit.value, 4), word(unit.is_vertex)]
        for found in relaxed.values():
            one = found.comparisons[place]
            row += [
                fixed(one.found_value, 4),
                short(one.relative_gap),
                short(one.distance_linf),
                short(one.smallest_tolerance),
            ]
        rows.append(tuple(row))
    each = ("found", "rel. gap", "linf to the set", "tolerance")
    count = len(results.units)
    ended = [
        f"{title}: {found.search.status.count('converged')} of {count} converged"
        for title, found in relaxed.items()
    ]
    return Table(
        name="units",
        title="Every inactive unit: relaxed against exact",
        columns=(
            *("unit", "exact minimum", "vertex"),
            *(f"hinge: {name}" for name in each),
            *(f"paper's: {name}" for name in each),
        ),
        rows=tuple(rows),
        proofs=tuple(
            proof_cell(unit, *(found.comparisons[place] for found in relaxed.values()))
            for place, unit in enumerate(results.units)
        ),
        notes=(
            "Exact minimum: of the unit's pre-activation over the set, proved; vertex: whether "
            "the minimiser is one. Rel. gap: |found - exact minimum| / |exact minimum|. Tolerance: "
            "the smallest one at which the found point collides. All but the searches is exact.",
            f"{'; '.join(ended)}.",
        ),
    )


def targets_table(results: SmallResults) -> Table:
    """Dimension and number of vertices over all test points, by the number of active units."""
    rows = [
        (
            str(one.n_positive),
            str(one.targets),
            str(one.paper_bound),
            _range(one.dimensions[0], one.dimensions[-1]) if one.dimensions else "",
            str(one.alone),
            "" if one.median is None else f"{one.median:g}",
            _range(one.least, one.largest),
            f"{one.certified}/{one.targets}",
        )
        for one in results.by_active_units
    ]
    alone = sum(target.dimension == 0 for target in results.targets)
    return Table(
        name="targets",
        title="The collision polytope of every test point",
        columns=(
            *("active units", "test points", "d - N+", "dimension", "no other collision"),
            *("vertices, median", "least to largest", "certified"),
        ),
        rows=tuple(rows),
        proofs=tuple(
            proof_cell([each for each in results.targets if each.n_positive == one.n_positive])
            for one in results.by_active_units
        ),
        notes=(
            f"{alone} of {len(results.targets)} test points have no other collision at all in the "
            "box: the set is a single point (dimension 0). d - N+ is the paper's bound for the "
            f"subspace; {NO_BOUND}.",
        ),
    )


def _range(low: int | None, high: int | None) -> str:
    if low is None:
        return ""
    return str(low) if low == high else f"{low} to {high}"
