"""What names a piece of work, and what did it find?  Keys made of fields, typed outcomes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar, get_args, get_origin

import numpy as np
from numpy.typing import NDArray

from experiments.run.documents import jsonable

#: Results of a piece of work: a frozen dataclass.
R = TypeVar("R")


@dataclass(frozen=True)
class Key(Generic[R]):
    """Names a piece of work by the fields of a subclass, which states the type of its results.

    >>> @dataclass(frozen=True)
    ... class ExactKey(Key[dict[str, int]]):
    ...     WORK = "exact"
    ...     control: str
    >>> str(ExactKey("none")), ExactKey.results_type()
    ('exact.none', dict[str, int])
    """

    WORK: ClassVar[str]  # the kind of work, the same in every version of a file

    @classmethod
    def results_type(cls) -> type[R]:
        """Returns R."""
        bases = (base for each in cls.__mro__ for base in each.__dict__.get("__orig_bases__", ()))
        kind: type[R] = next(get_args(base)[0] for base in bases if get_origin(base) is Key)
        return kind

    def document(self) -> dict[str, Any]:
        """Returns the key as its row keeps it."""
        return {"work": self.WORK, **jsonable(self)}

    def __str__(self) -> str:
        return spoken(self.document())


@dataclass(frozen=True, eq=False)
class Outcome(Generic[R]):
    """What a piece of work found.

    Attributes:
        results: numbers for the record.
        arrays: images for `vertices.npz`, float64.
        seconds: how long it took, which is not reproducible.
    """

    results: R
    arrays: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    seconds: float = 0.0


def canonical(key: Mapping[str, Any]) -> str:
    """Returns the one text of a key's document: JSON with sorted names."""
    return json.dumps(key, sort_keys=True, separators=(",", ":"))


def spoken(key: Mapping[str, Any]) -> str:
    """Returns a key in words, for lines of progress and for timings; never read back."""
    parts = (f"{v:g}" if isinstance(v, float) else str(v) for v in key.values() if v is not None)
    return ".".join(parts)
