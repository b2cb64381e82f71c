"""In which sense do the found images collide, and how far does the known exact set reach?"""

from collections.abc import Mapping, Sequence
from typing import Any

from experiments.show.numbers import approx, fixed, percent, short
from experiments.show.proof_cells import proof_cell, uncertified
from experiments.show.tables import Table

Results = Mapping[str, Any]

#: Family -> what a table calls its searches at deep layers, where no duality gap proves a minimum.
FAMILY = {
    "authors": "paper's penalty, authors' optimiser",
    "absolute": "paper's penalty, Adam",
    "hinge": "hinge, augmented Lagrangian",
}
_START = {"target": "target", "other": "another digit"}


def _layer(layer: Mapping[str, Any]) -> str:
    return f"{ {'lenet5': 'LeNet-5', 'mlp': 'MLP'}[layer['network']] } {layer['layer']}"


def meanings_table(results: Results) -> Table:
    """The meanings of a collision, kept apart, and the combinations in both spaces."""
    rows = []
    for layer in results["layers"]:
        for one in layer["sets"]:
            if one["kind"] != "relaxed":
                continue
            each, shares = one["meanings"], one["shares"]
            rows.append(
                (
                    _layer(layer),
                    FAMILY[one["family"]],
                    _START[one["start"]],
                    _count(each, "exact"),
                    short(_most(each, "exact_tolerance")),
                    short(_most(one["pixels"], "smallest_tolerance")),
                    _count(each, "bit_equal"),
                    short(_most(each, "tolerance")),
                    _count(each, "png_bit_equal"),
                    short(_most(each, "png_tolerance")),
                    short(_most(each, "png_truncated")),
                    *(
                        percent(shares[scheme][space]["within"] / shares[scheme][space]["samples"])
                        for space in ("layer", "input")
                        for scheme in ("uniform", "stick")
                    ),
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


def _count(entries: Sequence[Mapping[str, Any]], name: str) -> str:
    return f"{sum(bool(each[name]) for each in entries)} of {len(entries)}"


def _most(entries: Sequence[Mapping[str, Any]], name: str) -> float | None:
    found = [approx(each[name]) for each in entries]
    return max((value for value in found if value is not None), default=None)


def pieces_table(results: Results) -> Table:
    """How the known set grows with the neighbouring regions."""
    rows, notes, cells = [], [], []
    for layer in results["layers"]:
        pieces = layer["pieces"]
        if pieces is None:
            continue
        every = [piece for unit in pieces["units"] for piece in unit["pieces"]]
        for row in pieces["growth"]:
            first = [unit["pieces"][: row["pieces"]] for unit in pieces["units"]]
            known = [piece["dimension"] for part in first for piece in part]
            cells.append(proof_cell(first))
            rows.append(
                (
                    _layer(layer),
                    str(row["pieces"]),
                    str(row["units"]),
                    str(sum(map(len, first))),
                    _range(known),
                    fixed(row["mean_value"], 4),
                    fixed(row["distance"]),
                )
            )
        proofs = [proof for piece in every for proof in piece["certificates"].values()]
        notes.append(
            f"{_layer(layer)}: {len(every)} pieces, {sum(p is not None for p in proofs)} of "
            f"{len(proofs)} certificates accepted"
            + (f"; {pieces['reason']}" if pieces["reason"] else "")
            + f"; {sum(unit['complete'] for unit in pieces['units'])} of {len(pieces['units'])} "
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


def own_region_table(results: Results) -> Table:
    """Whether the linear region of a found image holds an exact collision."""
    rows = []
    for layer in results["layers"]:
        for name, found in layer["own_regions"].items():
            family, _, start = name.partition("-")
            verdicts = [each["feasible"] for each in found["points"]]
            proofs = [list(each["certificates"].values()) for each in found["points"]]
            rows.append(
                (
                    _layer(layer),
                    FAMILY[family],
                    _START[start],
                    str(sum(verdict is True for verdict in verdicts)),
                    str(sum(verdict is False for verdict in verdicts)),
                    str(sum(verdict is None for verdict in verdicts)),
                    str(len(layer["units"]) - len(verdicts)),
                    str(sum(any(each) for each in proofs)),
                    found["reason"],
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
        proofs=tuple(
            proof_cell(found)
            for layer in results["layers"]
            for found in layer["own_regions"].values()
        ),
        notes=(
            "Yes: with a point of that region, in [0, 1], that collides exactly; no: with a proof "
            "that there is none.",
        ),
    )
