"""Where can a certificate be changed?  Paths into a document, and what stands at them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Raw:
    """Text to stand in the JSON as it is."""

    text: str


MISSING = object()  # the key is left out

_HEX = re.compile(r"-?[0-9a-f]+")
_NO_NUMBERS = ("data", "sha256", "tensor", "file", "kind", "dtype")
_PAIRS = ("value", "constant", "distance", "tolerance", "lower", "upper")
_PAIRS += ("lower_squared", "upper_squared")
_LISTS = {("claim", "points"), ("claim", "rays"), ("claim", "lines"), ("witness", "bases")}
WORDS = {
    "kind": ("free", "nonnegative", "box"),
    "norm": ("linf", "l1", "l2"),
    "dtype": ("F16", "BF16", "F32", "F64", "I8", "U8", "I64", "U64", "Q", "f32", "F8"),
}
SIDES = ("equality", "upper", "lower", "floor", "ceiling")


def places(node: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every path of a document with its value, the document itself first."""
    yield path, node
    if isinstance(node, (dict, list)):
        for key, child in node.items() if isinstance(node, dict) else enumerate(node):
            yield from places(child, (*path, key))


def field(path: Path) -> str:
    """The path without the indices: what docs/certificates.md has a name for."""
    return ".".join("[]" if isinstance(key, int) else key for key in path) or "(all)"


def replaced(node: Any, path: Path, value: Any) -> Any:
    """The document with another value at a path; shares what is not on the path."""
    if not path:
        return value
    key, *rest = path
    if isinstance(node, list):
        new = [*node[:key], replaced(node[key], tuple(rest), value), *node[key + 1 :]]  # type: ignore[operator,misc]
        return [item for item in new if item is not MISSING]
    changed = {k: replaced(v, tuple(rest), value) if k == key else v for k, v in node.items()}
    return {k: v for k, v in changed.items() if v is not MISSING}


def dumped(document: Any) -> str:
    """The JSON text, with raw text where it stands."""
    pieces: list[str] = []

    def raw(value: Any) -> str:
        pieces.append(value.text)
        return f"@raw {len(pieces) - 1}@"

    text = json.dumps(document, default=raw)
    for k, piece in enumerate(pieces):
        text = text.replace(f'"@raw {k}@"', piece)
    return text


# --- what stands at a place ---------------------------------------------------------------------


def is_number(path: Path, value: Any) -> bool:
    named = path and path[-1] in _NO_NUMBERS
    return isinstance(value, str) and not named and bool(_HEX.fullmatch(value))


def is_denominator(path: Path, value: Any) -> bool:
    if not is_number(path, value):
        return False
    return "den" in path[-2:] or (path[-1] == 1 and len(path) > 1 and path[-2] in _PAIRS)


def is_numerator(path: Path, value: Any) -> bool:
    return is_number(path, value) and not is_denominator(path, value) and not is_modulus(path)


def is_modulus(path: Path, _: Any = None) -> bool:
    return path[-1:] == ("modulus",)


def is_int(_: Path, value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def is_flag(_: Path, value: Any) -> bool:
    return isinstance(value, bool)


def is_scalar(path: Path, value: Any) -> bool:
    return bool(path) and not isinstance(value, (dict, list))


def is_list(least: int) -> Callable[[Path, Any], bool]:
    return lambda _, value: isinstance(value, list) and len(value) >= least


def is_named_list(path: Path, value: Any) -> bool:
    return path in _LISTS and isinstance(value, list) and bool(value)


def is_object(_: Path, value: Any) -> bool:
    return isinstance(value, dict) and bool(value)


def is_inside(path: Path, _: Any) -> bool:
    return bool(path)


def is_key(path: Path, _: Any) -> bool:
    return bool(path) and isinstance(path[-1], str)


def is_vector(_: Path, value: Any) -> bool:
    plain = isinstance(value, dict) and set(value) >= {"den", "num"}
    return plain and not {"shape", "units"} & set(value)


def is_multipliers(_: Path, value: Any) -> bool:
    return isinstance(value, dict) and set(value) == {"equality", "upper", "lower"}


def is_floats(path: Path, value: Any) -> bool:
    """Bytes of floats of at least two bytes; integers' last bits are +-1 as well."""
    return path[-1:] == ("data",) and isinstance(value, str) and len(value) >= 4


def is_word(path: Path, value: Any) -> bool:
    return isinstance(value, str) and ((path[-1:] and path[-1] in WORDS) or value in SIDES)


def ends_with(*names: str) -> Callable[[Path, Any], bool]:
    return lambda path, _: path[-len(names) :] == names
