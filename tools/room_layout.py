"""Where does each box of a layered picture go?  Rows are given; order and places are found.

Arrows that pass a row get a narrow place in it, so that none runs over a box (Sugiyama, Tagawa and
Toda 1981).  Everything is deterministic: the same graph gives the same picture.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

_STARTS, _SORTS, _SWEEPS = 12, 12, 40
_VIA = 6.0  # width of the place of an arrow that passes


@dataclass(frozen=True)
class Spot:
    """A box, or the place in which an arrow passes a row; `name` is unlike all others."""

    name: str
    row: int
    is_box: bool


@dataclass(frozen=True)
class Layout:
    """The rows from top to bottom, each from left to right, and the middle of each spot.

    Attributes:
        rows: the spots.
        middle: spot's name -> x.
        ways: an arrow's (from, to) -> the names of the spots it touches, its ends included.
    """

    rows: tuple[tuple[Spot, ...], ...]
    middle: Mapping[str, float]
    ways: Mapping[tuple[str, str], tuple[str, ...]]


def arranged(
    rows: Sequence[Sequence[str]],
    arrows: Sequence[tuple[str, str]],
    *,
    box: float,
    gap: float,
    left: float,
    right: float,
) -> Layout:
    """Returns the layout of boxes of one width between two sides; arrows go down."""
    row_of = {name: k for k, names in enumerate(rows) for name in names}
    spots = [[Spot(name, k, is_box=True) for name in names] for k, names in enumerate(rows)]
    ways = {}
    for start, end in arrows:
        passing = [
            Spot(f"{start} > {end}: {k}", k, is_box=False)
            for k in range(row_of[start] + 1, row_of[end])
        ]
        for spot in passing:
            spots[spot.row].append(spot)
        ways[start, end] = (start, *(spot.name for spot in passing), end)
    steps = [step for way in ways.values() for step in pairwise(way)]
    found = []
    for start in range(_STARTS):
        ordered = _ordered(spots, steps, start)
        middle = _placed(ordered, steps, box=box, gap=gap, left=left, right=right)
        far = sum(abs(middle[a] - middle[b]) for a, b in steps)
        layout = Layout(tuple(map(tuple, ordered)), middle, ways)
        found.append((_crossings(ordered, steps), round(far), start, layout))
    return min(found)[-1]


def _near(steps: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    near: dict[str, list[str]] = {}
    for start, end in steps:
        near.setdefault(start, []).append(end)
        near.setdefault(end, []).append(start)
    return near


def _crossings(rows: Sequence[Sequence[Spot]], steps: Sequence[tuple[str, str]]) -> int:
    at = {spot.name: (spot.row, k) for row in rows for k, spot in enumerate(row)}
    ends = sorted((at[a], at[b][1]) for a, b in steps)
    return sum(
        one[0][0] == other[0][0] and (one[0][1] - other[0][1]) * (one[1] - other[1]) < 0
        for n, one in enumerate(ends)
        for other in ends[n + 1 :]
    )


def _ordered(
    rows: Sequence[Sequence[Spot]], steps: Sequence[tuple[str, str]], start: int
) -> list[list[Spot]]:
    """Sorts each row by the mean place of its neighbours, sweep by sweep, then mends by swaps.

    Args:
        rows: the spots.
        steps: pairs of spots in neighbouring rows that a line joins.
        start: by how much the rows are turned round before; it leads to another order.
    """
    near = _near(steps)
    now = [list(row[start % len(row) :]) + list(row[: start % len(row)]) for row in rows]
    place = {spot.name: k / len(row) for row in now for k, spot in enumerate(row)}
    for sweep in range(_SORTS):
        for row in now if sweep % 2 == 0 else now[::-1]:
            # The names last: two rows that only mirror each other must not take turns for ever.
            row.sort(key=lambda spot: (_mean(spot, near, place), spot.name))
            place |= {spot.name: k / len(row) for k, spot in enumerate(row)}
    below: dict[str, list[str]] = {}
    above: dict[str, list[str]] = {}
    for a, b in steps:
        below.setdefault(a, []).append(b)
        above.setdefault(b, []).append(a)
    while any(_swapped(row, (below, above), place) for row in now):
        pass
    return now


def _mean(spot: Spot, near: Mapping[str, Sequence[str]], place: Mapping[str, float]) -> float:
    others = near.get(spot.name, [spot.name])
    return sum(place[other] for other in others) / len(others)


def _swapped(
    row: list[Spot], sides: Sequence[Mapping[str, Sequence[str]]], place: dict[str, float]
) -> bool:
    """Exchanges neighbours where fewer lines cross then; whether there were any."""
    done = False
    for k in range(len(row) - 1):
        one, other = row[k], row[k + 1]
        gain = 0
        for near in sides:
            for a in near.get(one.name, ()):
                for b in near.get(other.name, ()):
                    gain += (place[a] > place[b]) - (place[a] < place[b])
        if gain > 0:
            row[k], row[k + 1] = other, one
            place[one.name], place[other.name] = place[other.name], place[one.name]
            done = True
    return done


def _placed(
    rows: Sequence[Sequence[Spot]],
    steps: Sequence[tuple[str, str]],
    *,
    box: float,
    gap: float,
    left: float,
    right: float,
) -> dict[str, float]:
    """Moves every spot towards its neighbours, as far as the row and the two sides let it."""
    near = _near(steps)
    middle = {spot.name: (left + right) / 2 for row in rows for spot in row}
    for sweep in range(_SWEEPS):
        for row in rows if sweep % 2 == 0 else list(rows)[::-1]:
            wanted = [
                sum(middle[n] for n in near[spot.name]) / len(near[spot.name])
                if spot.name in near
                else (left + right) / 2
                for spot in row
            ]
            widths = [box if spot.is_box else _VIA for spot in row]
            for spot, x in zip(row, _apart(wanted, widths, gap, left, right), strict=True):
                middle[spot.name] = x
    return middle


def _apart(
    wanted: Sequence[float], widths: Sequence[float], gap: float, left: float, right: float
) -> list[float]:
    """The places nearest to those wanted (least squares) that keep order, gaps and sides.

    Less the width of all before it, each place is to be no less than the last: pooled neighbours
    that are out of order share their mean.
    """
    before = [sum(widths[:k]) + k * gap + widths[k] / 2 for k in range(len(widths))]
    room = right - left - sum(widths) - gap * (len(widths) - 1)
    if room < 0:
        raise ValueError(f"a row needs {-room:.0f} more than there is")
    pools: list[tuple[float, int]] = []
    for x, offset in zip(wanted, before, strict=True):
        pools.append((x - offset, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (a, n), (b, m) = pools[-2:]
            pools[-2:] = [((a * n + b * m) / (n + m), n + m)]
    places = [mean for mean, count in pools for _ in range(count)]
    return [min(max(x, left), left + room) + off for x, off in zip(places, before, strict=True)]
