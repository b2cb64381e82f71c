"""collide layers and find on small networks, from the command line."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from experiments.own.kept_search import read_search
from experiments.own.results import Found
from experiments.own.texts import read_units
from experiments.run.record import read_record
from optimize import LayerReader
from polytope.errors import InputError
from tests.examples.network_files import write_network
from tests.examples.own_network import collide, net, network_folder, search
from tests.examples.printed import by_row, tables
from tests.examples.run_folders import unproved
from tests.examples.schemas import misfits

__all__ = ["network_folder"]  # a fixture, found here by pytest


def test_layers_without_an_input(place, capsys):
    code, out, _ = collide(capsys, "layers", *net(place), "--json")
    found = json.loads(out)
    assert code == 0
    assert [(e["name"], e["kind"], e["n_inputs"], e["n_units"]) for e in found["layers"]] == [
        ("conv", "Conv2d", 36, 108),
        ("fc1", "Linear", 27, 8),
    ]
    assert [e["batch_norm"] for e in found["layers"]] == [True, False]
    assert [e["name"] for e in found["others"]] == ["fc2"]
    assert "n_positive" not in found["layers"][0]
    assert set(map(len, found["files"].values())) == {64}


def test_layers_at_an_input(place, capsys, golden):
    image = place / "image.npy"
    code, out, _ = collide(capsys, "layers", *net(place), "--input", image, "--json")
    assert code == 0
    model = write_network(place).eval()
    x = torch.from_numpy(np.load(image))[None]
    with torch.no_grad():
        pre = {"conv": model.bn(model.conv(x)), "fc1": LayerReader(model, "fc1").run(x)[1]}
    for entry in json.loads(out)["layers"]:
        assert entry["n_positive"] == int((pre[entry["name"]] > 0).sum())
        assert entry["paper_bound"] == entry["n_inputs"] - entry["n_positive"]
        assert (entry["exact"], entry["float_disagreements"], entry["zeros"]) == (True, 0, 0)
    code, out, _ = collide(capsys, "layers", *net(place), "--input", image)
    golden.check("layers", out, places={"PLACE": place})


def test_layers_says_what_its_numbers_bound_and_how_an_image_was_changed(place, capsys, tmp_path):
    picture = tmp_path / "small.png"
    Image.fromarray(np.full((4, 4), 128, dtype=np.uint8)).save(picture)
    _, out, _ = collide(capsys, "layers", *net(place), "--input", picture)
    (table,) = tables(out).values()
    assert "small.png: 4 x 4 pixels squashed to 6 x 6" in table.notes
    large = tmp_path / "large.py"
    large.write_text(
        "from torch import nn\n"
        "def make():\n    return nn.Sequential(nn.Linear(1200, 2), nn.ReLU())\n"
    )
    _, out, _ = collide(capsys, "layers", f"{large}:make", "--input-shape", "1200")
    (table,) = tables(out).values()
    cells = by_row(table)["0"]
    assert [cells[name] for name in ("d", "N", "input", "output")] == ["1,200", "2", "1,200", "2"]
    assert table.notes[0].startswith("one input: 1,200; weights")


def test_zeros_and_float_signs_are_counted_exactly(tmp_path, capsys):
    (tmp_path / "tie.py").write_text(
        "import torch\nfrom torch import nn\n"
        "def make():\n"
        "    net = nn.Sequential(nn.Linear(3, 2), nn.ReLU())\n"
        "    net[0].weight.data = torch.tensor([[1.0, 1.0, -1.0], [1.0, 0.0, 0.0]])\n"
        "    net[0].bias.data = torch.tensor([0.0, -1.0])\n"
        "    return net\n"
    )
    # 1 + 2^-30 - 1 > 0, but float32 cannot add it; the second unit is exactly 0.
    np.save(tmp_path / "x.npy", np.array([1, 2.0**-30, 1], dtype=np.float32))
    words = ["layers", f"{tmp_path}/tie.py:make", "--input", tmp_path / "x.npy", "--json"]
    (entry,) = json.loads(collide(capsys, *words)[1])["layers"]
    assert (entry["n_positive"], entry["zeros"]) == (1, 1)


def test_find_writes_what_it_found(place, capsys, tmp_path):
    out = tmp_path / "run"
    code, printed, err = search(place, capsys, "0", out, "--units", "2", name="Flat",
                                target="flat.npy")  # fmt: skip
    assert (code, err) == (0, "")
    (table,) = tables(printed).values()
    assert len(by_row(table)) == 2
    kept = read_search(out)
    record, found = kept.record, kept.search
    assert record.experiment == "find"
    assert record.results.n_units == 8
    assert [vertex.status for vertex in record.results.vertices] == ["converged", "converged"]
    assert set(record.data) == {str(place / "nets.py"), str(place / "flat.npy")}
    with np.load(out / "vertices.npz") as arrays:
        assert np.array_equal(arrays["points"], found.points.numpy())
        assert np.array_equal(arrays["target"], np.load(place / "flat.npy"))
    assert found.status[0].name == "CONVERGED"
    assert found.history.steps[0] == 0
    assert (out / "tables" / "vertices.csv").is_file()
    assert unproved(out) == []


def test_a_limit_is_code_4_and_is_gone_on_with(place, capsys, tmp_path):
    out = tmp_path / "run"
    words = ["--units", "2,", "--start", place / "other.npy"]
    code, _, err = search(place, capsys, "fc1", out, *words, "--steps", "200")
    steps = read_record(out, Found).results.search.steps
    assert misfits(out) == []
    assert code == 4
    assert err.startswith("limit: 1 of 1 search (unit 2) was ended by --steps")
    assert f"--resume --out {out}" in err
    assert steps == (200,)
    code, _, err = search(place, capsys, "fc1", out, *words, "--steps", "300")
    assert code == 2
    assert "holds files (give --resume" in err
    other = ("--units", "3,", *words[2:], "--alpha", "2", "--resume")
    code, _, err = search(place, capsys, "fc1", out, *other)
    assert code == 2
    assert "other options (alpha: 10.0 there, 2.0 here; units: [2] there, [3] here)" in err
    search(place, capsys, "fc1", out, *words, "--steps", "300", "--resume")
    again = read_search(out).search
    search(place, capsys, "fc1", tmp_path / "whole", *words, "--steps", "300")
    assert torch.equal(again.points, read_search(tmp_path / "whole").search.points)
    assert again.steps.tolist() == [300]


@pytest.mark.parametrize("text", ["", "x", "-1", "1.5", "2,x"])
def test_units_that_are_none(text):
    with pytest.raises(InputError, match="units: expected a number of units, or a list"):
        read_units(text)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["conv9"], "layer: expected the name of a Linear or Conv2d layer"),
        (["fc1", "--units", "99"], "units: expected at most"),
        (["fc1", "--units", "800,"], "units: expected units 0 to 7, got 800"),
        (["fc1", "--steps", "0"], "steps: expected at least 1, got 0"),
        (["fc1", "--bounds", "0,0.5"], "target: expected values within the bounds [0.0, 0.5]"),
        (["fc1", "--alpha", "-1"], "alpha"),
        (["fc1", "--optimizer", "augmented", "--others", "absolute"], "optimizer: 'augmented'"),
        (["fc1", "--start", "nothing.npy"], "start: expected a file, got nothing.npy"),
        (["fc1", "--device", "cuda:77"], "device: expected"),
        (["fc1", "--input-shape", "1,5,5"], "target: expected shape (1, 5, 5)"),
    ],
)
def test_find_refuses_in_one_sentence(place, capsys, tmp_path, words, message):
    code, out, err = search(place, capsys, *words[:1], tmp_path / "run", *words[1:])
    assert (code, out) == (2, "")
    assert message in err.splitlines()[0]
    assert not (tmp_path / "run").exists()  # no empty folder is left


def test_compare_leaves_no_empty_folder_and_names_another_target(place, capsys, tmp_path):
    search(place, capsys, "fc1", tmp_path / "s", "--units", "1", "--steps", "100")
    model, *weights = net(place)
    words = ["compare", model, "fc1", *weights, "--quiet", "--out", tmp_path / "run"]
    code, _, err = collide(capsys, *words, "--target", place / "image.npy", "--units", "99")
    assert code == 2
    assert "units: expected at most" in err
    assert not (tmp_path / "run").exists()
    other = ["--target", place / "other.npy", "--search", tmp_path / "s"]
    code, _, err = collide(capsys, *words, *other)
    assert code == 2
    assert f"target: expected that of the search in {tmp_path / 's'}, {place / 'image.npy'}" in err
