"""Where does each box of a layered picture go?  Rows are given; order and places are found.

Arrows that pass a row get a narrow place in it, so that none runs over a box (Sugiyama, Tagawa and
Toda 1981).  Everything is deterministic: the same graph gives the same picture.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

_SORTS, _SWEEPS = 16, 60
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
    ordered = _ordered(spots, steps)
    middle = _placed(ordered, steps, box=box, gap=gap, left=left, right=right)
    return Layout(tuple(map(tuple, ordered)), middle, ways)


def _near(steps: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    near: dict[str, list[str]] = {}
    for start, end in steps:
        near.setdefault(start, []).append(end)
        near.setdefault(end, []).append(start)
    return near


def _crossings(rows: Sequence[Sequence[Spot]], steps: Sequence[tuple[str, str]]) -> int:
    at = {spot.name: (spot.row, k) for row in rows for k, spot in enumerate(row)}
    count = 0
    for n, (a, b) in enumerate(steps):
        for c, d in steps[n + 1 :]:
            if at[a][0] == at[c][0]:
                count += (at[a][1] - at[c][1]) * (at[b][1] - at[d][1]) < 0
    return count


def _ordered(rows: Sequence[Sequence[Spot]], steps: Sequence[tuple[str, str]]) -> list[list[Spot]]:
    """Sorts each row by the mean place of its neighbours, sweep by sweep; the best is kept."""
    near = _near(steps)
    now = [list(row) for row in rows]
    best, least = [list(row) for row in now], _crossings(now, steps)
    for sweep in range(_SORTS):
        order = range(len(now)) if sweep % 2 == 0 else range(len(now) - 1, -1, -1)
        for k in order:
            side = {s.name: i / max(1, len(row) - 1) for row in now for i, s in enumerate(row)}
            rank = {
                spot.name: sum(side[n] for n in near[spot.name]) / len(near[spot.name])
                if spot.name in near
                else side[spot.name]
                for spot in now[k]
            }
            now[k].sort(key=lambda spot: rank[spot.name])
        _swap(now, steps)
        if (count := _crossings(now, steps)) < least:
            best, least = [list(row) for row in now], count
    return best


def _swap(rows: list[list[Spot]], steps: Sequence[tuple[str, str]]) -> None:
    """Exchanges neighbours in a row where fewer arrows cross then."""
    for row in rows:
        for k in range(len(row) - 1):
            before = _crossings(rows, steps)
            row[k], row[k + 1] = row[k + 1], row[k]
            if _crossings(rows, steps) >= before:
                row[k], row[k + 1] = row[k + 1], row[k]


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
