"""What does `collide vertices` print?"""

from fractions import Fraction

from experiments.measure.inequalities import Facets, Redundancy
from experiments.measure.set_measures import Measured, Measures, Volume
from experiments.own.vertices_results import Vectors, VerticesResults
from experiments.run.words import counted
from experiments.show.numbers import approx

_TITLES = {
    "volume": "volume",
    "diameter": "diameter",
    "mean_pairwise_distance": "mean pairwise distance",
    "ball": "Chebyshev radius",
}


def vertices_lines(found: VerticesResults) -> list[str]:
    """Returns the lines that say what was found: facts, measures, generators, the certificate."""
    lines = [f"{name:24} {text}" for name, text in [*_facts(found), *_measured(found)]]
    point = "point" if found.counts.lines else "vertex"
    for title, name in ((point, "points"), ("ray", "rays"), ("line", "lines")):
        lines += _list(found, name, title)
    if found.certificate is not None:
        lines.append(f"certificate {found.certificate.file}: {found.certificate.claim}")
    return lines


def _facts(found: VerticesResults) -> list[tuple[str, str]]:
    counts = found.counts
    lines = [("set", found.set), ("status", found.sentence)]
    if found.reason:
        lines.append(("reason", found.reason))
    if found.dimension is not None:
        single = " (a single point)" if found.dimension == 0 else ""
        lines.append(("dimension", f"{found.dimension}{single}"))
    if found.status != "undecided":
        what = "points on minimal faces" if counts.lines else "vertices"
        lines.append((what, f"{counts.points:,}"))
        lines += [("rays", f"{counts.rays:,}"), ("lines", f"{counts.lines:,}")]
    return lines


def _measured(found: VerticesResults) -> list[tuple[str, str]]:
    """Facets and measures, and which of them no certificate proves."""
    shape = [] if found.facets is None else _facets(found.facets)
    proved = [] if found.redundancy is None else _proved(found.redundancy)
    sizes = [] if found.measures is None else _sizes(found.measures)
    open_ones = [name for name, _ in [*(shape if not proved else []), *sizes]]
    note = f"{', '.join(open_ones)}: computed, without a certificate"
    return [*shape, *proved, *sizes, *([("uncertified", note)] if open_ones else [])]


def _facets(facets: Facets) -> list[tuple[str, str]]:
    redundant = facets.redundant
    shown = ", ".join(redundant[:8]) + (", ..." if len(redundant) > 8 else "")
    return [
        ("facets", f"{facets.count} of {counted(facets.inequalities, 'inequalities')}"),
        ("redundant", f"{len(redundant)}{f': {shown}' if redundant else ''}"),
    ]


def _proved(found: Redundancy) -> list[tuple[str, str]]:
    lines = [("redundancy proved", _implied(found))]
    if names := found.superfluous:
        shown = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
        text = f"{len(names)} combined of those before: {shown}; left out of minimal.ine"
        lines.append(("superfluous equations", text))
    return lines


def _implied(found: Redundancy) -> str:
    minimal = len(found.minimal)
    text = (
        f"{len(found.redundant)} implied by all others, {len(found.irredundant)} not; "
        f"{minimal} {'describes' if minimal == 1 else 'describe'} the set"
    )
    return text + (f"; {found.undecided} undecided: {found.reason}" if found.reason else "")


def _sizes(found: Measures) -> list[tuple[str, str]]:
    """A line a measure."""
    lines = []
    if ends := found.extents:
        text = [f"[{_end(low, '-inf')}, {_end(high, 'inf')}]" for low, high in ends[:6]]
        more = f", ... ({len(ends)} coordinates)" if len(ends) > 6 else ""
        lines.append(("extents", " x ".join(text) + more))
    for name, title in _TITLES.items():
        measured: Measured | None = getattr(found, name)
        if measured is not None:
            lines.append((title, _between(measured)))
    return lines


def _end(value: float | None, missing: str) -> str:
    return missing if value is None else f"{value:.6g}"


def _between(found: Measured) -> str:
    """A number between proved bounds; one number where both agree to what is shown."""
    if found.status in ("limit", "undecided"):
        return f"not found: {found.reason}"
    if found.lower is None or found.upper is None:
        return "infinite"
    texts = {f"{found.lower:.9g}", f"{found.upper:.9g}"}
    kind = f" ({found.dimension}-dimensional)" if isinstance(found, Volume) else ""
    return " to ".join(sorted(texts, key=float)) + kind


def _list(found: VerticesResults, name: str, title: str) -> list[str]:
    vectors: Vectors = getattr(found, name)
    lines = [f"{title} {i}: ({', '.join(map(_exact, each))})" for i, each in enumerate(vectors)]
    left = getattr(found.counts, name) - len(vectors)
    if left:
        file = next(name for name in found.files if name.endswith(".ext"))
        lines.append(f"... and {left:,} more; --all shows them, {file} holds them")
    return lines


def _exact(value: Fraction) -> str:
    """An exact number where it is short, else a rounded one marked as such."""
    p, q = value.numerator, value.denominator
    if abs(p) < 10**9 and q < 10**9:
        return str(p) if q == 1 else f"{p}/{q}"
    number = approx(value)
    return "beyond the floats" if number is None else f"~{number:.9g}"
