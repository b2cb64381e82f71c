"""In which sense do the found images collide, and how far does the known exact set reach?"""

from collections.abc import Iterable, Sequence
from fractions import Fraction

from experiments.lenet5.results import Lenet5Results
from experiments.lenet5.words import FAMILY, START
from experiments.show.numbers import fixed, percent, short
from experiments.show.proof_cells import proof_cell, uncertified
from experiments.show.tables import Table


def meanings_table(results: Lenet5Results) -> Table:
    """The meanings of a collision, kept apart, and the combinations in both spaces."""
    rows = []
    for layer in results.layers:
        for one in layer.relaxed:
            each = one.meanings
            shares = [
                (share.layer if space == "layer" else share.input)
                for space in ("layer", "input")
                for share in (one.shares["uniform"], one.shares["stick"])
            ]
            rows.append(
                (
                    layer.title,
                    FAMILY[one.family],
                    START[one.start],
                    _count(m.exact for m in each),
                    _most(m.exact_tolerance for m in each),
                    _most(through.smallest_tolerance for through in one.pixels),
                    _count(m.bit_equal for m in each),
                    _most(m.tolerance for m in each),
                    _count(m.png_bit_equal for m in each),
                    _most(m.png_tolerance for m in each),
                    _most(m.png_truncated for m in each),
                    *(percent(share.within / share.samples) for share in shares),
                )
            )
    return Table(
        name="meanings-deep",
        title="In which sense do the relaxed vertices collide?",
        columns=(
            *("layer", "search", "start"),
            *("equal over the rationals", "tolerance needed", "same, whole network"),
            *("bit-equal", "float tolerance"),
            *("bit-equal as PNG", "tolerance, PNG rounded", "PNG truncated"),
            *("combinations, layer", "(stick)", "combinations, pixels", "(stick)"),
        ),
        rows=tuple(rows),
        proofs=uncertified(rows),
        notes=(
            "Equal over the rationals: what enters the layer at the image, as the float run stores "
            "it, lies in the exact set; tolerance needed: the least at which it would. Whole "
            "network: the image put through all layers in exact arithmetic. Largest over the "
            "vertices.",
            "Bit-equal, float tolerance: the float32 run on this machine's CPU, one image at a "
            "time. PNG: after saving with 8 bits, rounded, or truncated as the authors did.",
            "Combinations: share that collides within the largest float tolerance of the vertices "
            "themselves, taken in the layer's own space (where Proposition 1 promises all, up to "
            "rounding) and in pixels (where nothing does).",
        ),
    )


def _count(verdicts: Iterable[bool | None]) -> str:
    known = list(verdicts)
    return f"{sum(map(bool, known))} of {len(known)}"


def _most(values: Iterable[Fraction | float | None]) -> str:
    """The largest of the numbers that are known."""
    return short(max((value for value in values if value is not None), default=None))


def pieces_table(results: Lenet5Results) -> Table:
    """How the known set grows with the neighbouring regions."""
    rows, notes, cells = [], [], []
    for layer in results.layers:
        pieces = layer.pieces
        if pieces is None:
            continue
        for row in pieces.growth:
            first = [piece for unit in pieces.units for piece in unit.pieces[: row.pieces]]
            cells.append(proof_cell(first))
            rows.append(
                (
                    layer.title,
                    str(row.pieces),
                    str(row.units),
                    str(len(first)),
                    _range([piece.dimension for piece in first]),
                    fixed(row.mean_value, 4),
                    fixed(row.distance),
                )
            )
        every = [piece for unit in pieces.units for piece in unit.pieces]
        proofs = [
            p for each in every for p in (each.optimum.certificate, each.dimension_certificate)
        ]
        notes.append(
            f"{layer.title}: {len(every)} pieces, {sum(p is not None for p in proofs)} of "
            f"{len(proofs)} certificates accepted"
            + (f"; {pieces.reason}" if pieces.reason else "")
            + f"; {sum(unit.complete for unit in pieces.units)} of {len(pieces.units)} "
            "searches crossed every facet that could help."
        )
    return Table(
        name="pieces-deep",
        title="Neighbouring linear regions: pieces of the exact set in pixel space",
        columns=(
            *("layer", "pieces a unit", "units", "pieces in all", "dimensions"),
            *("mean least pre-activation", "mean distance of the best points"),
        ),
        rows=tuple(rows),
        proofs=tuple(cells),
        notes=(
            *notes,
            "Each piece is a polytope in one linear region, joined to the one before. Its optimum "
            "and its dimension have a certificate each; those checked in time are counted above. "
            "Best point: where the unit is least among its pieces.",
        ),
    )


def _range(values: Sequence[int | None]) -> str:
    known = sorted(value for value in values if value is not None)
    if not known:
        return "undecided"
    ends = str(known[0]) if known[0] == known[-1] else f"{known[0]} to {known[-1]}"
    return ends if len(known) == len(values) else f"{ends} ({len(known)} of {len(values)} decided)"


def own_region_table(results: Lenet5Results) -> Table:
    """Whether the linear region of a found image holds an exact collision."""
    rows = []
    for layer in results.layers:
        for found in layer.own_regions:
            verdicts = [each.feasible for each in found.points]
            proofs = [
                (each.certificate, each.minimum and each.minimum.certificate)
                for each in found.points
            ]
            rows.append(
                (
                    layer.title,
                    FAMILY[found.family],
                    START[found.start],
                    *(str(verdicts.count(verdict)) for verdict in (True, False, None)),
                    str(len(layer.units) - len(verdicts)),
                    str(sum(any(each) for each in proofs)),
                    found.reason,
                )
            )
    return Table(
        name="own-regions",
        title="Does the found image's own linear region hold an exact collision?",
        columns=(
            *("layer", "search", "start", "yes", "no", "undecided", "not reached"),
            *("certificates checked", "given up"),
        ),
        rows=tuple(rows),
        proofs=tuple(proof_cell(found) for layer in results.layers for found in layer.own_regions),
        notes=(
            "Yes: with a point of that region, in [0, 1], that collides exactly; no: with a proof "
            "that there is none.",
        ),
    )
