import json
from fractions import Fraction

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from experiments.cli import main
from experiments.cli import squeezenet as verb
from experiments.datasets.images import Resize
from experiments.models.preprocess import channel_affine
from experiments.models.squeezenet import SqueezeNet
from experiments.models.squeezenet_weights import Pretrained
from experiments.run.limited import Limited
from experiments.run.record import read_exact, read_record
from experiments.show.numbers import approx
from experiments.squeezenet import positions as squeezenet_positions
from experiments.squeezenet import run as squeezenet
from experiments.squeezenet.figure import positions_figure
from experiments.squeezenet.positions import (
    ARRAYS,
    Chosen,
    PositionJob,
    _by_position,
    _exact,
    _spread,
    only_point,
)
from experiments.squeezenet.tables import gap_table, kind_of, positions_table, squeezenet_tables
from optimize import LayerReader, exact_layer
from polytope import CollisionPolytope, Nonnegative, verify
from polytope.errors import InputError
from tests.examples import real_data

UNITS, CHANNELS, POSITIONS = 7, 5, 6


def command(*words):
    """What the command is asked for."""
    return verb.request_of(vars(main.parser().parse_args(["squeezenet", *map(str, words)])))


def run(*words):
    return main.main(["squeezenet", *map(str, words), "--debug"])


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch):
    """What is limited in time by a process of its own runs here, which starts sooner."""

    def at_once(work, given, *, seconds):
        return Limited(list(work(given)), "")

    monkeypatch.setattr(squeezenet_positions, "in_time", at_once)


@pytest.fixture
def layer():
    """A 1 x 1 convolution on few positions: weight, bias, target and found points."""
    random = np.random.default_rng(3)
    target = random.random((POSITIONS, CHANNELS)) * (random.random((POSITIONS, CHANNELS)) > 0.4)
    points = target + random.random((2, POSITIONS, CHANNELS)) * (target > 0)
    return {
        "weight": random.normal(size=(UNITS, CHANNELS)).astype(np.float32),
        "bias": random.normal(size=UNITS).astype(np.float32),
        "target": target.astype(np.float32),
        "modern.other": points.astype(np.float32),
    }


def polytope_at(layer, position):
    return CollisionPolytope.from_layer(
        layer["weight"], layer["bias"], layer["target"][position], domain=Nonnegative()
    )


def run_job(layer, folder, position, chosen=()):
    np.savez(folder / ARRAYS, **layer)
    (folder / "certificates").mkdir(exist_ok=True)
    return PositionJob(position, tuple(chosen), ("modern.other",)).run(folder).results


def test_a_positions_facts_and_their_certificates(layer, tmp_path):
    for position in range(POSITIONS):
        found = run_job(layer, tmp_path, position)
        polytope = polytope_at(layer, position)
        assert found["n_positive"] == polytope.n_positive
        assert found["dimension"] == polytope.dimension().value
        assert found["bounded"] is polytope.boundedness().bounded
        assert found["support"] == (layer["target"][position] > 0).sum()
        for proof in found["certificates"].values():
            assert proof is not None
            assert verify(tmp_path / proof["file"]) == proof["claim"]
        tolerances = [
            polytope.residuals(x).smallest_tolerance for x in layer["modern.other"][:, position]
        ]
        assert found["tolerance"]["modern.other"] == tolerances


def test_single_points_are_told_from_others():
    random = np.random.default_rng(8)
    kinds = []
    for units in (3, 5, 8, 12):
        for _ in range(6):
            target = np.maximum(random.integers(-4, 3, 5), 0)
            polytope = CollisionPolytope.from_layer(
                random.integers(-3, 4, (units, 5)),
                random.integers(-3, 4, units),
                target,
                domain=Nonnegative(),
            )
            proof = only_point(polytope)
            single = polytope.dimension().value == 0
            if proof is not None:
                assert single
                assert "is 0, attained at a vertex" in verify(proof)
            elif not polytope.ties:
                assert not single
            kinds.append(proof is not None)
    assert 3 < sum(kinds) < 20


def test_a_dimension_that_takes_too_long(layer, tmp_path, monkeypatch):
    monkeypatch.setattr(squeezenet_positions, "only_point", lambda polytope: None)
    monkeypatch.setattr(
        squeezenet_positions, "in_time", lambda *given, seconds: Limited([], "given up after 60 s")
    )
    found = run_job(layer, tmp_path, 0)
    assert (found["dimension"], found["certificates"]["dimension"]) == (None, None)
    assert found["dimension_reason"] == "given up after 60 s"
    assert kind_of(found) == "undecided"


def test_a_chosen_unit_beside_its_exact_minimum(layer, tmp_path):
    position, polytope = next(
        (p, polytope_at(layer, p))
        for p in range(POSITIONS)
        if polytope_at(layer, p).unit_vertex(polytope_at(layer, p).inactive_units[0]).value
        is not None
    )
    index = polytope.inactive_units[0]
    chosen = Chosen(index * POSITIONS + position, index, vertex=1)
    (unit,) = run_job(layer, tmp_path, position, [chosen])["units"]
    exact, point = polytope.unit_vertex(index), layer["modern.other"][1, position]
    value = polytope.residuals(point).pre_activation[index]
    assert (unit["unit"], unit["status"], unit["value"]) == (chosen.number, "optimal", exact.value)
    found = unit["found"]["modern.other"]
    assert found["gap"] == value - exact.value
    assert found["distance_linf"] == polytope.nearest(point, "linf").distance
    assert "distance" in found["distance_certificate"]["claim"]


def test_the_exact_tolerance_is_the_largest_of_all_positions(layer):
    for vertex, point in enumerate(layer["modern.other"]):
        each = [
            polytope_at(layer, p).residuals(point[p]).smallest_tolerance for p in range(POSITIONS)
        ]
        found = _exact(layer, point)
        assert found == {"exact": False, "tolerance": max(each), "position": int(np.argmax(each))}
        assert isinstance(found["tolerance"], Fraction), vertex
    same = _exact(layer, layer["target"])
    assert (same["exact"], same["tolerance"]) == (True, 0)


def test_positions_are_those_of_the_convolution(layer):
    module = nn.Conv2d(CHANNELS, UNITS, 1)
    module.weight.data = torch.from_numpy(layer["weight"])[:, :, None, None]
    module.bias.data = torch.from_numpy(layer["bias"])
    image = torch.from_numpy(layer["target"].T.copy()).view(CHANNELS, 2, 3)
    reader = LayerReader(module, "")
    entered = reader.layer_inputs(image[None]).numpy()
    assert np.array_equal(_by_position(entered, POSITIONS)[0], layer["target"])
    # The whole layer's set, taken apart, is the product of the positions' sets.
    whole = exact_layer(module, "", image.shape)
    product = CollisionPolytope.from_layer(
        whole.weight, whole.bias, entered[0], domain=Nonnegative()
    )
    parts = [polytope_at(layer, position) for position in range(POSITIONS)]
    assert product.n_positive == sum(part.n_positive for part in parts)
    assert len(product.factors()) == POSITIONS
    dimensions = [factor.polytope.dimension().value for factor in product.factors()]
    assert sorted(dimensions) == sorted(part.dimension().value for part in parts)
    pre = reader.pre_activation(image[None])[0].numpy().reshape(UNITS, POSITIONS)
    values = layer["weight"].astype(float) @ layer["target"][4] + layer["bias"]
    np.testing.assert_allclose(pre[:, 4], values, rtol=1e-5)  # unit = class * positions + position


def test_spread():
    assert _spread(169, 3, [5, 5]) == [0, 5, 84, 168]
    assert _spread(4, 100, []) == [0, 1, 2, 3]
    assert _spread(4, 0, [2]) == [2]


@pytest.mark.parametrize(
    ("dimension", "bounded", "kind"),
    [
        (0, True, "single point"),
        (3, True, "bounded"),
        (3, False, "unbounded"),
        (None, True, "undecided"),
        (3, None, "undecided"),
    ],
)
def test_kinds_of_sets(dimension, bounded, kind):
    assert kind_of({"dimension": dimension, "bounded": bounded}) == kind


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    rng = np.random.default_rng(5)
    names = ("n01440764_tench", "n01443537_goldfish", "n02086646_Blenheim_spaniel", "other")
    for name in names:
        level = rng.integers(0, 256, (4, 3, 3), dtype=np.uint8)
        Image.fromarray(level).resize((80, 70), Image.Resampling.BICUBIC).save(
            folder / f"{name}.png"
        )
    return folder


@pytest.fixture
def stand_in(monkeypatch):
    """SqueezeNet with random weights, 12 classes, on images of 63 x 63: 9 positions at conv10."""
    torch.manual_seed(2)
    model = SqueezeNet(channel_affine([0.02] * 3, [-2.5] * 3))
    model.classifier[1] = nn.Conv2d(512, 12, 1)
    for module in model.modules():
        if isinstance(module, nn.Conv2d) and module.kernel_size != (1, 1):
            module.weight.data *= 2.0  # else hardly anything of the image reaches conv10
    resize = Resize(height=63, width=63)
    found = Pretrained(model.eval().requires_grad_(False), "release", resize, "0" * 64, "nothing")
    monkeypatch.setattr(squeezenet, "load_squeezenet", lambda path: found)


def test_the_whole_command(stand_in, images, tmp_path, capsys):
    out = tmp_path / "run"
    words = ("--weights", tmp_path / "w.npz", "--images", images, "--smoke", "--workers", "1")
    words += ("--device", "cpu", "--out", out, "--steps", "3", "--positions", "all")
    assert run(*words, "--quiet") == 0
    shown = capsys.readouterr().out
    for title in ("# conv10", "# fire9/expand3x3", "accuracy**", "**conv10: each vertex beside"):
        assert title in shown
    results = read_record(out).results
    assert results["accuracy"]["images"] == 3  # the fourth carries no class
    positions = results["positions"]
    assert positions["side"] == [3, 3]
    assert [each["position"] for each in positions["certified"]] == list(range(9))
    chosen = [unit for each in positions["certified"] for unit in each["units"]]
    assert sorted(unit["unit"] for unit in chosen) == positions["units"]
    assert positions["sets"] == ["authors.other", "modern.other"]
    for key in positions["sets"]:
        worst = max(
            read_exact(each["tolerance"][key][0]) for each in positions["certified"]
        )  # of the first vertex, all positions being certified
        assert read_exact(positions["exact"][key][0]["tolerance"]) == worst
    for name in ("accuracy", "positions", "gap", "exact"):
        assert (out / "tables" / f"{name}.md").stat().st_size > 100
    assert (out / "figures" / "positions.png").read_bytes().startswith(b"\x89PNG")
    assert "37538.22" in (out / "conv10" / "tables" / "table4.md").read_text()  # the paper's
    assert "Dimension of the whole set" in (out / "tables" / "positions.md").read_text()

    # Gone on with: nothing is searched again, and one JSON object is printed.
    assert run(*words, "--quiet", "--resume", "--json") == 0
    again = json.loads(capsys.readouterr().out)
    assert again["results"]["positions"]["exact"] == positions["exact"]
    assert read_record(out).results == results


def test_tables_of_a_hand_made_run():
    certified = {
        "position": 1, "support": 2, "n_positive": 3, "rank_positive": 3, "dimension": 0,
        "paper_bound": 1, "bounded": True, "kernel_condition": False, "dimension_reason": "",
        "certificates": {"dimension": {"file": "f", "claim": "c"}, "rank": None},
        "tolerance": {"k": [{"exact": "0x1/0x2", "approx": 0.5}]},
        "units": [
            {
                "unit": 5, "class": 2, "status": "unbounded", "value": None, "target_value": -1.0,
                "found": {
                    "k": {
                        "value": -2.0, "gap": None, "worst_equality": 0.25, "worst_inactive": 0.0,
                        "smallest_tolerance": 0.25, "distance_linf": 0.125,
                    }
                },
            }
        ],
    }  # fmt: skip
    positions = {
        "side": [1, 2], "units": [5], "sets": ["k"], "titles": {"k": "recipe, start"},
        "certified": [certified], "n_positive": [1, 3], "target_length": [1.0, 2.0],
        "moved": {"k": [[0.0, 0.5]]},
        "exact": {"k": [{"exact": False, "tolerance": 0.5, "position": 1}]},
    }  # fmt: skip
    (row,) = positions_table(positions).rows
    assert row == ("(0, 1)", "2", "3", "3", "no", "0", "1", "single point", "25.0%", "0.5")
    notes = " ".join(positions_table(positions).notes)
    assert "1 of 2 positions certified: 1 single point" in notes
    assert "1 of 2 certificates" in notes
    (row,) = gap_table(positions).rows
    assert row[:6] == ("recipe, start", "5", "2", "(0, 1)", "single point", "unbounded")
    assert row[6:] == ("-1", "-2", "", "0.25", "0", "0.12")
    # A position with nothing but zeros, and no single point in the table.
    empty = certified | {"dimension": 1}
    flat = positions | {"certified": [empty], "target_length": [1.0, 0.0]}
    table = positions_table(flat)
    assert table.rows[0][-2] == "no length"
    assert "Single point: proved" not in " ".join(table.notes)
    assert len(positions_figure(positions).axes) == 5  # three maps, two colour bars
    run = {"positions": None, "accuracy": {"images": 4, "top1": 0.5, "top5": None}}
    run |= {"title": "t", "source": "torchvision", "images": "i", "resize": "r"}
    (table,) = squeezenet_tables(run | {"weights": {"sha256": "0", "verified": "v"}})
    assert table.rows == (("here, 4 images", "50.0%", ""),)
    assert approx(certified["tolerance"]["k"][0]) == 0.5


def test_options():
    usual = command("--device", "cpu")
    assert (usual.positions, usual.image.samples, usual.image.units) == (24, 2000, 5)
    assert usual.layers == ("conv10", "fire9/expand3x3")
    assert usual.image.exact
    tiny = command("--device", "cpu", "--smoke", "--units", "3")
    assert (tiny.image.units, tiny.image.samples, tiny.image.exact) == (3, 4, False)
    assert command("--device", "cpu", "--positions", "all").positions == 169


@pytest.mark.parametrize(
    ("words", "match"),
    [
        (("--positions", "some"), r"positions: expected a number or all, got 'some'"),
        (("--layers", "conv11"), r"layer: expected one of conv1, .*got 'conv11'"),
        (("--layers", "conv10,classifier.1"), r"layers: expected one or more different ones"),
        (("--layers", ","), r"layers: expected one or more different ones, got none"),
        (("--units", "1"), r"units: expected at least 2, got 1"),
    ],
)
def test_options_that_are_refused(words, match):
    with pytest.raises(InputError, match=match):
        command("--device", "cpu", *words)


def test_pairs_and_folders_that_are_refused(stand_in, images, tmp_path, capsys):
    out = ("--out", tmp_path / "run", "--device", "cpu", "--smoke", "--quiet")
    words = ("--images", images, "--start", "goldfish", *out)
    with pytest.raises(
        InputError, match=r"start: expected another image than the target, got n014"
    ):
        run(*words)
    words = ("--data", tmp_path / "none", *out)
    with pytest.raises(InputError, match=r"images: expected --images FOLDER, or .*collide fetch"):
        run(*words)


@pytest.mark.data
@pytest.mark.slow
def test_real_weights_and_images(tmp_path, capsys):
    weights, folder = real_data.squeezenet_npz(), real_data.imagenet_samples()
    words = ("--weights", weights, "--images", folder, "--smoke", "--out", tmp_path / "run")
    assert run(*words, "--device", "cpu", "--quiet", "--workers", "1") == 0
    results = read_record(tmp_path / "run").results
    assert results["layers"]["conv10"]["target"]["class_name"] == "goldfish"
    assert results["layers"]["conv10"]["layer"]["n_units"] == 169_000
    assert results["layers"]["fire9/expand3x3"]["layer"]["n_units"] == 43_264
    assert all(each["dimension"] == 206 for each in results["positions"]["certified"])
    assert squeezenet_positions.LAYER == "classifier.1"
