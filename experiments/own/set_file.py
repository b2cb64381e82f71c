"""Which set does a file describe?  Weights and a target, or an H-representation, from disk."""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from experiments.measure.facts import POLYHEDRON
from experiments.readers.arrays import Array, read_arrays
from experiments.run.files import sha256_file
from polytope import Box, CollisionPolytope, Free, Nonnegative, Source, read_polyhedron
from polytope.answers.sources import read, readable
from polytope.errors import InputError
from polytope.exact.rational import RationalVector
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


#: Options that describe a layer, and mean nothing beside an H-representation.
LAYER_OPTIONS = {
    "weight_key": "weight",
    "bias_key": "bias",
    "target": None,
    "target_key": "target",
    "domain": "free",
    "lower": None,
    "upper": None,
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


def load_set(options: argparse.Namespace) -> Loaded:
    """Returns the set that `options.file` and the options of a layer describe.

    The bounds that were left out get their defaults in the options.

    Raises:
        InputError: arrays are missing or do not fit, or an option does not belong to the file.
        FileFormatError: a file cannot be read.
    """
    if options.file.suffix.lower() in SUFFIXES:
        return _polyhedron(options)
    arrays = read_arrays(options.file)
    domain = _domain(options, arrays)
    weight = pick(arrays, options.weight_key, options.file, role="weight")
    bias = pick(arrays, options.bias_key, options.file, role="bias")
    source = options.file if options.target is None else options.target
    if options.target is not None and _is_idx(options.target):
        target = read(Source(source, options.target_key), (weight.shape[-1],))
    else:
        others = arrays if options.target is None else read_arrays(options.target)
        target = pick(others, options.target_key, source, role="target")
    polytope = CollisionPolytope.from_layer(weight, bias, target, domain=domain)
    files = {
        "weight": Source(options.file, options.weight_key),
        "bias": Source(options.file, options.bias_key),
        "target": Source(source, options.target_key),
    }
    checksums = _checksums(options.file, source)
    named = readable(polytope.layer, files)
    point = _point(options, arrays, polytope)
    return Loaded(polytope, options.domain, checksums, named, point)


def _is_idx(path: Path) -> bool:
    """Whether the file holds images as MNIST's do: their items have no names but numbers."""
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return stream.read(3) == b"\0\0\x08"


def _point(
    options: argparse.Namespace, arrays: Mapping[str, Array], polytope: CollisionPolytope
) -> RationalVector | None:
    """The user's own point, where the command asks for one."""
    name = getattr(options, "point_key", None)
    if name is None:
        return None
    if not options.every_claim:
        raise InputError("point-key: expected --every-claim beside it, got none")
    return as_point(pick(arrays, name, options.file, role="point"), polytope.layer, "point")


def _checksums(*paths: Path) -> dict[str, str]:
    return {str(path): sha256_file(path) for path in paths}


def _polyhedron(options: argparse.Namespace) -> Loaded:
    """An H-representation; it has neither target nor domain of its own."""
    for name, usual in LAYER_OPTIONS.items():
        given = getattr(options, name)
        if given != usual:
            raise InputError(
                f"{name.replace('_', '-')}: expected none with an H-representation "
                f"({options.file}), which is no layer; got {given}"
            )
    polytope = read_polyhedron(options.file)
    return Loaded(polytope, POLYHEDRON, _checksums(options.file))


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


def _domain(options: argparse.Namespace, arrays: Mapping[str, Array]) -> Domain:
    """The domain asked for; bounds that were left out get their defaults in the options."""
    for name, usual in (("lower", "0"), ("upper", "1")):
        given = getattr(options, name)
        if given is None:
            setattr(options, name, usual)
        elif options.domain != "box":
            raise InputError(
                f"{name}: expected none without --domain box (got --domain {options.domain}); "
                f"got {given}"
            )
    if options.domain == "box":
        lower, upper = (_bound(options, arrays, name) for name in ("lower", "upper"))
        return Box(lower, upper)
    return Nonnegative() if options.domain == "nonnegative" else Free()


def _bound(options: argparse.Namespace, arrays: Mapping[str, Array], name: str) -> Any:
    """A bound: a number, or an array (d,) of the file by its name."""
    given = getattr(options, name)
    try:
        return float(given)
    except ValueError:
        return pick(arrays, given, options.file, role=name)
