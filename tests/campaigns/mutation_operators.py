"""In which ways is a certificate spoiled?  Named operators, each a change of one place.

A place is a path of keys and indices into the document.  An operator says which places it fits and
what it puts there: a JSON value, `MISSING`, or `Raw` text that `json.dumps` would not write.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from tests.campaigns.mutation_places import (
    MISSING,
    SIDES,
    WORDS,
    Path,
    Raw,
    ends_with,
    is_denominator,
    is_flag,
    is_floats,
    is_inside,
    is_int,
    is_key,
    is_list,
    is_modulus,
    is_multipliers,
    is_named_list,
    is_number,
    is_numerator,
    is_object,
    is_scalar,
    is_vector,
    is_word,
    replaced,
)


def _hex(change: Callable[[Random, int], int]) -> Callable[..., Any]:
    return lambda rng, _, value: format(change(rng, int(value, 16)), "x")


def _choice(*options: Any) -> Callable[..., Any]:
    return lambda rng, _, __: rng.choice(options)


def _spelled(rng: Random, _: Path, value: str) -> Any:
    """The same number, written as it must not be."""
    bare, sign = value.lstrip("-"), "-" * value.startswith("-")
    odd = [
        f"{sign}0x{bare}",
        f"{sign}{bare}_0",
        f"+{bare}",
        f" {value}",
        f"{value}\n",
        f"{value}\0",
    ]
    odd += [f"{value},", "", "-", f"--{bare}", f"{value}.0", f"{value}g", value.upper() + "A"]
    return rng.choice(odd)


def _unicode(rng: Random, _: Path, value: Any) -> Any:
    """A digit of another script: int() would take it."""
    zero = rng.choice([0x660, 0x966, 0xFF10, 0x1D7CE])
    if isinstance(value, int):
        return Raw("".join(chr(zero + int(c)) if c.isdigit() else c for c in str(value)))
    at = [i for i, c in enumerate(value) if c.isdigit()]
    if not at:
        return value + chr(zero)
    i = rng.choice(at)
    return value[:i] + chr(zero + int(value[i])) + value[i + 1 :]


def _last_bit(rng: Random, _: Path, value: str) -> str:
    """Flip the last bit of an entry (of eight bytes, if they are so many)."""
    raw = bytearray.fromhex(value)
    width = rng.choice([w for w in (1, 2, 4, 8) if len(raw) % w == 0])
    raw[width * rng.randrange(len(raw) // width)] ^= 1
    return raw.hex()


def _not_finite(rng: Random, _: Path, value: str) -> str:
    raw = bytearray.fromhex(value)
    patterns = [
        p for p in ("0000c07f", "0000807f", "000000000000f07f", "007c") if len(p) <= len(value)
    ]
    pattern = bytes.fromhex(rng.choice(patterns or ["ff"]))
    at = len(pattern) * rng.randrange(max(1, len(raw) // len(pattern)))
    raw[at : at + len(pattern)] = pattern
    return raw.hex()


def _cut(rng: Random, _: Path, value: Any) -> Any:
    return value[: rng.randrange(len(value))]


def _swapped(rng: Random, _: Path, value: list[Any]) -> list[Any]:
    i, j = rng.sample(range(len(value)), 2)
    new = list(value)
    new[i], new[j] = new[j], new[i]
    return new


def _dropped(rng: Random, _: Path, value: list[Any]) -> list[Any]:
    i = rng.randrange(len(value))
    return value[:i] + value[i + 1 :]


def _doubled(rng: Random, _: Path, value: list[Any]) -> list[Any]:
    i, j = rng.randrange(len(value)), rng.randrange(len(value) + 1)
    return [*value[:j], value[i], *value[j:]]


def _shuffled(rng: Random, _: Path, value: list[Any]) -> list[Any]:
    return rng.sample(value, len(value))


def _negated(_: Random, __: Path, value: Any) -> Any:
    """All numerators of a vector, or of all vectors of multipliers, with the other sign."""
    if "num" not in value:
        return {name: _negated(_, __, part) for name, part in value.items()}
    return {**value, "num": [format(-int(v, 16), "x") for v in value["num"]]}


def _scaled(rng: Random, _: Path, value: dict[str, Any]) -> Any:
    """The same vector over another denominator; all multipliers times a positive number."""
    k, over = rng.choice([2, 3, 16, 1 << 70]), "num" in value
    parts = {"": value} if over else value
    new = {
        name: {
            **part,
            "num": [format(k * int(v, 16), "x") for v in part["num"]],
            "den": format(int(part["den"], 16) * (k if over else 1), "x"),
        }
        for name, part in parts.items()
    }
    return new[""] if over else new


def _rewritten(_: Random, __: Path, value: dict[str, Any]) -> dict[str, Any]:
    """Dense as sparse, with all its zeros, and sparse as dense."""
    if "index" not in value:
        count = len(value["num"])
        return {**value, "length": count, "index": list(range(count))}
    full = ["0"] * value["length"]
    for j, v in zip(value["index"], value["num"], strict=True):
        full[j] = v
    return {"den": value["den"], "num": full}


def _widened(rng: Random, _: Path, value: Any) -> Any:
    """A box one unit wider on a side, or without its sides."""
    side, step = rng.choice([("lower", -1), ("upper", 1)])
    ends = value.get(side, {})
    if "num" not in ends or not ends["num"] or rng.random() < 0.2:
        return rng.choice([{"kind": "free"}, {"kind": "nonnegative"}])
    j = rng.randrange(len(ends["num"]))
    wider = replaced(ends["num"], (j,), format(int(ends["num"][j], 16) + step, "x"))
    return {**value, side: {**ends, "num": wider}}


def _twice(rng: Random, path: Path, value: Any) -> Raw:
    """The key a second time, with another value or the same, also spelled with an escape."""
    key = json.dumps(path[-1])
    if rng.random() < 0.3:
        key = f'"\\u{ord(str(path[-1])[0]):04x}{str(path[-1])[1:]}"'
    other = rng.choice([value, None, 0, "1", [], {}])
    return Raw(f"{json.dumps(value)}, {key}: {json.dumps(other)}")


def _nested(rng: Random, _: Path, value: Any) -> Raw:
    depth = rng.choice([2, 60, 900, 5_000, 100_000])
    if rng.random() < 0.5:
        return Raw("[" * depth + json.dumps(value) + "]" * depth)
    return Raw('{"a":' * depth + json.dumps(value) + "}" * depth)


def _unknown(rng: Random, _: Path, value: dict[str, Any]) -> dict[str, Any]:
    return {
        **value,
        rng.choice(["x", "", "point", "Kind", "__class__", "span"]): rng.choice([0, None]),
    }


def _renamed(rng: Random, _: Path, value: dict[str, Any]) -> dict[str, Any]:
    old = rng.choice(list(value))
    new = rng.choice([old.upper(), old + " ", old[:-1], "kind", "point"])
    return {new if key == old else key: item for key, item in value.items()}


def _word(rng: Random, path: Path, value: str) -> str:
    return rng.choice([*WORDS.get(str(path[-1]), SIDES), *SIDES, value + "\u0661", value[:-1]])


def _file_name(rng: Random, _: Path, value: str) -> str:
    odd = [
        f"../{value}",
        f"./{value}",
        f"/etc/{value}",
        "/etc/passwd",
        f"..{value}",
        f"a/../{value}",
    ]
    odd += [f"{value}\0", f"\0{value}", f"{value}/", f".{value}", "", ".", "..", "-", "~", "CON"]
    odd += [f"file://{value}", f"http://localhost/{value}", value.upper(), f"{value}\n", "\u0661"]
    odd += ["missing.safetensors", "folder.npz", "a" * 5000 + ".npz", f"\u202e{value}", "\x1b[2J"]
    return rng.choice(odd)


def _hash(rng: Random, _: Path, value: str) -> Any:
    i = rng.randrange(len(value))
    other = format(int(value[i], 16) ^ 1, "x")
    return rng.choice(
        [value[:i] + other + value[i + 1 :], value.upper() + " ", "0" * 64, value[:16], None, ""]
    )


@dataclass(frozen=True)
class Operator:
    """A change of one place.

    Attributes:
        name: what is counted.
        fits: whether it can be made at a path with a value.
        change: (rng, path, value) -> what is put there.
    """

    name: str
    fits: Callable[[Path, Any], bool]
    change: Callable[[Random, Path, Any], Any]


_OPERATORS: list[tuple[str, Callable[..., bool], Callable[..., Any]]] = [
    ("numerator +-1", is_numerator, _hex(lambda rng, v: v + rng.choice([1, -1]))),
    ("denominator +-1", is_denominator, _hex(lambda rng, v: v + rng.choice([1, -1]))),
    ("denominator zero or negative", is_denominator, _hex(lambda rng, v: rng.choice([0, -v, -1]))),
    ("last bit of a stored number", is_floats, _last_bit),
    ("sign flipped", is_number, _hex(lambda _, v: -v)),
    ("number zeroed", is_number, _choice("0", "-0", "0000")),
    ("number doubled or halved", is_number, _hex(lambda rng, v: rng.choice([2 * v, v // 2]))),
    ("number far away", is_number, _hex(lambda rng, v: v + (1 << rng.choice([31, 64, 200])))),
    ("number spelled otherwise", is_number, _spelled),
    ("unicode digits", lambda p, v: is_number(p, v) or is_int(p, v), _unicode),
    ("NaN or Infinity as a string", is_scalar, _choice("NaN", "nan", "Infinity", "-inf", "1e5")),
    ("NaN or Infinity of JSON", is_inside, _choice(*map(Raw, ("NaN", "Infinity", "-Infinity")))),
    ("NaN or infinity stored", is_floats, _not_finite),
    ("hex of a million digits", is_number, _choice("1" * 10**6, "-" + "f" * 10**6, "0" * 10**6)),
    (
        "JSON integer of thousands of digits",
        is_int,
        _choice(*(Raw(s + "7" * n) for n in (4000, 5000) for s in ("", "-"))),
    ),
    ("modulus 1, 0 or negative", is_modulus, _choice("1", "0", "-1", "-2", "-f4243")),
    (
        "wrong modulus",
        is_modulus,
        _hex(lambda rng, v: rng.choice([v + 1, v - 1, 2, 3, 2 * v, v * v, v + 2])),
    ),
    ("vector with the other sign", is_vector, _negated),
    ("Farkas vector with the wrong sign", is_multipliers, _negated),
    ("same vector, other fraction", lambda p, v: is_vector(p, v) or is_multipliers(p, v), _scaled),
    ("same vector, dense or sparse", is_vector, _rewritten),
    ("entries swapped", is_list(2), _swapped),
    ("entry dropped", is_list(1), _dropped),
    ("entry doubled", is_list(1), _doubled),
    ("list truncated", is_list(1), _cut),
    ("list in another order", is_list(2), _shuffled),
    ("vertex, ray, line or basis removed", is_named_list, _dropped),
    ("vertex, ray, line or basis doubled", is_named_list, _doubled),
    ("text cut", lambda p, v: is_inside(p, v) and isinstance(v, str) and bool(v), _cut),
    (
        "unit, row, column or index +-1",
        is_int,
        lambda rng, _, v: v + rng.choice([1, -1]),
    ),
    ("integer negative or far away", is_int, _choice(-1, -(10**9), 10**9, 1 << 40, 1 << 70)),
    ("bool for an integer", is_int, _choice(True, False)),
    ("float for an integer", is_int, lambda rng, _, v: rng.choice([float(v), Raw(f"{v}e0")])),
    ("string for an integer", is_int, lambda rng, _, v: rng.choice([str(v), f"{v:x}"])),
    ("integer for a string", is_number, lambda _, __, v: int(v, 16)),
    ("flag flipped", is_flag, lambda _, __, v: not v),
    ("integer for a flag", is_flag, lambda _, __, v: int(v)),
    ("null", is_inside, _choice(None)),
    ("empty value", is_inside, _choice([], {}, "", 0)),
    ("other word", is_word, _word),
    ("key missing", is_key, _choice(MISSING)),
    ("key unknown", is_object, _unknown),
    ("key renamed", is_object, _renamed),
    ("key twice", is_key, _twice),
    ("deep nesting", is_inside, _nested),
    ("box widened", ends_with("problem", "domain"), _widened),
    ("file reference", ends_with("file"), _file_name),
    ("wrong hash of a file", ends_with("sha256"), _hash),
]
OPERATORS = [Operator(*row) for row in _OPERATORS]

_FORMAL = """numerator +-1; denominator +-1; last bit of a stored number; sign flipped
number zeroed
number doubled or halved; number far away; modulus 1, 0 or negative; wrong modulus
vector with the other sign; Farkas vector with the wrong sign; same vector, other fraction
same vector, dense or sparse; entries swapped; vertex, ray, line or basis removed
vertex, ray, line or basis doubled; list in another order; unit, row, column or index +-1
flag flipped; box widened; other word"""
#: Those that leave a well-formed certificate, as a rule: they come nearer to a false proof.
KEEP_FORM = frozenset(re.split("; |\n", _FORMAL))
