"""Which thousand images, and which class is which?  One training image a class of ImageNet-1k.

The public repository EliSchwartz/imagenet-sample-images; `imagenet_samples.sha256` beside this file
lists its files with their checksums.  Sorted by WordNet id they are in the order of the classes.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

LISTING = Path(__file__).with_name("imagenet_samples.sha256")


@cache
def samples_sha256() -> dict[str, str]:
    """Returns file name -> SHA-256 of the thousand original files, sorted by name."""
    lines = LISTING.read_text().splitlines()
    return {
        name: digest for digest, name in sorted(map(str.split, lines), key=lambda line: line[1])
    }


@cache
def _classes() -> dict[str, int]:
    return {name.partition("_")[0]: index for index, name in enumerate(samples_sha256())}


def class_of(path: Path | str) -> int | None:
    """Returns the class of an image whose name starts with a WordNet id of ImageNet-1k, else None.

    >>> class_of("n01443537_goldfish.JPEG"), class_of("holiday.jpg")
    (1, None)
    """
    return _classes().get(Path(path).stem.partition("_")[0])


def class_name(index: int) -> str:
    """Returns the name of a class, 0 to 999, in words.

    >>> class_name(1)
    'goldfish'
    """
    name = list(samples_sha256())[index]
    return Path(name).stem.partition("_")[2].replace("_", " ")


def labels(paths: Sequence[Path]) -> tuple[int | None, ...]:
    """Returns the class of each image by its name."""
    return tuple(class_of(path) for path in paths)


def which_samples(paths: Sequence[Path]) -> str:
    """Returns in words which images these are, for a record: the thousand, copies, or others."""
    names = {path.stem for path in paths}
    originals = samples_sha256()
    if names != {Path(name).stem for name in originals}:
        return f"{len(paths)} images of a folder"
    if {path.name for path in paths} == set(originals):
        return "the thousand ImageNet samples under their own names"
    return "copies of the thousand ImageNet samples"
