"""Which input of a data set is meant?  FILE:17, FILE:NAME:17, or several: FILE:3-5,9."""

import re
from dataclasses import dataclass
from pathlib import Path

from experiments.own.texts import read_list
from polytope.errors import InputError

_PLACE = re.compile(r"(?P<file>.+?)(?::(?P<name>[^:]+))?:(?P<index>[\d,\- ]+)")


@dataclass(frozen=True)
class InputPlace:
    """Where one input lies.

    Attributes:
        file: its file.
        name: of the array in it; None where the file says which.
        index: of the input along the array's first axis; None where the file holds one input.
    """

    file: Path
    name: str | None = None
    index: int | None = None


def place_of(path: Path, *, role: str = "target") -> InputPlace:
    """Returns where an input lies; a file of that very name comes first.

    Raises:
        InputError: it names several inputs where one is meant.

    >>> place_of(Path("no-such-file.npz"))
    InputPlace(file=PosixPath('no-such-file.npz'), name=None, index=None)
    """
    places = _places(path)
    if len(places) != 1:
        raise InputError(f"{role}: expected one input, got {len(places)} of them in {path}")
    return places[0]


def each_place(path: Path) -> list[Path]:
    """Returns the inputs that are meant, each by a path of its own, in the form of `place_of`."""
    places = _places(path)
    if len(places) == 1:
        return [path]
    head = str(path).rpartition(":")[0]
    return [Path(f"{head}:{place.index}") for place in places]


def _places(path: Path) -> list[InputPlace]:
    found = _PLACE.fullmatch(str(path))
    if path.exists() or found is None or not Path(found["file"]).is_file():
        return [InputPlace(path)]
    chosen = read_list(found["index"])
    if chosen is None:
        raise InputError(
            f"target: expected an index, a list or a range behind {found['file']}:, such as 17 or "
            f"3-5,9; got {found['index']!r}"
        )
    return [InputPlace(Path(found["file"]), found["name"], index) for index in chosen]
