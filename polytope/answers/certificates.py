"""Why believe the answer?  A certificate: a claim, its exact witness, and the layer they speak of.

The witness is collected only when it is read, since most of them are never stored.
docs/certificates.md states each claim and its form; polytope/checker.py decides, without any
solver, whether it is proved.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from polytope.answers.sources import Source, references
from polytope.errors import CertificateError, InputError, LimitError
from polytope.exact.array import ExactArray
from polytope.exact.brief import Brief
from polytope.exact.matrix import Matrix
from polytope.exact.rational import RationalVector
from polytope.exact.underflow import keep_subnormals
from polytope.files import sha256_bytes, write_bytes, write_text
from polytope.sets.domains import Box, Domain, Free
from polytope.sets.halfspaces import Bound, Multipliers, Row
from polytope.sets.layer import Layer
from polytope.sets.linalg import Minor, Span
from polytope.sets.nonlinear_layer import NonlinearLayer
from polytope.sets.rows import Rows, Sides

if TYPE_CHECKING:
    from polytope.checker import Problem

#: Versions of the documents by the form of their problem; polytope/checker.py states them again,
#: for it imports nothing.
SCHEMAS = {
    "layer": "collision-polytopes/certificate/2",
    "rows": "collision-polytopes/certificate/3",
    "function": "collision-polytopes/certificate/3",
}

#: Weights beyond this size go into a file of their own beside the certificate.
_INLINE_BYTES = 1 << 16


@dataclass(frozen=True, eq=False, repr=False)
class Certificate(Brief):
    """A claim about one layer's collision polytope, with the witness that proves it.

    Attributes:
        kind: name of the claim, as in docs/certificates.md.
        claim: parameters of the claim.
        layer: the layer, target, domain and tolerance the claim speaks of.
    """

    kind: str
    claim: Mapping[str, Any]
    layer: Rows = field(repr=False)
    _witness: Callable[[], Mapping[str, Any]] = field(repr=False)

    @cached_property
    def witness(self) -> Mapping[str, Any]:
        """The exact witness, in this package's own types."""
        return self._witness()

    def document(self) -> dict[str, Any]:
        """Return the certificate as JSON-able data, the layer's numbers stated in it."""
        return self._document(_inline_problem(self.layer))

    def _document(self, problem: dict[str, Any]) -> dict[str, Any]:
        n_units = self.layer.n_units
        return {
            "schema": SCHEMAS[problem["form"]],
            "claim": {"kind": self.kind, **_encoded(self.claim, n_units)},
            "problem": problem,
            "witness": _encoded(self.witness, n_units),
        }

    def save(
        self, path: str | os.PathLike[str], *, sources: Mapping[str, Source] | None = None
    ) -> Path:
        """Write the certificate as JSON; large arrays go once into a safetensors file beside it.

        Args:
            path: of the file.
            sources: files that hold arrays of the layer, by role ("weight", "bias", "target",
                "activation").  The certificate names them and their SHA-256 instead of repeating
                the numbers; they are copied into its folder.

        Raises:
            OutputError: if the folder does not exist or cannot be written.
            InputError, FileFormatError: if a source does not hold the layer's numbers.
        """
        target = Path(path)
        named = references(self.layer, sources or {}, target.parent)
        problem = _problem(self.layer, lambda array: _beside(array, target.parent), named)
        document = self._document(problem)
        text = json.dumps(document, separators=(",", ":")) + "\n"
        write_text(target, text)
        return target


def verify(
    certificate: Certificate | Mapping[str, Any] | str | os.PathLike[str],
    *,
    known: dict[str, Problem] | None = None,
) -> str:
    """Check a certificate with polytope/checker.py, without any solver.

    Args:
        certificate: a certificate, its JSON document, or the path of a saved one.
        known: holds the problem of the last saved one: given the same dict, many certificates of
            one layer have its files read, hashed and decoded once.

    Returns:
        The claim, in words.

    Raises:
        CertificateError: with the reason, if the witness does not prove the claim.
        LimitError: if the certificate is larger than the checker reads.
    """
    # Imported here so that ``python -m polytope.checker`` does not find itself imported already.
    from polytope import checker

    keep_subnormals()
    try:
        if isinstance(certificate, Certificate):
            document = certificate.document()
            return checker.check(document, problem=_parsed(certificate.layer))
        if isinstance(certificate, Mapping):
            return checker.check(dict(certificate))
        if not isinstance(certificate, (str, os.PathLike)):
            raise InputError(
                "certificate: expected a Certificate, its document or a path, "
                f"got {type(certificate).__name__}"
            )
        return checker.check_file(os.fspath(certificate), known)
    except checker.CheckError as error:
        kind = LimitError if error.code == checker.LIMIT else CertificateError
        raise kind(str(error)) from None


# Many claims share one layer: its document and the checker's reading of it live as long as it does.
_DOCUMENTS: WeakKeyDictionary[Rows, dict[str, Any]] = WeakKeyDictionary()
_PARSED: WeakKeyDictionary[Rows, Problem] = WeakKeyDictionary()
#: SHA-256 of the file that an array was written to: it is made and hashed once.
_DIGESTS: WeakKeyDictionary[Matrix | ExactArray, str] = WeakKeyDictionary()


def _inline_problem(layer: Rows) -> dict[str, Any]:
    if layer not in _DOCUMENTS:
        _DOCUMENTS[layer] = _problem(layer, _inline)
    return _DOCUMENTS[layer]


def _parsed(layer: Rows) -> Problem:
    from polytope.checker import Problem

    if layer not in _PARSED:
        _PARSED[layer] = Problem(_inline_problem(layer))
    return _PARSED[layer]


def _integer(value: int) -> str:
    return format(value, "x")


def _encoded(value: Any, n_units: int) -> Any:
    """Turn this package's exact types into their JSON forms."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, Row):
        return [value.kind, value.unit]
    if isinstance(value, Bound):
        return ["floor" if value.side == "lower" else "ceiling", value.coordinate]
    if isinstance(value, int):
        return value
    if isinstance(value, Fraction):
        return [_integer(value.numerator), _integer(value.denominator)]
    if isinstance(value, RationalVector):
        return _vector(value)
    if isinstance(value, Multipliers):
        return _multipliers(value, n_units)
    if isinstance(value, Minor):
        return {
            "rows": [list(r) for r in value.rows],
            "columns": list(value.columns),
            "modulus": _integer(value.modulus),
            "inverse": [[_integer(v) for v in row] for row in value.inverse],
        }
    if isinstance(value, Span):
        combination = [
            {"row": list(row), "coefficients": _vector(c)} for row, c in value.combinations.items()
        ]
        return {"basis": [list(r) for r in value.basis], "combination": combination}
    if isinstance(value, Mapping):
        return {key: _encoded(v, n_units) for key, v in value.items()}
    if isinstance(value, Sequence):
        return [_encoded(v, n_units) for v in value]
    raise TypeError(f"no JSON form for {type(value).__name__}")


def _vector(value: RationalVector) -> dict[str, Any]:
    live = [j for j, v in enumerate(value.numerators) if v]
    if 3 * len(live) > len(value):
        return {
            "den": _integer(value.denominator),
            "num": [_integer(v) for v in value.numerators],
        }
    return _sparse({j: value.numerators[j] for j in live}, value.denominator, len(value))


def _sparse(entries: Mapping[int, int], denominator: int, length: int) -> dict[str, Any]:
    index = sorted(entries)
    return {
        "length": length,
        "index": index,
        "den": _integer(denominator),
        "num": [_integer(entries[j]) for j in index],
    }


def _multipliers(value: Multipliers, n_units: int) -> dict[str, Any]:
    parts: dict[str, dict[int, int]] = {"equality": {}, "upper": {}, "lower": {}}
    for row, weight in value.weights.items():
        if weight:
            parts[row.kind][row.unit] = weight
    return {kind: _sparse(p, value.denominator, n_units) for kind, p in parts.items()}


# --- the layer -------------------------------------------------------------------------------


def _problem(
    layer: Rows,
    store: Callable[[Matrix | ExactArray], dict[str, Any]],
    named: Mapping[str, dict[str, Any]] | None = None,
) -> dict[str, Any]:
    known = named or {}
    arrays = {
        name: known[name] if name in known else store(array) for name, array in layer.arrays.items()
    }
    domain = _domain(layer.domain, layer.n_inputs)
    if isinstance(layer, Layer):
        tolerance = _encoded(layer.tolerance, layer.n_units)
        return {"form": "layer", **arrays, "domain": domain, "tolerance": tolerance}
    sides = {"floors": _sides(layer.floors), "ceilings": _sides(layer.ceilings)}
    if not isinstance(layer, NonlinearLayer):
        return {"form": "rows", **arrays, "domain": domain, **sides}
    parameters = _encoded(layer.function.parameters, layer.n_units)
    return {
        "form": "function",
        **arrays,
        "domain": domain,
        "tolerance": _encoded(layer.tolerance, layer.n_units),
        "function": {"kind": layer.function.kind, "parameters": parameters},
        "rounding": layer.rounding,
        **sides,
    }


def _sides(sides: Sides) -> dict[str, Any]:
    stated = [(unit, side) for unit, side in enumerate(sides) if side is not None]
    return {
        "units": [unit for unit, _ in stated],
        "num": [_integer(side.numerator) for _, side in stated],
        "den": [_integer(side.denominator) for _, side in stated],
    }


def _domain(domain: Domain, n_inputs: int) -> dict[str, Any]:
    if isinstance(domain, Box):
        lower, upper = domain.bounds(n_inputs)
        return {"kind": "box", "lower": _rationals(lower), "upper": _rationals(upper)}
    return {"kind": "free" if isinstance(domain, Free) else "nonnegative"}


def _rationals(values: Any) -> dict[str, Any]:
    return {
        "dtype": "Q",
        "shape": [len(values)],
        "num": [_integer(v.numerator) for v in values],
        "den": [_integer(v.denominator) for v in values],
    }


def _tensor(array: Matrix | ExactArray) -> tuple[str, bytes] | None:
    """Name and little-endian bytes of a machine type; None for Fractions."""
    kind, size = array.data.dtype.kind, array.data.dtype.itemsize
    if kind == "O":
        return None
    name = {"f": "F", "i": "I", "u": "U"}[kind] + str(8 * size)
    little = np.ascontiguousarray(array.data, dtype=array.data.dtype.newbyteorder("<"))
    return name, little.tobytes()


def _inline(array: Matrix | ExactArray) -> dict[str, Any]:
    tensor = _tensor(array)
    if tensor is None:
        return _rationals(ExactArray(array.data, array.dtype).fractions()) | {
            "shape": list(array.shape)
        }
    return {"dtype": tensor[0], "shape": list(array.shape), "data": tensor[1].hex()}


def _beside(array: Matrix | ExactArray, folder: Path) -> dict[str, Any]:
    """Refer to a safetensors file in ``folder``, written unless it is there already."""
    digest = _DIGESTS.get(array, "")
    if not digest or not _holds(_place(folder, digest), digest):
        tensor = _tensor(array)
        if tensor is None or len(tensor[1]) <= _INLINE_BYTES:
            return _inline(array)
        content = _safetensors(array.shape, *tensor)
        digest = _DIGESTS[array] = sha256_bytes(content)
        if not _holds(_place(folder, digest), digest):
            write_bytes(_place(folder, digest), content)
    return {"file": _place(folder, digest).name, "tensor": "weight", "sha256": digest}


def _place(folder: Path, digest: str) -> Path:
    return folder / f"weight-{digest[:16]}.safetensors"


def _holds(path: Path, digest: str) -> bool:
    return path.exists() and Source(path).sha256() == digest


def _safetensors(shape: tuple[int, ...], dtype: str, data: bytes) -> bytes:
    header = json.dumps(
        {"weight": {"dtype": dtype, "shape": list(shape), "data_offsets": [0, len(data)]}},
        separators=(",", ":"),
    ).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + data
