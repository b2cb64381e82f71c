"""How is a number of a record shown?  Text for tables and figures; "" where there is none."""

from collections.abc import Mapping
from typing import Any

from polytope.answers.results import bound_in_words


def approx(value: Any) -> float | None:
    """Returns a recorded number as a float: exact numbers by their `approx`, None as None.

    >>> from fractions import Fraction
    >>> approx({"exact": "0x1/0x2", "approx": 0.5}), approx(Fraction(1, 4))
    (0.5, 0.25)
    """
    if isinstance(value, Mapping):
        value = value["approx"]
    try:
        return None if value is None else float(value)
    except OverflowError:  # an exact number beyond the floats
        return None


def fixed(value: Any, digits: int = 2) -> str:
    """Returns a number with so many decimals.

    >>> fixed(1.005, 1), fixed(None)
    ('1.0', '')
    """
    number = approx(value)
    return "" if number is None else f"{number:.{digits}f}"


def short(value: Any, digits: int = 2) -> str:
    """Returns a number of unknown size in so many significant digits.

    >>> short(0.000123456), short(0.0)
    ('1.2e-04', '0')
    """
    number = approx(value)
    if number is None:
        return ""
    if number == 0:
        return "0"
    return f"{number:.{digits}g}" if 0.01 <= abs(number) < 1000 else f"{number:.{digits - 1}e}"


def percent(value: Any, digits: int = 1) -> str:
    """Returns a fraction as a percentage.

    >>> percent(0.1234)
    '12.3%'
    """
    number = approx(value)
    return "" if number is None else f"{100 * number:.{digits}f}%"


def probability(value: Any) -> str:
    """Returns a probability in four decimals, never 1 where it is less.

    >>> probability(0.99999), probability(1.0)
    ('>0.9999', '1.0000')
    """
    number = approx(value)
    if number is None:
        return ""
    text = f"{number:.4f}"
    return ">0.9999" if text == "1.0000" and number < 1 else text


def between(lower: Any, upper: Any, digits: int = 4) -> str:
    """Returns certified bounds: one number where both agree to the digits shown.

    >>> between(1.00001, 1.00002), between(1.0, 1.5)
    ('1.0000', '1.0000 to 1.5000')
    """
    low, high = fixed(lower, digits), fixed(upper, digits)
    return low if low == high else f"{low} to {high}"


def word(value: Any) -> str:
    """Returns an answer: yes, no, a number, or "undecided" for None.

    >>> word(True), word(3), word(None)
    ('yes', '3', 'undecided')
    """
    if value is None:
        return "undecided"
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def spread_text(found: Any, digits: int = 2) -> str:
    """Returns mean ± standard deviation (least to largest) of `mean`, `std`, `min` and `max`."""
    if found.mean is None:
        return ""
    ends = f"({fixed(found.min, digits)} to {fixed(found.max, digits)})"
    deviation = "" if found.std is None else f" ± {fixed(found.std, digits)}"
    return f"{fixed(found.mean, digits)}{deviation} {ends}"


#: Ends a note on d - N+.
NO_BOUND = "where it is not above 0, N+ >= d and Proposition 1 does not apply"


def paper_bound(bound: int) -> str:
    """Returns the paper's bound d - N+, or that it says nothing.

    >>> paper_bound(1200), paper_bound(-7)
    ('1200', '-7 (Proposition 1 does not apply: N+ >= d)')
    """
    return str(bound) if bound > 0 else bound_in_words(bound)
