"""Which runs are killed, and how is their work counted?  Small forms of the real commands."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.mnist import run, survey, survey_job
from experiments.own.layer_space import LayerSpace
from experiments.own.results import VertexKey
from experiments.run import jobs, rows
from optimize.search import run as search_run
from tests.examples.network_files import write_network
from tests.examples.small_runs import install

#: Environment variable with the file to which beginnings and ends of units of work are appended.
LOG = "KILL_LOG"


class Plain:
    """Sets attributes for good: the process that does so is killed."""

    def setattr(self, owner: Any, name: str, value: Any) -> None:
        setattr(owner, name, value)


def note(event: str, key: object) -> None:
    """Appends one event, whole, in one write."""
    with open(os.environ[LOG], "ab", buffering=0) as stream:  # noqa: PTH123 - must not be buffered
        stream.write(f"{event}\t{key}\n".encode())


_TIMED, _SURVEY = jobs._timed, survey_job.run_survey_job


def timed(sent: Any) -> Any:
    """Stands in for the function of `stages`; defined here so that a worker finds it."""
    note("begin", sent[0].key)
    return _TIMED(sent)


def surveyed(job: Any) -> Any:
    """Stands in for the function of the survey."""
    for key in job.row_keys():
        note("begin", key)
    return _SURVEY(job)


def _log_rows() -> None:
    append = rows.RowFile.append

    def logged(self: Any, key: Any, *given: Any) -> Any:
        row = append(self, key, *given)
        note("kept", key)
        return row

    rows.RowFile.append = logged  # type: ignore[method-assign]


def _log_search() -> None:
    """A unit of a search is what lies between two checkpoints."""
    advance, save = search_run.Run._round, search_run.Run._save
    begun: list[int] = []

    def logged(self: Any, steps: int) -> None:
        begun.append(self.step)
        note("begin", f"step {self.step}")
        advance(self, steps)

    def saved(self: Any) -> None:
        save(self)
        for step in begun:
            note("kept", f"step {step}")
        begun.clear()

    search_run.Run._round = logged  # type: ignore[method-assign]
    search_run.Run._save = saved  # type: ignore[method-assign]


def _small_data() -> None:
    install(Plain(), run)
    install(Plain(), survey)
    jobs._timed, survey.run_survey_job = timed, surveyed  # type: ignore[attr-defined]
    _log_rows()


def _compare() -> None:
    compare = LayerSpace.compare

    def logged(self: Any, search: Any, index: int, **given: Any) -> Any:
        note("begin", VertexKey(index))
        return compare(self, search, index, **given)

    LayerSpace.compare = logged  # type: ignore[method-assign]
    _log_rows()
    _log_search()


@dataclass(frozen=True)
class Scenario:
    """One command that is killed.

    Attributes:
        words: of the command, without --out and --resume.
        install: called in the process that runs the command: small data, and counting.
        in_flight: units that one kill may cost.
        ends: exit code of the unbroken run; 4 where a limit is part of the scenario.
        prepare: writes what the command reads.
    """

    words: tuple[str, ...]
    install: Callable[[], None]
    in_flight: int = 1
    ends: int = 0
    prepare: Callable[[Path], Any] = lambda place: None


_MNIST = (
    "mnist --network default --units 2 --samples 10 --digits 3 --tolerances 0 --author-steps 100"
    " --seed 0"
)
_OWN = "fc1 --weights {0}/net.safetensors --target {0}/image.npy --device cpu --units 2"

SCENARIOS = {
    "mnist": Scenario((*_MNIST.split(), "--workers", "1"), _small_data),
    "mnist-2": Scenario((*_MNIST.split(), "--workers", "2"), _small_data, in_flight=3),
    "survey": Scenario(
        ("mnist", "--targets", "6", "--seeds", "2", "--units", "2", "--workers", "1"),
        _small_data,
        in_flight=survey.BATCH,
    ),
    "find": Scenario(
        tuple(f"find {{0}}/nets.py:Net {_OWN} --steps 6000".split()),
        _log_search,
        in_flight=10,  # looks, of 100 steps each, between two checkpoints
        ends=4,
        prepare=write_network,
    ),
    "compare": Scenario(
        tuple(f"compare {{0}}/nets.py:Net {_OWN} --steps 2000 --samples 20".split()),
        _compare,
        in_flight=10,
        ends=4,
        prepare=write_network,
    ),
}
