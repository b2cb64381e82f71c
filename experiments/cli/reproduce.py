"""`collide reproduce`: the experiment behind a table, then that table."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from experiments.cli import mnist, vgg16
from experiments.mnist.options import MnistOptions
from experiments.mnist.survey_options import SurveyOptions
from experiments.run.checks import refused
from experiments.run.desk import Desk, LastingRun
from experiments.run.request import Request, again, option, read_request, refuse
from experiments.vgg16.options import Vgg16Options

SUMMARY = "run the experiment behind a table and print it"
_PAIR = "the pair of images (Tables 3 and 4)"


@dataclass(frozen=True, kw_only=True)
class Table(Request):
    """Which table."""

    table: Literal["1", "2", "3", "4", "all"] = option(
        "1 or 2 (MNIST), 3 or 4 (VGG-16), all (1, 2)", positional=True, metavar="TABLE"
    )


@dataclass(frozen=True, kw_only=True)
class TableRun(LastingRun):
    """Where the run of the table's experiment goes."""

    out: Path | None = again(
        LastingRun, "out", "run folder (default: runs/mnist-NNN or runs/vgg16-NNN, a new one)"
    )


@dataclass(frozen=True, kw_only=True)
class Vgg16Table(Vgg16Options):
    """Settings of Tables 3 and 4, beside those of Tables 1 and 2 that have the same names."""

    target: str = again(
        Vgg16Options,
        "target",
        "as --target of `collide vgg16`",
        flag="--target-image",
        group=_PAIR,
    )
    start: str = again(
        Vgg16Options, "start", "as --start of `collide vgg16`", flag="--start-image", group=_PAIR
    )


@dataclass(frozen=True)
class Reproduced:
    """A table, and the settings of the experiment behind it."""

    table: str
    settings: MnistOptions | Vgg16Table


REQUESTS = (Table, TableRun, MnistOptions, SurveyOptions, Vgg16Table)


def request_of(given: Mapping[str, Any]) -> Reproduced:
    """The settings of the table's own experiment."""
    if given.keys() & {"targets", "seeds"}:
        raise refused("targets, seeds: expected none with `reproduce`; use `collide mnist`")
    table = given["table"]
    if table not in ("3", "4"):
        return Reproduced(table, read_request(MnistOptions, given))
    where = (
        f"with Table {table}, which is not on MNIST (see --target-image, --start-image, --steps)"
    )
    refuse(given, MnistOptions, beside=Vgg16Table, where=where)
    return Reproduced(table, read_request(Vgg16Table, {"device": "cpu", **given}))


def run(request: Reproduced, desk: Desk) -> int:
    """The experiment behind a table, then that table, or Table 4 and the place of the images."""
    if isinstance(request.settings, MnistOptions):
        return mnist.single(request.settings, desk, table=request.table)
    return vgg16.single(request.settings, desk, table="table4")
