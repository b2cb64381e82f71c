"""What does `collide compare` print of the senses of a collision, and of combinations?"""

from collections.abc import Sequence

from experiments.measure.sampling import SCHEMES
from experiments.own.results import Comparison, PointMeanings
from experiments.own.words import number, yes_no
from experiments.show.proof_cells import uncertified
from experiments.show.tables import Table


def meanings_table(found: Comparison) -> Table:
    """Returns in which senses each point collides with the target."""
    network = found.input_space is not None and found.input_space.region is not None
    png = found.bounds is not None
    columns = ["point", "unit", "equal, exact (layer)"]
    columns += ["smallest exact tolerance (network)"] if network else []
    columns += ["bit-equal in floats", "smallest tolerance in floats"]
    if png:
        columns += ["smallest tolerance after 8-bit PNG, rounded", "likewise, truncated"]
        columns += ["bit-equal after PNG, rounded"]
    rows = []
    for each in found.meanings:
        cells = [each.point, str(each.unit), _exact_text(each)]
        cells += [number(each.network_tolerance)] if network else []
        cells += [yes_no(each.bit_equal), number(each.tolerance)]
        if png:
            cells += [number(each.png_tolerance), number(each.png_truncated)]
            cells.append(yes_no(each.png_bit_equal))
        rows.append(tuple(cells))
    return Table(
        name="meanings",
        title=f"In which sense do they collide?  Target and {found.layer}",
        columns=tuple(columns),
        rows=tuple(rows),
        proofs=uncertified(rows),
        notes=_meaning_notes(found, rows),
    )


def _exact_text(each: PointMeanings) -> str:
    if each.exact is None:
        return "not computed"
    return "yes" if each.exact else f"no: {number(each.exact_tolerance)}"


def _meaning_notes(found: Comparison, rows: Sequence[Sequence[str]]) -> tuple[str, ...]:
    notes = [
        "equal, exact: the same post-activation over the rationals, for the layer's real "
        "arithmetic at what the float run gives it (no: the smallest tolerance)",
        f"in floats: {found.dtype} on {found.device}, each input alone in a batch of one",
    ]
    if found.bounds is not None:
        lower, upper = found.bounds
        notes.append(
            f"after 8-bit PNG: the point is saved and read again (levels 0 and 255 stand for "
            f"{lower:g} and {upper:g}), its values rounded to levels or truncated, as the authors' "
            "scripts do; the target is not quantised; tolerances are the "
            "largest difference of a post-activation, in floats"
        )
    if any(row[0].startswith("exact") for row in rows):
        notes.append(
            "exact, rounded: the exact vertex, rounded to the network's floats, which no longer "
            "is one"
        )
    return tuple(notes)


def interpolation_table(found: Comparison) -> Table:
    """Returns how many random convex combinations collide, by space and by scheme."""
    rows = [
        (
            title,
            each.scheme,
            f"{share.within:,} of {share.samples:,}",
            number(share.median),
            number(share.largest),
        )
        for each in found.interpolation
        for title, share in (
            (f"input of {found.layer}", each.layer),
            ("network input", each.input),
        )
    ]
    return Table(
        name="interpolation",
        title="Random convex combinations of the relaxed points",
        columns=("taken in", "weights", "within the tolerance", "median", "largest"),
        rows=tuple(rows),
        proofs=uncertified(rows),
        notes=(
            f"tolerance {found.interpolation[0].tolerance:.3g} in the float run"
            "; the layer's own space is where Proposition 1 makes the set convex"
            + (" (here it is the network's input)" if found.layer_space.is_first else ""),
            *(f"{each.scheme}: {SCHEMES[each.scheme]}" for each in found.interpolation),
        ),
    )
