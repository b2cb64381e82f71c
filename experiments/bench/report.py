"""What does a benchmark say?  A table, the ratios beside what is to be reached, and a record."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from experiments.bench.options import BenchRequest
from experiments.run.record import Record, write_record
from experiments.run.request import recorded

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Results = TypeVar("Results")


@dataclass(frozen=True)
class Goal:
    """A number to reach.

    Attributes:
        name: what was measured.
        value: what came out; None where it could not be measured.
        reach: what it is compared with.
        side: "at most" or "at least".
        unit: printed after both numbers.
    """

    name: str
    value: float | None
    reach: float
    side: Literal["at most", "at least"]
    unit: str = ""

    @property
    def reached(self) -> bool | None:
        """Whether the number is on its side of `reach`; None where there is no number."""
        if self.value is None:
            return None
        return self.value <= self.reach if self.side == "at most" else self.value >= self.reach

    def text(self) -> str:
        """Returns one line."""
        wanted = f"reach: {self.side} {self.reach:g}{self.unit}"
        if self.value is None:
            return f"{self.name}: not measured ({wanted})"
        verdict = "reached" if self.reached else "not reached"
        return f"{self.name}: {self.value:.3g}{self.unit} ({wanted}): {verdict}"


@dataclass(frozen=True, kw_only=True)
class Report(Generic[Results]):
    """One run of one benchmark.

    Attributes:
        title: what was measured, on what.
        headings: of the columns.
        rows: text, as many cells as headings.
        results: what does not depend on the machine; its type has a `SCHEMA`.
        timings: what does.
        goals: the numbers to reach.
        notes: what the numbers mean, and which peers are missing.
        data: name of each input -> SHA-256.
        figures: name -> what is written as PNG beside the record.
    """

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    results: Results
    timings: Mapping[str, object]
    goals: Sequence[Goal] = ()
    notes: Sequence[str] = ()
    data: Mapping[str, str] = field(default_factory=dict)
    figures: Mapping[str, "Figure"] = field(default_factory=dict)

    def text(self) -> str:
        """Returns title, table, goals and notes as plain text."""
        parts = [self.title, table(self.headings, self.rows)]
        parts += ["\n".join(goal.text() for goal in self.goals)] if self.goals else []
        parts += ["\n".join(self.notes)] if self.notes else []
        return "\n\n".join(parts)


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Returns aligned plain text, the first column to the left and the others to the right.

    >>> print(table(["what", "seconds"], [["ours", "0.25"], ["theirs", "10"]]))
    what    seconds
    ------  -------
    ours       0.25
    theirs       10
    """
    columns = list(zip(headings, *rows, strict=True))
    widths = [max(map(len, column)) for column in columns]
    lines = [
        "  ".join(
            cell.rjust(width) if k else cell.ljust(width)
            for k, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in [headings, ["-" * width for width in widths], *rows]
    ]
    return "\n".join(lines)


def spread(seconds: Sequence[float], digits: int = 3) -> list[str]:
    """Returns median, least and largest as cells; a dash each where nothing was measured."""
    if not seconds:
        return ["-", "-", "-"]
    return [f"{value:.{digits}f}" for value in (median(seconds), min(seconds), max(seconds))]


def cell(value: float | None, form: str = ".2f") -> str:
    """Returns a number as a cell; a dash where there is none."""
    return "-" if value is None else f"{value:{form}}"


def middle(values: Sequence[float]) -> float | None:
    """Returns the median; None of nothing."""
    return median(values) if values else None


def ratio(above: Sequence[float], below: Sequence[float]) -> float | None:
    """Returns the ratio of two medians; None where either was not measured."""
    if not above or not below or median(below) == 0:
        return None
    return median(above) / median(below)


def write_report(folder: Path, name: str, request: BenchRequest, *, report: Report[Any]) -> Path:
    """Writes the report as `folder/record.json`, its figures beside it, and returns its path.

    Raises:
        OutputError: the file cannot be written.
    """
    goals = [asdict(goal) | {"reached": goal.reached} for goal in report.goals]
    record = Record(
        experiment=f"bench {name}",
        options=recorded(request),
        seed=request.seed,
        data=report.data,
        results=report.results,
        timings={**report.timings, "goals": goals, "table": [report.headings, *report.rows]},
    )
    for title, figure in report.figures.items():
        from experiments.show.figures import save

        save(figure, folder / f"{title}.png")
    return write_record(folder, record)
