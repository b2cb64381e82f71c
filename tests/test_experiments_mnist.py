import base64
import csv
import html
import json
import re
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from experiments.datasets.mnist import pixels
from experiments.measure.case import Case
from experiments.measure.distances import mean_image_distance, mean_pairwise
from experiments.mnist import run as module
from experiments.mnist.controls import control_masks
from experiments.mnist.course_figure import course_figure
from experiments.mnist.figures import masks_figure, table_1
from experiments.mnist.near_figures import curve_figure
from experiments.mnist.options import MnistOptions
from experiments.mnist.output import finish_mnist
from experiments.mnist.report import conclusion, headline
from experiments.mnist.results import MnistResults
from experiments.mnist.run import run_mnist
from experiments.mnist.searches import name_of, title_of
from experiments.mnist.set_tables import facts_table
from experiments.mnist.tables import mnist_tables, table_2
from experiments.models.presets import PRESETS
from experiments.run.documents import jsonable
from experiments.run.progress import Progress
from experiments.run.record import read_record
from optimize import Splitting
from optimize.search.splitting import CONSTRAINED_TOLERANCE
from polytope import Box, CollisionPolytope, verify
from polytope.errors import InputError
from tests.examples.printed import printed_to, with_tables
from tests.examples.run_folders import contents, differing, unproved
from tests.examples.schemas import misfits
from tests.examples.small_runs import HIDDEN, install, small_mnist, small_net

#: Whole runs on two networks: half a minute each on one core, and cores may be shared.
pytestmark = pytest.mark.timeout(1800)

OPTIONS = MnistOptions(
    units=3, samples=50, digits=(3, 7), tolerances=(0.0, 0.02), author_steps=300, workers=1
)
QUIET = Progress(quiet=True)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A finished run with its tables, figures and report."""
    folder = tmp_path_factory.mktemp("runs") / "mnist"
    with pytest.MonkeyPatch.context() as patch:
        install(patch, module)
        run_mnist(OPTIONS, folder, QUIET)
    with printed_to(folder.parent / "printed"):
        finish_mnist(folder, as_json=False)
    return folder


def test_what_is_printed(run, golden):
    shown = with_tables((run.parent / "printed").read_text(), run)
    golden.check("mnist", shown, places={"FOLDER": run}, masked={"steps", "tight"})


def test_the_images_that_are_named_are_there(run):
    lines = (run.parent / "printed").read_text().splitlines()
    named = [line.rpartition(": ")[2] for line in lines if line.startswith("Table 1 (images)")]
    assert named == [str(run / "figures" / f"table1-{name}.png") for name in PRESETS]
    assert all((run / name).read_bytes().startswith(b"\x89PNG") for name in named)


@pytest.fixture(scope="module")
def whole(run):
    return read_record(run, MnistResults).results


@pytest.fixture(scope="module")
def results(whole):
    """Of the default network; what holds of it holds of every other one."""
    return network(whole, "default")


@pytest.fixture(scope="module")
def arrays(run):
    with np.load(run / "vertices.npz") as loaded:
        return dict(loaded)


@pytest.fixture(scope="module")
def case():
    data = small_mnist()
    layer = small_net(data, seed=0).model.hidden1
    return Case(layer.weight.numpy(), layer.bias.numpy(), pixels(data.test_images[7]))


def network(whole, name):
    return next(each for each in whole.networks if each.name == name)


def find(results, key):
    """A set by its name without the network's."""
    kind, _, rest = key.partition(".")
    return next(s for s in results.sets if s.array == f"{kind}.{results.name}.{rest}")


def changed(results, key, **fields):
    """Results of a network with one set of vertices changed."""
    old = find(results, key)
    relaxed = tuple(replace(s, **fields) if s is old else s for s in results.relaxed)
    return replace(results, relaxed=relaxed)


def within(whole, each):
    """All results, one network's changed."""
    parts = tuple(each if old.name == each.name else old for old in whole.networks)
    return replace(whole, networks=parts)


def test_the_files_are_as_the_schemas_say(run):
    assert misfits(run) == []


def test_target_and_units_are_the_papers_choice(results, case):
    assert results.target.index == 7
    assert results.target.label == 7
    assert results.other.label == 3
    assert results.units == case.polytope().inactive_units[:3]


def test_exact_vertices_are_the_minima(results, arrays, case):
    found = find(results, "exact.none")
    assert [v.status for v in found.vertices] == ["optimal"] * 3
    assert all(v.is_vertex for v in found.vertices)
    assert found.solved == results.units
    fresh = case.polytope().unit_vertices(results.units)
    for entry, point in zip(found.vertices, arrays["exact.default.none"], strict=True):
        assert entry.value == fresh[entry.unit].value
        value = float(case.weight[entry.unit].astype(float) @ point) + case.bias[entry.unit]
        assert value == pytest.approx(float(entry.value), abs=1e-6)
    assert found.measured.distance == mean_pairwise(arrays["exact.default.none"])


def test_hinge_comes_to_the_exact_minimum_and_the_papers_penalty_does_not(results):
    hinge = find(results, "relaxed.hinge.target.none")
    assert all(c.relative_gap < 0.02 for c in hinge.comparisons)
    assert all(c.smallest_tolerance < 1e-3 for c in hinge.comparisons)
    exact = find(results, "exact.none").measured.distance
    assert hinge.measured.distance == pytest.approx(exact, rel=0.02)
    absolute = find(results, "relaxed.absolute.target.none")
    assert any(c.smallest_tolerance > 1e-3 for c in absolute.comparisons)


def test_controls_hold_their_pixels(whole, arrays, case):
    masks = control_masks(small_mnist().train_images)
    assert 0 < masks["never"].sum() < masks["rarely"].sum() < 784
    for name, mask in masks.items():
        assert whole.controls[name].pixels == mask.sum()
        for key in (f"exact.default.{name}", f"relaxed.wide.absolute.target.{name}"):
            assert (arrays[key][:, mask] == case.target[mask]).all()
            assert (arrays[key][:, ~mask] != case.target[~mask]).any()


def test_facts_of_the_three_domains(results):
    free, nonnegative, box = results.facts
    assert [f.domain for f in results.facts] == ["free", "nonnegative", "box"]
    for facts in results.facts:
        assert facts.paper_bound == 784 - facts.n_positive
        assert facts.rank_positive == facts.n_positive
    assert free.lineality == 784 - HIDDEN
    assert (free.pointed, nonnegative.pointed, box.pointed) == (False, True, True)
    assert (free.bounded, box.bounded) == (False, True)
    assert "no vertices at all" in free.sentence
    assert "has vertices" in box.sentence


def test_nearest_collisions_collide_at_the_stated_distance(results, arrays, case):
    layer = case.polytope().layer
    polytope = CollisionPolytope.from_layer(case.weight, case.bias, case.target, domain=Box(0, 1))
    for one in results.nearest:
        image = pixels(small_mnist().test_images[one.image.index])
        assert one.image.index != results.target.index
        fresh = polytope.nearest(image, "linf")
        assert one.near.norms["linf"].distance == fresh.distance
        l2 = one.near.norms["l2"]
        assert l2.lower <= l2.to_image.l2 + 1e-9
        assert l2.to_image.l2 <= l2.upper + 1e-9
        found = np.abs(arrays[f"nearest.default.{one.digit}.l1"] - image).sum()
        assert found == pytest.approx(float(one.near.norms["l1"].distance))
        for norm in ("l2", "linf", "l1"):
            point = arrays[f"nearest.default.{one.digit}.{norm}"]
            moved = np.maximum(0, case.weight @ point + case.bias)
            wanted = np.maximum(0, case.weight @ case.target + case.bias)
            assert np.abs(moved - wanted).max() < 1e-5
    assert layer.n_units == HIDDEN


def test_curve_falls_with_the_tolerance(results):
    points = results.curve.points
    assert [one.tolerance for one in points] == [0.0, 0.02]
    first, second = (one.norms["l2"] for one in points)
    assert second.upper < first.lower
    assert first.lower == pytest.approx(results.nearest[0].near.norms["l2"].lower)


def test_combinations_have_the_asked_for_size(whole, results):
    for one in whole.sets:
        assert set(one.measured.combinations) == {"uniform", "stick"}
        for found in one.measured.combinations.values():
            assert found.samples == 50
            assert 0 <= found.success <= 1
            assert found.target_class_confidence <= found.winner_confidence
    exact = find(results, "exact.none").measured.combinations["uniform"]
    assert exact.success == 1
    assert exact.target_class_confidence == pytest.approx(results.target.seen.confidence)


def test_every_certificate_is_on_the_disk_and_proved(run):
    files = set(re.findall(r"certificates/[\w.-]+\.json", (run / "record.json").read_text()))
    assert files == {f"certificates/{path.name}" for path in (run / "certificates").glob("*.json")}
    # 9 exact vertices, 15 facts, 10 searches x 3 distances, 2 digits x 3 norms, 2 x 2 on the curve
    assert len(files) == 2 * (9 + 15 + 30 + 6 + 4)
    assert sum("/wide-" in file for file in files) == len(files) / 2
    for file in sorted(files)[::7]:
        assert "stored weights" in verify(run / file)


def test_record_keeps_timings_apart_from_results(run):
    record = read_record(run, MnistResults)
    assert record.experiment == "mnist"
    assert record.options["target"] == 7
    assert set(record.data) == {"made up", "small-0.safetensors", "small-wide0.safetensors"}
    assert record.versions["numpy"] == np.__version__
    assert set(record.timings["stages"]) >= {"setup", "jobs", "total"}
    assert "seconds" not in json.dumps(jsonable(record.results))


def test_a_run_cut_short_goes_on_to_the_same_results(run, whole, tmp_path, monkeypatch):
    install(monkeypatch, module)
    (tmp_path / "certificates").mkdir()
    lines = (run / "stages.jsonl").read_bytes().splitlines(keepends=True)
    # Keep most of the rows, and tear the next one.
    kept = 3 * len(lines) // 4
    (tmp_path / "stages.jsonl").write_bytes(b"".join(lines[:kept]) + lines[kept][:40])
    record = run_mnist(OPTIONS, tmp_path, QUIET)
    assert read_record(tmp_path, MnistResults).results == record.results == whole
    assert record.options["units"] == 3


def test_two_workers_and_another_run_give_the_same_bytes(run, tmp_path, monkeypatch):
    install(monkeypatch, module)
    run_mnist(replace(OPTIONS, workers=2), tmp_path / "run", QUIET)
    finish_mnist(tmp_path / "run", as_json=False)
    ours, theirs = contents(tmp_path / "run"), contents(run)
    assert len([name for name in ours if name.startswith("certificates/")]) > 50
    workers = b'"workers": %d, '
    assert ours["record.json"].replace(workers % 2, workers % 1) == theirs["record.json"]
    assert set(differing(ours, theirs)) <= {"record.json", "report.html"}  # they state the option


def test_a_folder_of_another_run_is_refused(run, monkeypatch):
    install(monkeypatch, module)
    with pytest.raises(InputError, match=r"other options \(samples: 50 there, 51 here\)"):
        run_mnist(replace(OPTIONS, samples=51), run, QUIET)
    with pytest.raises(InputError, match=r'other options \(network: nothing there, "wide" here'):
        run_mnist(replace(OPTIONS, network="wide"), run, QUIET)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"target": 30}, "target: expected the index of a test image, 0 to 29; got 30"),
        ({"other": 31}, "other: expected the index of a test image, 0 to 29; got 31"),
        ({"target": 3, "other": 13}, "got test image 13"),
        ({"units": 25}, r"units: expected at most \d+.* on the wide network; got 25"),
    ],
)
def test_bad_indices_are_refused_before_any_work(change, message, tmp_path, monkeypatch):
    install(monkeypatch, module)
    with pytest.raises(InputError, match=message):
        run_mnist(replace(OPTIONS, **change), tmp_path / "run", QUIET)
    assert list((tmp_path / "run").iterdir()) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"units": 1}, "units: expected at least 2, got 1"),
        ({"samples": 0}, "samples: expected at least 1, got 0"),
        ({"seed": -1}, "seed: expected at least 0, got -1"),
        ({"seed": 1 << 63}, "seed: expected at most 63 bits, got 9223372036854775808"),
        ({"target": 10_000}, "target: expected the index of a test image, 0 to 9999, got 10000"),
        ({"other": -1}, "other: expected the index of a test image, 0 to 9999, got -1"),
        ({"target": 4, "other": 4}, "other: expected another image than the target, got 4"),
        ({"network": "narrow"}, "network: expected wide or default, got 'narrow'"),
        ({"device": "gpu"}, "device: expected auto, cpu, cuda or cuda:N, got 'gpu'"),
        ({"device": "cuda:-1"}, "device: expected auto, cpu, cuda or cuda:N, got 'cuda:-1'"),
        ({"device": "cuda:999"}, r"device: expected a device of this machine, got 'cuda:999' with"),
        ({"tolerances": (0.5, 0.1, 0.1)}, "tolerances: .* differ in six digits, got 0.1 twice"),
        ({"tolerances": (1.0, 1.0000001)}, "tolerances: .* differ in six digits, got 1 twice"),
        ({"tolerances": (0.0, -0.0)}, "tolerances: .* differ in six digits, got 0 twice"),
        ({"digits": (10,)}, "digits: expected digits 0 to 9, got 10"),
        ({"tolerances": (float("nan"),)}, "tolerances: expected finite numbers >= 0, got nan"),
    ],
)
def test_bad_options_are_refused(change, message):
    with pytest.raises(InputError, match=message):
        MnistOptions(**change)


def test_tables_hold_the_papers_numbers_and_ours(run, whole):
    rows = list(csv.DictReader((run / "tables" / "table2.csv").read_text().splitlines()))
    paper = [row for row in rows if row["vertices"].startswith("paper")]
    assert [row["vertex distance"] for row in paper] == ["1.33", "1.28"]
    exact = {row["network"]: row for row in rows if row["vertices"] == "exact"}
    for each in whole.networks:
        distance = f"{each.vertices().measured.distance:.2f}"
        assert exact[each.name]["vertex distance"] == distance
        assert exact[each.name]["active error"] == exact[each.name]["positive inactive"] == "0"
    assert len(rows) == 2 + len(list(whole.sets))
    assert r"\toprule" in (run / "tables" / "table2.tex").read_text()
    names = {path.stem for path in (run / "tables").glob("*.md")}
    assert names == {"table2", "facts", "comparison", "nearest", "curve"}
    assert unproved(run) == []


def test_report_is_one_file_with_all_in_it(run):
    text = (run / "report.html").read_text()
    images = re.findall(r'<img src="data:image/png;base64,([^"]+)" alt="([^"]+)"', text)
    assert len(images) == text.count("<img") == 6
    assert all(base64.b64decode(data).startswith(b"\x89PNG") for data, _ in images)
    assert not re.search(r"""(src|href)=["'](https?:)?//""", text)
    for file in re.findall(r'href="(certificates/[^"]+)"', text):
        assert (run / file).is_file()
    assert "python -I -S checker.py certificates/default-vertex-none-" in text


def test_the_commands_of_the_report_work_in_its_folder(run):
    text = (run / "report.html").read_text()
    first = re.search(r"<code>python (-I -S checker\.py certificates/[^<]+)</code>", text)
    words = [sys.executable, *first[1].split()]
    done = subprocess.run(words, cwd=run, capture_output=True, text=True, check=True)
    assert "proved" in done.stdout


def test_a_search_that_did_not_converge_is_counted_not_named(whole, results):
    name = "relaxed.hinge.target.none"
    search = replace(find(results, name).search, status=("converged", "step_limit", "plateau"))
    cut = changed(results, name, search=search)
    one = find(cut, name)
    assert title_of(one) == "relaxed: hinge, run to convergence; 1 of 3 converged"
    assert title_of(one) in {row[1] for row in table_2(within(whole, cut)).rows}
    assert any(title_of(one) in line for line in headline(within(whole, cut)))
    titles = {
        text.get_text()
        for axes in table_1(cut, {one.array: np.zeros((3, 784)), "target": np.zeros(784)}).axes
        for text in axes.texts
    }
    assert any("1 of 3 converged" in text for text in titles)
    exact = find(results, "exact.none")
    assert title_of(exact) == name_of(exact) == "exact"


def test_the_recipe_stops_at_the_papers_distance_or_says_that_it_did_not(whole):
    wide, default = whole.networks
    for start, printed in (("target", 1.33), ("other", 1.28)):
        reached, short = default.search("early", start), wide.search("early", start)
        assert set(reached.search.status) == {"stopped"}
        assert printed <= reached.measured.distance < printed + 0.03
        assert title_of(reached) == name_of(reached)
        assert set(short.search.status) == {"step_limit"}
        assert title_of(short).endswith("; not reached in 300 steps")
    steps = default.search("early").search.steps[0]
    assert f"the paper's recipe is 1.33 apart after {steps} steps, where" in conclusion(whole)
    assert "the paper's recipe is 1.33 apart not within 300 steps, where" in conclusion(whole)
    rows = {row[:3]: row for row in table_2(whole).rows}
    row = rows["default", name_of(reached), "target"]
    assert row[3] == str(steps)
    active = max(each.worst_equality for each in default.search("early").comparisons)
    assert float(row[-2]) == pytest.approx(float(active), rel=0.05)
    assert active > 0


def test_the_figure_of_the_way_has_the_papers_and_the_exact_values(whole):
    axes = course_figure(whole).axes
    for one, start, printed in zip(axes[:2], ("target", "other"), (1.33, 1.28), strict=True):
        level = {line.get_ydata()[0] for line in one.lines if line.get_linestyle() != "-"}
        wanted = {each.vertices().measured.distance for each in whole.networks}
        assert {printed} | wanted < level
        texts = [text.get_text() for text in one.get_legend().get_texts()]
        assert f"paper: {printed}" in texts
        assert sum("(step " in text for text in texts) == 2
        course = next(c for c in whole.networks[1].courses if c.start == start)
        assert [m.step for m in course.moments][-1] == 300


def test_one_network_alone_has_the_same_tables(whole):
    alone = replace(whole, networks=whole.networks[:1])
    for ours, both in zip(mnist_tables(alone), mnist_tables(whole), strict=True):
        wide = [row for row in both.rows if "default" not in row]
        assert list(ours.rows) == wide
        assert 0 < len(wide) < len(both.rows)
    assert MnistOptions(network="wide").networks == ("wide",)
    assert MnistOptions().networks == ("wide", "default")


def test_the_report_opens_with_its_conclusion(run, whole, results):
    both = conclusion(whole)
    text = both[both.index("default network: ") :]
    name = "relaxed.absolute.target.none"
    exact, found = (find(results, key).measured for key in ("exact.none", name))
    assert f"exact vertices: {exact.distance:.2f} apart ({exact.ratio:.1%} " in text
    assert f"the paper's penalty: {found.distance:.2f} apart ({found.ratio:.1%})," in text
    page = html.unescape((run / "report.html").read_text())
    assert f"<strong>{both}</strong>" in page

    def said(comparisons):
        return conclusion(within(whole, changed(results, name, comparisons=comparisons)))

    comparisons = find(results, name).comparisons
    far = [replace(each, smallest_tolerance=Fraction(1, 4)) for each in comparisons]
    words = "none of 3 points collides exactly (smallest tolerances 0.25 to 0.25); exact"
    assert words in said(tuple(far))
    near = [replace(each, smallest_tolerance=Fraction(0)) for each in comparisons[:2]]
    words = "2 of 3 points collide exactly (smallest tolerances 0 to 0.25); exact"
    assert words in said((*near, far[2]))
    assert "smallest tolerance at which every found point collides" in headline(whole)[-1]


def test_stopping_rules_follow_the_optimisers(whole):
    notes = " ".join(table_2(whole).notes)
    assert f"off by more than {Splitting().feasibility:g} and" in notes
    assert f"{CONSTRAINED_TOLERANCE:g} max(1, |minimum|)" in notes


def test_facts_count_the_proofs_there_are(whole, results):
    table = facts_table(whole)
    assert "certified" not in table.title
    assert "30 of 30 certificates" in table.notes[-1]
    *rest, box = results.facts
    cut = replace(box, dimension=None, certificates={**box.certificates, "dimension": None})
    table = facts_table(within(whole, replace(results, facts=(*rest, cut))))
    assert "29 of 30 certificates" in table.notes[-1]
    cells = {row[:2]: row[2:] for row in table.rows}
    assert cells["default", "dimension"][2] == "undecided"
    assert cells["wide", "dimension"][2] != "undecided"


def test_the_curve_states_how_wide_its_bounds_are(whole, results, arrays):
    def labels(cut):
        figure = curve_figure(within(whole, cut), arrays)
        texts = figure.subfigs[0].axes[0].get_legend().get_texts()
        return [text.get_text() for text in texts if text.get_text().startswith("default")]

    def with_upper(number, upper):
        points = list(results.curve.points)
        l2 = replace(points[number].norms["l2"], upper=upper)
        points[number] = replace(points[number], norms={**points[number].norms, "l2": l2})
        return replace(results, curve=replace(results.curve, points=tuple(points)))

    lower = results.curve.points[1].norms["l2"].lower
    wide = with_upper(1, lower + 0.25)
    assert labels(wide)[0] == "default network (upper end; certified bounds at most 0.25 apart)"
    results = with_upper(0, None)
    assert labels(with_upper(1, None))[0] == "default network (undecided)"


def test_the_figure_of_the_controls_shows_the_recorded_masks(whole, arrays):
    for name, mask in control_masks(small_mnist().train_images).items():
        assert (arrays[f"mask.{name}"] == mask).all()
    other = dict(arrays) | {"mask.never": np.zeros(784, dtype=bool)}
    shown = masks_figure(whole, other).axes[1].images[0].get_array()
    assert not shown.any()


@pytest.mark.data
def test_real_images_have_the_known_controls_and_distance(mnist):
    masks = control_masks(mnist.train_images)
    assert (masks["never"].sum(), masks["rarely"].sum()) == (67, 291)
    assert mean_image_distance(mnist.test_images[:2000]) == pytest.approx(10.0, abs=0.2)
