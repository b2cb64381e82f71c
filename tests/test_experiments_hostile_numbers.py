"""Hostile numbers on the command line: exit code 2 and one sentence, or an exact answer and 0."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from experiments.cli.main import main
from tests.examples.hostile_numbers import BIAS, TARGET, WEIGHT

NAN, INF = float("nan"), float("inf")
BOX = ["--domain", "box"]
#: Name -> arrays that differ from the plain ones, options, and the one sentence.
REFUSED = {
    "NaN weight": (
        {"weight": np.array([[1, 2], [NAN, 4]])},
        [],
        "weight: expected finite numbers, got nan at index [1, 0]",
    ),
    "infinite bias": ({"bias": np.array([0, -INF])}, [], "bias: expected finite numbers, got -inf"),
    "NaN image": ({"target": np.array([NAN, 0])}, [], "target: expected finite numbers, got nan"),
    "NaN bfloat16": (
        {"weight": torch.tensor([[1, NAN], [3, 4]]).bfloat16()},
        [],
        "weight: expected finite numbers, got nan at index [0, 1]",
    ),
    "bool": ({"weight": WEIGHT > 1}, [], "weight: expected real numbers, got dtype bool"),
    "complex": ({"weight": WEIGHT * 1j}, [], "weight: expected real numbers, got dtype complex"),
    "longdouble": ({"weight": WEIGHT.astype(np.longdouble)}, [], "at most 64-bit floats"),
    "texts": ({"weight": np.array([["1", "2"], ["3", "4"]])}, [], "expected an array of numbers"),
    "objects": ({"weight": np.array([[None, 1], [2, 3]])}, [], "never loaded"),
    "short bias": (
        {"bias": np.zeros(1)},
        [],
        "bias: expected length 2 for a weight of shape (2, 2)",
    ),
    "long image": (
        {"target": np.zeros(3)},
        [],
        "target: expected length 2 for a weight of shape (2",
    ),
    "batch": ({"target": TARGET[None]}, [], "got shape (1, 2) for a weight of shape (2, 2)"),
    "no axes": ({"weight": np.array(1.0)}, [], "weight: expected 2 axes, got shape ()"),
    "no inputs": ({"weight": np.zeros((2, 0))}, [], "one input, got shape (2, 0)"),
    "outside": ({}, [*BOX, "--upper", "0.5"], "target: expected a point of the domain, got 1.0"),
    "lower > upper": ({}, [*BOX, "--lower", "2"], "lower: expected lower <= upper, got 2 > 1"),
    "NaN bound": ({}, [*BOX, "--lower", "nan"], "lower: expected a finite number, got nan"),
    "infinite bound": ({}, [*BOX, "--upper", "inf"], "upper: expected a finite number, got inf"),
    "bound of text": ({}, [*BOX, "--upper", "wide"], "upper: expected the name of an array"),
    "NaN in the bounds": (
        {"top": np.array([NAN, 1])},
        [*BOX, "--upper", "top"],
        "upper: expected finite numbers, got nan at index [0]",
    ),
    "negative image": (
        {"target": np.array([-5e-324, 1])},
        ["--domain", "nonnegative"],
        "target: expected a point of the domain, got -5e-324 at coordinate 0",
    ),
}
#: Name -> arrays, and the dimension of the set.
ACCEPTED = {
    "plain": ({}, 1),
    "float16": ({"weight": WEIGHT.astype("f2")}, 1),
    "bfloat16": ({"weight": torch.tensor(WEIGHT).bfloat16()}, 1),
    "float8": ({"weight": torch.tensor(WEIGHT).to(torch.float8_e4m3fn)}, 1),
    "byte-swapped": ({"weight": WEIGHT.astype(">f8")}, 1),
    "integers": ({"weight": np.array([[2**63 - 1, 0], [-(2**63), 1]])}, 1),
    "-0.0": ({"bias": np.array([-0.0, -9.0])}, 1),
    "subnormal": ({"weight": np.array([[5e-324, 0], [0, -5e-324]]), "bias": np.zeros(2)}, 1),
    "largest": ({"weight": np.array([[1.7e308, -1.7e308], [1e308, 5e-324]])}, 0),
    "a tie": ({"bias": np.array([-2.0, -5.0])}, 2),
    "zero rows": ({"weight": np.zeros((2, 2))}, 2),
    "repeated rows": ({"weight": np.ones((2, 2)), "bias": np.ones(2)}, 1),
    "all active": ({"bias": np.array([50.0, 50.0])}, 0),
    "none active": ({"bias": np.array([-50.0, -50.0])}, 2),
    "no units": ({"weight": np.zeros((0, 2)), "bias": np.zeros(0)}, 2),
}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def _certify(change, options):
    arrays = {"weight": WEIGHT, "bias": BIAS, "target": TARGET} | change
    if any(isinstance(v, torch.Tensor) for v in arrays.values()):
        tensors = {
            k: v if isinstance(v, torch.Tensor) else torch.tensor(v) for k, v in arrays.items()
        }
        save_file(tensors, "layer.safetensors")
        return main(["certify", "layer.safetensors", "--json", *options])
    np.savez("layer.npz", **arrays)
    return main(["certify", "layer.npz", "--json", *options])


@pytest.mark.parametrize("name", REFUSED)
def test_bad_numbers_end_with_2(name, capsys):
    change, options, sentence = REFUSED[name]
    assert _certify(change, options) == 2
    out, err = capsys.readouterr()
    assert not out
    assert sentence in err
    assert "Traceback" not in err
    lines = [line for line in err.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1


@pytest.mark.parametrize("name", ACCEPTED)
def test_odd_numbers_are_certified(name, capsys):
    change, dimension = ACCEPTED[name]
    assert _certify(change, []) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["facts"]["dimension"] == dimension
