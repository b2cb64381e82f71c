"""How do we write a polyhedron?  JSON with exact numbers as in docs/certificates.md.

    {"schema": "collision-polytopes/halfspaces/1", "n": d,
     "inequalities": [{"row": VEC, "bound": Q}], "equations": [{"row": VEC, "value": Q}]}

says ``row x <= bound`` and ``row x = value``; and

    {"schema": "collision-polytopes/generators/1", "n": d,
     "points": [VEC], "rays": [VEC], "lines": [VEC]}

with INT = "-?[0-9a-f]+", Q = [INT, INT] and VEC = {"den": INT, "num": [INT, ...]}.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from polytope.exact.rational import RationalVector
from polytope.formats.representations import HalfspaceRows, VRepresentation, v_representation
from polytope.formats.text import Number, NumberRow, bad

HALFSPACES = "collision-polytopes/halfspaces/1"
GENERATORS = "collision-polytopes/generators/1"
#: As the checker's: 2^18 bits.
_MAX_HEX = 1 << 16
_HEX = re.compile(r"-?[0-9a-f]+")


def load(text: str, name: str) -> dict[str, Any]:
    """Read a JSON object; repeated keys, NaN and numbers of thousands of digits are refused."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({key for key, _ in pairs}) != len(pairs):
            raise bad(name, None, "each JSON key once", got=[key for key, _ in pairs])
        return dict(pairs)

    def no_constant(word: str) -> Any:
        raise bad(name, None, "finite numbers", got=word)

    try:
        document = json.loads(text, object_pairs_hook=unique, parse_constant=no_constant)
    except json.JSONDecodeError as error:
        raise bad(name, error.lineno, "JSON", got=error.msg) from None
    except RecursionError:
        raise bad(name, None, "JSON", got="brackets nested too deeply") from None
    except ValueError as error:
        if type(error) is not ValueError:
            raise
        raise bad(name, None, "numbers of at most 4,300 digits", got="a longer one") from None
    if not isinstance(document, dict):
        raise bad(name, None, "a JSON object", got=type(document).__name__)
    return document


def parse_halfspaces(text: str, name: str) -> HalfspaceRows:
    """Read our H-representation.

    Raises:
        FileFormatError: naming what was expected.
    """
    document = _document(text, name, HALFSPACES, "inequalities equations")
    n = _dimension(document, name)
    parts = [
        [_row(item, name, n, right) for item in _list(document, key, name)]
        for key, right in (("inequalities", "bound"), ("equations", "value"))
    ]
    return HalfspaceRows(n, *parts)


def _row(item: Any, name: str, n: int, right: str) -> NumberRow:
    _keys(item, name, f"row {right}")
    return [_rational(item[right], name), *(-v for v in _vector(item["row"], name, n))]


def parse_generators(text: str, name: str) -> VRepresentation:
    """Read our V-representation.

    Raises:
        FileFormatError: naming what was expected.
    """
    document = _document(text, name, GENERATORS, "points rays lines")
    n = _dimension(document, name)
    points, rays, directions = (
        [list(_vector(v, name, n)) for v in _list(document, key, name)]
        for key in ("points", "rays", "lines")
    )
    return v_representation(n, points, rays, lines=directions)


def _document(text: str, name: str, schema: str, keys: str) -> dict[str, Any]:
    document = load(text, name)
    if document.get("schema") != schema:
        raise bad(name, None, f"schema {schema}", got=document.get("schema"))
    _keys(document, name, f"schema n {keys}")
    return document


def _keys(value: Any, name: str, keys: str) -> None:
    if not isinstance(value, dict) or set(value) != set(keys.split()):
        got = ", ".join(value) if isinstance(value, dict) else type(value).__name__
        raise bad(name, None, f"the keys {', '.join(keys.split())}", got=got)


def _dimension(document: dict[str, Any], name: str) -> int:
    n = document["n"]
    if type(n) is not int or not 1 <= n <= 1 << 20:
        raise bad(name, None, "n, a number of coordinates", got=n)
    return n


def _list(document: dict[str, Any], key: str, name: str) -> list[Any]:
    if not isinstance(document[key], list):
        raise bad(name, None, f"a list in {key}", got=type(document[key]).__name__)
    return list(document[key])


def _integer(value: Any, name: str) -> int:
    if not isinstance(value, str) or len(value) > _MAX_HEX or not _HEX.fullmatch(value):
        raise bad(name, None, "an integer as a string of lower-case hex digits", got=value)
    return int(value, 16)


def _positive(value: Any, name: str) -> int:
    number = _integer(value, name)
    if number <= 0:
        raise bad(name, None, "a positive denominator", got=value)
    return number


def _rational(value: Any, name: str) -> Number:
    if not isinstance(value, list) or len(value) != 2:
        raise bad(name, None, "a pair [numerator, denominator]", got=value)
    return Fraction(_integer(value[0], name), _positive(value[1], name))


def _vector(value: Any, name: str, n: int) -> RationalVector:
    _keys(value, name, "den num")
    if not isinstance(value["num"], list) or len(value["num"]) != n:
        raise bad(name, None, f"{n} numerators", got=value["num"])
    numerators = tuple(_integer(v, name) for v in value["num"])
    return RationalVector(numerators, _positive(value["den"], name))


def halfspaces_text(rows: HalfspaceRows) -> str:
    """Write our H-representation."""
    return _text(
        {
            "schema": HALFSPACES,
            "n": rows.n_inputs,
            "inequalities": [
                {"row": _vec(-v for v in row[1:]), "bound": _pair(row[0])}
                for row in rows.inequalities
            ],
            "equations": [
                {"row": _vec(-v for v in row[1:]), "value": _pair(row[0])} for row in rows.equations
            ],
        }
    )


def generators_text(listed: VRepresentation) -> str:
    """Write our V-representation."""
    parts = {"points": listed.points, "rays": listed.rays, "lines": listed.lines}
    return _text(
        {
            "schema": GENERATORS,
            "n": listed.n_inputs,
            **{key: [_vec(v) for v in part] for key, part in parts.items()},
        }
    )


def _vec(values: Iterable[Number]) -> dict[str, Any]:
    vector = RationalVector.of(values)
    return {
        "den": format(vector.denominator, "x"),
        "num": [format(v, "x") for v in vector.numerators],
    }


def _pair(value: Number) -> list[str]:
    return [format(value.numerator, "x"), format(value.denominator, "x")]


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, separators=(",", ":")) + "\n"
