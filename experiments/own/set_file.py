"""Which set does a file describe?  Weights and a target, or an H-representation, from disk."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from experiments.measure.facts import POLYHEDRON
from experiments.own.set_options import CertifyRequest, SetRequest
from experiments.readers.arrays import Array, read_arrays
from polytope import Box, CollisionPolytope, Free, Nonnegative, Source, read_polyhedron
from polytope.answers.sources import read, readable
from polytope.errors import InputError
from polytope.exact.rational import RationalVector
from polytope.files import sha256_file
from polytope.formats.interchange import SUFFIXES
from polytope.questions.membership import as_point
from polytope.sets.domains import Domain

_NAMED = 20  # names that an error lists


#: Default key -> options by which the user names another array.
WAYS = {
    "weight": "--weight-key NAME",
    "bias": "--bias-key NAME",
    "target": "--target-key NAME, or --target FILE",
    "point": "--point-key NAME",
    "lower": "--lower X, a number or the name of an array",
    "upper": "--upper X, a number or the name of an array",
}


@dataclass(frozen=True, eq=False)
class Loaded:
    """A set from the user's files.

    Attributes:
        polytope: the set.
        name: of the domain, or "polyhedron"; file names of certificates start with it.
        files: what was read: path -> SHA-256.
        sources: the files of them that certificates can name.
        point: (d,) of --point-key.
    """

    polytope: CollisionPolytope
    name: str
    files: Mapping[str, str]
    sources: Mapping[str, Source] = field(default_factory=dict)
    point: RationalVector | None = None


def load_set(request: SetRequest) -> Loaded:
    """Returns the set that a file and the options of a layer describe.

    Raises:
        InputError: arrays are missing or do not fit, or an option does not belong to the file.
        FileFormatError: a file cannot be read.
    """
    if request.file.suffix.lower() in SUFFIXES:
        return _polyhedron(request)
    arrays = read_arrays(request.file)
    domain = _domain(request, arrays)
    weight = pick(arrays, request.weight_key, request.file, role="weight")
    bias = pick(arrays, request.bias_key, request.file, role="bias")
    source = request.file if request.target is None else request.target
    if request.target is not None and _is_idx(request.target):
        target = read(Source(source, request.target_key), (weight.shape[-1],))
    else:
        others = arrays if request.target is None else read_arrays(request.target)
        target = pick(others, request.target_key, source, role="target")
    polytope = CollisionPolytope.from_layer(
        weight,
        bias,
        target,
        domain=domain,
        tolerance=_tolerance(request.tolerance),
        nonlinearity=request.nonlinearity,
        rounding=request.rounding,
    )
    files = {
        "weight": Source(request.file, request.weight_key),
        "bias": Source(request.file, request.bias_key),
        "target": Source(source, request.target_key),
    }
    point = None
    if isinstance(request, CertifyRequest) and request.point_key is not None:
        given = pick(arrays, request.point_key, request.file, role="point")
        point = as_point(given, polytope.layer, "point")
    return Loaded(
        polytope,
        request.domain,
        _checksums(request.file, source),
        readable(polytope.layer, files),
        point,
    )


def _is_idx(path: Path) -> bool:
    """Whether the file holds images as MNIST's do: their items have no names but numbers."""
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return stream.read(3) == b"\0\0\x08"


def _checksums(*paths: Path) -> dict[str, str]:
    return {str(path): sha256_file(path) for path in paths}


def _polyhedron(request: SetRequest) -> Loaded:
    """An H-representation; it has neither target nor domain of its own."""
    for name, given in request.changed().items():
        raise InputError(
            f"{name}: expected none with an H-representation ({request.file}), which is no layer; "
            f"got {given}"
        )
    return Loaded(read_polyhedron(request.file), POLYHEDRON, _checksums(request.file))


def pick(arrays: Mapping[str, Array], name: str, path: Path, *, role: str) -> Array:
    """Returns one array of a file; `role`, a key of `WAYS`, says what it is for.

    Raises:
        InputError: there is none of that name.
    """
    if name not in arrays:
        known = ", ".join(sorted(arrays)[:_NAMED]) + (", ..." if len(arrays) > _NAMED else "")
        raise InputError(
            f"{role}: expected the name of an array in {path} ({known or 'none'}); got {name!r}; "
            f"give {WAYS[role]}"
        )
    return arrays[name]


def _domain(request: SetRequest, arrays: Mapping[str, Array]) -> Domain:
    if request.domain != "box":
        return Nonnegative() if request.domain == "nonnegative" else Free()
    lower, upper = (
        _bound(text, arrays, request.file, role=role)
        for role, text in (("lower", request.lower), ("upper", request.upper))
    )
    return Box(lower, upper)


def _tolerance(text: str) -> Fraction:
    """A number as it is written, not the float next to it."""
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise InputError(
            f"tolerance: expected a number >= 0 such as 0.01 or 1/100, got {text!r}"
        ) from None


def _bound(text: str, arrays: Mapping[str, Array], path: Path, *, role: str) -> Any:
    """A bound: a number, or an array (d,) of the file by its name."""
    try:
        return float(text)
    except ValueError:
        return pick(arrays, text, path, role=role)
