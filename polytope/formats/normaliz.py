"""How does Normaliz write a polyhedron?  `.in` files: amb_space d, then matrices by type.

Read are inhom_inequalities and inhom_equations (rows ``(c, b)``: ``c x + b >= 0`` or ``= 0``),
inequalities and equations (rows c), constraints (rows ``c RELATION b``), nonnegative, and, as
generators, vertices (rows ``(x, q)`` for the point x / q), cone and subspace.  Generators and
constraints together mean what both allow.  Goals, which start with a capital letter, and a grading
are left alone; types that state another set (lattices, congruences, strict inequalities) are
refused by name.  Equations alone mean x >= 0 to Normaliz, and so they do here.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

from polytope.formats.generated import halfspaces_of
from polytope.formats.representations import HalfspaceRows, VRepresentation, v_representation
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

_END = Token("the end of the file", 0)
#: Type -> how many numbers more than d are in each of its rows.
_MATRICES = {
    "inhom_inequalities": 1,
    "inhom_equations": 1,
    "inequalities": 0,
    "equations": 0,
    "vertices": 1,
    "cone": 0,
    "subspace": 0,
}
_GENERATORS = ("vertices", "cone", "subspace")
_RELATIONS: dict[str, Callable[[NumberRow], NumberRow]] = {
    ">=": lambda row: row,
    "<=": lambda row: [-v for v in row],
    "=": lambda row: row,
}


class _File:
    """The tokens of a file and the matrices found so far."""

    def __init__(self, text: str, name: str) -> None:
        # Comments keep their line breaks, so that errors name the right line.
        self.name = name
        self.words = tokens(lines(_without_comments(text)))
        self.left_out = 0
        self.n_inputs = 0
        self.rows: dict[str, list[NumberRow]] = defaultdict(list)
        self._read()
        for rows in self.rows.values():
            check_common(rows, name)

    def next(self) -> Token:
        return next(self.words, _END)

    def _read(self) -> None:
        first = self.next()
        if first.text != "amb_space":
            raise bad(self.name, first.line or None, "amb_space first", got=first.text)
        self.n_inputs = count(self.next(), self.name, "a number after amb_space")
        if self.n_inputs < 1:
            raise bad(self.name, first.line, "amb_space of at least 1", got=self.n_inputs)
        while (token := self.next()) is not _END:
            if token.text in _MATRICES:
                self.rows[token.text] += self._matrix(self.n_inputs + _MATRICES[token.text])
            elif token.text == "constraints":
                self._constraints()
            elif token.text == "nonnegative":
                self.rows["inequalities"] += self.orthant(token.line)
            elif token.text == "grading":
                self._grading()
            elif not re.fullmatch(r"[A-Z][A-Za-z0-9]*", token.text):
                known = ", ".join([*_MATRICES, "constraints", "nonnegative", "grading"])
                raise bad(self.name, token.line, f"one of {known}, or a goal", got=token.text)

    def _grading(self) -> None:
        """Read past a degree of points, which changes no set: d numbers, or one of them 1."""
        token = self.next()
        if token.text == "unit_vector":
            place = count(self.next(), self.name, "a coordinate after unit_vector")
            if not 1 <= place <= self.n_inputs:
                raise bad(self.name, token.line, f"1 to {self.n_inputs}", got=place)
            return
        number(token, self.name, decimals=True)
        for _ in range(self.n_inputs - 1):
            self._number()

    def orthant(self, line: int | None) -> list[NumberRow]:
        """Return the rows of x >= 0, which the file stands for without holding them."""
        n = self.n_inputs
        self.left_out += n * n
        check_left_out(self.left_out, self.name, line)
        return [[int(j == k) for j in range(n)] for k in range(n)]

    def _matrix(self, width: int) -> list[NumberRow]:
        size = self._size()
        return [[self._number() for _ in range(width)] for _ in range(size)]

    def _size(self) -> int:
        token = self.next()
        if token is _END:
            raise bad(self.name, None, "a number of rows", got=token.text)
        return count(token, self.name, "a number of rows")

    def _number(self) -> Number:
        token = self.next()
        if token is _END:
            raise bad(self.name, None, "a number", got=token.text)
        return number(token, self.name, decimals=True)

    def _constraints(self) -> None:
        for _ in range(self._size()):
            row = [self._number() for _ in range(self.n_inputs)]
            relation = self.next()
            if relation.text not in _RELATIONS:
                raise bad(self.name, relation.line or None, "<=, = or >=", got=relation.text)
            signed = _RELATIONS[relation.text]([*row, -self._number()])
            kind = "inhom_equations" if relation.text == "=" else "inhom_inequalities"
            self.rows[kind].append(signed)


def _without_comments(text: str) -> str:
    """Blank what stands between /* and */, but for line breaks; one that never ends is kept."""
    kept, place = [], 0
    while (start := text.find("/*", place)) >= 0 and (end := text.find("*/", start + 2)) >= 0:
        kept += [text[place:start], "\n" * text.count("\n", start, end)]
        place = end + 2
    return "".join([*kept, text[place:]])


def parse_halfspaces(text: str, name: str) -> HalfspaceRows:
    """Read constraints.

    Raises:
        FileFormatError: naming the line and what was expected there.
    """
    found = _File(text, name)
    generators = [key for key in found.rows if key in _GENERATORS]
    if generators and len(generators) == len(found.rows):
        raise bad(name, None, "constraints only", got=", ".join(generators))
    inequalities, equations = (
        [[row[-1], *row[:-1]] for row in found.rows[f"inhom_{kind}"]]
        + [[0, *row] for row in found.rows[kind]]
        for kind in ("inequalities", "equations")
    )
    if generators:
        hull = halfspaces_of(_listed(found), name)
        inequalities += hull.inequalities
        equations += hull.equations
    elif not inequalities:
        inequalities = [[0, *row] for row in found.orthant(None)]
    return HalfspaceRows(found.n_inputs, inequalities, equations)


def parse_generators(text: str, name: str) -> VRepresentation:
    """Read vertices, cone and subspace.

    Raises:
        FileFormatError: naming the line and what was expected there.
    """
    found = _File(text, name)
    if not found.rows or set(found.rows) - set(_GENERATORS):
        got = ", ".join(found.rows) or "none"
        raise bad(name, None, f"some of {', '.join(_GENERATORS)} only", got=got)
    return _listed(found)


def _listed(found: _File) -> VRepresentation:
    points: list[list[Number]] = []
    for *coordinates, divisor in found.rows["vertices"]:
        if divisor <= 0:
            raise bad(found.name, None, "a positive last number of each vertex", got=divisor)
        points.append([Fraction(v) / divisor for v in coordinates])
    rays, directions = found.rows["cone"], found.rows["subspace"]
    return v_representation(found.n_inputs, points, rays, lines=directions)


def halfspaces_text(rows: HalfspaceRows) -> str:
    """Write inhom_inequalities and inhom_equations."""
    inequalities = list(rows.inequalities)
    if not inequalities:  # else Normaliz would add x >= 0
        inequalities = [[1, *[0] * rows.n_inputs]]
    parts = {"inhom_inequalities": inequalities, "inhom_equations": rows.equations}
    moved = {key: [[*row[1:], row[0]] for row in part] for key, part in parts.items()}
    return _text(rows.n_inputs, moved)


def generators_text(listed: VRepresentation) -> str:
    """Write vertices, cone and subspace."""
    return _text(
        listed.n_inputs,
        {
            "vertices": [[*v.numerators, v.denominator] for v in listed.points],
            "cone": [list(v.numerators) for v in listed.rays],
            "subspace": [list(v.numerators) for v in listed.lines],
        },
    )


def _text(n_inputs: int, parts: Mapping[str, Sequence[Sequence[Number]]]) -> str:
    out = [f"amb_space {n_inputs}"]
    for name, rows in parts.items():
        if rows:
            out += [f"{name} {len(rows)}", *(" ".join(map(shown, row)) for row in rows)]
    return "\n".join([*out, ""])
