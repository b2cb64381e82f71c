"""How does a typed result become JSON, and come back as what it was?  Schemas come with it.

A result is a frozen dataclass of numbers, texts, exact numbers and further results.  Exact numbers
are kept as text in base 16, which has no length limit in Python and is read in linear time; a float
stands beside them only as `approx`.  What is read is held against the types: a document of another
shape is refused with the place in it, and the JSON Schema of a type is made from the same
annotations.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np

from polytope.errors import CollisionError, FileFormatError, InputError, NonFiniteError

Kind = TypeVar("Kind")
DIALECT = "https://json-schema.org/draft/2020-12/schema"
_EXACT = re.compile(r"(-?0x[0-9a-f]+)/(0x[0-9a-f]+)", re.ASCII)
_EXACT_SCHEMA = {
    "description": "an exact number in base 16 and, where floats reach it, the nearest float",
    "type": "object",
    "properties": {
        "exact": {"type": "string", "pattern": "^-?0x[0-9a-f]+/0x[0-9a-f]+$"},
        "approx": {"type": ["number", "null"]},
    },
    "required": ["exact", "approx"],
    "additionalProperties": False,
}


def exact_document(value: Fraction | int) -> dict[str, Any]:
    """Returns an exact number as `{"exact": "0xP/0xQ", "approx": nearest float}`.

    `approx` is None where the number lies outside the range of floats.

    >>> exact_document(Fraction(-1, 3))
    {'exact': '-0x1/0x3', 'approx': -0.3333333333333333}
    """
    number = Fraction(value)
    approx: float | None
    try:
        approx = float(number)
    except OverflowError:
        approx = None
    return {"exact": f"{number.numerator:#x}/{number.denominator:#x}", "approx": approx}


def read_exact(document: Mapping[str, Any]) -> Fraction:
    """Returns the number that `exact_document` wrote.

    Raises:
        FileFormatError: the document holds no exact number.

    >>> read_exact({"exact": "-0x1/0x3", "approx": -0.3333333333333333})
    Fraction(-1, 3)
    """
    match = _EXACT.fullmatch(str(document.get("exact")))
    if match is None or int(match[2], 16) == 0:
        raise FileFormatError(
            f'an exact number is written {{"exact": "0xP/0xQ"}} with Q > 0; got {document!r:.80}'
        )
    return Fraction(int(match[1], 16), int(match[2], 16))


def jsonable(value: Any, where: str = "value") -> Any:
    """Returns `value` in JSON's own types, losing nothing.

    Fractions become `exact_document`s, numpy arrays lists, dataclasses objects, enums their values.

    Args:
        value: what is to be written.
        where: how an error names the place.

    Raises:
        NonFiniteError: a float is NaN or infinite.
        InputError: a value is of no type that a record can hold.
    """
    if isinstance(value, Enum):
        return jsonable(value.value, where)
    if isinstance(value, np.generic | np.ndarray):
        return jsonable(value.tolist(), where)
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        if abs(value) >= 1 << 63:
            raise InputError(
                f"{where}: expected a Fraction or at most 63 bits, got {value.bit_length()} bits"
            )
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise NonFiniteError(f"{where}: expected a finite number, got {value}")
        return value
    return _jsonable_compound(value, where)


def _jsonable_compound(value: Any, where: str) -> Any:
    if isinstance(value, Fraction):
        return exact_document(value)
    if isinstance(value, Path):
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {
            f.name: jsonable(getattr(value, f.name), f"{where}.{f.name}") for f in fields(value)
        }
    if isinstance(value, Mapping):
        return {_key(k, where): jsonable(v, f"{where}.{k}") for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(v, f"{where}[{i}]") for i, v in enumerate(value)]
    raise InputError(
        f"{where}: expected a number, text, list, mapping or dataclass, got {type(value).__name__}"
    )


def _key(key: Any, where: str) -> str:
    if isinstance(key, str | int) and not isinstance(key, bool):
        return str(key)
    raise InputError(f"{where}: expected keys of text or integers, got {key!r:.80}")


def from_document(kind: type[Kind], document: Any, where: str) -> Kind:
    """Returns the typed result that a document states.

    Args:
        kind: a dataclass; exact numbers are Fractions in it.
        document: as JSON has it.
        where: how an error names it, e.g. the file.

    Raises:
        FileFormatError: the document is not of this type, or holds more.

    >>> from_document(list[Fraction], [{"exact": "0x1/0x2", "approx": 0.5}], "file")
    [Fraction(1, 2)]
    """
    name = getattr(kind, "__name__", str(kind))
    try:
        found = msgspec.convert(document, kind, dec_hook=_decode, str_keys=True)
        again = jsonable(found, where)
    except (msgspec.ValidationError, CollisionError, ValueError, RecursionError) as problem:
        text = f"{where}: expected {name}, got another document: {problem}"
        raise FileFormatError(text) from None
    if again != document:
        surplus = _surplus(document, again)
        raise FileFormatError(f"{where}: expected {name} and nothing else, got {surplus}")
    return found


def _decode(kind: type, value: Any) -> Any:
    if kind is Fraction and isinstance(value, Mapping):
        return read_exact(value)
    raise msgspec.ValidationError(f"Expected an exact number, got `{type(value).__name__}`")


def _surplus(document: Any, known: Any, place: str = "$") -> str:
    """Names the first place at which a document differs from what was read of it."""
    if isinstance(document, dict) and isinstance(known, dict):
        for name in document:
            if name not in known:
                return f"`{place}.{name}` as well"
            if document[name] != known[name]:
                return _surplus(document[name], known[name], f"{place}.{name}")
    if isinstance(document, list) and isinstance(known, list):
        for i, (one, other) in enumerate(zip(document, known, strict=False)):
            if one != other:
                return _surplus(one, other, f"{place}[{i}]")
    return f"{json.dumps(document)[:60]} at `{place}`"


def json_schemas(*kinds: Any) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Returns the JSON Schema of each type, and what they refer to, by name, as "#/$defs/NAME".

    As `from_document` reads them: a document holds the fields of its type and nothing else.
    """

    def hook(each: type) -> dict[str, Any]:
        if each is not Fraction:
            raise NotImplementedError(each)
        return _EXACT_SCHEMA

    found, names = msgspec.json.schema_components(
        kinds, schema_hook=hook, ref_template="#/$defs/{name}"
    )
    for each in names.values():
        if "properties" in each:
            each["additionalProperties"] = False
    return list(found), names


def json_schema(kind: Any, identifier: str) -> dict[str, Any]:
    """Returns the JSON Schema of a typed result, whole.

    Args:
        kind: the dataclass.
        identifier: name and version, e.g. "collision-polytopes/mnist/2".
    """
    (found,), names = json_schemas(kind)
    return {"$schema": DIALECT, "$id": identifier, **found, "$defs": names}
