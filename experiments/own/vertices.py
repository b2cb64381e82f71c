"""How are all vertices of a set of the user's own listed?  `collide vertices`, from a file."""

import sys
import time
from collections.abc import Sequence
from fractions import Fraction
from math import isfinite
from pathlib import Path
from typing import Any

from experiments.measure.set_measures import facet_entry, measures, redundancy_entry
from experiments.own.set_file import Loaded
from experiments.own.set_options import VerticesRequest
from experiments.pictures.projection import write_picture
from experiments.run.files import open_run_folder
from experiments.run.progress import Progress
from experiments.run.proofs import FOLDER, Proofs, keep_checker
from experiments.run.record import Record, jsonable, write_record
from experiments.run.request import recorded
from polytope import CollisionPolytope, write_generators, write_halfspaces
from polytope.answers.generators import Completeness, Generators
from polytope.exact.rational import RationalVector

#: Generators of each kind in the record and on the terminal, unless all are asked for.
SHOWN = 5
_SAY_EVERY = 2.0  # seconds between two lines of progress


def list_vertices(
    request: VerticesRequest, loaded: Loaded, folder: Path, progress: Progress
) -> dict[str, Any]:
    """Returns what was found about a set; generators, certificates and a record are written.

    Args:
        request: what is asked for.
        loaded: the set of its files.
        folder: of the run.
        progress: reports.

    Raises:
        OutputError: the folder cannot be written.
    """
    polytope = loaded.polytope
    with progress.stage("estimate", f"size of {polytope!r}"):
        estimate = _estimate(polytope, progress)
    with progress.stage("vertices", "vertices, rays and lines"):
        found = polytope.vertices(
            max_seconds=request.max_seconds,
            max_count=request.max_count,
            max_memory=request.max_memory,
            progress=_Counter(progress),
        )
    open_run_folder(folder / FOLDER)
    proved = found.certificate is not None
    words = "certificate, written and checked" if proved else "no certificate: not proved complete"
    with progress.stage("proof", words):
        proof = Proofs(folder).keep(f"{loaded.name}-vertices", found.certificate)
    results: dict[str, Any] = {
        "set": repr(polytope),
        "estimate": estimate,
        **generators_entry(found, every=request.every),
        "certificate": proof,
    }
    if found.complete and found.status is not Completeness.EMPTY:
        results["facets"] = facet_entry(found)
        with progress.stage("measures", "measures"):
            results["measures"] = measures(polytope, found, level=request.measures)
    if request.redundancy:
        with progress.stage("redundancy", "which inequalities the others imply"):
            results["redundancy"] = redundancy_entry(polytope, Proofs(folder), loaded.name)
    results["files"] = _write(folder, polytope, found)
    record = Record(
        experiment="vertices",
        options=recorded(request),
        seed=0,
        data=loaded.files,
        results=results,
        timings=progress.total(),
    )
    write_record(folder, record)
    document: dict[str, Any] = jsonable(results)
    return document


class _Counter:
    """Says now and then how many vertices were proved, and how many wait."""

    def __init__(self, progress: Progress) -> None:
        self._progress, self._last = progress, time.monotonic()

    def __call__(self, proved: int, waiting: int) -> None:
        now = time.monotonic()
        if now - self._last >= _SAY_EVERY:
            self._last = now
            self._progress.say(f"    {proved:,} vertices proved, {waiting:,} to visit")


def _estimate(polytope: CollisionPolytope, progress: Progress) -> dict[str, Any] | None:
    """An order of magnitude before the work, from random walks."""
    found = polytope.estimate_vertices()
    if found is None:
        return None
    entry = {
        "vertices": found.vertices,
        "standard_error": found.standard_error if isfinite(found.standard_error) else None,
        "bytes": found.bytes,
        "degenerate": found.degenerate,
        "upper_bound": Fraction(found.upper_bound),
    }
    kind = " of a perturbation (the set is degenerate)" if found.degenerate else ""
    met = isfinite(found.standard_error)
    about = "about" if met else "more than"
    error = f" ± {found.standard_error:,.0f}" if met else ""
    progress.say(
        f"    {about} {found.vertices:,.0f}{error} vertices{kind}, "
        f"{found.bytes / (1 << 20):,.1f} MiB; an estimate by random walkers, "
        f"at most {_magnitude(found.upper_bound)}"
    )
    return entry


def _magnitude(count: int) -> str:
    return f"{count:,}" if count < 10**9 else f"10^{len(str(count)) - 1}"


def generators_entry(found: Generators, *, every: bool) -> dict[str, Any]:
    """Returns counts and generators as the record keeps them; the first few unless `every`."""
    dimension = None if found.status is Completeness.UNDECIDED else found.dimension

    def some(vectors: Sequence[RationalVector]) -> list[list[Any]]:
        chosen = range(len(vectors) if every else min(SHOWN, len(vectors)))
        return [list(vectors[i]) for i in chosen]

    return {
        "status": found.status.name.lower(),
        "sentence": found.status.value,
        "reason": found.reason,
        "dimension": dimension,
        "counts": {
            "points": len(found.points),
            "rays": len(found.rays),
            "lines": len(found.lines),
        },
        "points": some(found.points),
        "rays": some(found.rays),
        "lines": some(found.lines),
    }


def _write(folder: Path, polytope: CollisionPolytope, found: Generators) -> list[str]:
    """Writes both representations, the checker and a picture; returns the names."""
    written = [write_halfspaces(polytope, folder / "halfspaces.ine")]
    if len(found.points):
        # Nothing inside the formats says that a list is not all there is: the name has to.
        name = "generators" if found.complete else "generators-partial"
        written += [write_generators(found, folder / f"{name}{s}") for s in (".ext", ".json")]
        picture = write_picture(folder, polytope, found)
        written += [picture] if picture is not None else []
    written.append(keep_checker(folder))
    return [str(path.relative_to(folder)) for path in written]


def print_vertices(found: dict[str, Any], folder: Path) -> None:
    """Prints what `list_vertices` returned."""
    counts = found["counts"]
    what = "points on minimal faces" if counts["lines"] else "vertices"
    lines = [("set", found["set"]), ("status", found["sentence"])]
    if found["reason"]:
        lines.append(("reason", found["reason"]))
    if found["dimension"] is not None:
        single = " (a single point)" if found["dimension"] == 0 else ""
        lines.append(("dimension", f"{found['dimension']}{single}"))
    if found["status"] != "undecided":
        lines.append((what, f"{counts['points']:,}"))
        lines += [(name, f"{counts[name]:,}") for name in ("rays", "lines")]
    if "facets" in found:
        lines += _facet_lines(found["facets"])
    if "redundancy" in found:
        lines.append(("redundancy proved", _redundancy_text(found["redundancy"])))
    measured = _measure_lines(found.get("measures", {}))
    lines += measured
    if measured or "facets" in found:
        shape = ["facets", "redundant"] if "facets" in found and "redundancy" not in found else []
        names = ", ".join([*shape, *(m[0] for m in measured)])
        lines += [("uncertified", f"{names}: computed, without a certificate")] if names else []
    for name, text in lines:
        print(f"{name:24} {text}")
    for name, title in (("points", what[:-1] if what == "vertices" else "point"), ("rays", "ray")):
        _print_list(found, name, {"vertice": "vertex"}.get(title, title))
    _print_list(found, "lines", "line")
    if found["certificate"] is not None:
        print(f"certificate {found['certificate']['file']}: {found['certificate']['claim']}")
    written = ", ".join(["record.json", FOLDER, *found["files"]])
    print(f"written to {folder}: {written}")
    if found["status"] == "partial":
        print(f"partial list, more may exist: {found['reason']}", file=sys.stderr)


def _facet_lines(facets: dict[str, Any]) -> list[tuple[str, str]]:
    redundant = facets["redundant"]
    shown = ", ".join(redundant[:8]) + (", ..." if len(redundant) > 8 else "")
    return [
        ("facets", f"{facets['count']} of {facets['inequalities']} inequalities"),
        ("redundant", f"{len(redundant)}{f': {shown}' if redundant else ''}"),
    ]


def _redundancy_text(found: dict[str, Any]) -> str:
    text = (
        f"{len(found['redundant'])} implied by all others, {len(found['irredundant'])} not; "
        f"{len(found['minimal'])} describe the set"
    )
    return text + (
        f"; {found['undecided']} undecided: {found['reason']}" if found["reason"] else ""
    )


def _measure_lines(found: dict[str, Any]) -> list[tuple[str, str]]:
    """A line a measure; those left out are named."""
    if not found:
        return []
    lines = []
    if ends := found.get("extents"):
        text = [f"[{_end(low, '-inf')}, {_end(high, 'inf')}]" for low, high in ends[:6]]
        more = f", ... ({len(ends)} coordinates)" if len(ends) > 6 else ""
        lines.append(("extents", " x ".join(text) + more))
    titles = {
        "volume": "volume",
        "diameter": "diameter",
        "mean_pairwise_distance": "mean pairwise distance",
        "ball": "Chebyshev radius",
    }
    for name, title in titles.items():
        if name in found:
            lines.append((title, _between(found[name])))
    return lines


def _end(value: float | None, missing: str) -> str:
    return missing if value is None else f"{value:.6g}"


def _between(found: dict[str, Any]) -> str:
    """A number between proved bounds; one number where both agree to what is shown."""
    if found.get("status") in ("limit", "undecided"):
        return f"not found: {found['reason']}"
    low, high = found["lower"], found["upper"]
    if high is None:
        return "infinite"
    texts = {f"{low:.9g}", f"{high:.9g}"}
    kind = f" ({found['dimension']}-dimensional)" if "dimension" in found else ""
    return " to ".join(sorted(texts, key=float)) + kind


def _print_list(found: dict[str, Any], name: str, title: str) -> None:
    for i, vector in enumerate(found[name]):
        print(f"{title} {i}: ({', '.join(_entry(each) for each in vector)})")
    left = found["counts"][name] - len(found[name])
    if left:
        file = next(name for name in found["files"] if name.endswith(".ext"))
        print(f"... and {left:,} more; --all shows them, {file} holds them")


def _entry(each: dict[str, Any]) -> str:
    """An exact number where it is short, else a rounded one marked as such."""
    numerator, _, denominator = each["exact"].partition("/")
    p, q = int(numerator, 16), int(denominator, 16)
    if abs(p) < 10**9 and q < 10**9:
        return str(p) if q == 1 else f"{p}/{q}"
    return "beyond the floats" if each["approx"] is None else f"~{each['approx']:.9g}"
