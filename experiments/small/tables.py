"""Which tables does `collide small` print?  Read from its record; nothing is computed here."""

from collections.abc import Mapping
from typing import Any

from experiments.show.numbers import between, fixed, percent, short
from experiments.show.proof_cells import UNCERTIFIED, proof_cell
from experiments.show.tables import Table

Results = Mapping[str, Any]

#: Name in the record, title, and the certificate that states it (d, N and N+ in its first words).
FACTS = (
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
    "all": "all vertices: the set itself",
}


def small_tables(results: Results) -> list[Table]:
    """Returns all tables of a record's results."""
    return [facts_table(results), sets_table(results), units_table(results), targets_table(results)]


def facts_table(results: Results) -> Table:
    """The target's set: what it is and how large."""
    facts, vertices = results["facts"], results["vertices"]
    whole, unique = results["sets"][-1], results["uniqueness"]
    rows = [(title, _word(facts[name])) for name, title, _ in FACTS]
    facets, volume = vertices["facets"], whole["volume"]
    rows += [
        ("rank of the rows with z >= 0", str(unique["rank_nonnegative"])),
        ("directed spanning set", _word(unique["spanning"])),
        ("unique (no other collision)", _word(unique["unique"])),
        ("vertices", f"{vertices['count']:,} ({vertices['status']})"),
        ("facets", f"{facets['count']} of {facets['inequalities']} inequalities"),
        (
            f"volume ({vertices['dimension']}-dimensional)",
            short(volume.get("value"), 6) or volume.get("reason", ""),
        ),
        ("diameter", _bounds(whole["diameter"])),
        ("radius of the largest ball", _bounds(vertices["ball"])),
        ("mean width", _width(whole)),
    ]
    proofs = [
        *facts["certificates"].values(),
        unique["certificates"]["unique"],
        vertices["certificate"],
    ]
    if unique["rank_nonnegative"]:  # rank 0 has nothing to prove
        proofs.append(unique["certificates"]["spanning"])
    spanning = unique["certificates"].get("spanning")
    cells = [proof_cell({"certificate": facts["certificates"][kind]}) for *_, kind in FACTS]
    cells += [proof_cell({"certificate": spanning})] * 2
    cells += [proof_cell({"certificate": unique["certificates"]["unique"]})]
    cells += [proof_cell({"certificate": vertices["certificate"]}), *[UNCERTIFIED] * 5]
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


def target_name(results: Results) -> str:
    """Returns the target in words."""
    target = results["target"]
    kind = "a " if results["data"]["name"] == "digits" else "moon "
    return f"test point {target['index']}, {kind}{target['label']}"


def _word(value: Any) -> str:
    if value is None:
        return "undecided"
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _bounds(found: Mapping[str, Any]) -> str:
    return between(found["lower"], found["upper"])


def _width(one: Mapping[str, Any]) -> str:
    width = one["mean_width"]
    return f"{fixed(width['value'], 3)} ± {fixed(width['standard_error'], 3)}"


def sets_table(results: Results) -> Table:
    """How much of the set each way of finding points shows."""
    proofs = {
        "absolute": UNCERTIFIED,
        "hinge": UNCERTIFIED,
        "units": proof_cell(results["units"]),
        "all": proof_cell({"certificate": results["vertices"]["certificate"]}),
    }
    rows = []
    for one in results["sets"]:
        whole = one["key"] == "all"
        mean = one["mean_pairwise_distance"]
        diameter = one["diameter"]
        count = str(one["points"])
        if not whole and one["distinct"] < one["points"]:
            count += f" ({one['distinct']} different)"
        rows.append(
            (
                SETS[one["key"]],
                count,
                fixed(mean["value"] if whole else mean, 3),
                fixed(diameter["upper"] if whole else diameter, 3),
                _width(one),
                "100.0%" if whole else percent(one["volume_ratio"]) or "",
                "" if whole else _distance(one["from_set"]),
                "" if whole else _distance(one["from_hull"]),
                "0" if whole else _distance(one["hausdorff"]),
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
        proofs=tuple(proofs[one["key"]] for one in results["sets"]),
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


def _distance(found: Mapping[str, Any]) -> str:
    low, high = found["lower"], found["upper"]
    texts = [short(low, 4), short(high, 4)]
    return texts[0] if texts[0] == texts[1] else " to ".join(texts)


def units_table(results: Results) -> Table:
    """Every inactive unit: its exact minimum, and what each search found."""
    relaxed = results["relaxed"]
    rows = []
    for place, unit in enumerate(results["units"]):
        row = [str(unit["unit"]), fixed(unit["value"], 4), _word(unit["is_vertex"])]
        for penalty in ("hinge", "absolute"):
            one = relaxed[penalty]["comparisons"][place]
            row += [
                fixed(one["found_value"], 4),
                short(one["relative_gap"]),
                short(one["distance_linf"]),
                short(one["smallest_tolerance"]),
            ]
        rows.append(tuple(row))
    each = ("found", "rel. gap", "linf to the set", "tolerance")
    ended = {
        title: [word for word in relaxed[penalty]["status"] if word != "converged"]
        for penalty, title in (("hinge", "hinge"), ("absolute", "paper's penalty"))
    }
    count = len(results["units"])
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
            proof_cell(unit, *(relaxed[p]["comparisons"][i] for p in ("hinge", "absolute")))
            for i, unit in enumerate(results["units"])
        ),
        notes=(
            "Exact minimum: of the unit's pre-activation over the set, proved; vertex: whether "
            "the minimiser is one. Rel. gap: |found - exact minimum| / |exact minimum|. Tolerance: "
            "the smallest one at which the found point collides. All but the searches is exact.",
            "; ".join(
                f"{title}: {count - len(others)} of {count} converged"
                for title, others in ended.items()
            )
            + ".",
        ),
    )


def targets_table(results: Results) -> Table:
    """Dimension and number of vertices over all test points, by the number of active units."""
    rows = []
    for one in results["targets"]["by_active_units"]:
        sizes = one["vertices"]
        dimensions = one["dimensions"]
        rows.append(
            (
                str(one["n_positive"]),
                str(one["targets"]),
                str(one["paper_bound"]),
                _range(dimensions[0], dimensions[-1]) if dimensions else "",
                str(one["alone"]),
                f"{sizes['median']:g}" if sizes["median"] is not None else "",
                _range(sizes["least"], sizes["largest"]) if sizes["least"] is not None else "",
                f"{one['certified']}/{one['targets']}",
            )
        )
    every = results["targets"]["each"]
    alone = sum(row["dimension"] == 0 for row in every)
    return Table(
        name="targets",
        title="The collision polytope of every test point",
        columns=(
            *("active units", "test points", "d - N+", "dimension", "no other collision"),
            *("vertices, median", "least to largest", "certified"),
        ),
        rows=tuple(rows),
        proofs=tuple(
            proof_cell([row for row in every if row["n_positive"] == one["n_positive"]])
            for one in results["targets"]["by_active_units"]
        ),
        notes=(
            f"{alone} of {len(every)} test points have no other collision at all in the box: the "
            "set is a single point (dimension 0). d - N+ is the paper's bound for the subspace.",
        ),
    )


def _range(low: int, high: int) -> str:
    return str(low) if low == high else f"{low} to {high}"
