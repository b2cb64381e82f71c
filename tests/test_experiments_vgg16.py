import functools
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from experiments.cli import main
from experiments.images import layer_table, output
from experiments.images.facts import DomainFacts, LimitedFacts
from experiments.images.results import ExactAnswers, ImageResults
from experiments.measure.facts import Facts
from experiments.measure.probe import Probe
from experiments.models.vgg16 import Shape, random_vgg16
from experiments.paper import TABLE_4
from experiments.run.proofs import Proof
from experiments.run.record import read_record
from experiments.vgg16 import run
from experiments.vgg16.fc6_targets import count_targets, read_targets
from polytope.errors import FileFormatError, NonFiniteError
from tests.examples.printed import hashes, tables, with_tables
from tests.examples.real_data import BESIDE
from tests.examples.run_folders import unproved
from tests.examples.schemas import misfits

NARROW = Shape(channels=(2, 3, 4, 5, 6), hidden=12, classes=5)
SMALL = ("--image-size", "32", "--steps", "4", "--samples", "6", "--ball", "5", "--device", "cpu")


def collide(capsys, *words):
    """Returns exit code, stdout and stderr of one command."""
    code = main.main([str(word) for word in words])
    out, err = capsys.readouterr()
    return code, out, err


def draw(folder):
    """Four images of 40 x 30 pixels."""
    folder.mkdir()
    rng = np.random.default_rng(5)
    for name in ("n01440764_tench", "n01443537_goldfish", "other_one", "other_two"):
        level = rng.integers(0, 256, (4, 3, 3), dtype=np.uint8)
        picture = Image.fromarray(level).resize((40, 30), Image.Resampling.BICUBIC)
        picture.save(folder / f"{name}.png")
    return folder


@pytest.fixture
def images(tmp_path):
    return draw(tmp_path / "images")


#: A narrow stand-in through the very same code; every table says that it is one.
narrow_setting = functools.partial(run.vgg16_setting, shape=NARROW)


@pytest.fixture
def narrow(monkeypatch):
    monkeypatch.setattr(run, "vgg16_setting", narrow_setting)


def test_the_whole_command_on_a_state_dict(capsys, narrow, images, tmp_path, golden):
    weights = tmp_path / "weights.pth"
    torch.save(random_vgg16(0, NARROW).state_dict(), weights)
    out = tmp_path / "run"
    words = ("vgg16", "--weights", weights, "--images", images, "--target", "goldfish", *SMALL)
    words += ("--start", "other_one", "--accuracy", "--out", out)
    code, shown, _ = collide(capsys, *words)
    assert code == 0
    places = {"FOLDER": out, "IMAGES": images, "PLACE": tmp_path}
    golden.check("vgg16", with_tables(shown, out), places=places, masked=hashes)
    record = read_record(out, ImageResults)
    assert misfits(out) == []
    results = record.results
    assert [str(one) for one in results.sets] == ["authors.other", "modern.other"]
    (digest,) = (value for name, value in record.data.items() if name == "weights.pth")
    assert len(digest) == 64
    # What cannot be left unsaid stands below every table.
    for path in sorted((out / "tables").glob("*.md")):
        text = path.read_text()
        for remark in ("no checksum is known", "A narrow stand-in", "32 x 32", "after 4 steps"):
            assert remark in text, (path.name, remark)
    for name in ("table3", "differences", "interpolants"):
        assert (out / "figures" / f"{name}.png").stat().st_size > 10_000
    assert "Table 4" in (out / "report.html").read_text()
    assert results.accuracy.images == 2
    _check_numbers(results, out)


def _check_numbers(results, out):
    """Some numbers of the record again, from the kept points."""
    arrays = np.load(out / "vertices.npz")
    for one in results.sets:
        points = arrays[str(one)].reshape(5, -1).astype(np.float64)
        pairs = [np.linalg.norm(points[i] - points[j]) for i in range(5) for j in range(i)]
        spread = one.measures.found.spread
        assert spread.distance == pytest.approx(np.mean(pairs))
        assert spread.ratio == pytest.approx(np.mean(pairs) / results.images.mean_distance)
        assert (points >= 0).all()
        assert (points <= 255).all()
        exact = results.exact.points[str(one)]
        for place, unit in enumerate(one.search.units):
            path = out / "vertices" / f"{one}-{unit}.png"
            levels = np.moveaxis(np.asarray(Image.open(path)), -1, 0)
            assert np.abs(levels - np.floor(arrays[str(one)][place])).max() <= 1
            # The float run and the exact layer agree to rounding; no point collides exactly.
            assert float(exact[place].smallest_tolerance) == pytest.approx(
                one.measures.meanings[place].tolerance, rel=1e-3, abs=1e-4
            )
        for measured in one.measures.forms().values():
            for space in (measured.pixels, measured.layer):
                assert [space[scheme].samples for scheme in ("uniform", "stick")] == [6, 6]
        assert one.measures.ball.samples == 5
    layer = results.layer
    assert (layer.n_inputs, layer.n_units) == (6 * 49, 12)
    assert layer.n_positive + layer.halfspaces == 12
    facts = results.exact.facts.domains["free"].facts
    assert facts.rank_positive == layer.n_positive
    assert facts.dimension == layer.paper_bound
    assert facts.lineality == 6 * 49 - 12
    assert facts.pointed is False
    assert set(facts.certificates) == {"rank", "kernel", "dimension", "lineality"}
    for proof in facts.certificates.values():
        assert (out / proof.file).is_file()


def test_a_run_that_was_cut_off_goes_on_to_the_same_results(
    capsys, narrow, images, tmp_path, monkeypatch
):
    words = ("vgg16", "--random-weights", 7, "--images", images, "--target", 0, "--start", 1)
    words += (*SMALL, "--facts", 0)
    assert collide(capsys, *words, "--out", tmp_path / "whole")[0] == 0
    assert unproved(tmp_path / "whole") == []
    from experiments.images import pair

    real, calls = pair.search, []

    def cut(*arguments, **named):
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(*arguments, **named)

    monkeypatch.setattr(pair, "search", cut)
    code, _, err = collide(capsys, *words, "--out", tmp_path / "cut")
    assert code == 130
    assert "--resume" in err
    monkeypatch.setattr(pair, "search", real)
    code, shown, err = collide(capsys, *words, "--out", tmp_path / "cut", "--resume")
    assert code == 0
    assert "Random weights (seed 7), untrained: a test of the command, no result." in shown
    one, other = (read_record(tmp_path / name, ImageResults).results for name in ("whole", "cut"))
    assert one == other
    # Other options are refused.
    code, _, err = collide(
        capsys, *words, "--out", tmp_path / "cut", "--resume", "--recipe", "authors"
    )
    assert code == 2
    assert "other options (recipes: " in err


def test_reproduce_prints_table_4_alone(capsys, narrow, images, tmp_path, golden):
    words = ("reproduce", 4, "--random-weights", 7, "--images", images, *SMALL, "--no-exact")
    words += ("--recipe", "modern", "--from-target")
    words += ("--target-image", 0, "--start-image", 1, "--out", tmp_path / "run")
    code, shown, _ = collide(capsys, *words)
    assert code == 0
    assert len(tables(shown)) == 1
    golden.check("reproduce", shown, places={"FOLDER": tmp_path / "run", "IMAGES": images})
    results = read_record(tmp_path / "run", ImageResults).results
    assert [str(one) for one in results.sets] == ["modern.target", "modern.other"]
    assert results.exact == ExactAnswers(reason="not asked for here", points={})
    assert "not asked for here" in (tmp_path / "run" / "tables" / "layer.md").read_text()


def facts_of(*proved, domain="free"):
    """Facts of which some were asked and proved."""
    proof = Proof(file=None, claim="")
    return DomainFacts(
        facts=Facts(
            domain=domain,
            n_inputs=4,
            n_units=5,
            n_positive=3,
            ties=0,
            sign_disagreements=(),
            paper_bound=1,
            rank_positive=3 if "rank" in proved else None,
            certificates=dict.fromkeys(proved, proof),
        )
    )


def limited(*domains, **given):
    known = {each.facts.domain: each for each in domains}
    return LimitedFacts(asked=("free", "nonnegative"), domains=known, **given)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Of a small run without exact work."""
    folder = tmp_path_factory.mktemp("small")
    words = ("vgg16", "--random-weights", 7, "--images", draw(folder / "images"), *SMALL)
    words += ("--target", 0, "--start", 1, "--no-exact", "--recipe", "modern", "--quiet")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "vgg16_setting", narrow_setting)
        assert main.main([str(word) for word in (*words, "--out", folder / "run")]) == 0
    return read_record(folder / "run", ImageResults).results


def test_facts_that_were_given_up_are_named():
    proved = facts_of("rank", "kernel", "dimension", "lineality")
    found = limited(proved, facts_of("rank", domain="nonnegative"))
    assert list(layer_table.missing_facts(found)) == [
        *("kernel (x >= 0)", "dimension (x >= 0)", "lineality (x >= 0)", "vertex (x >= 0)")
    ]


def test_what_was_not_asked_or_not_proved_is_not_said_to_be(results):
    def notes(facts):
        exact = ExactAnswers(points={}, facts=facts)
        return " ".join(layer_table.layer_notes(replace(results, exact=exact)))

    nothing = limited(limit=1.0, saved=False)
    assert "certificates not saved" not in notes(nothing)
    assert layer_table.fact_cell(nothing, "free", "dimension") == "not proved in time"
    assert layer_table.fact_cell(replace(nothing, asked=()), "free", "dimension") == "not asked"
    broken = replace(nothing, broken="it broke")
    assert layer_table.fact_cell(broken, "free", "dimension") == "no answer: the process ended"
    ranked = limited(facts_of("rank"), limit=1.0, saved=False)
    assert layer_table.fact_cell(ranked, "free", "rank_positive") == "3"
    assert "1 answers were proved" in notes(ranked)
    undecided = replace(ranked.domains["free"].facts, certificates={"rank": None})
    ranked = limited(DomainFacts(facts=undecided))
    assert layer_table.fact_cell(ranked, "free", "rank_positive") == "undecided"


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (None, ""),
        (limited(), ""),
        (limited(limit=60.0), "classifier.0 are incomplete: given up after 60 seconds"),
        (limited(broken="the process ended with -9"), "the process ended with -9"),
    ],
)
def test_a_limit_that_ended_facts_is_told(results, facts, words):
    note = output.limit_note(replace(results, exact=ExactAnswers(points={}, facts=facts)))
    assert bool(note) == bool(words)
    assert words in note


def test_images_are_seen_in_full_float32(capsys, narrow, images, tmp_path, monkeypatch):
    short, real = [], Probe.images

    def spy(probe, points):
        short.append(torch.backends.cudnn.allow_tf32)
        return real(probe, points)

    monkeypatch.setattr(Probe, "images", spy)
    words = ("vgg16", "--random-weights", 7, "--images", images, "--target", 0, "--start", 1)
    words += (*SMALL, "--no-exact", "--recipe", "modern", "--quiet", "--out", tmp_path / "run")
    assert torch.backends.cudnn.allow_tf32
    assert collide(capsys, *words)[0] == 0
    assert short
    assert not any(short)


def test_json_is_one_object(capsys, narrow, images, tmp_path):
    words = ("vgg16", "--random-weights", 7, "--images", images, "--target", 0, "--start", 1)
    words += (*SMALL, "--no-exact", "--recipe", "authors", "--json", "--quiet")
    code, shown, err = collide(capsys, *words, "--out", tmp_path / "run")
    assert (code, err) == (0, "")
    found = json.loads(shown)
    assert found["results"]["sets"][0]["recipe"] == "authors"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "images: expected --images, got none"),
        (("--images", "."), "target: expected --target, got none"),
        (("--images", ".", "--target", "0", "--start", "0"), "start: expected another image"),
        (("--images", ".", "--target", "9", "--start", "0"), "expected a number below 4"),
        (("--images", ".", "--target", "0", "--start", "1", "--image-size", "8"), "image-size:"),
        (("--images", ".", "--target", "0", "--start", "1", "--steps", "0"), "steps:"),
        (
            ("--images", ".", "--target", "0", "--start", "1", "--device", "cuda:99"),
            "device: expected a device of this machine",
        ),
        (
            ("--images", ".", "--target", "0", "--start", "1", "--sha256", "00000000"),
            "sha256: expected none with random weights",
        ),
    ],
)
def test_what_cannot_be_run_is_said_in_a_sentence(
    capsys, narrow, images, tmp_path, monkeypatch, words, message
):
    monkeypatch.chdir(images)
    code, _, err = collide(capsys, "vgg16", "--random-weights", 0, *words, "--out", tmp_path / "r")
    assert code == 2
    assert message in err


def test_options_of_mnist_are_refused_with_table_4(capsys):
    code, _, err = collide(capsys, "reproduce", 4, "--target", 3)
    assert code == 2
    assert "target: expected none with Table 4" in err


def test_the_papers_row_is_the_one_that_is_printed():
    assert TABLE_4[0].ratio == pytest.approx(0.13071, abs=1e-5)


def test_counts_of_targets_made_up(tmp_path, capsys):
    rng = np.random.default_rng(0)
    one = rng.standard_normal(4096).astype(np.float32)
    zero = np.zeros(4096, np.float32)
    path = tmp_path / "targets.npz"
    np.savez(path, one=one, same=one.copy(), zero=zero)
    entries = {each.name: each for each in count_targets(read_targets(path))}
    active = int((one > 0).sum())
    assert entries["one"].n_positive == active
    assert entries["one"].paper_bound == 25088 - active
    assert entries["one"].halfspaces == 4096 - active
    assert entries["one"].equal_to == ("same",)
    assert (entries["zero"].zeros, entries["zero"].equal_to) == (4096, ())
    code, shown, _ = collide(capsys, "vgg16", "--targets", path)
    assert code == 0
    assert "at fc6 of VGG-16 (d = 25088, N = 4096)" in shown
    np.savez(path, one=one[:5])
    with pytest.raises(FileFormatError, match=r"one: expected floats of shape \(4096,\)"):
        read_targets(path)
    one[3] = np.inf
    np.savez(path, one=one)
    with pytest.raises(NonFiniteError, match="one: expected finite numbers"):
        read_targets(path)


@pytest.mark.data
def test_the_authors_own_targets(capsys):
    path = BESIDE / "vgg16-fc6-preactivations.npz"
    if not path.is_file():
        pytest.skip("needs the authors' fc6 pre-activations beside the checkout")
    code, shown, _ = collide(capsys, "vgg16", "--targets", path, "--json")
    assert code == 0
    entries = {each["name"]: each for each in json.loads(shown)["targets"]}
    assert len(entries) == 19
    pinned = {
        "n03345487_2468": 681,
        "church3255": 1113,
        "fish": 840,
        "blade": 1356,
        "n04483307_10384": 1048,
        "jeans2836": 1117,
        "n02971356_5502": 1465,
        "n03291819_1620": 1459,
        "n03837869_161": 1113,
        "chainlink14": 1525,
    }
    assert {name: entries[name]["n_positive"] for name in pinned} == pinned
    active = [each["n_positive"] for each in entries.values()]
    assert (min(active), max(active)) == (681, 1525)
    bounds = [each["paper_bound"] for each in entries.values()]
    assert (min(bounds), max(bounds)) == (23_563, 24_407)
    halfspaces = [each["halfspaces"] for each in entries.values()]
    assert (min(halfspaces), max(halfspaces)) == (2_571, 3_415)
    assert all(each["halfspaces"] < each["paper_bound"] for each in entries.values())
    assert all(each["zeros"] == 0 for each in entries.values())
    equal = {name: each["equal_to"] for name, each in entries.items() if each["equal_to"]}
    assert equal == {"blade": ["chiffonier7402"], "chiffonier7402": ["blade"]}


@pytest.mark.slow
def test_the_command_at_full_width(capsys, images, tmp_path):
    words = ("vgg16", "--random-weights", 0, "--images", images, "--target", 0, "--start", 1)
    words += (*SMALL, "--steps", 1, "--recipe", "modern", "--no-exact", "--out", tmp_path / "run")
    code, shown, _ = collide(capsys, *words)
    assert code == 0
    layer = read_record(tmp_path / "run", ImageResults).results.layer
    assert (layer.n_inputs, layer.n_units) == (25_088, 4_096)
    assert "A narrow stand-in" not in shown
