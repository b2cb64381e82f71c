import json
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch

from experiments.cli import main
from experiments.lenet5 import pieces, sets
from experiments.lenet5.exact_tables import comparison_table, facts_table
from experiments.lenet5.figures import pieces_figure, vertices_figure
from experiments.lenet5.options import Lenet5Options
from experiments.lenet5.output import finish_lenet5, limit_note
from experiments.lenet5.pieces import PiecesJob, PiecesKey, growth
from experiments.lenet5.results import ExactSet, Growth, Lenet5Results, Piece, UnitPieces
from experiments.lenet5.run import first_jobs, run_lenet5
from experiments.lenet5.search import measures
from experiments.lenet5.sets import FactsJob, FactsKey, VerticesJob
from experiments.lenet5.setting import set_up
from experiments.lenet5.tables import lenet5_tables, set_name
from experiments.measure.minimum import Minimum
from experiments.run.limited import in_time
from experiments.run.progress import Progress
from experiments.run.proofs import MOST_SAVED, Proofs
from experiments.run.record import read_record
from experiments.show.page import certificates
from experiments.show.proof_cells import UNCERTIFIED, proof_cell
from polytope import CollisionPolytope, verify
from polytope.errors import InputError
from tests.examples.deep import install_deep
from tests.examples.printed import by_row, columns, decimals, printed_to, with_tables
from tests.examples.run_folders import unproved
from tests.examples.schemas import misfits

LAYERS = ("conv1", "fc1", "hidden2")
OPTIONS = Lenet5Options(layers=LAYERS, units=2, samples=20, max_steps=200, pieces=2, workers=1)
QUIET = Progress(quiet=True)


@pytest.fixture(scope="module")
def patched():
    with pytest.MonkeyPatch.context() as monkeypatch:
        install_deep(monkeypatch)
        yield


@pytest.fixture(scope="module")
def setting(patched):
    from tests.examples.small_runs import small_mnist

    return set_up(OPTIONS, small_mnist(), QUIET)


@pytest.fixture(scope="module")
def folder(patched, tmp_path_factory):
    place = tmp_path_factory.mktemp("lenet5") / "run"
    run_lenet5(OPTIONS, place, QUIET)
    with printed_to(place.parent / "printed"):
        finish_lenet5(place, as_json=False)
    return place


def test_what_is_printed(folder, golden):
    shown = with_tables((folder.parent / "printed").read_text(), folder)
    # The searches are ended early, and where every point is a minimum, a solver takes any.
    shown = decimals(columns(shown, {"tight", "decisions that differ"}))
    golden.check("lenet5", shown, places={"FOLDER": folder})


@pytest.fixture(scope="module")
def results(folder):
    return read_record(folder, Lenet5Results).results


def float_pre_activation(case, points):
    """Pre-activations in float64, through the whole network."""
    reader = type(case.reader)(case.model.double(), case.layer)
    found = reader.pre_activation(case.shaped(points).double().clone()).numpy()
    case.model.float()
    return found


def post(pre):
    return np.maximum(pre, 0)


def test_the_files_are_as_the_schemas_say(folder):
    assert misfits(folder) == []


def test_every_layer_is_there_in_its_spaces(results):
    names = [(layer.network, layer.layer) for layer in results.layers]
    assert names == [("lenet5", "conv1"), ("lenet5", "fc1"), ("mlp", "hidden2")]
    for layer in results.layers:
        spaces = [facts.space for facts in layer.facts]
        assert spaces == (["layer"] if layer.layer == "conv1" else ["layer", "pixels"])
        assert [one.space for one in layer.exact] == spaces
        assert len(layer.relaxed) == 6


def test_every_certificate_holds_and_is_the_same_from_disk(folder, results):
    kept = list(certificates(results))
    assert len(kept) > 30
    for each in kept[::5]:
        assert verify(folder / each["file"]).endswith(each["claim"])


def test_exact_vertices_in_pixels_collide_through_the_whole_network(folder, setting):
    with np.load(folder / "vertices.npz") as loaded:
        arrays = dict(loaded)
    checked = 0
    for case in setting.cases:
        key = f"{case.name}.exact.{'layer' if case.is_first else 'pixels'}"
        if key not in arrays:
            continue
        goal = post(float_pre_activation(case, case.target[None].astype(float)))
        # A vertex is a rational point; its float copy is off by rounding alone.
        assert abs(post(float_pre_activation(case, arrays[key])) - goal).max() < 1e-5
        checked += len(arrays[key])
    assert checked >= 4


def test_found_values_are_those_of_the_float_run(folder, setting, results):
    with np.load(folder / "vertices.npz") as loaded:
        arrays = dict(loaded)
    for case, layer in zip(setting.cases, results.layers, strict=True):
        goal = post(float_pre_activation(case, case.target[None].astype(float)))
        for one in layer.relaxed:
            pre = float_pre_activation(case, arrays[f"{layer.name}.{one.array}"])
            for row, (own, through) in enumerate(zip(one.layer, one.pixels, strict=True)):
                value = pre[row, own.unit]
                assert float(through.found_value) == pytest.approx(value, abs=1e-5)
                off = abs(post(pre[row]) - goal).max()
                assert float(through.smallest_tolerance) == pytest.approx(off, abs=1e-5)
                assert float(own.smallest_tolerance) == pytest.approx(off, abs=1e-5)


def test_the_target_itself_collides_in_every_sense(setting):
    for case in setting.cases:
        points = np.array([case.target, case.target], dtype=float)
        found = measures(case, points, setting.search)
        for own, through, meaning in zip(found.layer, found.pixels, found.meanings, strict=True):
            assert own.smallest_tolerance == 0
            assert (through.smallest_tolerance, through.differences) == (0, 0)
            assert meaning.exact
            assert meaning.bit_equal
        for scheme in ("uniform", "stick"):
            assert found.combinations.pixels[scheme].success == 1
            assert found.shares[scheme].layer.within == OPTIONS.samples


def test_a_search_from_another_digit_leaves_the_region(results):
    far = [
        each.differences
        for layer in results.layers
        for one in layer.relaxed
        if one.start == "other"
        for each in one.pixels
    ]
    assert max(far) > 0


def test_a_resumed_run_equals_an_unbroken_one(folder, results, tmp_path, patched):
    lines = (folder / "stages.jsonl").read_bytes().splitlines(keepends=True)
    place = tmp_path / "run"
    place.mkdir()
    (place / "stages.jsonl").write_bytes(b"".join(lines[: 3 * len(lines) // 4]) + b'{"key": "torn')
    run_lenet5(OPTIONS, place, QUIET)
    assert read_record(place, Lenet5Results).results == results


def test_a_limit_that_ended_exact_work_is_told(results):
    assert limit_note(results) == ""
    layers = list(results.layers)
    given_up = replace(layers[1].facts[1], reason="given up after 5 s")
    layers[1] = replace(layers[1], facts=(layers[1].facts[0], given_up))
    cut = replace(results, layers=tuple(layers))
    assert limit_note(cut) == (
        "limit: exact work was given up at LeNet-5 fc1 (facts, pixels: given up after 5 s); "
        "--seconds is the limit"
    )


def test_work_that_takes_too_long_is_given_up_and_said(setting, tmp_path, monkeypatch):
    """Where it is done in a process of its own indeed: that has not even started by then."""
    for module in (sets, pieces):
        monkeypatch.setattr(module, "in_time", in_time)
    case = setting.cases[1]
    jobs = [FactsJob(case, "layer", 0.01), VerticesJob(case, "pixels", 0.01)]
    for job in [*jobs, PiecesJob(case, 1, 0.01)]:
        assert job.run(tmp_path).results.reason == "given up after 0.01 s"


def test_other_options_do_not_go_on_with_a_run(folder, patched):
    with pytest.raises(InputError, match="samples"):
        run_lenet5(replace(OPTIONS, samples=21), folder, QUIET)


def test_tables_figures_and_page(folder, results, setting):
    tables = lenet5_tables(results)
    assert [table.name for table in tables] == [
        *("table2-deep", "facts-deep", "comparison-deep"),
        *("meanings-deep", "pieces-deep", "own-regions"),
    ]
    for table in tables:
        assert (folder / "tables" / f"{table.name}.csv").is_file()
        assert "None" not in table.markdown()
    assert len(tables[0].rows) == 3 * 6 + 5
    assert len(tables[1].rows) == 5
    drawn = {path.stem for path in (folder / "figures").iterdir()}
    assert drawn >= {"pieces", *(f"vertices-{case.name}" for case in setting.cases)}
    page = (folder / "report.html").read_text()
    assert "LeNet-5 fc1" in page
    assert unproved(folder) == []


def test_the_command_goes_on_with_the_run_and_prints_json(folder, capsys, patched):
    words = ["--layers", ",".join(LAYERS), "--units", 2, "--samples", 20, "--max-steps", 200]
    words += ["--pieces", 2, "--workers", 1, "--out", folder, "--resume", "--json", "--quiet"]
    before = (folder / "stages.jsonl").read_bytes()
    assert main.main(["lenet5", *map(str, words)]) == 0
    assert (folder / "stages.jsonl").read_bytes() == before
    printed = json.loads(capsys.readouterr().out)
    assert printed["results"]["target"]["label"] == 7


def test_what_was_given_up_says_so(results):
    layer = results.layers[1]
    found = layer.facts[0]
    facts = replace(found, facts=replace(found.facts, dimension=None), reason="given up after 1 s")
    exact = tuple(replace(one, vertices=one.vertices[:1]) for one in layer.exact)
    layer = replace(layer, facts=(facts, layer.facts[1]), exact=exact)
    shortened = replace(results, layers=(layer,))
    row = next(iter(by_row(facts_table(shortened), key=2).values()))
    assert (row["dimension"], row["given up"]) == ("undecided", "given up after 1 s")
    cells = {row[3]: row[6:8] for row in comparison_table(shortened).rows if row[2] == "target"}
    second = str(layer.units[1])
    assert cells[second] == ("given up", "given up")
    assert vertices_figure(replace(layer, relaxed=(), exact=()), {}) is None

    def with_pieces(pieces):
        return replace(results, layers=(replace(layer, pieces=pieces),))

    assert pieces_figure(with_pieces(None)) is None
    alone = tuple(Growth(pieces=n, units=1, distance=None, mean_value=-1.0) for n in (1, 2))
    assert pieces_figure(with_pieces(replace(layer.pieces, growth=alone))) is None
    both = tuple(replace(each, distance=1.0) for each in alone)
    assert pieces_figure(with_pieces(replace(layer.pieces, growth=both))) is not None


def test_a_set_says_what_is_missing_of_it():
    def minimum(unit, status):
        return Minimum(
            unit=unit, status=status, value=None, is_vertex=False, reason="", certificate=None
        )

    one = ExactSet(
        space="layer",
        vertices=(minimum(3, "optimal"), minimum(4, "unbounded")),
        reason="given up after 9 s",
    )
    assert set_name(one, 5) == (
        "exact, the layer's own space; 1 of 5 vertices (1 unbounded, given up after 9 s)"
    )
    assert one.solved == (3,)


def test_what_was_given_up_before_anything_was_known_says_so(results):
    layer = results.layers[1]
    facts = replace(layer.facts[0], facts=None, reason="given up after 1 s")
    shortened = replace(results, layers=(replace(layer, facts=(facts,)),))
    table = facts_table(shortened)
    (row,) = by_row(table).values()
    assert (row["N"], row["dimension"], row["given up"]) == (
        *("undecided", "undecided"),
        "given up after 1 s",
    )
    assert table.proofs == ("uncertified",)
    assert "0 of 5 facts" in " ".join(table.notes)


def test_growth_takes_the_best_piece_of_each_unit():
    def piece(value):
        optimum = Minimum(
            unit=0,
            status="optimal",
            value=Fraction(value),
            is_vertex=True,
            reason="",
            certificate=None,
        )
        return Piece(optimum=optimum, parent=None)

    units = [
        UnitPieces(unit=unit, pieces=tuple(map(piece, values)), complete=True, reason="")
        for unit, values in ((3, (-1, -3, -2)), (5, (-4,)), (9, ()))
    ]
    arrays = {
        "unit3": np.array([[0.0, 0.0], [0.0, 3.0], [9.0, 9.0]]),
        "unit5": np.array([[4.0, 0.0]]),
    }
    rows = growth(units, arrays)
    assert [row.pieces for row in rows] == [1, 2, 3]
    assert [row.distance for row in rows] == [4.0, 5.0, 5.0]
    assert [row.mean_value for row in rows] == [-2.5, -3.5, -3.5]


def test_large_certificates_are_checked_and_not_saved(tmp_path):
    polytope = CollisionPolytope.from_layer([[1, 0]], [0], [1, 1])
    (tmp_path / "certificates").mkdir()
    certificate = polytope.rank_positive().certificate
    proofs = Proofs(tmp_path, layer=polytope.layer, most=2)
    assert proofs.keep("rank", certificate).file == "certificates/rank.json"
    proofs = replace(proofs, most=1)
    other = proofs.keep("other", certificate)
    assert other.file is None
    assert "rank" in other.claim
    assert proofs.keep("none", None) is None
    assert proof_cell(other) == UNCERTIFIED
    assert [path.name for path in (tmp_path / "certificates").iterdir()] == ["rank.json"]
    assert MOST_SAVED > 1


def test_first_jobs_of_a_first_layer_have_one_space(setting):
    keys = [job.key for job in first_jobs(setting)]
    assert len(set(keys)) == len(keys)
    assert FactsKey("lenet5-conv1", "layer") in keys
    assert FactsKey("lenet5-conv1", "pixels") not in keys
    assert PiecesKey("lenet5-conv1") not in keys
    assert PiecesKey("mlp-hidden2") in keys


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"layers": ("conv3",)}, "layers: expected some of conv1"),
        ({"layers": ("fc1", "fc1")}, "each once, got 'fc1'"),
        ({"layers": ()}, "at least one, got none"),
        ({"units": 1}, "units: expected at least 2, got 1"),
        ({"pieces": -1}, "pieces: expected at least 0, got -1"),
        ({"seconds": 0.5}, r"seconds: expected a finite number >= 1, got 0\.5"),
        ({"target": 10_000}, "target: expected the index of a test image"),
    ],
)
def test_bad_options(changes, match):
    with pytest.raises(InputError, match=match):
        Lenet5Options(**changes)


def test_too_many_units(patched):
    from tests.examples.small_runs import small_mnist

    with pytest.raises(InputError, match=r"units: expected at most .* inactive units of fc2"):
        set_up(replace(OPTIONS, units=7, layers=("fc2",)), small_mnist(), QUIET)


@pytest.mark.data
@pytest.mark.slow
def test_the_regions_of_the_real_networks_agree_with_torch(mnist):
    from experiments.datasets.mnist import pixels
    from experiments.lenet5.case import NETWORKS
    from experiments.models.train import trained_net
    from optimize import LayerReader, input_polytope
    from polytope import Box

    rng = np.random.default_rng(0)
    for name, layer in (("mlp", "hidden2"), ("lenet5", "conv2"), ("lenet5", "fc2")):
        architecture = NETWORKS[name]
        model = trained_net(architecture, mnist, seed=0).model
        image = pixels(mnist.test_images[1]).reshape(architecture.shape)
        polytope = input_polytope(model, layer, image, domain=Box(0, 1))
        region = polytope.region
        wide = type(model)().double()
        wide.load_state_dict({key: value.double() for key, value in model.state_dict().items()})
        reader = LayerReader(wide, layer)
        weight = np.array(region.weight.approx)
        bias = np.array([float(b) for b in region.bias])
        inside = outside = 0
        for size in (0.0, 1e-6, 1e-4, 1e-2, 0.3):
            x = np.clip(image.reshape(-1) + size * rng.standard_normal(784), 0, 1)
            point = torch.from_numpy(x.astype(np.float64)).reshape(1, *architecture.shape)
            truth = reader.pre_activation(point)[0].numpy()
            composed = weight @ x + bias
            if region.differences([Fraction(v) for v in x.tolist()]):
                outside += abs(composed - truth).max() > 1e-6
            else:
                inside += 1
                assert np.allclose(composed, truth, atol=1e-8)
        assert inside >= 1
        assert outside >= 1
