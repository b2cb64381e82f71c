"""collide compare on small networks, from the command line."""

import json
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
import torch
from torch import fx, nn

from experiments.own import input_space, network, solver
from experiments.own.domain import layer_domain
from experiments.own.kept_search import read_search
from experiments.own.results import Comparison
from experiments.run.record import read_record
from optimize import LayerReader, exact_layer
from polytope import Box, CollisionPolytope
from polytope.errors import FileFormatError
from polytope.files import sha256_file
from tests.examples.own_network import collide, compare, net, network_folder, search
from tests.examples.printed import by_row, tables, with_tables
from tests.examples.run_folders import unproved
from tests.examples.schemas import misfits

__all__ = ["network_folder"]  # a fixture, found here by pytest


def test_compare_on_a_first_layer(place, capsys, tmp_path):
    """The numbers against the library's own, the meanings against a float run."""
    out = tmp_path / "run"
    found = compare(place, capsys, "0", out, "--units", "2", name="Flat", target="flat.npy")
    space = found.layer_space
    assert (space.domain, space.is_first, space.left_out) == ("box", True, ())
    model = cli_model(place, "Flat")
    polytope = CollisionPolytope.from_layer(
        model[0].weight, model[0].bias, np.load(place / "flat.npy"), domain=Box(0, 1)
    )
    assert space.n_positive == polytope.n_positive
    points = np.load(out / "search" / "vertices.npz")["points"]
    for i, entry in enumerate(found.vertices):
        one = entry.layer
        best = polytope.unit_vertex(entry.unit)
        assert one.minimum.value == best.value
        assert np.array_equal(one.minimum.point, best.point_float())
        residuals = polytope.residuals(points[i])
        assert one.missed.smallest_tolerance == residuals.smallest_tolerance
        assert one.gap == one.missed.found_value - best.value
        assert one.distance.value == polytope.nearest(points[i]).distance
        assert one.is_vertex == polytope.is_vertex(points[i])
        assert "minimum" in one.minimum.certificate.claim
    kinds = [(each.point, each.unit) for each in found.meanings]
    units = [each.unit for each in found.vertices]
    assert kinds == [("relaxed", u) for u in units] + [("exact, rounded", u) for u in units]
    assert all(each.tolerance < 1e-3 for each in found.meanings)
    for each in found.interpolation:  # a first layer: one space
        assert each.layer.within == each.input.within == 2000
    proof = found.vertices[0].layer.minimum.certificate.file
    done = subprocess.run(
        [sys.executable, "-I", "-S", "checker.py", proof],
        cwd=out,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def cli_model(place, name):
    from experiments.models.registry import load_model

    words = net(place, name)
    return load_model(words[0], *words[2:]).module


def test_compare_at_a_deep_layer_in_both_spaces(place, capsys, tmp_path):
    out = tmp_path / "run"
    words = ["--units", "2", "--steps", "2000", "--input-space"]
    found = compare(place, capsys, "fc1", out, *words)
    assert found.layer_space.domain == "nonnegative"
    assert not found.layer_space.is_first
    space = found.input_space.region
    assert (space.n_inputs, space.decisions) == (36, 27)
    assert space.units.startswith("0 to 7: the layer composed")
    model = cli_model(place, "Net").double()
    target = torch.from_numpy(np.load(place / "image.npy")).double()[None]
    wanted = torch.relu(LayerReader(model, "fc1").pre_activation(target))
    for entry in found.vertices:
        one = entry.input
        assert one.minimum.status == "optimal"
        assert one.in_region == (one.decisions_differ == 0)
        assert one.minimum.value <= 0
        # The exact vertex collides in a float64 run of the network itself, to its rounding.
        point = torch.tensor(one.minimum.point).reshape(1, 1, 6, 6)
        assert bool(((point >= 0) & (point <= 1)).all())
        pre = LayerReader(model, "fc1").pre_activation(point.double())
        assert torch.allclose(torch.relu(pre), wanted, atol=1e-9)
        assert float(pre[0, entry.unit]) == pytest.approx(float(one.minimum.value), abs=1e-9)
        assert (out / one.minimum.certificate.file).is_file()
        assert one.minimum.certificate.file.endswith("-minimum-in-region.json")
        assert entry.layer.minimum.certificate.file.endswith("-minimum.json")
        # The layer's own space holds all of it: its minimum is at most as high.
        own = entry.layer.minimum
        if own.status == "optimal":
            assert own.value <= one.minimum.value
        else:
            assert own.status == "unbounded"
    for each in found.interpolation:
        assert each.layer.within == each.layer.samples == 2000
        assert each.input.largest > each.layer.largest
    assert (out / "images" / f"relaxed-{found.vertices[0].unit}.png").is_file()
    assert {path.stem for path in (out / "tables").glob("*.md")} == {
        *("layer-space", "input-space", "meanings", "interpolation"),
    }
    assert unproved(out) == []


def test_what_the_certificates_are_about_lies_beside_them(place, capsys, tmp_path):
    out = tmp_path / "run"
    words = ["--units", "1", "--steps", "100", "--input-space"]
    found = compare(place, capsys, "fc1", out, *words)
    page = (out / "certificates" / "about.md").read_text()
    for name in ("nets.py", "net.safetensors", "image.npy"):
        assert f"    {sha256_file(place / name)}  {place / name}" in page
    # What the page says of the rows, against the certificate itself.
    (path,) = (out / "certificates").glob("input-0-minimum*.json")
    problem = json.loads(path.read_text())["problem"]
    rows = problem["weight"]["shape"][0]
    assert rows == 8 + found.input_space.region.region_rows
    assert "* units 0 to 7: the pre-activations of fc1" in page
    assert f"* units 8 to {rows - 1}: rows of the region" in page
    assert "The composition is not part of the proof." in page
    command = page.rpartition("`python -I -S ")[2].partition("`")[0].split()
    done = subprocess.run(
        [sys.executable, "-I", "-S", *command],
        cwd=out,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    table = (out / "tables" / "input-space.md").read_text()
    assert "and not part of the proof (certificates/about.md)" in table
    alone = tmp_path / "alone"
    compare(place, capsys, "fc1", alone, *words[:-1])
    page = (alone / "certificates" / "about.md").read_text()
    assert "layer-I-minimum.json" in page
    assert "in-region" not in page


def test_compare_says_why_its_searches_ended(place, capsys, tmp_path, golden):
    given = ["--target", place / "image.npy", "--device", "cpu", "--quiet"]
    model, *weights = net(place)
    words = ["compare", model, "fc1", *weights, *given]
    out = tmp_path / "run"
    short = ["--units", "2,", "--start", place / "other.npy", "--steps", "100"]
    code, printed, err = collide(capsys, *words, *short, "--input-space", "--out", out)
    assert code == 4
    assert err.startswith("limit: 1 of 1 search (unit 2) was ended by --steps")
    places = {"FOLDER": tmp_path, "PLACE": place}
    golden.check(
        "compare",
        with_tables(printed, out),
        places=places,
        masked={"decisions differ", "bit-equal in floats"},
    )
    assert read_record(out, Comparison).results.search.status == ("step_limit",)
    assert misfits(out) == []
    # Points that are taken as they are: said, but no limit of this run.
    again = tmp_path / "again"
    code, printed, err = collide(capsys, *words, "--search", out / "search", "--out", again)
    assert (code, err) == (0, "")
    assert "was ended by --steps or --max-seconds: their relaxed values" in printed


def test_tables_say_what_was_minimised_and_what_converged_means(place, capsys, tmp_path, golden):
    words = ["--units", "1"]
    _, out, _ = search(place, capsys, "0", tmp_path / "a", *words, name="Flat", target="flat.npy")
    golden.check(
        "find",
        out,
        places={"FOLDER": tmp_path, "PLACE": place},
        masked={"pre-activation", "residual", "violation", "moved", "steps"},
    )
    words += ["--others", "absolute", "--bounds", "none"]
    _, out, _ = search(place, capsys, "0", tmp_path / "b", *words, name="Flat", target="flat.npy")
    (table,) = tables(out).values()
    (cells,) = by_row(table).values()
    assert cells["status"] == "converged"
    minimised, meaning = table.notes[-2:]
    assert minimised.endswith("the paper's eq. 1 with others = absolute, alpha = 10")
    assert meaning.endswith(", in float64, an estimate as the input has no bounds")


def test_a_batch_norm_is_part_of_the_exact_layer(place, capsys, tmp_path):
    out = tmp_path / "run"
    found = compare(place, capsys, "conv", out, "--units", "1", "--steps", "500")
    model = cli_model(place, "Net")
    target = np.load(place / "image.npy")
    layer = exact_layer(model, "conv", target)
    polytope = CollisionPolytope.from_layer(
        layer.weight, layer.bias, target.ravel(), domain=Box(0, 1)
    )
    (entry,) = found.vertices
    assert entry.layer.minimum.value == polytope.unit_vertex(entry.unit).value
    assert found.interpolation == ()  # one point has no combinations
    assert isinstance(polytope.layer.bias.fractions()[0], Fraction)


def test_a_search_is_compared_again_and_gone_on_with(place, capsys, tmp_path):
    search(place, capsys, "0", tmp_path / "s", "--units", "3", name="Flat", target="flat.npy")
    words = ["--search", tmp_path / "s", "--samples", "50"]
    options = {"name": "Flat", "target": "flat.npy"}
    whole = compare(place, capsys, "0", tmp_path / "a", *words, **options)
    out = tmp_path / "b"
    compare(place, capsys, "0", out, *words, **options)
    rows = (out / "vertices.jsonl").read_bytes().splitlines(keepends=True)
    assert len(rows) == 4
    (out / "vertices.jsonl").write_bytes(b"".join(rows[:3]) + rows[3][:10])  # cut off
    again = compare(place, capsys, "0", out, *words, "--resume", **options)
    assert again == whole


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--units", "3"], "units: expected none with --search"),
        (["--alpha", "1"], "alpha: expected none with --search"),
        (["--tolerance", "-1"], "tolerance: expected a finite number >= 0"),
        (["--tolerance", "nan"], "tolerance: expected a finite number >= 0"),
        (["--samples", "0"], "samples: expected at least 1, got 0"),
        (["--vertex-seconds", "0"], "vertex-seconds: expected a number > 0"),
    ],
)
def test_compare_refuses_options_that_mean_nothing(place, capsys, tmp_path, words, message):
    search(place, capsys, "0", tmp_path / "s", "--units", "1", name="Flat", target="flat.npy")
    given = ["--target", place / "flat.npy", "--search", tmp_path / "s", "--out", tmp_path / "r"]
    code, _, err = collide(capsys, "compare", *net(place, "Flat"), "0", *given, *words)
    assert code == 2
    assert message in err


def test_compare_refuses_a_search_of_another_network(place, capsys, tmp_path):
    search(place, capsys, "fc1", tmp_path / "s", "--units", "1", "--steps", "100")
    model, flag, weights = net(place)
    given = ["--target", place / "image.npy", "--search", tmp_path / "s", "--quiet"]
    code, _, err = collide(capsys, "compare", model, "fc1", *given, "--out", tmp_path / "a")
    assert code == 2  # without the weights
    assert "search: expected one of this very network" in err
    code, _, err = collide(capsys, "compare", model, "conv", flag, weights, *given, "--out",
                           tmp_path / "b")  # fmt: skip
    assert code == 2
    assert "search: expected one at layer 'conv', got one at 'fc1'" in err
    (tmp_path / "s" / "search.safetensors").write_bytes(b"nothing")
    with pytest.raises(FileFormatError, match="must hold a search of `collide find`"):
        read_search(tmp_path / "s")
    with pytest.raises(FileFormatError, match="cannot be read"):
        read_search(tmp_path / "nowhere")


def test_what_is_too_large_is_said_with_its_size(place, capsys, tmp_path):
    words = ["--units", "2", "--steps", "200", "--input-space", "--exact-limit", "100"]
    found = compare(place, capsys, "fc1", tmp_path / "run", *words, "--region-limit", "1000")
    (left,) = found.layer_space.left_out
    assert "the layer is 8 x 27 with 216 products" in left
    assert "116 rows x 36 inputs are 4,176 numbers" in found.input_space.left_out
    assert found.input_space.region is None
    entry = found.vertices[0].layer
    assert entry.minimum is entry.distance is entry.gap is entry.is_vertex is None
    assert entry.missed.smallest_tolerance > 0  # residuals are exact all the same
    assert found.vertices[0].input is None
    layer, inputs = (
        table
        for name in ("layer-space", "input-space")
        for table in tables((tmp_path / "run" / "tables" / f"{name}.md").read_text()).values()
    )
    assert {row["exact minimum"] for row in by_row(layer).values()} == {"not computed"}
    assert any(left in note for note in layer.notes)
    (row,) = by_row(inputs).values()
    assert row["left out"].endswith(
        "116 rows x 36 inputs are 4,176 numbers, and --region-limit is 1,000"
    )


def test_convolutions_before_that_are_too_large_are_counted(place, capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(input_space, "MOST_BEFORE", 100)
    words = ["--units", "1", "--steps", "100", "--input-space"]
    found = compare(place, capsys, "fc1", tmp_path / "run", *words)
    assert "their convolutions have 972 products" in found.input_space.left_out


def test_a_first_layer_is_compared_once(place, capsys, tmp_path):
    words = ["--units", "1", "--steps", "100", "--input-space"]
    found = compare(place, capsys, "0", tmp_path / "r", *words, name="Flat", target="flat.npy")
    assert found.input_space.left_out.startswith("the layer is given the network's input")


def test_certificates_that_are_too_large_are_checked_and_not_saved(
    place, capsys, tmp_path, monkeypatch
):
    monkeypatch.setattr(solver, "MOST_SAVED", 1000)
    words = ["--units", "1", "--steps", "100", "--input-space"]
    found = compare(place, capsys, "fc1", tmp_path / "run", *words)
    (entry,) = found.vertices
    assert entry.input.minimum.certificate.file is None
    assert "minimum" in entry.input.minimum.certificate.claim
    assert (tmp_path / "run" / entry.layer.minimum.certificate.file).is_file()
    (table,) = tables((tmp_path / "run" / "tables" / "input-space.md").read_text()).values()
    unsaved = "2 of 2 certificates were checked, and are too large to be saved"
    assert any(note.startswith(unsaved) for note in table.notes)


def test_a_step_that_is_not_piecewise_linear_is_no_bar_to_the_layer(tmp_path, capsys):
    (tmp_path / "s.py").write_text(
        "from torch import nn\n"
        "def make():\n"
        "    return nn.Sequential(nn.Linear(3, 4), nn.Sigmoid(), nn.Linear(4, 5), nn.ReLU())\n"
    )
    np.save(tmp_path / "x.npy", np.full(3, 0.5, dtype=np.float32))
    given = [f"{tmp_path}/s.py:make", "2", "--target", tmp_path / "x.npy", "--device", "cpu"]
    words = ["--units", "1", "--steps", "100", "--quiet", "--json"]
    code, out, _ = collide(capsys, "compare", *given, *words, "--out", tmp_path / "a")
    space = json.loads(out)["results"]["layer_space"]
    assert code == 4  # the search was cut short, nothing else
    assert (space["domain"], space["is_first"]) == ("free", False)
    code, _, err = collide(
        capsys, "compare", *given, *words, "--out", tmp_path / "b", "--input-space"
    )
    assert code == 2
    assert "Sigmoid" in err


def test_a_time_limit_is_said_and_is_code_4(place, capsys, tmp_path):
    given = ["--target", place / "flat.npy", "--out", tmp_path / "r", "--quiet"]
    words = ["--units", "1", "--vertex-seconds", "0.001"]
    code, out, err = collide(capsys, "compare", *net(place, "Flat"), "0", *given, *words)
    assert code == 4
    assert err == (
        "limit: 2 exact answers are open because of --vertex-seconds; raise it in a new run\n"
    )
    table = next(iter(tables(out).values()))
    (cells,) = by_row(table).values()
    assert cells["exact minimum"] == cells["linf distance to the set"] == "undecided"
    assert any("undecided: the time limit of 0.001 seconds for a vertex" in n for n in table.notes)


def test_a_command_loads_and_traces_a_network_once(place, capsys, tmp_path, monkeypatch):
    met, load, trace = [], network.load_model, fx.Tracer.trace

    def loaded(*given, **named):
        met.append("loaded")
        return load(*given, **named)

    def traced(self, root, *given, **named):
        met.append("traced")
        return trace(self, root, *given, **named)

    monkeypatch.setattr(network, "load_model", loaded)
    monkeypatch.setattr(fx.Tracer, "trace", traced)
    found, given = tmp_path / "found", ["--target", place / "image.npy", "--quiet"]
    words = ["--units", "1", "--steps", "100", "--device", "cpu"]
    in_time = ["--vertex-seconds", "0.001", "--input-space", "--device", "cpu"]
    for command in (
        ["layers", *net(place), "--input", place / "image.npy"],
        ["find", *net(place), "fc1", *given, *words, "--out", found],
        ["compare", *net(place), "fc1", *given, *words, *in_time, "--out", tmp_path / "a"],
        ["compare", *net(place), "fc1", *given, "--search", found, *in_time, "--out",
         tmp_path / "b"],
    ):  # fmt: skip
        met.clear()
        assert collide(capsys, *command)[0] in (0, 4)
        assert met == ["loaded", "traced"], command[0]


def test_the_process_of_exact_programs_does_without_torch():
    code = "import sys, experiments.own.solver; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


class Branches(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(1, 2, 3, padding=1), nn.Conv2d(1, 2, 1)
        self.pool = nn.AvgPool2d(2)
        self.c, self.d, self.e = nn.Conv2d(4, 3, 1), nn.Conv2d(3, 3, 1), nn.Linear(27, 4)

    def forward(self, x):
        y = torch.cat([torch.relu(self.a(x)), self.pool_of(torch.relu(self.b(x)))], 1)
        z = torch.relu(self.c(y))
        z = torch.relu(self.d(z)) + z
        return torch.relu(self.e(self.pool(z).flatten(1)))

    def pool_of(self, x):
        return torch.nn.functional.max_pool2d(x, 3, 1, padding=1)


class WithConstant(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(2, 2), nn.Linear(4, 3)
        self.register_buffer("k", torch.tensor([[-5.0, -3.0]]))

    def forward(self, x):
        return torch.relu(self.b(torch.cat([torch.relu(self.a(x)), self.k], 1)))


def test_bounds_are_those_that_the_floats_hold(place, capsys, tmp_path):
    """A target on a bound that float32 does not hold lies in the box."""
    np.save(tmp_path / "x.npy", np.full(6, 0.1, dtype=np.float32))
    given = ["--target", tmp_path / "x.npy", "--device", "cpu", "--quiet", "--bounds", "0,0.1"]
    words = ["--units", "1", "--out", tmp_path / "run"]
    code, out, err = collide(capsys, "compare", *net(place, "Flat"), "0", *given, *words)
    assert (code, err) == (0, "")
    assert f"bounds: rounded to float32, the model's: 0.0 and {float(np.float32(0.1))!r}" in out


def test_the_domain_follows_from_what_stands_before():
    model = Branches()
    assert layer_domain(model, "a", (0.0, 1.0)).domain == Box(0, 1)
    assert layer_domain(model, "a", None).name == "free"
    assert layer_domain(model, "c", None).name == "nonnegative"  # joined and pooled ReLUs
    assert layer_domain(model, "d", None).name == "nonnegative"
    assert layer_domain(model, "e", None).name == "nonnegative"  # a sum of ReLUs, averaged
    twice = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2), nn.ReLU())
    assert layer_domain(twice, "1", (0.0, 1.0)).name == "free"  # no ReLU between
    # A pool that sums leaves the box, and a constant part is no ReLU's.
    sums = nn.Sequential(nn.AvgPool2d(2, divisor_override=1), nn.Conv2d(1, 1, 1), nn.ReLU())
    assert layer_domain(sums, "1", (0.0, 1.0)).name == "nonnegative"
    assert layer_domain(sums, "1", (-1.0, 1.0)).name == "free"
    assert layer_domain(WithConstant(), "b", (0.0, 1.0)).name == "free"
    padded = nn.Sequential(nn.ZeroPad2d(1), nn.Conv2d(1, 1, 3), nn.ReLU())
    assert layer_domain(padded, "1", (0.5, 1.0)).domain == Box(0.5, 1)  # zeros of the convolution
    padded = nn.Sequential(nn.ZeroPad2d(1), nn.Flatten(), nn.Linear(16, 2), nn.ReLU())
    assert layer_domain(padded, "2", (0.5, 1.0)).domain == Box(0, 1)  # zeros that enter the layer
