"""What every benchmark is asked, and what `--smoke` leaves of it."""

from dataclasses import dataclass, fields, replace
from typing import Any, Self

from experiments.run.request import Request, option

#: Option, of the benchmarks that have it -> most with `--smoke`.
_SMOKE = {"runs": 1, "units": 2, "targets": 3, "steps": 10, "singles": 2, "max_steps": 2000}


def count(words: str, default: int, *, least: int = 1) -> Any:
    """Returns the field of an option that is a number of things."""
    return option(f"{words} ({default})", default=default, metavar="N", least=least)


@dataclass(frozen=True, kw_only=True)
class BenchRequest(Request):
    """Base of the benchmarks' options."""

    seed: int = count("of the network and everything random", 0, least=0)
    smoke: bool = option("tiny sizes: does it run at all?", default=False)

    def shrunk(self) -> Self:
        """Returns the request that is run: with `--smoke` a tiny one."""
        if not self.smoke:
            return self
        tiny: dict[str, Any] = {}
        for name in {f.name for f in fields(self)} & _SMOKE.keys():
            given = getattr(self, name)
            tiny[name] = _SMOKE[name] if given is None else min(given, _SMOKE[name])
        return replace(self, **tiny)
