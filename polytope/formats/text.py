"""How does an exact number come out of a stranger's file?  Tokens, numbers, errors with a line.

Nothing is evaluated.  Digits are ASCII; a number has at most MAX_DIGITS of them and a file at most
MAX_BYTES.  What a few bytes stand for is bounded as well: powers of ten by MAX_EXPONENT, and the
entries that a file leaves out (zeros of sparse rows, rows of "nonnegative") by MAX_LEFT_OUT in all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fractions import Fraction
from math import lcm
from os import PathLike
from pathlib import Path
from typing import NamedTuple

from flint import fmpz

from polytope.errors import FileFormatError

#: Some 30 million numbers; what is larger is no polyhedron that can be enumerated.
MAX_BYTES = 1 << 26
#: The checker reads numbers of 2^18 bits, which is 78,913 decimal digits.
MAX_DIGITS = 78_913
#: As the checker: what is larger could not be checked.
MAX_COMMON_BITS = 1 << 18
#: Floats need 324, and as much again for their digits.
MAX_EXPONENT = 700
#: The rows x_j >= 0 of 2,048 coordinates; more are quickly as many as memory holds.
MAX_LEFT_OUT = 1 << 22
#: Python converts up to 4,300 digits by itself; FLINT any number, in nearly linear time.
_PYTHON_DIGITS = 4_000

_RATIONAL = re.compile(r"([+-]?[0-9]+)(?:/([0-9]+))?")
_DECIMAL = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]{1,7}))?")

Number = int | Fraction
NumberRow = list[Number]


class Token(NamedTuple):
    """A word of a file and the line it stands in."""

    text: str
    line: int


def bad(name: str, line: int | None, expected: str, *, got: object) -> FileFormatError:
    """Return the error that names file, line, what was expected and what came."""
    words = shown(got) if isinstance(got, (int, Fraction)) else str(got)
    words = f"{words[:40]}..." if len(words) > 43 else words
    place = name if line is None else f"{name}, line {line}"
    return FileFormatError(f"{place}: expected {expected}, got {words!a}")


def read_text(path: str | PathLike[str]) -> str:
    """Return a file's text; bytes that are no UTF-8 (in an old comment) are replaced.

    Raises:
        FileFormatError: if it cannot be read or is larger than MAX_BYTES.
    """
    place = Path(path)
    try:
        present, plain = place.exists(), place.is_file()
        size = place.stat().st_size if plain else 0
        content = place.read_bytes() if plain and size <= MAX_BYTES else b""
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise bad(place.name, None, "a file that can be read", got=error) from None
    if not plain:
        got = "something else" if present else "nothing there"
        raise bad(place.name, None, "a file", got=got)
    if size > MAX_BYTES:
        raise bad(place.name, None, f"at most {MAX_BYTES:,} bytes", got=f"{size:,}")
    return content.decode("utf-8", errors="replace").removeprefix("\ufeff")


def lines(text: str) -> list[Token]:
    """Return the lines, whatever ends them; number 1 is the first."""
    split = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return [Token(line, number) for number, line in enumerate(split, start=1)]


def tokens(source: Iterable[Token]) -> Iterator[Token]:
    """Yield the words of lines."""
    for line in source:
        for word in line.text.split():
            yield Token(word, line.line)


def number(token: Token, name: str, *, decimals: bool = False) -> Number:
    """Return an integer, a fraction ``p/q`` or, where allowed, a decimal taken exactly.

    Raises:
        FileFormatError: for anything else, a zero denominator, or a number that is too long.
    """
    if len(token.text) > 2 * MAX_DIGITS + 2:
        expected = f"a number of at most {MAX_DIGITS} digits"
        raise bad(name, token.line, expected, got=f"{len(token.text)} characters")
    found = _RATIONAL.fullmatch(token.text)
    if found:
        top = _integer(found[1], token, name)
        if found[2] is None:
            return top
        bottom = _integer(found[2], token, name)
        if bottom == 0:
            raise bad(name, token.line, "a denominator that is not 0", got=token.text)
        return _simple(Fraction(top, bottom))
    if decimals:
        return _decimal(token, name)
    raise bad(name, token.line, "an integer or a fraction p/q", got=token.text)


def _integer(digits: str, token: Token, name: str) -> int:
    if len(digits) > MAX_DIGITS:
        expected = f"a number of at most {MAX_DIGITS} digits"
        raise bad(name, token.line, expected, got=f"{len(digits)} digits")
    if len(digits) <= _PYTHON_DIGITS:
        return int(digits)
    return int(fmpz(digits.removeprefix("+")))


def _decimal(token: Token, name: str) -> Number:
    found = _DECIMAL.fullmatch(token.text)
    whole, part = (found[2] or "", found[3] or "") if found else ("", "")
    if found is None or not whole + part:
        raise bad(name, token.line, "a number", got=token.text)
    if abs(int(found[4] or 0)) > MAX_EXPONENT:
        raise bad(name, token.line, f"a power of ten of at most {MAX_EXPONENT}", got=token.text)
    power = int(found[4] or 0) - len(part)
    if abs(power) + len(whole + part) > MAX_DIGITS:
        expected = f"a number of at most {MAX_DIGITS} digits"
        raise bad(name, token.line, expected, got=token.text)
    value = _integer(whole + part, token, name)
    value = -value if found[1] == "-" else value
    return _simple(Fraction(value) * Fraction(10) ** power)


def _simple(value: Fraction) -> Number:
    return value.numerator if value.denominator == 1 else value


def check_left_out(entries: int, name: str, line: int | None) -> None:
    """Refuse a file that stands for far more numbers than it holds.

    Args:
        entries: how many entries of its matrices, in all, it leaves out.
        name: of the file.
        line: where they are asked for.

    Raises:
        FileFormatError: if there are more than MAX_LEFT_OUT.
    """
    if entries > MAX_LEFT_OUT:
        expected = f"at most {MAX_LEFT_OUT:,} entries that are not written out"
        raise bad(name, line, expected, got=f"{entries:,}")


def check_common(rows: Iterable[NumberRow], name: str) -> None:
    """Refuse rows that take far more room as integers than in the file, one denominator a row.

    Raises:
        FileFormatError: if a row's common denominator has more than MAX_COMMON_BITS bits.
    """
    for k, row in enumerate(rows, start=1):
        common = 1
        for value in row:
            if isinstance(value, Fraction):
                common = lcm(common, value.denominator)
                if common.bit_length() > MAX_COMMON_BITS:
                    expected = f"a common denominator of at most {MAX_COMMON_BITS:,} bits"
                    got = f"a longer one in row {k} of its kind"
                    raise bad(name, None, expected, got=got)


def count(token: Token, name: str, what: str) -> int:
    """Return a small nonnegative integer such as a number of rows."""
    if not re.fullmatch(r"[0-9]{1,9}", token.text):
        raise bad(name, token.line, what, got=token.text)
    return int(token.text)


def shown(value: Number) -> str:
    """Write an integer or a fraction ``p/q``, of any length."""
    if isinstance(value, Fraction) and value.denominator != 1:
        return f"{_digits(value.numerator)}/{_digits(value.denominator)}"
    return _digits(value.numerator)


def _digits(value: int) -> str:
    # 13,000 bits are fewer than 4,000 digits.
    return str(value) if value.bit_length() < 13_000 else str(fmpz(value))
