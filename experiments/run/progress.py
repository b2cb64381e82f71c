"""How does a user see that a run goes on?  Stage lines and bars on stderr, terminal or not."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from tqdm import tqdm

LINE_EVERY = 5.0  # seconds between two lines of a bar where there is no terminal

_T = TypeVar("_T")


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"


class Progress:
    """Reports on stderr, and keeps the seconds that each stage took.

    Args:
        quiet: report nothing (timings are kept all the same).
        stages: how many stages there will be.
    """

    def __init__(self, *, quiet: bool = False, stages: int = 0) -> None:
        self.quiet = quiet
        self.seconds: dict[str, float] = {}
        self._stages, self._number = stages, 0
        self._began = time.monotonic()

    def say(self, message: str) -> None:
        """Prints one line, with the time since the start."""
        if not self.quiet:
            since = _clock(time.monotonic() - self._began)
            try:
                print(f"[{since}] {message}", file=sys.stderr, flush=True)
            except OSError:  # nobody reads it any more: no reason to end a run
                self.quiet = True

    @contextmanager
    def stage(self, name: str, title: str) -> Iterator[None]:
        """Announces a stage and keeps its seconds under `name`."""
        self._number += 1
        count = f"{self._number}/{self._stages} " if self._stages else ""
        self.say(f"{count}{title}")
        began = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.monotonic() - began

    def track(
        self,
        work: Iterable[_T],
        *,
        total: int,
        unit: str,
        label: Callable[[_T], str] = lambda item: "",
    ) -> Iterator[_T]:
        """Yields from `work`, showing count, rate, time to go and the label of what ended last."""
        if self.quiet:
            yield from work
        elif sys.stderr.isatty():
            with tqdm(total=total, unit=unit, leave=False, dynamic_ncols=True) as bar:
                for item in work:
                    yield item
                    bar.set_postfix_str(label(item), refresh=False)
                    bar.update()
        else:
            yield from self._lines(work, total, unit, label)

    def _lines(
        self, work: Iterable[_T], total: int, unit: str, label: Callable[[_T], str]
    ) -> Iterator[_T]:
        began = last = time.monotonic()
        for done, item in enumerate(work, start=1):
            yield item
            now = time.monotonic()
            # Short work says nothing: its end is what follows.
            if now - last >= LINE_EVERY or (done == total and last > began):
                last = now
                rate = done / max(now - began, 1e-9)
                rest = _clock((total - done) / rate)
                line = f"    {done}/{total} {unit}, {rate:.2f} {unit}/s, {rest} to go"
                self.say(f"{line}  {label(item)}".rstrip())

    def total(self) -> dict[str, Any]:
        """Returns the seconds of each stage and of the whole so far."""
        whole = time.monotonic() - self._began
        return {**{k: round(v, 3) for k, v in self.seconds.items()}, "total": round(whole, 3)}
