"""What does `collide compare` print?  Tables of its record: two spaces, meanings, combinations."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from experiments.measure.sampling import SCHEMES
from experiments.own.solver import OUT_OF_TIME
from experiments.own.words import COMPARED, ended_early, search_notes
from experiments.run.limited import OUT_OF_MEMORY
from experiments.show.numbers import approx, short
from experiments.show.proof_cells import proof_cell, uncertified
from experiments.show.tables import Table

Results = Mapping[str, Any]


def compare_tables(results: Results) -> list[Table]:
    """Returns the tables of a record's results."""
    tables = [_layer_table(results)]
    if results["input_space"] is not None:
        tables.append(_input_table(results))
    tables.append(_meanings_table(results))
    if results["interpolation"]:
        tables.append(_interpolation_table(results))
    return tables


_COLUMNS = (
    *("unit", "exact minimum", "relaxed value", "search", "gap", "worst equality"),
    *(
        "worst inactive",
        "leaves the domain by",
        "smallest tolerance",
        "linf distance to the set",
        "vertex?",
    ),
)


def _exact_cells(each: Mapping[str, Any], status: str) -> tuple[str, ...]:
    """The cells of `_COLUMNS` behind the unit."""
    if "found_value" not in each:
        return ("",) * (len(_COLUMNS) - 1)
    if "exact_value" not in each:
        best = gap = "not computed"
    elif each["exact_value"] is None:
        best, gap = each["status"], ""
    else:
        best, gap = _number(each["exact_value"], 6), _number(each["gap"])
    vertex = each.get("is_vertex")
    return (
        best,
        _number(each["found_value"], 6),
        status.replace("_", " "),
        gap,
        *(
            _number(each[name])
            for name in ("worst_equality", "worst_inactive", "worst_domain", "smallest_tolerance")
        ),
        _distance(each),
        "" if vertex is None else "yes" if vertex else "no",
    )


def _distance(each: Mapping[str, Any]) -> str:
    status = each.get("distance_status", "not computed")
    return _number(each["distance_linf"]) if status == "exact" else status


def _number(value: Any, digits: int = 3) -> str:
    """An exact number rounded, never to the 0 that it is not."""
    text = short(value, digits)
    if text == "0" and isinstance(value, Mapping) and not value["exact"].startswith("0x0/"):
        return "below 1e-300"
    return text


def _layer_table(results: Results) -> Table:
    space = results["layer_space"]
    rows = [
        (str(each["unit"]), *_exact_cells(each["layer"], status))
        for each, status in _with_status(results)
    ]
    split = "" if space["n_positive"] is None else f", N+ = {space['n_positive']:,} (exact)"
    ties = f", {space['ties']} pre-activations exactly 0" if space["ties"] else ""
    notes = [
        f"domain: {space['words']}; N = {space['n_units']:,}, d = {space['n_inputs']:,}"
        f"{split}{ties}",
        *_search_notes(results),
        *COMPARED,
        "every number is exact, for the layer's real arithmetic with the stored weights at what "
        "the float run gives it, and rounded for this table",
        *space["left_out"],
    ]
    if not space["is_first"]:
        notes.append(
            "the layer's own input space: its points need not be reached by any input of the "
            "network; --input-space compares where all are"
        )
    notes += _unsaved(results, "layer")
    notes += _reasons(results, "layer")
    return Table(
        name="layer-space",
        title=f"Relaxed and exact in the input space of {results['layer']}",
        columns=_COLUMNS,
        rows=tuple(rows),
        proofs=tuple(proof_cell(each["layer"]) for each in results["vertices"]),
        notes=tuple(notes),
    )


def _with_status(results: Results) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Each vertex, and why its search ended."""
    return zip(results["vertices"], results["search"]["status"], strict=True)


def _search_notes(results: Results) -> Iterator[str]:
    """How the points were found, and which of them were still moving."""
    yield from results["remarks"]
    yield from search_notes(results["search"], bounded=results["bounds"] is not None)
    ended = search_note(results)
    if ended:
        yield f"{ended}: their relaxed values are those of points that were still moving"


def search_note(results: Results) -> str:
    """Says which searches a limit ended; "" where none did."""
    units = [each["unit"] for each in results["vertices"]]
    return ended_early(results["search"]["status"], units)


def _reasons(results: Results, space: str) -> list[str]:
    found = {
        each[space].get(name, "")
        for each in results["vertices"]
        for name in ("reason", "distance_reason")
    }
    return [f"undecided: {reason}" for reason in sorted(found - {""})]


def _unsaved(results: Results, space: str) -> list[str]:
    """Says where certificates were checked but are too large to keep."""
    kept = [
        each[space][name]
        for each in results["vertices"]
        for name in ("certificate", "distance_certificate")
        if each[space].get(name)
    ]
    missing = sum(proof["file"] is None for proof in kept)
    if not missing:
        return []
    return [f"{missing} of {len(kept)} certificates were checked, and are too large to be saved"]


def time_note(results: Results) -> str:
    """Says how many exact programs a limit of time or memory ended; "" where it ended none."""
    reasons = [
        each.get(space, {}).get(name, "")
        for each in results["vertices"]
        for space in ("layer", "input")
        for name in ("reason", "distance_reason")
    ]
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


def _input_table(results: Results) -> Table:
    space = results["input_space"]
    title = f"Relaxed and exact in the network's input space, for {results['layer']}"
    if space["left_out"]:
        rows: tuple[tuple[str, ...], ...] = ((space["left_out"],),)
        return Table(
            name="input-space",
            title=title,
            columns=("left out",),
            rows=rows,
            proofs=uncertified(rows),
        )
    rows = tuple(
        (
            str(each["unit"]),
            "yes" if each["input"]["in_region"] else "no",
            f"{each['input']['decisions_differ']:,}",
            *_exact_cells(each["input"], status),
        )
        for each, status in _with_status(results)
    )
    inside = sum(each["input"]["in_region"] for each in results["vertices"])
    return Table(
        name="input-space",
        title=title,
        columns=("unit", "in the region?", "decisions differ", *_COLUMNS[1:]),
        rows=rows,
        proofs=tuple(proof_cell(each["input"]) for each in results["vertices"]),
        notes=(
            f"the exact set: inputs in {space['domain']} that collide and lie in the linear region "
            f"of the target ({space['decisions']:,} decisions of ReLUs and max-pools, "
            f"{space['region_rows']:,} rows)",
            f"{inside} of {len(rows)} relaxed points lie in that region; outside of it they may "
            "collide all the same: worst equality, worst inactive and smallest tolerance are the "
            "network's own in exact arithmetic, distance and minimum are of the set in the region",
            *_search_notes(results),
            *COMPARED,
            "certificates named ...-in-region.json state the layer composed with those before it "
            "and, as further units, the region's rows; that these are the network's is computed, "
            "and not part of the proof (certificates/about.md)",
            *_unsaved(results, "input"),
            *_reasons(results, "input"),
        ),
    )


def _meanings_table(results: Results) -> Table:
    network = results["input_space"] is not None and not results["input_space"]["left_out"]
    png = results["bounds"] is not None
    columns = ["point", "unit", "equal, exact (layer)"]
    columns += ["smallest exact tolerance (network)"] if network else []
    columns += ["bit-equal in floats", "smallest tolerance in floats"]
    if png:
        columns += ["smallest tolerance after 8-bit PNG, rounded", "likewise, truncated"]
        columns += ["bit-equal after PNG, rounded"]
    rows = []
    for each in results["meanings"]:
        cells = [each["point"], str(each["unit"]), _exact_text(each)]
        cells += [_number(each["network_tolerance"])] if network else []
        cells += [_yes(each["bit_equal"]), _number(each["tolerance"])]
        if png:
            cells += [_number(each["png_tolerance"]), _number(each["png_truncated"])]
            cells.append(_yes(each["png_bit_equal"]))
        rows.append(tuple(cells))
    return Table(
        name="meanings",
        title=f"In which sense do they collide?  Target and {results['layer']}",
        columns=tuple(columns),
        rows=tuple(rows),
        proofs=uncertified(rows),
        notes=_meaning_notes(results, rows, png),
    )


def _exact_text(each: Mapping[str, Any]) -> str:
    if each["exact"] is None:
        return "not computed"
    return "yes" if each["exact"] else f"no: {_number(each['exact_tolerance'])}"


def _yes(value: bool | None) -> str:
    return "" if value is None else "yes" if value else "no"


def _meaning_notes(results: Results, rows: Sequence[Sequence[str]], png: bool) -> tuple[str, ...]:
    notes = [
        "equal, exact: the same post-activation over the rationals, for the layer's real "
        "arithmetic at what the float run gives it (no: the smallest tolerance)",
        f"in floats: {results['dtype']} on {results['device']}, each input alone in a batch of one",
    ]
    if png:
        lower, upper = results["bounds"]
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


def _interpolation_table(results: Results) -> Table:
    rows = []
    for each in results["interpolation"]:
        for space, title in (("layer", f"input of {results['layer']}"), ("input", "network input")):
            found = each[space]
            rows.append(
                (
                    title,
                    each["scheme"],
                    f"{found['within']:,} of {found['samples']:,}",
                    _number(found["median"]),
                    _number(found["largest"]),
                )
            )
    tolerance = approx(results["interpolation"][0]["tolerance"])
    used = [SCHEMES[each["scheme"]] for each in results["interpolation"]]
    same = results["layer_space"]["is_first"]
    return Table(
        name="interpolation",
        title="Random convex combinations of the relaxed points",
        columns=("taken in", "weights", "within the tolerance", "median", "largest"),
        rows=tuple(rows),
        proofs=uncertified(rows),
        notes=(
            f"tolerance {tolerance:.3g} in the float run"
            "; the layer's own space is where Proposition 1 makes the set convex"
            + (" (here it is the network's input)" if same else ""),
            *(
                f"{each['scheme']}: {words}"
                for each, words in zip(results["interpolation"], used, strict=True)
            ),
        ),
    )
