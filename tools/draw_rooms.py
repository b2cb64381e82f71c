"""Which rooms does the house have, and who imports whom?  Draws docs/images/rooms.svg.

    .venv/bin/python tools/draw_rooms.py

Rooms and levels are the table of tests/test_import_rules.py, arrows the imports as they are in the
sources, the question of a room the first sentence of its docstring.  A test draws the picture anew
and compares it with the file.
"""

from __future__ import annotations

import ast
import re
import sys
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

from room_layout import Layout, arranged  # noqa: E402

from tests.test_import_rules import LEVELS, NAMES, PACKAGES, modules, room_of  # noqa: E402

PICTURE = ROOT / "docs" / "images" / "rooms.svg"
_FONT = "Helvetica, Arial, 'DejaVu Sans', sans-serif"
_COLOURS = {  # line, paper and shade of each package
    "polytope": ("#1f5a94", "#eef4fb", "#ffffff"),
    "optimize": ("#9a5b00", "#fdf4e5", "#ffffff"),
    "experiments": ("#2f6f3e", "#eef7ef", "#ffffff"),
}
_WIDTH, _MARGIN, _PAD = 960, 14, 16
_APART = 36  # between the packages
_TITLE, _TEXT, _LINE = 13.5, 11.5, 14.5
_LONGEST = 50  # letters of a sentence that is shown whole
_HEAD, _BETWEEN = 34, 34  # above the first row of a package; between rows


def edges() -> dict[str, set[str]]:
    """Returns room -> the rooms it imports, of all packages."""
    found: dict[str, set[str]] = {room: set() for level in LEVELS for room in level}
    for name, path in NAMES.items():
        if name == "experiments":  # an empty door
            continue
        room = room_of(name)
        used = {room_of(module) for module in modules((ROOT / path).read_text())}
        found[room] |= used - {room}
    return found


def needed(graph: dict[str, set[str]]) -> list[tuple[str, str]]:
    """Returns the arrows that no longer way implies."""
    found: dict[str, set[str]] = {}

    def below(room: str) -> set[str]:
        if room not in found:
            found[room] = graph[room].union(*map(below, graph[room]))
        return found[room]

    return [
        (room, other)
        for room in graph
        for other in sorted(graph[room])
        if not any(other in below(x) for x in graph[room] - {other})
    ]


def question(room: str) -> str:
    """Returns what a room's docstring asks, or says first."""
    text = ast.get_docstring(ast.parse((ROOT / NAMES[room]).read_text())) or ""
    line = text.partition("\n")[0].replace("`", "")
    asked = re.match(r".*\?", line)
    short = line if len(line) <= _LONGEST else line.partition(":")[0]
    return asked[0] if asked else short.rstrip(".")


def _wide(text: str, size: float) -> float:
    """The width of a text, rather too much than too little."""
    narrow = sum(letter in "iljtfrI.,:;'()[]| " for letter in text)
    broad = sum(letter in "mwMWABCDEGHKNOPQRUVXYZ%" for letter in text)
    return size * (0.38 * narrow + 0.80 * broad + 0.60 * (len(text) - narrow - broad))


def _wrapped(text: str, most: float) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and _wide(longer, _TEXT) > most:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


@dataclass(frozen=True)
class Panel:
    """One package: its rooms in rows, the upper levels first, in a frame of its own."""

    package: str
    left: float
    right: float
    top: float
    box: float
    gap: float

    @property
    def rows(self) -> list[list[str]]:
        """The rooms, level by level from the top."""
        mine = [[r for r in level if r.partition(".")[0] == self.package] for level in LEVELS]
        return [level for level in mine[::-1] if level]

    def lines(self, room: str) -> list[str]:
        """The question of a room, as it is broken."""
        return _wrapped(question(room), self.box - 14)

    @property
    def heights(self) -> list[float]:
        """The height of each row's boxes."""
        return [25 + _LINE * max(len(self.lines(room)) for room in row) for row in self.rows]

    @property
    def tops(self) -> list[float]:
        """The upper end of each row."""
        heights = [0.0, *(height + _BETWEEN for height in self.heights)]
        return [self.top + _HEAD + sum(heights[: k + 1]) for k in range(len(self.rows))]

    @property
    def bottom(self) -> float:
        """The lower end of the frame."""
        return self.tops[-1] + self.heights[-1] + _PAD


def _text(x: float, y: float, words: str, *, size: float = _TEXT, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" {more}>{escape(words)}</text>'


def _dot(x: float, y: float) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" fill="{_COLOURS["optimize"][0]}"/>'


def _box(panel: Panel, room: str, x: float, row: int, *, dot: bool) -> list[str]:
    line, _, shade = _COLOURS[panel.package]
    left, top, height = x - panel.box / 2, panel.tops[row], panel.heights[row]
    found = [
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{panel.box}" height="{height:.1f}" rx="7" '
        f'fill="{shade}" stroke="{line}" stroke-width="1.3"/>'
    ]
    title = room if room == panel.package else room.partition(".")[2]
    weight = f'font-weight="bold" fill="{line}" text-anchor="middle"'
    found.append(_text(x, top + 17, title, size=_TITLE, more=weight))
    for k, words in enumerate(panel.lines(room)):
        found.append(_text(x, top + 33 + _LINE * k, words, more='text-anchor="middle"'))
    if dot:
        found.append(_dot(left + panel.box - 10, top + 10))
    return found


def _arrows(panel: Panel, layout: Layout) -> list[str]:
    """Curves from the lower side of a box to the upper side of another, spread over the sides."""
    row_of = {spot.name: spot.row for row in layout.rows for spot in row}
    boxes = {spot.name for row in layout.rows for spot in row if spot.is_box}
    steps = [step for way in layout.ways.values() for step in pairwise(way)]
    port: dict[tuple[str, str, str], float] = {}
    for name in row_of:
        for side, near in (
            ("below", [b for a, b in steps if a == name]),
            ("above", [a for a, b in steps if b == name]),
        ):
            near.sort(key=lambda other: layout.middle[other])
            apart = min(22.0, panel.box / (len(near) + 1)) if name in boxes else 0.0
            for k, other in enumerate(near):
                port[side, name, other] = layout.middle[name] + (k - (len(near) - 1) / 2) * apart
    line = _COLOURS[panel.package][0]
    found = []
    for way in layout.ways.values():
        path = ""
        for a, b in pairwise(way):
            x, y = port["below", a, b], panel.tops[row_of[a]] + panel.heights[row_of[a]]
            u, v = port["above", b, a], panel.tops[row_of[b]] - (6 if b == way[-1] else 0)
            path += f"{f' L {x:.1f} {y:.1f}' if path else f'M {x:.1f} {y:.1f}'}"
            bend = (v - y) * 0.55
            path += f" C {x:.1f} {y + bend:.1f} {u:.1f} {v - bend:.1f} {u:.1f} {v:.1f}"
        found.append(
            f'<path d="{path}" fill="none" stroke="{line}" stroke-width="1.4" opacity="0.85" '
            f'marker-end="url(#{panel.package})"/>'
        )
    return found


def _drawn(panel: Panel, graph: dict[str, set[str]]) -> list[str]:
    line, paper, _ = _COLOURS[panel.package]
    own = {
        room: {other for other in graph[room] if other.partition(".")[0] == panel.package}
        for row in panel.rows
        for room in row
    }
    layout = arranged(
        panel.rows,
        needed(own),
        box=panel.box,
        gap=panel.gap,
        left=panel.left + _PAD,
        right=panel.right - _PAD,
    )
    found = [
        f'<rect x="{panel.left}" y="{panel.top:.1f}" width="{panel.right - panel.left}" '
        f'height="{panel.bottom - panel.top:.1f}" rx="12" fill="{paper}"/>',
        _text(
            panel.left + _PAD,
            panel.top + 22,
            f"{panel.package}/",
            size=16,
            more=f'font-weight="bold" fill="{line}"',
        ),
        *_arrows(panel, layout),
    ]
    for row in layout.rows:
        for spot in row:
            if spot.is_box:
                used = {other.partition(".")[0] for other in graph[spot.name]}
                dot = panel.package == "experiments" and "optimize" in used
                found += _box(panel, spot.name, layout.middle[spot.name], spot.row, dot=dot)
    return found


_LEGEND = (
    "A box is a folder, or a module that lies in none;",
    "in it, the question that it answers.",
    "",
    "An arrow: imports. Arrows go down, never up and never",
    "sideways; one that longer ways imply is left out.",
    "",
    "Broad arrows: experiments/ imports from both others,",
    "optimize/ from polytope/, and never the other way.",
    "",
)
_DOT = "this room of experiments/ imports from optimize/"


def _legend(x: float, y: float) -> list[str]:
    found = [_text(x, y + 19 * k, words, size=12.5) for k, words in enumerate(_LEGEND) if words]
    y += 19 * len(_LEGEND)
    return [*found, _dot(x + 5, y - 4.5), _text(x + 17, y, _DOT, size=12.5)]


def _broad(x: float, y: float, *, turn: int) -> str:
    """A broad arrow around a point: down, or turned by so many degrees."""
    return (
        f'<path transform="translate({x:.1f} {y:.1f}) rotate({turn})" fill="#9aa3ad" '
        'd="M -9 -13 L 9 -13 L 9 0 L 18 0 L 0 14 L -18 0 L -9 0 z"/>'
    )


def picture() -> str:
    """Returns the text of the SVG."""
    graph = edges()
    right, half = _WIDTH - _MARGIN, _WIDTH / 2
    upper = Panel("experiments", _MARGIN, right, _MARGIN, box=144, gap=10)
    top = upper.bottom + _APART
    exact = Panel("polytope", _MARGIN, half - _APART / 2, top, box=190, gap=20)
    torch = Panel("optimize", half + _APART / 2, right, top, box=190, gap=20)
    height = exact.bottom + _MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height:.0f}" '
        f'viewBox="0 0 {_WIDTH} {height:.0f}" font-family="{_FONT}" fill="#222222" role="img">',
        "<title>The rooms of the house: who imports whom</title>",
        "<desc>Drawn by tools/draw_rooms.py from the imports; do not edit.</desc>",
        "<defs>",
    ]
    for package in PACKAGES:
        parts.append(
            f'<marker id="{package}" viewBox="0 0 8 8" refX="2" refY="4" markerWidth="6.5" '
            f'markerHeight="6.5" orient="auto"><path d="M 0 0 L 8 4 L 0 8 z" '
            f'fill="{_COLOURS[package][0]}"/></marker>'
        )
    parts += ["</defs>", f'<rect width="{_WIDTH}" height="{height:.0f}" rx="14" fill="#ffffff"/>']
    for panel in (upper, exact, torch):
        parts += _drawn(panel, graph)
    for panel in (exact, torch):
        parts.append(_broad((panel.left + panel.right) / 2, top - _APART / 2, turn=0))
    parts.append(_broad(half, (torch.top + torch.bottom) / 2, turn=90))
    parts += _legend(torch.left + _PAD, torch.bottom + 46)
    return "\n".join([*parts, "</svg>", ""])


def main() -> None:
    """Writes the picture."""
    PICTURE.write_text(picture())


if __name__ == "__main__":
    main()
