"""Which tables does `collide squeezenet` print besides each layer's own?  From its record alone."""

from collections.abc import Iterator, Mapping
from typing import Any

from experiments.show.numbers import approx, fixed, percent, short
from experiments.show.proof_cells import proof_cell, uncertified
from experiments.show.tables import Table

Results = Mapping[str, Any]
Entry = Mapping[str, Any]

#: Accuracy on the thousand samples at their original size, no padding at conv10.
EXPECTED = {"top1": 0.673, "top5": 0.862}


def squeezenet_tables(results: Results) -> list[Table]:
    """Returns the tables of the whole run."""
    tables = [accuracy_table(results)]
    if results["positions"] is not None:
        positions = results["positions"]
        tables += [positions_table(positions), gap_table(positions), tolerance_table(positions)]
    return tables


def accuracy_table(results: Results) -> Table:
    """How well the network knows the images."""
    found = results["accuracy"]
    ours = (f"here, {found['images']} images", percent(found["top1"]), percent(found["top5"]))
    rows, stored = [ours], results["source"] == "release"
    if stored:
        expected = "for comparison: the thousand samples at their original size"
        rows.append((expected, percent(EXPECTED["top1"]), percent(EXPECTED["top5"])))
    return Table(
        name="accuracy",
        title=f"{results['title']}: accuracy",
        columns=("images", "top-1", "top-5"),
        rows=tuple(rows),
        proofs=uncertified(rows),
        notes=(
            f"Images: {results['images']}, {results['resize']}.",
            f"Weights: SHA-256 {results['weights']['sha256']}, {results['weights']['verified']}.",
            *(
                ["For comparison: a stored number of the project, not of this run."]
                if stored
                else []
            ),
        ),
    )


def kind_of(entry: Entry) -> str:
    """Returns what kind of set a position's is: "single point", "bounded" or "unbounded"."""
    if entry["dimension"] is None or entry["bounded"] is None:
        return "undecided"
    if entry["dimension"] == 0:
        return "single point"
    return "bounded" if entry["bounded"] else "unbounded"


def place_of(positions: Results, number: int) -> str:
    """Returns row and column of a position, e.g. "(3, 12)"."""
    row, column = divmod(number, positions["side"][1])
    return f"({row}, {column})"


def positions_table(positions: Results) -> Table:
    """The exact set at each certified position, and how far the found points moved there."""
    lengths, titles = positions["target_length"], positions["titles"]
    rows = []
    for entry in positions["certified"]:
        at = entry["position"]
        rows.append(
            (
                place_of(positions, at),
                str(entry["support"]),
                str(entry["n_positive"]),
                str(entry["rank_positive"]),
                _yes(entry["kernel_condition"]),
                "" if entry["dimension"] is None else str(entry["dimension"]),
                str(entry["paper_bound"]),
                kind_of(entry),
                *(
                    percent(_mean([moved[at] for moved in positions["moved"][key]]) / lengths[at])
                    if lengths[at]
                    else "no length"
                    for key in positions["sets"]
                ),
                *(
                    short(max(approx(each) or 0.0 for each in entry["tolerance"][key]))
                    for key in positions["sets"]
                ),
            )
        )
    return Table(
        name="positions",
        title="conv10 at x >= 0, position by position: 1,000 units on 512 inputs each",
        columns=(
            *("position", "inputs > 0", "N+", "rank W+", "ker W+ in ker W-", "dimension"),
            *("d - N+", "set"),
            *(f"moved, {titles[key]}" for key in positions["sets"]),
            *(f"tolerance, {titles[key]}" for key in positions["sets"]),
        ),
        rows=tuple(rows),
        proofs=tuple(
            proof_cell({"certificates": entry["certificates"]}) for entry in positions["certified"]
        ),
        notes=tuple(_position_notes(positions)),
    )


def _position_notes(positions: Results) -> Iterator[str]:
    certified = positions["certified"]
    kinds = [kind_of(entry) for entry in certified]
    total = len(positions["n_positive"])
    counts = ", ".join(f"{kinds.count(kind)} {kind}" for kind in sorted(set(kinds)))
    yield (
        f"{len(certified)} of {total} positions certified: {counts}. The whole set is the product "
        "over all positions."
    )
    proofs = [proof for entry in certified for proof in entry["certificates"].values()]
    proved = sum(proof is not None for proof in proofs)
    yield (
        f"{proved} of {len(proofs)} certificates (dimension, boundedness, rank, kernel condition) "
        "were saved in conv10/certificates and then accepted by the checker."
    )
    missing = {entry["dimension_reason"] for entry in certified if entry["dimension"] is None}
    if missing:
        yield f"Dimension undecided: {', '.join(sorted(missing))}."
    if "single point" in kinds:
        yield (
            "Single point: proved by the maximum 0, at a vertex, of the sum of the inputs that are "
            "0 at the target (no pre-activation is 0 there), or by the certificate of dimension 0."
        )
    yield (
        "d - N+ (Proposition 1): the least dimension of the subspace that the active units leave; "
        "the set in it can have fewer dimensions, down to a single point."
    )
    yield (
        "Moved: mean over the vertices of the l2 distance from the target's inputs at the "
        "position, over their length. Where the set is a single point every true collision has 0% "
        "there. Tolerance: the largest exact one of the vertices at this position."
    )
    if len(certified) == total:
        dimensions = [entry["dimension"] for entry in certified]
        if None not in dimensions:
            yield f"Dimension of the whole set: {sum(dimensions)} (of {512 * total})."


def gap_table(positions: Results) -> Table:
    """Every chosen unit: exact minimum beside what the searches found."""
    rows, proofs, titles = [], [], positions["titles"]
    for entry in positions["certified"]:
        for unit in entry["units"]:
            for key in positions["sets"]:
                found = unit["found"][key]
                proofs.append(proof_cell({"certificate": unit.get("certificate")}, found))
                rows.append(
                    (
                        titles[key],
                        str(unit["unit"]),
                        str(unit["class"]),
                        place_of(positions, entry["position"]),
                        kind_of(entry),
                        unit["status"] if unit["value"] is None else short(unit["value"], 5),
                        short(unit["target_value"], 5),
                        short(found["value"], 5),
                        short(found["gap"], 4),
                        short(found["worst_equality"]),
                        short(found["worst_inactive"]),
                        short(found["distance_linf"]),
                    )
                )
    order = {titles[key]: place for place, key in enumerate(positions["sets"])}
    every = sorted(
        zip(rows, proofs, strict=True), key=lambda row: (order[row[0][0]], int(row[0][1]))
    )
    return Table(
        name="gap",
        title="conv10: each vertex beside the exact optimum for its unit, at the unit's position",
        columns=(
            *("vertices", "unit", "class", "position", "set", "exact minimum", "target's value"),
            *("found", "gap", "worst active error", "worst positive inactive"),
            "distance to the set (linf)",
        ),
        rows=tuple(row for row, _ in every),
        proofs=tuple(proof for _, proof in every),
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


def tolerance_table(positions: Results) -> Table:
    """The least tolerance at which each vertex truly collides, over all positions."""
    titles = positions["titles"]
    rows = [
        (
            titles[key],
            str(unit),
            _yes(each["exact"]),
            short(each["tolerance"], 4),
            place_of(positions, each["position"]),
        )
        for key in positions["sets"]
        for unit, each in zip(positions["units"], positions["exact"][key], strict=True)
    ]
    return Table(
        name="exact",
        title="conv10: do the vertices collide over the rationals?",
        columns=("vertices", "unit", "equal over the rationals", "least tolerance", "worst at"),
        rows=tuple(rows),
        proofs=uncertified(rows),
        notes=(
            "The layer's input as the float run stores it, put into the exact layer, all "
            f"{len(positions['n_positive'])} positions.",
        ),
    )


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _yes(value: bool | None) -> str:
    return "undecided" if value is None else ("yes" if value else "no")


def headline(results: Results) -> list[str]:
    """Returns the run's outcome in sentences, for the terminal."""
    lines = []
    for layer, found in results["layers"].items():
        for one in found["sets"]:
            ratio = f" ({percent(one['ratio'])} of the images')" if one["ratio"] else ""
            lines.append(
                f"{layer}, {one['title']}: vertices {fixed(one['distance'])} apart{ratio}, "
                f"{percent(one['success'])} of the combinations (uniform weights) in the "
                "target's class"
            )
    return lines
