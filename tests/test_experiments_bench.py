import json
import re
import types
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch
from torch import nn

from experiments.bench import fc6, fc6_vertex, lp
from experiments.bench.checker import CheckerResults
from experiments.bench.deep import DeepResults
from experiments.bench.fc6 import Fc6Results
from experiments.bench.fc6_layer import Size, random_layer
from experiments.bench.fc6_vertex import STAGES, VertexResults
from experiments.bench.finder import FinderResults
from experiments.bench.fresh import Stages
from experiments.bench.gap import GapResults
from experiments.bench.layers import subject
from experiments.bench.lp import LpRequest, LpResults
from experiments.bench.peers import esolver_path, highs_alone, lp_text, parse_value, qsopt_ex
from experiments.bench.report import Goal, middle, ratio, table
from experiments.bench.units import UnitsResults
from experiments.cli.bench import BENCHMARKS, main
from experiments.measure.case import Case
from experiments.run.progress import Progress
from experiments.run.record import read_record
from polytope import Box, CollisionPolytope, Free
from polytope.errors import CollisionError, FileFormatError, InputError
from tests.examples.endings import die
from tests.examples.printed import all_numbers, timed
from tests.examples.schemas import misfits

needs_esolver = pytest.mark.skipif(esolver_path() is None, reason="needs QSopt_ex (esolver)")


RESULTS = {
    "checker": CheckerResults,
    "deep": DeepResults,
    "fc6": Fc6Results,
    "finder": FinderResults,
    "gap": GapResults,
    "lp": LpResults,
    "units": UnitsResults,
}


def smoke(name, tmp_path, *options):
    """Runs a benchmark at tiny sizes and returns its record."""
    assert main([name, "--smoke", "--quiet", "--seed", "3", "--out", str(tmp_path), *options]) == 0
    kind = VertexResults if "--vertex" in options else RESULTS[name]
    record = read_record(tmp_path, kind)
    assert misfits(tmp_path) == []
    assert record.experiment == f"bench {name}"
    assert record.seed == 3
    assert record.options["smoke"] is True
    headings, *rows = record.timings["table"]
    assert rows
    assert {len(row) for row in rows} == {len(headings)}
    return record


def case():
    rng = np.random.default_rng(11)
    weight = rng.standard_normal((6, 9), dtype=np.float32)
    return Case(weight, np.full(6, -0.5, np.float32), rng.random(9, dtype=np.float32))


def test_the_checker_is_timed_on_its_own(tmp_path, capsys, golden):
    record = smoke("checker", tmp_path)
    goals = {goal["name"]: goal for goal in record.timings["goals"]}
    assert goals["lines of the checker"]["reached"] is True
    assert [len(seconds) for seconds in record.timings["seconds"].values()] == [1] * 6
    assert set(record.results.megabytes) == set(record.timings["seconds"])
    assert min(record.results.megabytes.values()) > 0
    golden.check(
        "bench-checker", capsys.readouterr().out, places={"FOLDER": tmp_path}, masked=timed
    )


def test_lp_record_holds_exact_values_and_all_times(tmp_path, capsys, golden):
    record = smoke("lp", tmp_path, "--qsopt-units", "0", "--runs", "1")
    polytope = subject_case(3).polytope()
    assert len(record.results.units) == 2
    for unit in record.results.units:
        assert record.results.values[unit] == polytope.unit_vertex(unit).value
    times = record.timings
    assert len(times["total"]) == len(times["highs_ours"]) == len(times["highs_default"]) == 2
    parts = zip(times["float"], times["proof"], times["rest"], strict=True)
    for total, part in zip(times["total"], parts, strict=True):
        assert min(part) >= 0
        assert sum(part) == pytest.approx(total)
    assert times["qsopt_ex"] == []
    assert record.timings["goals"][-1]["value"] is None
    assert record.timings["goals"][-1]["reached"] is None
    golden.check("bench-lp", capsys.readouterr().out, places={"FOLDER": tmp_path}, masked=timed)


def subject_case(seed):
    return subject(LpRequest(smoke=True, seed=seed)).case()


def test_lp_names_a_missing_peer(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("experiments.bench.lp.esolver_path", lambda: None)
    smoke("lp", tmp_path)
    assert "QSopt_ex is missing" in capsys.readouterr().out


@needs_esolver
def test_lp_agrees_with_qsopt_ex(tmp_path):
    record = smoke("lp", tmp_path)
    assert list(record.results.qsopt_ex_agrees.values()) == [True]
    assert len(record.timings["qsopt_ex"]) == 1


@pytest.mark.parametrize("tolerance", [0, Fraction(1, 3)])
@needs_esolver
def test_qsopt_ex_reads_the_exact_program(tolerance):
    small = case()
    polytope = CollisionPolytope.from_layer(
        small.weight, small.bias, small.target, domain=Box(0, 1), tolerance=tolerance
    )
    for unit in polytope.inactive_units[:3]:
        answer = qsopt_ex(polytope.layer.system, unit, limit=60)
        expected = polytope.unit_vertex(unit).value
        assert answer.value + polytope.layer.biases[unit] == expected
        assert answer.seconds > 0


def test_lp_text_writes_every_number_exactly():
    polytope = CollisionPolytope.from_layer(
        [[Fraction(1, 3), -2], [1, 1], [0, 0]],
        [0, -3, -1],
        [Fraction(9), 1],
        domain=Box([0, Fraction(-1, 7)], [10, 2]),
    )
    lines = "".join(lp_text(polytope.layer.system, 0)).splitlines()
    assert [line.strip() for line in lines] == [
        "Minimize",
        "obj: + 1/3 x0",
        "- 2 x1",
        "Subject To",
        "r0: + 1/3 x0",
        "- 2 x1",
        "= 1",
        "r1: + 1 x0",
        "+ 1 x1",
        "= 10",
        "r2: 0 x0",
        "<= 1",
        "Bounds",
        "0 <= x0 <= 10",
        "-1/7 <= x1 <= 2",
        "End",
    ]


def test_lp_text_of_a_free_domain_leaves_bounds_open():
    polytope = CollisionPolytope.from_layer([[1]], [0], [1], domain=Free())
    assert " -inf <= x0\n" in list(lp_text(polytope.layer.system, 0))


def test_parse_value_reads_integers_and_quotients():
    assert parse_value("status OPTIMAL\n\tValue = -7\n") == -7
    assert parse_value("status OPTIMAL\n\tValue = 22/7\nVARS:\n") == Fraction(22, 7)


@pytest.mark.parametrize(
    "text", ["", "status INFEASIBLE\n", "status OPTIMAL\n", "status OPTIMAL\n\tValue = 0.5\n"]
)
def test_parse_value_refuses_anything_else(text):
    with pytest.raises(FileFormatError, match="status OPTIMAL"):
        parse_value(text)


@pytest.mark.parametrize("ours", [True, False])
def test_highs_alone_solves_the_same_program(ours):
    small = case()
    polytope = small.polytope()
    unit = polytope.inactive_units[0]
    found = highs_alone(small, unit, ours=ours)
    assert found.value == pytest.approx(float(polytope.unit_vertex(unit).value), abs=1e-6)
    assert found.seconds > 0


def test_units_record_counts_every_inactive_unit(tmp_path, capsys, golden):
    record = smoke("units", tmp_path)
    golden.check("bench-units", capsys.readouterr().out, places={"FOLDER": tmp_path}, masked=timed)
    polytope = subject_case(3).polytope()
    assert record.results.units == record.results.proved == len(polytope.inactive_units)
    assert record.results.vertices == record.results.units
    assert record.timings["both"][0] == pytest.approx(
        record.timings["certified"][0] + record.timings["verify"][0]
    )


def test_units_can_leave_out_verify(tmp_path):
    record = smoke("units", tmp_path, "--no-verify")
    assert record.timings["verify"] == record.timings["both"] == []
    assert len(record.timings["certified"]) == len(record.timings["float"])


def test_fc6_record_and_checker(tmp_path, capsys, golden):
    record = smoke("fc6", tmp_path, "--verify")
    golden.check("bench-fc6", capsys.readouterr().out, places={"FOLDER": tmp_path}, masked=timed)
    assert set(record.results.domains) == {"free", "nonnegative"}
    for domain, found in record.results.domains.items():
        assert found.dimension == found.paper_bound == 30 - 4
        assert found.kernel_holds is False
        assert "has dimension 26" in found.claims[0]
        assert "kernel condition fails" in found.claims[1]
        stages = record.timings[domain][0]
        names = ["split", "dimension", "kernel", "witness", "checker"]
        assert list(stages["seconds"]) == list(stages["peak_gb"]) == names
        row = next(row for row in record.timings["table"] if row[0] == fc6.DOMAINS[domain])
        assert float(row[7]) == pytest.approx(sum(map(float, row[3:7])), abs=0.03)
        assert stages["peak_gb"]["witness"] > 0.01


def searched(text):
    """Masks also which vertex was found: floats push to it."""
    lines = r"^(Vertex|Rounded|Certificate|Optimum).*$|unit \d+ over C is.*$"
    return re.sub(lines, lambda found: all_numbers(found[0]), timed(text), flags=re.MULTILINE)


def test_fc6_vertex(tmp_path, capsys, golden):
    """The smoke sizes and others, certificate and checker included."""
    record = smoke("fc6", tmp_path, "--vertex", "--verify", "--optimum")
    shown = capsys.readouterr().out
    golden.check("bench-fc6-vertex", shown, places={"FOLDER": tmp_path}, masked=searched)
    found, vertex = record.results, record.results.vertex
    assert (found.n_units, found.n_inputs, found.n_positive) == (12, 30, 4)
    assert found.status == "VERTEX"
    assert (found.dimension, found.lineality, found.kernel_holds) == (26, 0, False)
    assert vertex.tight == vertex.support >= 4
    assert vertex.tight - vertex.tight_inactive == 4
    assert vertex.rounded_tolerance < 1e-6
    assert "the stated point is a vertex of C" in vertex.claim
    assert set(record.timings["seconds"]) == set(record.timings["peak_gb"]) == set(STAGES)
    least = found.optimum
    assert least.status == "OPTIMAL"
    assert least.is_vertex
    assert f"the pre-activation of unit {least.unit} over C is" in least.claim
    assert (
        main(["fc6", "--vertex", "--quiet", "--units", "9", "--inputs", "20", "--active", "2"]) == 0
    )
    out = capsys.readouterr().out
    assert "One certified vertex at x >= 0: 9 x 20 float32" in out
    assert "2 active units" in out


def test_fc6_with_real_weights(monkeypatch):
    """Of VGG-16's weights, a file of either kind, fc6 is taken; the target is drawn."""
    drawn = random_layer(Size(16, 40, 5), seed=3)
    model = nn.Module()
    model.classifier = nn.Sequential(nn.Linear(40, 16))
    model.classifier[0].weight.data = torch.from_numpy(drawn.weight)
    model.classifier[0].bias.data = torch.from_numpy(drawn.bias)
    monkeypatch.setattr(
        "experiments.models.vgg16_weights.load_vgg16",
        lambda path: types.SimpleNamespace(model=model) if path == "vgg.pth" else None,
    )
    asked = fc6_vertex.Asked(Size(0, 0, 0), 7, weights="vgg.pth")
    found = fc6_vertex.measure(asked).results
    assert (found.n_units, found.n_inputs) == (16, 40)
    assert found.status == "VERTEX"


def test_fc6_without_a_vertex_says_why():
    found = fc6_vertex.measure(fc6_vertex.Asked(Size(12, 30, 4), 7)).results
    none = replace(found, status="UNDECIDED", reason="floats failed", vertex=None)
    notes = fc6_vertex._notes(fc6_vertex.Measured(none, Stages(), {}))
    assert notes == ["no vertex: UNDECIDED: floats failed"]


def test_fc6_layer_has_the_wanted_active_units():
    found = random_layer(Size(40, 50, 11), seed=5)
    assert found.weight.dtype == found.bias.dtype == found.target.dtype == np.float32
    assert found.polytope(Free()).n_positive == 11
    assert (found.target == 0).mean() > 0.6


def test_fc6_measure_is_the_same_twice():
    asked = fc6.Asked("free", Size(12, 30, 4), 7)
    assert fc6.measure(asked).facts == fc6.measure(asked).facts


def test_fc6_reports_a_failed_process(monkeypatch):
    monkeypatch.setattr(fc6, "measure", die)
    monkeypatch.setattr(fc6_vertex, "measure", die)
    with pytest.raises(CollisionError, match="for free: the process ended with 1"):
        main(["fc6", "--smoke", "--quiet", "--domain", "free"])
    with pytest.raises(CollisionError, match="for the vertex: the process ended with 1"):
        main(["fc6", "--smoke", "--quiet", "--vertex"])


@pytest.mark.parametrize(
    ("units", "active", "words"),
    [
        ("0", "1", "units: expected at least 1, got 0"),
        ("10", "10", "active: expected 1 to 9, below units and inputs, got 10 of 10 x 30"),
        ("40", "30", "active: expected 1 to 29, below units and inputs, got 30 of 40 x 30"),
        ("8", "0", "active: expected at least 1, got 0"),
    ],
)
def test_fc6_sizes_of_no_layer(units, active, words):
    with pytest.raises(InputError, match=words):
        main(["fc6", "--quiet", "--units", units, "--inputs", "30", "--active", active])


def test_finder_record_has_a_ratio_for_each_method(tmp_path, capsys, golden):
    record = smoke("finder", tmp_path)
    golden.check("bench-finder", capsys.readouterr().out, places={"FOLDER": tmp_path}, masked=timed)
    assert (record.results.vertices, record.results.steps) == (6, 10)
    assert len(record.timings["goals"]) == 4
    assert min(goal["value"] for goal in record.timings["goals"]) > 0


def test_gap_record_compares_with_the_exact_optimum(tmp_path, capsys, golden):
    record = smoke("gap", tmp_path)
    golden.check("bench-gap", capsys.readouterr().out, places={"FOLDER": tmp_path}, masked=timed)
    hinge, absolute = record.results.hinge, record.results.absolute
    assert len(hinge.per_vertex) == hinge.proved == len(absolute.per_vertex) == 6
    assert max(hinge.relative_gaps) < 0.02
    assert hinge.smallest_tolerance_max < 1e-3
    exact = [[one.exact for one in entry.per_vertex] for entry in (hinge, absolute)]
    assert exact[0] == exact[1]


def test_deep_record_proves_every_unit(tmp_path, capsys, golden):
    record = smoke("deep", tmp_path)
    golden.check("bench-deep", capsys.readouterr().out, places={"FOLDER": tmp_path}, masked=timed)
    ((words, sizes),) = record.results.layers.items()
    assert [(each.units, each.region_rows) for each in sizes] == [(16, 16)] * 3
    assert all(0 < each.active < 16 for each in sizes)
    seconds = record.timings[words]
    assert [len(seconds[part]) for part in ("build", "vertex", "verify")] == [3, 6, 6]
    assert seconds["unproved"] == []
    with pytest.raises(InputError, match=r"layers: expected some of conv2, .* got 'conv1'"):
        main(["deep", "--smoke", "--quiet", "--layers", "conv1"])


def test_every_benchmark_states_its_options(capsys):
    for name in BENCHMARKS:
        with pytest.raises(SystemExit) as ended:
            main([name, "--help"])
        assert ended.value.code == 0
        assert "--smoke" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["lp", "--runs", "0"],
        ["lp", "--units", "0"],
        ["lp", "--qsopt-units", "-1"],
        ["units", "--runs", "0"],
        ["fc6", "--runs", "0"],
        ["fc6", "--weights", "vgg16.pth"],
        ["fc6", "--optimum"],
        ["finder", "--runs", "0"],
        ["finder", "--targets", "0"],
        ["gap", "--units", "0"],
    ],
)
def test_counts_must_be_positive(arguments):
    with pytest.raises(InputError, match=r"^[a-z-]+: expected .*, got"):
        main([*arguments, "--smoke", "--quiet"])


def test_lp_needs_as_many_inactive_units():
    request = LpRequest(smoke=True, units=17)
    with pytest.raises(InputError, match=r"units: expected at most 7, the inactive ones, got 17"):
        lp.run(request, Progress(quiet=True))


def test_unwritable_folder_is_refused_before_any_work(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.raises(CollisionError, match="file"):
        main(["units", "--smoke", "--out", str(blocked)])


def test_goals_say_whether_they_were_reached():
    assert Goal("a", 0.4, 0.5, "at most").reached is True
    assert Goal("a", 0.6, 0.5, "at most").reached is False
    assert Goal("a", 41, 40, "at least").reached is True
    assert Goal("a", None, 40, "at least").reached is None
    assert Goal("a", 0.6, 0.5, "at most", " s").text() == (
        "a: 0.6 s (reach: at most 0.5 s): not reached"
    )
    assert "not measured" in Goal("a", None, 1, "at most").text()


def test_medians_and_ratios():
    assert middle([3.0, 1.0, 2.0]) == 2.0
    assert middle([]) is None
    assert ratio([1.0, 2.0, 9.0], [4.0]) == 0.5
    assert ratio([], [1.0]) is None
    assert ratio([1.0], [0.0]) is None


def test_table_refuses_ragged_rows():
    with pytest.raises(ValueError, match="zip"):
        table(["a", "b"], [["1"]])


def test_record_is_strict_json(tmp_path):
    smoke("units", tmp_path, "--no-verify")
    text = (tmp_path / "record.json").read_text()
    assert json.loads(text, parse_constant=pytest.fail)["experiment"] == "bench units"
