import json
import sys
from dataclasses import replace

import numpy as np
import pytest

from experiments.cli import main
from experiments.datasets.small import load_small
from experiments.run.record import read_record
from experiments.small.net import train_small
from experiments.small.options import SmallOptions
from experiments.small.report import conclusion, headline
from experiments.small.results import Directed, SmallResults
from experiments.small.sets import Whole
from experiments.small.tables import small_tables
from polytope import Box, CollisionPolytope, read_generators, verify
from polytope.errors import InputError
from tests.examples.printed import with_tables
from tests.examples.run_folders import unproved


def collide(capsys, *words):
    """Returns exit code, stdout and stderr of one command."""
    code = main.main([str(word) for word in words])
    out, err = capsys.readouterr()
    return code, out, err


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A finished run on the moons with few units."""
    folder = tmp_path_factory.mktemp("small") / "run"
    words = ["small", "--set", "moons", "--quiet", "--json"]
    assert main.main([*words, "--out", str(folder)]) == 0
    return folder


@pytest.fixture(scope="module")
def results(run):
    return read_record(run, SmallResults).results


@pytest.mark.parametrize(
    ("bound", "cell"), [(2, "2"), (-7, "-7 (Proposition 1 does not apply: N+ >= d)")]
)
def test_a_bound_that_proposition_1_does_not_give(results, bound, cell):
    told = replace(results, facts=replace(results.facts, paper_bound=bound))
    rows = {name: value for name, value, *_ in small_tables(told)[0].rows}
    assert rows["paper's bound d - N+"] == cell


def test_the_record_holds_the_whole_story(run, results):
    assert results.network.architecture == "2-12-2, ReLU"
    assert results.network.accuracy > 0.9
    assert list(results.hulls) == ["absolute", "hinge", "units"]
    assert results.vertices.status == "certified"
    assert results.vertices.count == results.whole.points
    assert results.vertices.dimension == results.facts.dimension
    inactive = results.facts.n_units - results.facts.n_positive
    assert len(results.units) == inactive
    for penalty in ("absolute", "hinge"):
        assert len(results.relaxed[penalty].comparisons) == inactive
    record = read_record(run, SmallResults)
    assert record.options["target"] == results.target.index
    assert record.seed == 0


def test_every_certificate_verifies(run):
    files = sorted((run / "certificates").glob("*.json"))
    names = {path.stem for path in files}
    assert {"box-vertices", "box-dimension"} <= names
    assert any(name.startswith("unit-") for name in names)
    assert any(name.startswith("distance-hinge-") for name in names)
    assert all("stored weights" in verify(path) for path in files)


def test_every_test_point_has_a_certified_list(results):
    rows = results.targets
    assert len(rows) == results.data.n_test == 200
    assert {row.status for row in rows} == {"certified"}
    assert all((row.vertices == 1) == (row.dimension == 0) for row in rows)
    assert all(row.dimension <= max(0, row.paper_bound) for row in rows)
    assert sum(one.targets for one in results.by_active_units) == 200
    fewest = min(row.n_positive for row in rows)
    assert results.target.n_positive == fewest
    assert results.target.index == next(row.index for row in rows if row.n_positive == fewest)


def test_the_numbers_hang_together(results):
    hinge, units = (results.hulls[key] for key in ("hinge", "units"))
    for one in results.hulls.values():
        far = one.hausdorff
        assert far.lower == max(end.lower for end in (one.from_set, one.from_hull))
        assert 0 <= far.lower <= far.upper <= far.lower + 1e-9
    assert units.from_hull.upper == 0
    assert hinge.from_hull.upper < 1e-3
    assert units.volume_ratio <= 1 + 1e-9
    assert units.mean_width.value <= results.whole.mean_width.value + 1e-12
    # Exact minima attained, and the hinge's found values next to them.
    for unit, found in zip(results.units, results.relaxed["hinge"].comparisons, strict=True):
        assert unit.status == "optimal"
        assert unit.is_vertex
        assert found.exact_value == unit.value
        assert abs(found.found_value - unit.value) < 1e-3 * max(1, abs(unit.value))


def test_the_layer_of_the_run_can_be_listed_again(capsys, run, results, tmp_path):
    out = tmp_path / "again"
    words = ["vertices", run / "layer.npz", "--domain", "box", "--lower", "lower"]
    words += ["--upper", "upper", "--out", out, "--json", "--quiet"]
    code, printed, _ = collide(capsys, *words)
    assert code == 0
    found = json.loads(printed)
    assert found["counts"]["points"] == results.vertices.count
    listed = read_generators(out / "generators.json")
    with np.load(run / "points.npz") as arrays:
        assert sorted(p.to_float().tolist() for p in listed.points) == sorted(
            arrays["all"].tolist()
        )


def test_tables_figures_and_report(run, results):
    for name in ("facts", "sets", "units", "targets"):
        assert (run / "tables" / f"{name}.md").read_text().startswith("**")
    drawn = {path.stem for path in (run / "figures").glob("*.png")}
    plane = {"projection", "section"} if results.facts.dimension >= 2 else set()
    assert drawn == plane | {"targets"}
    page = (run / "report.html").read_text()
    assert "A small network analysed completely: moons" in page
    assert page.count("data:image/png;base64,") == len(drawn)
    assert "python -I -S checker.py certificates/box-vertices.json" in page
    assert (run / "checker.py").is_file()
    for table in small_tables(results):
        assert all(len(row) == len(table.columns) for row in table.rows)
    assert len(headline(results)) == 3
    assert unproved(run) == []


def test_the_conclusion_counts_what_the_units_show(results):
    text = conclusion(results)
    assert f"{results.vertices.count:,} vertices (complete, certified)" in text
    assert f"show {results.hulls['units'].distinct} of them" in text
    alone = replace(results, facts=replace(results.facts, dimension=0))
    assert "the set is this one point" in conclusion(alone)


def test_what_is_printed_and_a_point_without_collisions(capsys, results, tmp_path, golden):
    row = next(row for row in results.targets if row.dimension == 0)
    words = ["small", "--set", "moons", "--target", row.index]
    code, printed, err = collide(capsys, *words, "--out", tmp_path / "run")
    assert code == 0
    shown = with_tables(printed, tmp_path / "run")
    golden.check("small", shown, places={"FOLDER": tmp_path / "run"})
    assert f"target: test point {row.index}, {row.n_positive} active units" in err
    assert not (tmp_path / "run" / "figures" / "projection.png").exists()


def test_a_segment_of_few_points_is_measured_right():
    polytope = CollisionPolytope.from_layer([[1, 1]], [0], [1, 1], domain=Box(0, 2))
    whole = Whole.of(polytope, polytope.vertices(), seed=0)  # from (0, 2) to (2, 0)
    found = whole.beside(np.array([[0.0, 2.0], [1.0, 1.0]]))
    assert found.volume_ratio == pytest.approx(0.5)
    assert found.mean_width.value == pytest.approx(np.sqrt(2))
    assert found.from_set.upper == pytest.approx(np.sqrt(2))
    assert found.from_hull == Directed(lower=0.0, upper=0.0, index=0)
    flat = whole.beside(np.array([[1.0, 1.0]]))
    assert flat.volume_ratio == 0
    assert (flat.mean_pairwise_distance, flat.diameter) == (0.0, 0.0)


def test_training_is_the_same_for_the_same_seed():
    data = load_small("moons", dimension=2, seed=3)
    one, two, other = (
        train_small(data, hidden=4, sparsity=0.1, seed=seed).weight for seed in (1, 1, 2)
    )
    assert (one == two).all()
    assert (one != other).any()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--dimension", "3"], "dimension: expected 2 for the moons, got 3"),
        (["--target", "200"], "target: expected the index of a test point, 0 to 199; got 200"),
        (["--sparsity", "-1"], "sparsity: expected a finite number >= 0, got -1.0"),
        (["--hidden", "0"], "hidden: expected at least 1, got 0"),
        (["--device", "gpu"], "device: expected auto, cpu, cuda or cuda:N, got 'gpu'"),
    ],
)
def test_what_does_not_fit_is_refused(capsys, tmp_path, words, message):
    out = tmp_path / "run"
    code, _, err = collide(capsys, "small", "--set", "moons", *words, "--out", out, "--quiet")
    assert code == 2
    assert message in err


def test_options_have_their_defaults():
    assert (SmallOptions().dimension, SmallOptions().hidden) == (10, 24)
    assert SmallOptions(data_set="moons").dimension == 2
    with pytest.raises(InputError, match="set: expected one of digits, moons, got 'iris'"):
        SmallOptions(data_set="iris")
    with pytest.raises(InputError, match="set: expected one of"):
        load_small("iris", dimension=2, seed=0)
    with pytest.raises(InputError, match="dimension: expected 2 to 10, got 11"):
        load_small("digits", dimension=11, seed=0)


def test_without_scikit_learn_one_sentence_says_what_to_do(capsys, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    code, out, err = collide(capsys, "small", "--out", tmp_path / "run", "--quiet")
    assert (code, out) == (2, "")
    assert "pip install 'collision-polytopes[digits]', or take --set moons" in err


def test_digits_are_reduced_and_can_be_seen():
    pytest.importorskip("sklearn")
    data = load_small("digits", dimension=10, seed=0)
    assert data.points.shape == (1797, 10)
    assert data.points.dtype == np.float32
    assert (data.n_train, len(data.test_labels), data.n_classes) == (1437, 360, 10)
    assert 0.7 < data.variance < 0.8
    images = data.images(data.points[:5])
    assert images.shape == (5, 64)
    low, high = data.bounds()
    assert ((low <= data.points) & (data.points <= high)).all()
    np.testing.assert_allclose(data.basis.T @ data.basis, np.eye(10), atol=1e-12)
    assert load_small("moons", dimension=2, seed=0).images(np.zeros((1, 2))) is None


def test_the_digits_from_end_to_end(capsys, tmp_path):
    pytest.importorskip("sklearn")
    out = tmp_path / "run"
    code, printed, _ = collide(capsys, "small", "--out", out, "--quiet", "--json")
    assert code == 0
    results = json.loads(printed)["results"]
    assert results["network"]["accuracy"] > 0.8
    assert results["vertices"]["status"] == "certified"
    assert results["vertices"]["dimension"] == 10 - results["facts"]["n_positive"]
    drawn = {path.stem for path in (out / "figures").glob("*.png")}
    assert drawn == {"projection", "section", "images", "targets"}
    assert {row["status"] for row in results["targets"]} == {"certified"}
