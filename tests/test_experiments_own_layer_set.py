"""`collide certify MODEL LAYER`, inputs of data sets, ranges of units, several targets."""

import json
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from experiments.own.certify import CertifyResults
from experiments.own.input import read_input
from experiments.own.places import InputPlace, each_place, place_of
from experiments.own.savable import expect_savable
from experiments.own.texts import read_units
from experiments.run.record import read_record
from polytope import CollisionPolytope, verify
from polytope.errors import InputError, LimitError
from tests.examples.own_network import collide
from tests.examples.printed import tables

# The identity and its negative: at (1/2, 1/4) the ReLU is given 1/2, 1/4, -1/2, -1/4, the output
# their sum and the first.
NETS = """
import torch
from torch import nn

def net():
    net = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 2))
    net[0].weight.data = torch.cat([torch.eye(2), -torch.eye(2)])
    net[0].bias.data.zero_()
    net[2].weight.data = torch.tensor([[1.0, 1, 1, 1], [1, 0, 0, 0]])
    net[2].bias.data = torch.tensor([0.0, -1])
    return net

def encoder():
    torch.manual_seed(0)
    return nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)

def script():
    return torch.jit.trace(net(), torch.zeros(1, 2))
"""


@pytest.fixture
def place(tmp_path):
    (tmp_path / "nets.py").write_text(NETS)
    inputs = np.array([[0.5, 0.25], [0.25, 0.5], [1, 1]], dtype=np.float32)
    np.savez(tmp_path / "data.npz", x=inputs, labels=np.arange(3), other=inputs[:, ::-1])
    return tmp_path


def certified(capsys, place, layer, *words, name="net"):
    """The results of a run of `collide certify`, and its folder."""
    out = place / f"run-{len(list(place.iterdir()))}"
    code, printed, err = collide(
        capsys, "certify", f"{place}/nets.py:{name}", layer, "--out", out, "--quiet", "--json",
        *words,
    )  # fmt: skip
    assert (code, err) == (0, "")
    assert all(verify(path) for path in (out / "certificates").glob("*.json"))
    return json.loads(printed), out


def test_a_layer_of_a_network_is_certified_at_an_input_of_a_data_set(place, capsys):
    target = ["--target", f"{place}/data.npz:0"]
    found, out = certified(capsys, place, "0", *target, "--vertices", "2")
    # In the box both coordinates are held by the active units: the target is alone.
    facts = found["facts"]
    assert (facts["domain"], facts["n_positive"], facts["dimension"]) == ("box", 2, 0)
    assert [each["unit"] for each in found["vertices"]] == [2, 3]
    record = read_record(out, CertifyResults)
    assert record.options["layer"] == "0"
    assert {Path(each).name for each in record.data} == {"nets.py", "data.npz"}


def test_equal_outputs_are_another_question_that_is_answered_when_asked(place, capsys):
    target = ["--target", f"{place}/data.npz:0"]
    model = f"{place}/nets.py:net"
    for command in ("certify", "find", "compare"):
        code, _, err = collide(
            capsys, command, model, "2", *target, "--quiet", "--out", place / "no"
        )
        assert code == 2
        assert "which is the model's output" in err
        assert "--equal preactivation" in err
        assert not (place / "no").exists()
    # Behind the ReLU: four numbers >= 0 with a given sum and a given first one.
    found, _ = certified(capsys, place, "2", *target, "--equal", "preactivation")
    assert (found["facts"]["domain"], found["facts"]["dimension"]) == ("nonnegative", 2)
    # In the input: |x| + |y| = 3/4 with max(0, x) = 1/2, both positive: the target alone.
    found, _ = certified(capsys, place, "2", *target, "--equal", "preactivation", "--input-space")
    assert (found["facts"]["domain"], found["facts"]["dimension"]) == ("region", 0)


def test_a_layer_behind_what_cannot_be_traced_is_certified_too(place, capsys):
    np.save(place / "sequence.npy", np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4))
    found, _ = certified(
        capsys, place, "linear1", "--target", place / "sequence.npy", name="encoder"
    )
    facts = found["facts"]
    assert (facts["domain"], facts["n_inputs"], facts["n_units"]) == ("free", 12, 24)
    code, out, _ = collide(
        capsys, "layers", f"{place}/nets.py:encoder", "--input", place / "sequence.npy", "--json"
    )
    listed = json.loads(out)
    assert code == 0
    assert [each["name"] for each in listed["layers"]] == ["linear1"]
    assert listed["layers"][0]["n_positive"] == facts["n_positive"]
    assert [each["name"] for each in listed["others"]] == [
        *("linear2", "self_attn", "self_attn.out_proj")
    ]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_scripts_and_options_that_do_not_belong_are_named(place, capsys):
    words = ["--target", f"{place}/data.npz:0", "--quiet", "--out", place / "no"]
    code, _, err = collide(capsys, "certify", f"{place}/nets.py:script", "0", *words)
    assert code == 2
    assert "in Python, got a ScriptModule" in err
    code, _, err = collide(
        capsys, "certify", f"{place}/nets.py:net", "0", "--domain", "box", *words
    )
    assert code == 2
    assert "domain: expected none with a LAYER" in err
    code, _, err = collide(capsys, "certify", place / "data.npz", "--equal", "preactivation")
    assert code == 2
    assert "equal: expected none without a LAYER" in err
    code, _, err = collide(capsys, "certify", f"{place}/nets.py:net", "0")
    assert code == 2
    assert "target: expected --target, got none, the network's input" in err


def test_several_targets_are_searched_one_after_the_other(place, capsys):
    out = place / "found"
    code, printed, _ = collide(
        capsys, "find", f"{place}/nets.py:net", "0", "--target", f"{place}/data.npz:0-1",
        "--units", "2-3", "--out", out, "--quiet",
    )  # fmt: skip
    assert code == 0
    assert printed.count("Relaxed vertices at 0") == 2
    assert tables(printed)
    for index, target in enumerate(([0.5, 0.25], [0.25, 0.5])):
        with np.load(out / f"target-{index}" / "vertices.npz") as arrays:
            assert arrays["target"].tolist() == target
            assert arrays["units"].tolist() == [2, 3]
    code, _, err = collide(
        capsys, "compare", f"{place}/nets.py:net", "0", "--target", f"{place}/data.npz:0-1",
        "--search", out / "target-0", "--quiet", "--out", place / "no",
    )  # fmt: skip
    assert code == 2
    assert "target: expected one beside --search, got 2" in err


def test_where_an_input_lies(place):
    data = place / "data.npz"
    assert place_of(data) == InputPlace(data)
    assert place_of(Path(f"{data}:2")) == InputPlace(data, None, 2)
    assert place_of(Path(f"{data}:other:1")) == InputPlace(data, "other", 1)
    assert each_place(Path(f"{data}:other:0,2")) == [Path(f"{data}:other:{n}") for n in (0, 2)]
    assert each_place(data) == [data]
    assert read_input(Path(f"{data}:other:1"), (2,), None).tolist() == [0.5, 0.25]
    (place / "odd:7").write_bytes((place / "data.npz").read_bytes())
    assert place_of(place / "odd:7") == InputPlace(place / "odd:7")


@pytest.mark.parametrize(
    ("where", "message"),
    [
        (":3", "expected an index below 3, the inputs in .*, got 3"),
        (":labels:0", "expected an index below 0"),
        (":none:0", "expected an array 'none', in .*, got labels, other, x"),
        (":0-1", "expected one input, got 2 of them"),
        (":2-1", "expected an index, a list or a range"),
    ],
)
def test_places_that_are_none(place, where, message):
    with pytest.raises(InputError, match=f"target: {message}"):
        read_input(Path(f"{place}/data.npz{where}"), (2,), None)


def test_ranges_of_units():
    assert read_units("0-2,7,1") == (0, 1, 2, 7)
    for text in ("2-", "-2", "3-1", "1-9999999"):
        with pytest.raises(InputError, match="units: expected a number of units, or a list"):
            read_units(text)


class Stated:
    """A set whose only array is of fractions, of any shape."""

    def __init__(self, *shape):
        numbers = np.array([Fraction(1, 3), Fraction(2**40, 7)], dtype=object)
        array = SimpleNamespace(shape=shape, dtype="Fraction", data=numbers)
        self.arrays = {"weight": array}


def test_a_certificate_too_large_is_named_with_its_size_before_the_work():
    # Twice 16,777,216 numbers are more than the 8,388,608 values that the checker reads.
    with pytest.raises(LimitError, match=r"4,194,304 fractions, .* 4,096 x 4,096: 16,777,216 frac"):
        expect_savable(Stated(4096, 4096), named={})
    expect_savable(Stated(4096, 4096), named={"weight": "in a file"})
    expect_savable(Stated(100, 100), named={})
    small = CollisionPolytope.from_layer(np.eye(3), np.zeros(3), np.ones(3))
    expect_savable(small.layer, named={})
