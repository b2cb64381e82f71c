"""How does a search move on?  The loop: rounds of steps, a look, dropping what is finished.

Between two looks nothing waits for the device.  All that a round needs lies in tensors that a
checkpoint holds, so that a resumed run repeats an unbroken one bit for bit on a CPU.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from optimize.search.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from optimize.search.objective import chosen_term, equality_residual, violation
from optimize.search.optimizers import Inspection, Method, State
from optimize.search.problem import Problem
from optimize.search.result import SearchStatus
from optimize.search.stopping import Stopping

_RUNNING = -1
_CODES = tuple(SearchStatus)
_TRACES = ("objective", "pre_activation", "equality_residual", "violation")


#: Is told the step and a copy of the points (V, D) of all vertices; True ends the search.
Watch = Callable[[int, Tensor], bool]


@dataclass(frozen=True)
class Keeping:
    """What is recorded on the way: checkpoint folder and its fingerprint, steps between entries.

    `watch` sees the start and every check of this call; nothing of it is kept in a checkpoint.
    """

    folder: Path | None
    fingerprint: str
    checkpoint_every: int
    history_every: int
    progress: bool | None
    watch: Watch | None = None


def measure(problem: Problem, points: Tensor) -> Tensor:
    """The four values of `_TRACES` at the points (V, D), as (4, V)."""
    pre, pattern = problem.pre_activation(points), problem.pattern
    values = (
        problem.objective.value(pre, pattern),
        chosen_term(pre, pattern),
        equality_residual(pre, pattern),
        violation(pre, pattern),
    )
    return torch.stack(values)


class Run:
    """One search on its way.

    Attributes:
        points: (V, D) last point of each vertex.
        codes: (V,) index into SearchStatus, -1 while running.
        steps, gap, bound: (V,) as in VertexSearch.
        trace: entries (4, V) at `trace_steps`.
    """

    def __init__(
        self, problem: Problem, method: Method, *, stopping: Stopping, keeping: Keeping
    ) -> None:
        self.whole, self.problem = problem, problem
        self.method, self.stopping, self.keeping = method, stopping, keeping

    def begin(self, points: Tensor) -> None:
        """Start at `points` (V, D), or where the checkpoint of this very search stands."""
        count = len(points)
        unknown = points.new_full((count,), math.nan)
        self.step = 0
        self.points = points.clone()
        self.codes = torch.full((count,), _RUNNING, device=points.device)
        self.steps = torch.zeros(count, dtype=torch.int64, device=points.device)
        self.gap, self.bound = unknown.clone(), unknown.clone()
        self.alive = torch.arange(count, device=points.device)
        self.state: State = self.method.begin(self.problem, points)
        self.trace = [measure(self.problem, points)]
        self.trace_steps = [0]
        if self.keeping.folder is not None:
            saved = load_checkpoint(self.keeping.folder, self.keeping.fingerprint)
            if saved is not None:
                self._restore(saved)

    def _restore(self, saved: Checkpoint) -> None:
        tensors = {key: value.to(self.points.device) for key, value in saved.tensors.items()}
        self.step = saved.step
        for name in ("points", "codes", "steps", "gap", "bound", "alive"):
            setattr(self, name, tensors[f"run.{name}"])
        self.trace = list(tensors["run.trace"].unbind(0))
        self.trace_steps = tensors["run.trace_steps"].tolist()
        self.state = {
            key.removeprefix("state."): value
            for key, value in tensors.items()
            if key.startswith("state.")
        }
        self.problem = self.whole.take(self.alive)

    def _save(self) -> None:
        if self.keeping.folder is None:
            return
        tensors = {
            f"run.{name}": getattr(self, name)
            for name in ("points", "codes", "steps", "gap", "bound", "alive")
        }
        tensors["run.trace"] = torch.stack(self.trace)
        tensors["run.trace_steps"] = torch.tensor(self.trace_steps)
        tensors |= {f"state.{key}": value for key, value in self.state.items()}
        checkpoint = Checkpoint(self.step, tensors)
        save_checkpoint(self.keeping.folder, checkpoint, self.keeping.fingerprint)

    def go(self) -> None:
        """Run until every vertex has ended; save, then mark what a limit cut off."""
        started = time.monotonic()
        limit = self.stopping.max_seconds
        cut = SearchStatus.STEP_LIMIT
        saved = self.step
        hidden = None if self.keeping.progress is None else not self.keeping.progress
        with tqdm(
            total=self.stopping.max_steps,
            initial=self.step,
            desc=f"{len(self.points)} vertices",
            unit="step",
            disable=hidden,
            leave=False,
        ) as bar:
            if self._watched():
                cut = SearchStatus.STOPPED
            while (
                cut is not SearchStatus.STOPPED
                and len(self.alive)
                and self.step < self.stopping.max_steps
            ):
                steps = min(self.stopping.check_every, self.stopping.max_steps - self.step)
                self._round(steps)
                bar.update(steps)
                bar.set_postfix_str(f"{len(self.alive)} running", refresh=False)
                if self.step - saved >= self.keeping.checkpoint_every:
                    self._save()
                    saved = self.step
                if self._watched():
                    cut = SearchStatus.STOPPED
                elif limit is not None and time.monotonic() - started >= limit:
                    cut = SearchStatus.TIME_LIMIT
                    break
        if saved != self.step:
            self._save()
        self.codes[self.codes == _RUNNING] = _CODES.index(cut)

    def _watched(self) -> bool:
        """Whether the caller, who is shown where all vertices are, ends the search here."""
        watch = self.keeping.watch
        return watch is not None and bool(watch(self.step, self.points.clone()))

    def _round(self, steps: int) -> None:
        """Some steps, one look, and the finished vertices leave the batch."""
        self.method.advance(self.problem, self.state, steps)
        self.step += steps
        seen = self.method.inspect(self.problem, self.state, self.stopping)
        self._note(seen)
        codes = self._codes_of(seen)
        self.codes[self.alive] = codes
        if self.step % self.keeping.history_every == 0:
            entry = self.trace[-1].clone()
            entry[:, self.alive] = measure(self.problem, seen.points)
            self.trace.append(entry)
            self.trace_steps.append(self.step)
        keep = (codes == _RUNNING).nonzero()[:, 0]
        if len(keep) < len(codes):
            self.alive = self.alive[keep]
            self.state = {key: value[keep] for key, value in self.state.items()}
            self.problem = self.problem.take(keep)

    def _note(self, seen: Inspection) -> None:
        self.points[self.alive] = seen.points
        self.steps[self.alive] = self.step
        self.gap[self.alive] = seen.gap
        self.bound[self.alive] = seen.lower_bound

    def _codes_of(self, seen: Inspection) -> Tensor:
        """Status codes of the running vertices; -1 for those that go on."""
        codes = torch.full_like(self.alive, _RUNNING)
        codes[seen.plateau] = _CODES.index(SearchStatus.PLATEAU)
        codes[seen.converged] = _CODES.index(SearchStatus.CONVERGED)
        codes[~torch.isfinite(seen.points).all(1)] = _CODES.index(SearchStatus.DIVERGED)
        return codes

    def statuses(self) -> tuple[SearchStatus, ...]:
        """The status of every vertex after `go`."""
        return tuple(_CODES[code] for code in self.codes.tolist())

    def traces(self) -> dict[str, Tensor]:
        """The recorded values by name, each (K, V), and `steps` (K,)."""
        stacked = torch.stack(self.trace).cpu()
        named = {name: stacked[:, row] for row, name in enumerate(_TRACES)}
        return {"steps": torch.tensor(self.trace_steps), **named}
