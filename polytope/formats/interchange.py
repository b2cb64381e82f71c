"""How do polyhedra come in and go out?  Files of cdd, lrs, polymake, Normaliz, and our JSON.

The format follows from the suffix: `.ine` and `.ext` (cdd, lrs), `.poly` (polymake), `.in`
(Normaliz), `.json` (ours, polytope/formats/native.py); or it is named.
"""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import NamedTuple

import numpy as np

from polytope.collision import CollisionPolytope
from polytope.errors import FileFormatError, InputError
from polytope.exact.arguments import instance
from polytope.files import write_text
from polytope.formats import cdd, native, normaliz, polymake
from polytope.formats.representations import (
    HalfspaceRows,
    HasGenerators,
    VRepresentation,
    checked_generators,
    rows_of,
)
from polytope.formats.text import bad, check_left_out, read_text

PathLikeText = str | PathLike[str]


class _Format(NamedTuple):
    """Readers and writers of one format; both reads of a cdd file are the same."""

    read_halfspaces: Callable[[str, str], HalfspaceRows | VRepresentation]
    read_generators: Callable[[str, str], HalfspaceRows | VRepresentation]
    halfspaces_text: Callable[[HalfspaceRows], str]
    generators_text: Callable[[VRepresentation], str]


FORMATS = {
    "cdd": _Format(cdd.parse, cdd.parse, cdd.halfspaces_text, cdd.generators_text),
    "polymake": _Format(
        polymake.parse_halfspaces,
        polymake.parse_generators,
        polymake.halfspaces_text,
        polymake.generators_text,
    ),
    "normaliz": _Format(
        normaliz.parse_halfspaces,
        normaliz.parse_generators,
        normaliz.halfspaces_text,
        normaliz.generators_text,
    ),
    "json": _Format(
        native.parse_halfspaces,
        native.parse_generators,
        native.halfspaces_text,
        native.generators_text,
    ),
}
SUFFIXES = {
    ".ine": "cdd",
    ".ext": "cdd",
    ".poly": "polymake",
    ".in": "normaliz",
    ".json": "json",
}


def read_polyhedron(path: PathLikeText, *, format: str | None = None) -> CollisionPolytope:  # noqa: A002
    """Read an H-representation.

    Args:
        path: the file.
        format: "cdd" (also lrs), "polymake", "normaliz" or "json"; by default from the suffix.

    Returns:
        The set; its units are the inequalities and then the equations, each in file order.

    Raises:
        FileFormatError: naming file, line, what was expected and what came.
        InputError: if the format is not known.
    """
    found = _chosen(path, format).read_halfspaces(read_text(path), Path(path).name)
    if isinstance(found, VRepresentation):
        raise bad(Path(path).name, None, "an H-representation", got="a V-representation")
    inequalities, equations = list(found.inequalities), list(found.equations)
    if not (inequalities or equations):  # all of R^d, of which the file holds nothing but d
        check_left_out(found.n_inputs**2, Path(path).name, None)
    return CollisionPolytope.from_halfspaces(
        [[-v for v in row[1:]] for row in inequalities] or np.zeros((0, found.n_inputs)),
        [row[0] for row in inequalities] or None,
        equalities=[[-v for v in row[1:]] for row in equations] or None,
        values=[row[0] for row in equations] or None,
    )


def read_generators(path: PathLikeText, *, format: str | None = None) -> VRepresentation:  # noqa: A002
    """Read a V-representation, as it is stated; a cone without points gets its apex 0.

    Args:
        path: the file.
        format: as in :func:`read_polyhedron`.

    Raises:
        FileFormatError: naming file, line, what was expected and what came.
        InputError: if the format is not known.
    """
    found = _chosen(path, format).read_generators(read_text(path), Path(path).name)
    if isinstance(found, HalfspaceRows):
        raise bad(Path(path).name, None, "a V-representation", got="an H-representation")
    return found


def write_halfspaces(
    polytope: CollisionPolytope,
    path: PathLikeText,
    *,
    format: str | None = None,  # noqa: A002
    minimal: bool = False,
) -> Path:
    """Write the H-representation: rows, then lower and upper bounds, each scaled to integers.

    Args:
        polytope: the set.
        path: the file.
        format: as in :func:`read_polyhedron`.
        minimal: whether to leave out what others imply (``polytope.redundancy()``): inequalities
            that are not in its ``minimal``, and the equations in ``superfluous``.

    Raises:
        OutputError: if the file cannot be written.
        InputError: if the format is not known.
    """
    rows = rows_of(instance(polytope, CollisionPolytope, "polytope"))
    if minimal:
        found = polytope.redundancy()
        needed = {*found.minimal}
        left_out = {each for each in found.redundant if each not in needed}
        rows = rows_of(polytope, left_out | {*found.superfluous})
    return _write(path, _chosen(path, format).halfspaces_text(rows))


def write_generators(
    generators: HasGenerators,
    path: PathLikeText,
    *,
    format: str | None = None,  # noqa: A002
) -> Path:
    """Write points, rays and lines.

    No format can say that a list is partial: a program that reads it takes it for the whole set.

    Args:
        generators: what ``P.vertices()`` or :func:`read_generators` returned.
        path: the file.
        format: as in :func:`read_polyhedron`.

    Raises:
        OutputError: if the file cannot be written.
        InputError: if there are no generators at all, or the format is not known.
    """
    return _write(path, _chosen(path, format).generators_text(checked_generators(generators)))


def _chosen(path: PathLikeText, name: str | None) -> _Format:
    if not isinstance(path, (str, PathLike)):
        raise InputError(f"path: expected a file name, got {type(path).__name__}")
    suffix = Path(path).suffix.lower()
    chosen = SUFFIXES.get(suffix) if name is None else name
    if chosen is None:
        expected = ", ".join(SUFFIXES)
        raise FileFormatError(f"path: expected one of {expected}, or format=, got {suffix!a}")
    if not isinstance(chosen, str) or chosen not in FORMATS:
        raise InputError(f"format: expected one of {', '.join(FORMATS)}, got {name!r}")
    return FORMATS[chosen]


def _write(path: PathLikeText, text: str) -> Path:
    write_text(Path(path), text)
    return Path(path)
