"""How is the next block prepared while this one is used?  One thread, one block ahead."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_A = TypeVar("_A")
_B = TypeVar("_B")


def ahead(function: Callable[[_A], _B], items: Iterable[_A]) -> Iterator[_B]:
    """Map in order, computing the next value while the caller uses this one.

    Worth its while where the function works without Python's lock (numpy on large arrays).
    """
    given = list(items)
    if len(given) < 2:
        yield from map(function, given)
        return
    with ThreadPoolExecutor(max_workers=1) as pool:
        waiting = pool.submit(function, given[0])
        for item in given[1:]:
            done, waiting = waiting, pool.submit(function, item)
            yield done.result()
        yield waiting.result()
