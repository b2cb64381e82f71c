"""`collide certify` of a layer with another function than the ReLU behind it."""

import json

import numpy as np
import pytest

from experiments.cli.main import main
from experiments.own.function_words import in_words
from polytope import CollisionPolytope

build = CollisionPolytope.from_layer


def test_the_sentence():
    two = [[1, 0], [0, 1]], [0, 0], [20, 0.5]
    assert in_words(build(*two, nonlinearity="tanh", tolerance=0.25).layer) == (
        "tanh within 1/4; 1 of 2 units saturated; irrational ends rounded inwards: what is found "
        "truly collides"
    )
    outer = build(*two, nonlinearity="elu(2)", tolerance=0.25, rounding="outer")
    assert in_words(outer.layer) == (
        "elu(2) within 1/4; 0 of 2 units saturated; irrational ends rounded outwards: what is "
        "proved absent is truly absent"
    )
    for exact in ({"nonlinearity": "tanh"}, {"nonlinearity": "relu6", "tolerance": 0.25}):
        assert in_words(build(*two, **exact).layer).endswith("saturated; ends exact")
    assert in_words(build(*two).layer) == ""
    assert in_words(CollisionPolytope.from_halfspaces([[1]], [1]).layer) == ""


@pytest.fixture
def net(tmp_path):
    path = tmp_path / "net.npz"
    weight = np.array([[3, 0], [0, 2]], np.float32)
    np.savez(path, weight=weight, bias=np.zeros(2), target=np.array([1, 0.25], np.float32))
    return path


def test_certify_takes_a_function_and_a_tolerance(capsys, net, tmp_path):
    out = tmp_path / "run"
    command = ["certify", str(net), "--nonlinearity", "tanh", "--tolerance", "0.01"]
    assert main([*command, "--domain", "box", "--vertices", "1", "--out", str(out)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split(maxsplit=1) == [
        "set",
        "tanh within 1/100; 1 of 2 units saturated; irrational ends rounded inwards: what is "
        "found truly collides",
    ]
    assert "dimension            2" in lines
    record = json.loads((out / "record.json").read_text())
    assert record["options"]["nonlinearity"] == "tanh"
    assert record["results"]["about"].startswith("tanh within 1/100")
    certificate = json.loads((out / "certificates" / "box-unit-0.json").read_text())
    assert certificate["problem"]["tolerance"] == ["1", "64"]
    assert certificate["problem"]["weight"]["file"] == "net.npz"
    assert main(["verify", str(out)]) == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--nonlinearity", "sine"], "nonlinearity: expected one of relu, sigmoid, "),
        (["--nonlinearity", "gelu"], "nonlinearity: expected a monotone function, whose levels"),
        (["--tolerance", "-1"], "tolerance: expected a number >= 0, got "),
        (["--tolerance", "much"], "tolerance: expected a number >= 0 such as 0.01 or 1/100, got"),
        (["--tolerance", "1/0"], "tolerance: expected a number >= 0 such as 0.01 or 1/100, got"),
        (["--rounding", "outer"], "rounding: expected none with --nonlinearity relu; got outer"),
    ],
)
def test_what_is_no_function_or_tolerance_is_said_in_a_line(capsys, net, tmp_path, options, words):
    out = tmp_path / "run"
    assert main(["certify", str(net), *options, "--out", str(out)]) == 2
    shown = capsys.readouterr()
    assert words in shown.err
    assert len(shown.err.splitlines()) <= 2
    assert not out.exists()


def test_half_spaces_have_no_function(capsys, tmp_path):
    path = tmp_path / "set.ine"
    path.write_text("H-representation\nbegin\n1 2 integer\n1 -1\nend\n")
    assert main(["certify", str(path), "--tolerance", "0.5", "--out", str(tmp_path / "run")]) == 2
    assert "tolerance: expected none with an H-representation" in capsys.readouterr().err
