"""A piece of work is done once, however often the run is gone on with."""

from dataclasses import dataclass

from experiments.run.jobs import keep
from experiments.run.outcomes import Key
from experiments.run.progress import Progress
from experiments.run.rows import RowFile


@dataclass(frozen=True)
class Sum:
    value: int


@dataclass(frozen=True)
class SumKey(Key[Sum]):
    WORK = "sum"
    first: int
    second: int


def test_a_piece_of_work_is_kept_and_read_again(tmp_path, capsys):
    calls = []

    def added(first, second):
        def work():
            calls.append((first, second))
            return Sum(first + second)

        return work

    for quiet in (False, True):
        with RowFile(tmp_path / "rows.jsonl", options={}, schema="sums/1") as rows:
            progress = Progress(quiet=quiet)
            for pair in ((1, 2), (3, 4), (1, 2)):
                assert keep(SumKey(*pair), added(*pair), rows, progress) == Sum(sum(pair))
            assert list(rows.seconds()) == ["sum.1.2", "sum.3.4"]
    assert calls == [(1, 2), (3, 4)]
    assert capsys.readouterr().err.count("sum.1.2") == 1
