"""How does polymake write a polyhedron?  Sections of plain text (to version 3), or JSON (from 4).

A row ``(b, c)`` of INEQUALITIES or FACETS says ``b + c x >= 0``, of EQUATIONS or AFFINE_HULL
``b + c x = 0``; ``(1, x)`` in POINTS or VERTICES is a point and ``(0, r)`` a ray; INPUT_LINEALITY
or LINEALITY_SPACE holds lines ``(0, l)``.  All other sections are left alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

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
    lines,
    number,
    shown,
)

_SECTION = re.compile(r"[A-Z][A-Z0-9_]*")
_INEQUALITIES = ("INEQUALITIES", "FACETS")
_EQUATIONS = ("EQUATIONS", "AFFINE_HULL")
_POINTS = ("POINTS", "VERTICES")
_LINES = ("INPUT_LINEALITY", "LINEALITY_SPACE")
_KNOWN = (*_INEQUALITIES, *_EQUATIONS, *_POINTS, *_LINES)
_MOST_COLUMNS = 1 << 20

Sections = dict[str, list[NumberRow]]


def parse_halfspaces(text: str, name: str) -> HalfspaceRows:
    """Read the H-representation of a file.

    Raises:
        FileFormatError: naming the line or section, or if there is no such section.
    """
    found = _sections(text, name)
    width = _width(found, name, (*_INEQUALITIES, *_EQUATIONS))
    inequalities, equations = _first(found, _INEQUALITIES), _first(found, _EQUATIONS)
    return HalfspaceRows(width - 1, inequalities, equations)


def parse_generators(text: str, name: str) -> VRepresentation:
    """Read the V-representation of a file.

    Raises:
        FileFormatError: naming the line or section, or if there is no such section.
    """
    found = _sections(text, name)
    width = _width(found, name, (*_POINTS, *_LINES))
    points: list[NumberRow] = []
    rays: list[NumberRow] = []
    for first, *rest in _first(found, _POINTS):
        if first < 0:
            raise bad(name, None, "a first number >= 0 in POINTS or VERTICES", got=first)
        into = points if first else rays
        into.append([Fraction(v) / first for v in rest] if first not in (0, 1) else rest)
    directions = _first(found, _LINES)
    if any(row[0] for row in directions):
        raise bad(name, None, "0 as first number of a line", got="another number")
    return v_representation(width - 1, points, rays, lines=[row[1:] for row in directions])


def _first(found: Sections, names: Sequence[str]) -> list[NumberRow]:
    return next((found[name] for name in names if name in found), [])


def _width(found: Sections, name: str, wanted: Sequence[str]) -> int:
    rows = [row for section in wanted for row in found.get(section, [])]
    if not rows:
        raise bad(name, None, f"rows in one of {', '.join(wanted)}", got=", ".join(found) or "none")
    widths = {len(row) for row in rows}
    if len(widths) != 1 or min(widths) < 2:
        expected = "rows of one length, at least 2"
        raise bad(name, None, expected, got=f"lengths {', '.join(map(str, sorted(widths)))}")
    return widths.pop()


def _sections(text: str, name: str) -> Sections:
    read = _from_json if text.lstrip().startswith("{") else _from_text
    found = read(text, name)
    for rows in found.values():
        check_common(rows, name)
    return found


def _from_text(text: str, name: str) -> Sections:
    found: Sections = {}
    current: str | None = None
    for line, n in lines(text):
        words = line.split()
        if not words or words[0].startswith("#"):
            current = None if not words else current
        elif len(words) == 1 and _SECTION.fullmatch(words[0]):
            current = words[0]
            if current in found:
                raise bad(name, n, "each section once", got=current)
            if current in _KNOWN:
                found[current] = []
        elif current in found:
            found[current].append([number(Token(w, n), name) for w in words])
    return found


def _from_json(text: str, name: str) -> Sections:
    from polytope.formats.native import load

    document = load(text, name)
    given = {key: v for key, v in document.items() if key in _KNOWN and v is not None}
    check_left_out(sum(map(_left_out, given.values())), name, None)
    return {key: _json_rows(value, name, key) for key, value in given.items()}


def _left_out(value: Any) -> int:
    """Return how many zeros the sparse rows of a matrix leave out."""
    last = value[-1] if isinstance(value, list) and value else None
    cols = last.get("cols") if isinstance(last, dict) else None
    if not isinstance(cols, int) or cols > _MOST_COLUMNS:  # refused when it is read
        return 0
    return sum(max(0, cols - len(row)) for row in value[:-1] if isinstance(row, dict))


def _json_rows(value: Any, name: str, key: str) -> list[NumberRow]:
    """Read a matrix: lists of strings or ints, or sparse rows ahead of {"cols": n}."""
    if not isinstance(value, list):
        raise bad(name, None, f"a list of rows in {key}", got=type(value).__name__)
    width = None
    if value and isinstance(value[-1], dict) and set(value[-1]) == {"cols"}:
        width, value = value[-1]["cols"], value[:-1]
        if not isinstance(width, int) or not 2 <= width <= _MOST_COLUMNS:
            raise bad(name, None, f"a number of columns in {key}", got=width)
    rows: list[NumberRow] = []
    for row in value:
        if isinstance(row, dict) and width is not None:
            dense: NumberRow = [0] * width
            for place, entry in row.items():
                if not re.fullmatch(r"[0-9]{1,7}", place) or int(place) >= width:
                    raise bad(name, None, f"a column below {width} in {key}", got=place)
                dense[int(place)] = _json_number(entry, name)
            rows.append(dense)
        elif isinstance(row, list):
            rows.append([_json_number(entry, name) for entry in row])
        else:
            raise bad(name, None, f"rows of numbers in {key}", got=json.dumps(row)[:40])
    return rows


def _json_number(entry: Any, name: str) -> Number:
    if isinstance(entry, int) and not isinstance(entry, bool):
        return entry
    if not isinstance(entry, str):
        raise bad(name, None, "an integer or a string p/q", got=entry)
    return number(Token(entry, 0), f"{name}, in its JSON")


def halfspaces_text(rows: HalfspaceRows) -> str:
    """Write INEQUALITIES and EQUATIONS as plain text."""
    rows = with_a_row(rows)
    return _text({"INEQUALITIES": rows.inequalities, "EQUATIONS": rows.equations})


def generators_text(listed: VRepresentation) -> str:
    """Write POINTS and INPUT_LINEALITY as plain text."""
    points: list[NumberRow] = [[1, *v] for v in listed.points]
    points += [[0, *v] for v in listed.rays]
    return _text({"POINTS": points, "INPUT_LINEALITY": [[0, *v] for v in listed.lines]})


def _text(sections: dict[str, Any]) -> str:
    out = ["_application polytope", "_version 2.3", "_type RationalPolytope", ""]
    for name, rows in sections.items():
        if rows:
            out += [name, *(" ".join(map(shown, row)) for row in rows), ""]
    return "\n".join([*out, ""])
