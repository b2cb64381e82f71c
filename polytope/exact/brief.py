"""How is an answer shown in a line?  Long numbers as floats, long lists by their length.

A unit vertex of an MNIST layer is 784 fractions of a hundred digits each: written out, 332,514
characters.  What is shown here is for the eye; the attributes hold the numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, Field, fields
from enum import Enum
from fractions import Fraction
from html import escape
from typing import Any, ClassVar

from polytope.exact.rational import nearest_float

#: Characters of a line, of a text in it and of a list; entries of a list that is written out.
_LINE, _TEXT, _LIST, _ENTRIES = 200, 100, 60, 6
#: Bits of a number that is written out.
_BITS = 64


class Brief:
    """A dataclass (made with ``repr=False``) that shows itself in a line, or a small table."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    def __repr__(self) -> str:
        """Every field that says something, long values by their size."""
        return line(type(self).__name__, self._shown())

    def _repr_html_(self) -> str:
        """The same as a table, for notebooks."""
        return table(["", type(self).__name__], self._shown().items())

    def _shown(self) -> dict[str, str]:
        """Field -> its value in a few words; what is left at an empty default is left out."""
        values = {each.name: getattr(self, each.name) for each in fields(self) if each.repr}
        return {
            each.name: brief(values[each.name])
            for each in fields(self)
            if each.name in values
            and values[each.name] is not each.default
            and (each.default_factory is MISSING or len(values[each.name]))
        }


def line(name: str, shown: Mapping[str, str]) -> str:
    """``name(field=value, ...)``, cut where it becomes too long for a line."""
    text = f"{name}({', '.join(f'{k}={v}' for k, v in shown.items())})"
    return text if len(text) <= _LINE else f"{text[: _LINE - 5]} ...)"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """An HTML table of plain texts."""
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = ["".join(f"<td>{escape(cell)}</td>" for cell in row) for row in rows]
    return f"<table>{''.join(f'<tr>{row}</tr>' for row in [top, *body])}</table>"


def brief(value: object) -> str:
    """A value in a few words."""
    if isinstance(value, Fraction):
        return number(value)
    if isinstance(value, int) and value.bit_length() > _BITS:
        return f"<{value.bit_length()} bits>"
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, Brief):
        return f"<{type(value).__name__}>"
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return f"<{' x '.join(map(str, value.shape)) or 'one'} {value.dtype}>"
    if isinstance(value, Mapping):
        few = list(value.items()) if len(value) <= _ENTRIES else []
        text = f"{{{', '.join(f'{k}: {brief(v)}' for k, v in few)}}}"
    elif isinstance(value, (Sequence, frozenset)) and not isinstance(value, (str, bytes)):
        few = list(value) if len(value) <= _ENTRIES else []  # points may be made when they are read
        text = f"({', '.join(map(brief, few))})"
    else:
        text = repr(value)
        return text if len(text) <= _TEXT else f"{text[: _TEXT - 5]} ...{text[-1]}"
    return text if len(few) == len(value) and len(text) <= _LIST else f"<{len(value)} entries>"


def number(value: Fraction, *, bits: int = _BITS) -> str:
    """The number itself if it is short, else about which float it is: ints may be endless."""
    short = max(value.numerator.bit_length(), value.denominator.bit_length()) <= bits
    return str(value) if short else f"about {nearest_float(value)!r}"
