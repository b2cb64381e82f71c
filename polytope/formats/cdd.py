"""How do cdd and lrs write a polyhedron?  `.ine` and `.ext` files (Fukuda; Avis).

Rows ``(b, c)`` mean ``b + c x >= 0`` (H-representation); ``(1, x)`` a point and ``(0, r)`` a ray
(V-representation).  Listed in ``linearity`` they are equations or lines.  Text before ``begin``
that is no option is a title.  Numbers are integers or p/q; in a file of type real also decimals,
which are taken exactly as written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from polytope.formats.representations import (
    HalfspaceRows,
    VRepresentation,
    v_representation,
    with_a_row,
)
from polytope.formats.text import (
    Number,
    NumberRow,
    Token,
    bad,
    check_common,
    check_left_out,
    count,
    lines,
    number,
    shown,
    tokens,
)

_TYPES = ("integer", "rational", "real")
_LINEARITY = ("linearity", "equality", "partial_enum", "partial_enumeration")
#: Options that stand for another set than the rows do.
_CHANGES = (
    "strict_inequality",
    "project",
    "eliminate",
    "extract",
    "truncate",
    "voronoi",
    "Voronoi",
    "bound",
)


@dataclass
class _Contents:
    """What has been read of a file so far."""

    name: str
    generators: bool = False
    rows: list[NumberRow] = field(default_factory=list)
    width: int = 0
    linearity: dict[int, int] = field(default_factory=dict)
    nonnegative: int = 0


def parse(text: str, name: str) -> HalfspaceRows | VRepresentation:
    """Read a file of either kind.

    Raises:
        FileFormatError: naming the line and what was expected there.
    """
    found = _Contents(name)
    kept = (line for line in lines(text) if not _is_comment(line.text))
    _header(found, kept)
    _numbers(found, kept)
    for line in kept:
        _option(found, line.line, line.text.split(), after=True)
    for index, n in found.linearity.items():
        if index > len(found.rows):
            raise bad(name, n, f"a row number up to {len(found.rows)}", got=index)
    check_common(found.rows, name)
    return _generators(found) if found.generators else _halfspaces(found)


def _is_comment(line: str) -> bool:
    # lrs writes ***** where the number of rows is not known beforehand.
    stripped = line.lstrip()
    return stripped.startswith("*") and stripped.split()[0] != "*****"


def _header(found: _Contents, kept: Iterator[Token]) -> None:
    n = 0
    for line in kept:
        n, words = line.line, line.text.split()
        if words[:1] == ["begin"]:
            return
        _option(found, n, words, after=False)
    raise bad(found.name, n, "the word begin", got="the end of the file")


def _option(found: _Contents, n: int, words: Sequence[str], *, after: bool) -> None:
    if not words:
        return
    if words[0] in ("V-representation", "hull"):
        found.generators = True
    elif words[0] in _LINEARITY and (after or len(words) > 1):
        _linearity(found, n, words)
    elif words[0] == "nonnegative" and not after:  # lrs skips it after the rows, and says so
        found.nonnegative = n
    elif words[0] in _CHANGES and (after or words[0] == "strict_inequality"):
        raise bad(found.name, n, "no option that changes the set", got=words[0])


def _linearity(found: _Contents, n: int, words: Sequence[str]) -> None:
    listed = [count(Token(w, n), found.name, "a row number") for w in words[1:]]
    if not listed or listed[0] != len(listed) - 1:
        expected = "linearity, a count and as many row numbers"
        raise bad(found.name, n, expected, got=" ".join(words))
    if 0 in listed[1:]:
        raise bad(found.name, n, "row numbers from 1 on", got=0)
    found.linearity.update(dict.fromkeys(listed[1:], n))


def _numbers(found: _Contents, kept: Iterator[Token]) -> None:
    """Read `m n type`, m rows of n numbers (broken into lines anyhow), and `end`."""
    name, stream = found.name, tokens(kept)
    head = [next(stream, Token("the end of the file", 0)) for _ in range(3)]
    n = head[0].line or None
    wanted = "*****" if head[0].text == "*****" else count(head[0], name, "a number of rows")
    found.width = count(head[1], name, "a number of columns")
    if head[2].text not in _TYPES:
        raise bad(name, head[2].line or n, f"one of {', '.join(_TYPES)}", got=head[2].text)
    if found.width < 2:
        raise bad(name, n, "at least 2 columns", got=found.width)
    decimals = head[2].text == "real"
    row: NumberRow = []
    for token in stream:
        if token.text == "end":
            break
        if isinstance(wanted, int) and len(found.rows) == wanted:
            raise bad(name, token.line, f"the word end after {wanted} rows", got=token.text)
        row.append(number(token, name, decimals=decimals))
        if len(row) == found.width:
            found.rows.append(row)
            row = []
    else:
        raise bad(name, None, "the word end", got="the end of the file")
    if row or (isinstance(wanted, int) and len(found.rows) != wanted):
        got = f"{len(found.rows)} rows" + (f" and {len(row)} numbers" if row else "")
        raise bad(name, token.line, f"{wanted} rows of {found.width} numbers", got=got)


def _halfspaces(found: _Contents) -> HalfspaceRows:
    inequalities = [r for k, r in enumerate(found.rows, 1) if k not in found.linearity]
    equations = [r for k, r in enumerate(found.rows, 1) if k in found.linearity]
    if found.nonnegative:
        check_left_out(found.width * (found.width - 1), found.name, found.nonnegative)
        inequalities += [[int(j == k) for j in range(found.width)] for k in range(1, found.width)]
    return HalfspaceRows(found.width - 1, inequalities, equations)


def _generators(found: _Contents) -> VRepresentation:
    name = found.name
    points: list[list[Number]] = []
    rays: list[list[Number]] = []
    directions: list[list[Number]] = []
    if found.nonnegative:
        raise bad(name, found.nonnegative, "no option nonnegative here", got="nonnegative")
    for k, (first, *rest) in enumerate(found.rows, start=1):
        if first < 0 or (first and k in found.linearity):
            expected = "0 in a line" if k in found.linearity else "0 or 1"
            raise bad(name, None, f"{expected} as first number of row {k}", got=first)
        if k in found.linearity:
            directions.append(rest)
        elif first:
            points.append([_ratio(v, first) for v in rest])
        else:
            rays.append(rest)
    return v_representation(found.width - 1, points, rays, lines=directions)


def _ratio(value: Number, divisor: Number) -> Number:
    return value if divisor == 1 else Fraction(value) / divisor


def halfspaces_text(rows: HalfspaceRows) -> str:
    """Write an H-representation; the equations come last."""
    rows = with_a_row(rows)
    return _text("H-representation", [*rows.inequalities, *rows.equations], len(rows.equations))


def generators_text(listed: VRepresentation) -> str:
    """Write a V-representation; the lines come last."""
    rows = [[1, *point] for point in listed.points]
    rows += [[0, *ray] for ray in (*listed.rays, *listed.lines)]
    return _text("V-representation", rows, len(listed.lines))


def _text(kind: str, rows: Sequence[Sequence[Number]], last: int) -> str:
    out = [kind]
    if last:
        places = range(len(rows) - last + 1, len(rows) + 1)
        out.append(f"linearity {last} {' '.join(map(str, places))}")
    whole = all(v.denominator == 1 for row in rows for v in row)
    out += ["begin", f"{len(rows)} {len(rows[0])} {'integer' if whole else 'rational'}"]
    out += [" ".join(map(shown, row)) for row in rows]
    return "\n".join([*out, "end", ""])
