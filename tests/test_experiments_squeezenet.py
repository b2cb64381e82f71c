import json
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from experiments.cli import main
from experiments.cli import squeezenet as verb
from experiments.datasets.images import Resize
from experiments.images.measures import Accuracy
from experiments.measure.compared import Compared
from experiments.measure.facts import Facts
from experiments.measure.minimum import Minimum
from experiments.models.preprocess import channel_affine
from experiments.models.squeezenet import SqueezeNet
from experiments.models.squeezenet_weights import Pretrained
from experiments.run.documents import jsonable
from experiments.run.proofs import Proof
from experiments.run.record import read_record
from experiments.squeezenet import conv10, dimension
from experiments.squeezenet import run as squeezenet
from experiments.squeezenet.conv10 import Conv10, ExactTolerance
from experiments.squeezenet.dimension import only_point
from experiments.squeezenet.figure import positions_figure
from experiments.squeezenet.positions import Chosen, PositionJob, spread_positions
from experiments.squeezenet.results import (
    CertifiedPosition,
    ChosenUnit,
    Positions,
    SqueezeNetResults,
    WeightsFile,
)
from experiments.squeezenet.tables import gap_table, positions_table, squeezenet_tables
from optimize import LayerReader, exact_layer
from polytope import CollisionPolytope, Nonnegative, verify
from polytope.errors import InputError
from tests.examples import real_data
from tests.examples.deep import here
from tests.examples.printed import with_tables
from tests.examples.schemas import misfits

UNITS, CHANNELS, POSITIONS = 7, 5, 6


def command(*words):
    """What the command is asked for."""
    return verb.request_of(vars(main.parser().parse_args(["squeezenet", *map(str, words)])))


def run(*words):
    return main.main(["squeezenet", *map(str, words), "--debug"])


@pytest.fixture
def layer():
    """A 1 x 1 convolution on few positions: weight, bias, target and found points."""
    random = np.random.default_rng(3)
    target = random.random((POSITIONS, CHANNELS)) * (random.random((POSITIONS, CHANNELS)) > 0.4)
    points = target + random.random((2, POSITIONS, CHANNELS)) * (target > 0)
    return Conv10(
        weight=random.normal(size=(UNITS, CHANNELS)).astype(np.float32),
        bias=random.normal(size=UNITS).astype(np.float32),
        side=(2, 3),
        target=target.astype(np.float32),
        found={"modern.other": points.astype(np.float32)},
    )


def polytope_at(layer, position):
    return CollisionPolytope.from_layer(
        layer.weight, layer.bias, layer.target[position], domain=Nonnegative()
    )


def run_job(layer, folder, position, chosen=()):
    layer.write(folder)
    (folder / "certificates").mkdir(exist_ok=True)
    return PositionJob(position, tuple(chosen)).run(folder).results


def test_a_positions_facts_and_their_certificates(layer, tmp_path):
    for position in range(POSITIONS):
        found = run_job(layer, tmp_path, position)
        facts, polytope = found.facts, polytope_at(layer, position)
        assert facts.n_positive == polytope.n_positive
        assert facts.dimension == polytope.dimension().value
        assert facts.bounded is polytope.boundedness().bounded
        assert found.support == (layer.target[position] > 0).sum()
        assert set(facts.certificates) == {"dimension", "boundedness", "rank", "kernel"}
        for proof in facts.certificates.values():
            assert verify(tmp_path / proof.file) == proof.claim
        points = layer.found["modern.other"][:, position]
        tolerances = tuple(polytope.residuals(x).smallest_tolerance for x in points)
        assert found.tolerance["modern.other"] == tolerances


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


def test_a_dimension_that_takes_too_long_is_given_up_and_said(layer, tmp_path, monkeypatch):
    position = next(p for p in range(POSITIONS) if only_point(polytope_at(layer, p)) is None)
    monkeypatch.setattr(dimension, "DIMENSION_SECONDS", 0.01)
    found = run_job(layer, tmp_path, position)
    assert (found.facts.dimension, found.facts.certificates["dimension"]) == (None, None)
    assert found.dimension_reason == "given up after 0.01 s"
    assert found.kind == "undecided"
    positions = Positions(
        side=layer.side,
        units=(),
        titles={},
        certified=(found,),
        n_positive=tuple(layer.active().tolist()),
        target_length=(1.0,) * POSITIONS,
        moved={},
        exact={},
    )
    table = positions_table(positions)
    assert table.rows[0][5:] == ("", str(found.facts.paper_bound), "undecided")
    assert "Dimension undecided: given up after 0.01 s." in table.notes
    # With time enough the same position is decided.
    monkeypatch.undo()
    assert run_job(layer, tmp_path, position).facts.dimension > 0


def test_a_chosen_unit_beside_its_exact_minimum(layer, tmp_path):
    position, polytope = next(
        (p, polytope_at(layer, p))
        for p in range(POSITIONS)
        if polytope_at(layer, p).unit_vertex(polytope_at(layer, p).inactive_units[0]).value
        is not None
    )
    index = polytope.inactive_units[0]
    chosen = Chosen(index * POSITIONS + position, index, vertex=1)
    (unit,) = run_job(layer, tmp_path, position, [chosen]).units
    exact, point = polytope.unit_vertex(index), layer.found["modern.other"][1, position]
    value = polytope.residuals(point).pre_activation[index]
    minimum = unit.minimum
    assert (unit.unit, minimum.unit) == (chosen.number, index)
    assert (minimum.status, minimum.value) == ("optimal", exact.value)
    found = unit.found["modern.other"]
    assert (found.found_value, found.gap) == (value, value - exact.value)
    assert found.distance_linf == polytope.nearest(point, "linf").distance
    assert "distance" in found.distance_certificate.claim


def test_the_exact_tolerance_is_the_largest_of_all_positions(layer):
    for vertex, point in enumerate(layer.found["modern.other"]):
        each = [
            polytope_at(layer, p).residuals(point[p]).smallest_tolerance for p in range(POSITIONS)
        ]
        where = int(np.argmax(each))
        found = layer.tolerance(point)
        assert found == ExactTolerance(exact=False, tolerance=max(each), position=where)
        assert isinstance(found.tolerance, Fraction), vertex
    same = layer.tolerance(layer.target)
    assert (same.exact, same.tolerance) == (True, 0)


def test_positions_are_those_of_the_convolution(layer, tmp_path):
    module = nn.Conv2d(CHANNELS, UNITS, 1)
    module.weight.data = torch.from_numpy(layer.weight)[:, :, None, None]
    module.bias.data = torch.from_numpy(layer.bias)
    image = torch.from_numpy(layer.target.T.copy()).view(CHANNELS, 2, 3)
    reader = LayerReader(module, "")
    entered = reader.layer_inputs(image[None]).numpy()
    apart = Conv10.of(module, image.numpy(), {"same": entered})
    apart.write(tmp_path)
    for found in (apart, Conv10.read(tmp_path)):
        assert found.side == (2, 3)
        assert np.array_equal(found.target, layer.target)
        assert np.array_equal(found.found["same"], layer.target[None])
        assert np.array_equal(found.weight, layer.weight)
        assert np.array_equal(found.bias, layer.bias)
    # The whole layer's set, taken apart, is the product of the positions' sets.
    whole = exact_layer(module, "", image.shape)
    product = CollisionPolytope.from_layer(
        whole.weight, whole.bias, entered[0], domain=Nonnegative()
    )
    parts = [polytope_at(layer, position) for position in range(POSITIONS)]
    assert product.n_positive == sum(part.n_positive for part in parts)
    assert layer.active().tolist() == [part.n_positive for part in parts]
    assert len(product.factors()) == POSITIONS
    dimensions = [factor.polytope.dimension().value for factor in product.factors()]
    assert sorted(dimensions) == sorted(part.dimension().value for part in parts)
    pre = reader.pre_activation(image[None])[0].numpy().reshape(UNITS, POSITIONS)
    values = layer.weight.astype(float) @ layer.target[4] + layer.bias
    np.testing.assert_allclose(pre[:, 4], values, rtol=1e-5)  # unit = class * positions + position


def test_spread():
    assert spread_positions(169, 3, [5, 5]) == [0, 5, 84, 168]
    assert spread_positions(4, 100, []) == [0, 1, 2, 3]
    assert spread_positions(4, 0, [2]) == [2]


def certified(**facts):
    """A position by hand, of a set of one or more facts."""
    known = {"dimension": 0, "bounded": True, "rank_positive": 3, "kernel_condition": False}
    proofs = {"dimension": Proof(file="f", claim="c"), "rank": None}
    return CertifiedPosition(
        position=1,
        support=2,
        facts=Facts(
            domain="nonnegative",
            n_inputs=4,
            n_units=5,
            n_positive=3,
            ties=0,
            sign_disagreements=(),
            paper_bound=1,
            certificates=proofs,
            **known | facts,
        ),
        dimension_reason="",
        units=(),
        tolerance={"k": (Fraction(1, 2),)},
    )


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
    assert certified(dimension=dimension, bounded=bounded).kind == kind


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


def test_the_whole_command(stand_in, images, tmp_path, capsys, golden, monkeypatch):
    monkeypatch.setattr(dimension, "in_time", here)  # in a process: the tests of dimensions above
    out = tmp_path / "run"
    words = ("--weights", tmp_path / "w.npz", "--images", images, "--smoke", "--workers", "1")
    words += ("--device", "cpu", "--out", out, "--steps", "3", "--positions", "all")
    assert run(*words, "--quiet") == 0
    places = {"FOLDER": out, "IMAGES": images, "PLACE": tmp_path}
    golden.check("squeezenet", with_tables(capsys.readouterr().out, out), places=places)
    results = read_record(out, SqueezeNetResults).results
    assert misfits(out) == []
    assert results.accuracy.images == 3  # the fourth carries no class
    positions = results.positions
    assert positions.side == (3, 3)
    assert [each.position for each in positions.certified] == list(range(9))
    chosen = [unit for each in positions.certified for unit in each.units]
    assert sorted(unit.unit for unit in chosen) == list(positions.units)
    assert list(positions.titles) == ["authors.other", "modern.other"]
    for key in positions.titles:
        # Of the first vertex, all positions being certified.
        worst = max(each.tolerance[key][0] for each in positions.certified)
        assert positions.exact[key][0].tolerance == worst
    for name in ("accuracy", "positions", "gap", "exact"):
        assert (out / "tables" / f"{name}.md").stat().st_size > 100
    assert (out / "figures" / "positions.png").read_bytes().startswith(b"\x89PNG")
    assert "37538.22" in (out / "conv10" / "tables" / "table4.md").read_text()  # the paper's
    assert "Dimension of the whole set" in (out / "tables" / "positions.md").read_text()

    # Gone on with: nothing is searched again, and one JSON object is printed.
    assert run(*words, "--quiet", "--resume", "--json") == 0
    again = json.loads(capsys.readouterr().out)
    exact = again["results"]["positions"]["exact"]
    assert exact == jsonable(positions.exact)
    assert read_record(out, SqueezeNetResults).results == results


def test_tables_of_a_hand_made_run():
    found = Compared(
        unit=2,
        found_value=Fraction(-2),
        worst_equality=Fraction(1, 4),
        worst_inactive=Fraction(0),
        worst_domain=Fraction(0),
        smallest_tolerance=Fraction(1, 4),
        n_tight=0,
        is_vertex=False,
        exact_value=None,
        gap=None,
        relative_gap=None,
        distance_linf=Fraction(1, 8),
        distance_certificate=None,
    )
    minimum = Minimum(
        unit=2, status="unbounded", value=None, is_vertex=False, reason="", certificate=None
    )
    unit = ChosenUnit(unit=5, minimum=minimum, target_value=Fraction(-1), found={"k": found})
    position = replace(certified(), units=(unit,))
    positions = Positions(
        side=(1, 2),
        units=(5,),
        titles={"k": "recipe, start"},
        certified=(position,),
        n_positive=(1, 3),
        target_length=(1.0, 2.0),
        moved={"k": ((0.0, 0.5),)},
        exact={"k": (ExactTolerance(exact=False, tolerance=Fraction(1, 2), position=1),)},
    )
    (row,) = positions_table(positions).rows
    assert row == ("(0, 1)", "2", "3", "3", "no", "0", "1", "single point", "25.0%", "0.5")
    notes = " ".join(positions_table(positions).notes)
    assert "1 of 2 positions certified: 1 single point" in notes
    assert "1 of 2 certificates" in notes
    (row,) = gap_table(positions).rows
    assert row[:6] == ("recipe, start", "5", "2", "(0, 1)", "single point", "unbounded")
    assert row[6:] == ("-1", "-2", "", "0.25", "0", "0.12")
    # A position with nothing but zeros, and no single point in the table.
    empty = certified(dimension=1)
    table = positions_table(replace(positions, certified=(empty,), target_length=(1.0, 0.0)))
    assert table.rows[0][-2] == "no length"
    assert "Single point: proved" not in " ".join(table.notes)
    assert len(positions_figure(positions).axes) == 5  # three maps, two colour bars
    run = SqueezeNetResults(
        title="t",
        source="torchvision",
        weights=WeightsFile(sha256="0", verified="v"),
        images="i",
        resize="r",
        accuracy=Accuracy(images=4, top1=0.5, top5=None),
        layers={},
        positions=None,
    )
    (table,) = squeezenet_tables(run)
    assert table.rows == (("here, 4 images", "50.0%", ""),)


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
    results = read_record(tmp_path / "run", SqueezeNetResults).results
    assert results.layers["conv10"].target.class_name == "goldfish"
    assert results.layers["conv10"].layer.n_units == 169_000
    assert results.layers["fire9/expand3x3"].layer.n_units == 43_264
    assert all(each.facts.dimension == 206 for each in results.positions.certified)
    assert conv10.LAYER == "classifier.1"
