"""What does `collide compare` print of the two spaces?  A row a vertex, exact answers beside it."""

from collections.abc import Iterator, Sequence

from experiments.own.meaning_tables import interpolation_table, meanings_table
from experiments.own.results import Against, Comparison, RegionSummary
from experiments.own.solver import OUT_OF_TIME, Distance
from experiments.own.words import COMPARED, number, search_notes, yes_no
from experiments.run.limited import OUT_OF_MEMORY
from experiments.show.proof_cells import proof_cell, uncertified
from experiments.show.tables import Table

_COLUMNS = (
    *("unit", "exact minimum", "relaxed value", "search", "gap", "worst equality"),
    *("worst inactive", "leaves the domain by", "smallest tolerance"),
    *("linf distance to the set", "vertex?"),
)


def compare_tables(found: Comparison) -> list[Table]:
    """Returns the tables of a comparison."""
    tables = [_layer_table(found)]
    if found.input_space is not None:
        tables.append(_input_table(found))
    tables.append(meanings_table(found))
    if found.interpolation:
        tables.append(interpolation_table(found))
    return tables


def _cells(each: Against, status: str) -> tuple[str, ...]:
    """The cells of `_COLUMNS` behind the unit."""
    missed, minimum = each.missed, each.minimum
    if missed is None:
        return ("",) * (len(_COLUMNS) - 1)
    best = gap = "not computed"
    if minimum is not None:
        best, gap = minimum.status, ""
        if minimum.value is not None:
            best, gap = number(minimum.value, 6), number(each.gap)
    return (
        best,
        number(missed.found_value, 6),
        status.replace("_", " "),
        gap,
        number(missed.worst_equality),
        number(missed.worst_inactive),
        number(missed.worst_domain),
        number(missed.smallest_tolerance),
        _distance(each.distance),
        yes_no(each.is_vertex),
    )


def _distance(found: Distance | None) -> str:
    if found is None:
        return "not computed"
    return number(found.value) if found.status == "exact" else found.status


def _layer_table(found: Comparison) -> Table:
    space, each_in = found.layer_space, [each.layer for each in found.vertices]
    split = "" if space.n_positive is None else f", N+ = {space.n_positive:,} (exact)"
    ties = f", {space.ties} pre-activations exactly 0" if space.ties else ""
    notes = [
        f"domain: {space.words}; N = {space.n_units:,}, d = {space.n_inputs:,}{split}{ties}",
        *_search_notes(found),
        *COMPARED,
        "every number is exact, for the layer's real arithmetic with the stored weights at what "
        "the float run gives it, and rounded for this table",
        *space.left_out,
    ]
    if not space.is_first:
        notes.append(
            "the layer's own input space: its points need not be reached by any input of the "
            "network; --input-space compares where all are"
        )
    return Table(
        name="layer-space",
        title=f"Relaxed and exact in the input space of {found.layer}",
        columns=_COLUMNS,
        rows=tuple(
            (str(each.unit), *_cells(each.layer, status))
            for each, status in zip(found.vertices, found.search.status, strict=True)
        ),
        proofs=tuple(map(proof_cell, each_in)),
        notes=(*notes, *_unsaved(each_in), *_reasons(each_in)),
    )


def _search_notes(found: Comparison) -> Iterator[str]:
    """How the points were found, and which of them were still moving."""
    yield from found.remarks
    yield from search_notes(found)
    if found.limit_note:
        yield f"{found.limit_note}: their relaxed values are those of points that were still moving"


def _reasons(each_in: Sequence[Against]) -> list[str]:
    reasons = {reason for each in each_in for reason in _open(each)}
    return [f"undecided: {reason}" for reason in sorted(reasons - {""})]


def _open(each: Against) -> Iterator[str]:
    """Why answers are open; "" for each that is not."""
    if each.minimum is not None and each.distance is not None:
        yield from (each.minimum.reason, each.distance.reason)


def _unsaved(each_in: Sequence[Against]) -> list[str]:
    """Says where certificates were checked but are too large to keep."""
    answers = [answer for each in each_in for answer in (each.minimum, each.distance)]
    kept = [answer.certificate for answer in answers if answer and answer.certificate]
    missing = sum(proof.file is None for proof in kept)
    if not missing:
        return []
    return [f"{missing} of {len(kept)} certificates were checked, and are too large to be saved"]


def time_note(found: Comparison) -> str:
    """Says how many exact programs a limit of time or memory ended; "" where it ended none."""
    spaces = [space for each in found.vertices for space in (each.layer, each.input) if space]
    reasons = [reason for space in spaces for reason in _open(space)]
    late = sum(reason.startswith(OUT_OF_TIME) for reason in reasons)
    large = sum(reason.startswith(OUT_OF_MEMORY) for reason in reasons)
    notes = []
    if late:
        notes.append(
            f"limit: {late} exact answers are open because of --vertex-seconds; "
            "raise it in a new run"
        )
    if large:
        notes.append(f"limit: {large} exact answers are open because memory ran out")
    return "; ".join(notes)


def _input_table(found: Comparison) -> Table:
    assert found.input_space is not None
    title = f"Relaxed and exact in the network's input space, for {found.layer}"
    region = found.input_space.region
    if region is None:
        left = ((str(found.input_space.left_out),),)
        return Table(
            name="input-space",
            title=title,
            columns=("left out",),
            rows=left,
            proofs=uncertified(left),
        )
    each_in = [each.input for each in found.vertices if each.input is not None]
    rows = tuple(
        (
            str(vertex.unit),
            yes_no(each.in_region),
            f"{each.decisions_differ:,}",
            *_cells(each, status),
        )
        for vertex, each, status in zip(found.vertices, each_in, found.search.status, strict=True)
    )
    return Table(
        name="input-space",
        title=title,
        columns=("unit", "in the region?", "decisions differ", *_COLUMNS[1:]),
        rows=rows,
        proofs=tuple(map(proof_cell, each_in)),
        notes=(
            *_region_notes(region, sum(each.in_region for each in each_in), len(rows)),
            *_search_notes(found),
            *COMPARED,
            "certificates named ...-in-region.json state the layer composed with those before it "
            "and, as further units, the region's rows; that these are the network's is computed, "
            "and not part of the proof (certificates/about.md)",
            *_unsaved(each_in),
            *_reasons(each_in),
        ),
    )


def _region_notes(region: RegionSummary, inside: int, count: int) -> tuple[str, ...]:
    return (
        f"the exact set: inputs in {region.domain} that collide and lie in the linear region "
        f"of the target ({region.decisions:,} decisions of ReLUs and max-pools, "
        f"{region.region_rows:,} rows)",
        f"{inside} of {count} relaxed points lie in that region; outside of it they may "
        "collide all the same: worst equality, worst inactive and smallest tolerance are the "
        "network's own in exact arithmetic, distance and minimum are of the set in the region",
    )
