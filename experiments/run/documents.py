"""How does a typed result become JSON, and come back as what it was?  Schemas come with it.

A result is a frozen dataclass of numbers, texts, exact numbers and further results.  What is read
is held against the types: a document of another shape is refused with the place in it, and the
JSON Schema of a type is made from the same annotations.
"""

import json
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, TypeVar

import msgspec

from experiments.run.record import jsonable, read_exact
from polytope.errors import FileFormatError

Kind = TypeVar("Kind")
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
    except (msgspec.ValidationError, FileFormatError) as problem:
        text = f"{where}: expected {name}, got another document: {problem}"
        raise FileFormatError(text) from None
    again = jsonable(found, where)
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


def json_schema(kind: type, identifier: str) -> dict[str, Any]:
    """Returns the JSON Schema of a typed result.

    Args:
        kind: the dataclass.
        identifier: name and version, e.g. "collision-polytopes/mnist/2".
    """

    def hook(each: type) -> dict[str, Any]:
        if each is not Fraction:
            raise NotImplementedError(each)
        return _EXACT_SCHEMA

    found = msgspec.json.schema(kind, schema_hook=hook)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": identifier, **found}
