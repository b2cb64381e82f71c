"""`collide bench enumeration`: what it measures, compares, prints and keeps."""

import pytest

from experiments.bench import enumeration, enumeration_report
from experiments.bench.enumeration import _still_in_time, _verdict
from experiments.bench.enumeration_figure import seconds_figure
from experiments.bench.enumeration_report import (
    EnumerationResults,
    Measured,
    Ratio,
    _goals,
    _power,
    _row,
)
from experiments.bench.enumeration_sets import QUICK, SIZES, LayerSize, Memory, enumerate_all
from experiments.bench.exact_peers import Answer, installed
from experiments.bench.exact_sets import EMPTY, set_of
from experiments.cli.bench import main
from experiments.run.record import read_record
from polytope.answers.generators import Completeness
from polytope.errors import InputError
from tests.examples.printed import timed


def test_a_tiny_run_is_recorded_and_drawn(tmp_path, capsys):
    assert main(["enumeration", "--smoke", "--quiet", "--seed", "3", "--out", str(tmp_path)]) == 0
    record = read_record(tmp_path, EnumerationResults)
    assert record.results.sets["box 2 x 6"].status == "CERTIFIED"
    for one in record.results.sets.values():
        assert one.peers == dict.fromkeys(installed(), "equal")
    assert set(record.timings["seconds"]["box 2 x 6"]) == {"ours", *installed()}
    assert (tmp_path / "seconds.png").read_bytes().startswith(b"\x89PNG")
    printed = capsys.readouterr().out
    assert f"{4 * len(installed())} equal, 0 stopped, 0 other" in printed
    assert "lrs: the processor time that it states" in printed


def test_missing_and_differing_peers_are_named(capsys, monkeypatch, golden):
    monkeypatch.setattr(enumeration, "installed", lambda: ["PPL"])
    monkeypatch.setattr(enumeration_report, "missing", lambda: ["lrs is missing: the extra peers."])
    monkeypatch.setattr(enumeration.Peer, "ask", lambda *_, **__: Answer(EMPTY, 0.5))
    assert main(["enumeration", "--quiet", "--family", "box", "--size", "2", "6"]) == 0
    printed = capsys.readouterr().out
    assert "0 equal, 0 stopped, 1 other" in printed
    golden.check("bench-enumeration", printed, masked=timed)


def test_timed_of_a_set_are_read():
    size = LayerSize("box", 3, 12, 1)
    listed = enumerate_all(size)
    assert listed.found.status is Completeness.CERTIFIED
    assert "witness" in vars(listed.found.certificate)
    assert listed.seconds > 0
    again = size.polytope()
    assert set_of(listed.found) == set_of(again.vertices())
    assert (again.n_units, again.n_positive) == (6, 0)
    alone = LayerSize("free", 3, 12, 1)
    assert alone.polytope().n_units == 12


def test_memory_is_that_of_the_lists():
    found = enumeration._memory(LayerSize("box", 8, 30, 0))
    assert found.vertices > 3000
    # 8 coordinates of some 200 bits, or their parts, and 8 tight rows for each vertex.
    assert 500 < found.peak / found.vertices < 50_000
    assert found.kept > 0


def large(vertices, ours, **peers):
    one = Measured(
        LayerSize("box", 8, 40, 0), vertices=vertices, memory=Memory(vertices, 1000 * vertices, 0)
    )
    one.seconds["ours"] = [ours]
    for name, seconds in peers.items():
        one.seconds[name.replace("cdd", "cdd.gmp")] = [seconds]
    return one


def test_ratios_use_the_fastest_peer_and_a_stopped_one_counts_as_more():
    one = large(5000, 0.125, PPL=0.625, lrs=0.5)
    one.late.add("cdd.gmp")
    assert (one.fastest(), one.best()) == ("lrs", 4)
    assert one.ratio("cdd.gmp", 60) == Ratio(480, stopped=True)
    assert one.ratio("Normaliz", 60) is None
    assert _row(one, 60)[-3:] == ["4 (lrs)", ">480", "1,000"]
    assert _row(one, 60)[2:7] == ["0.125", "0.500", "-", "0.625", ">60"]
    goals = _goals([one, large(10, 0.01, PPL=0.001)], 60)
    assert [goal.value for goal in goals[:3]] == [4, 480, pytest.approx(10)]
    assert [goal.reached for goal in goals] == [True, True, False, None]


def test_growth_of_memory_is_a_power():
    sets = [large(n, 1) for n in (3000, 9000, 30_000)]
    assert _power(sets) == pytest.approx(1)
    for one in sets:
        one.memory = Memory(one.vertices, one.vertices**2, 0)
    assert _power(sets) == pytest.approx(2)
    assert _power(sets[:2]) is None


def test_a_peer_that_was_late_twice_is_left_out():
    class Named:
        name = "PPL"

    late = large(10, 1)
    late.late.add("PPL")
    assert _still_in_time([Named()], [late]) != []
    assert _still_in_time([Named()], [late, late]) == []
    assert _verdict(Answer(None, 1, "more than 1 s"), EMPTY) == "late"
    assert _verdict(Answer(None, 1, "the process ended"), EMPTY) == "failed: the process ended"


def test_the_figure_shows_each_program_that_ended():
    figure = seconds_figure({"ours": [(10, 0.1), (5, 0.2)], "PPL": []}, 60)
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["ours"]
    assert axes.lines[0].get_xdata().tolist() == [5, 10]


def test_sizes_are_as_asked_for():
    assert set(QUICK) <= set(SIZES)
    assert {d for d, _ in SIZES} >= {4, 8, 10, 12}
    assert {m for _, m in SIZES} >= {30, 50, 70}
    with pytest.raises(InputError, match="more than 2 D half-spaces, got 3 6"):
        main(["enumeration", "--size", "3", "6"])
    with pytest.raises(InputError, match="runs: expected at least 1, got 0"):
        main(["enumeration", "--runs", "0"])
    with pytest.raises(InputError, match="limit: expected a number > 0, got 0"):
        main(["enumeration", "--limit", "0"])
