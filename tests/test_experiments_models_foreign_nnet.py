"""`.nnet` files against an evaluation that reads the lines as the format's description says."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from experiments.models.foreign.nnet import read_nnet
from experiments.models.registry import load_model
from optimize import LayerReader, input_polytope, relu_layers
from polytope import Box, LPStatus, verify
from polytope.errors import FileFormatError, InputError

SIZES = (3, 4, 5, 2)


def text(seed=0, sizes=SIZES, *, scaled=True, more=0):
    """A file with random numbers, and what it computes: the pre-activations of every layer."""
    rng = np.random.default_rng(seed)
    inputs = sizes[0]
    means = rng.normal(size=inputs + 1) if scaled else np.zeros(inputs + 1)
    ranges = rng.uniform(0.5, 3, inputs + 1) if scaled else np.ones(inputs + 1)
    weights = [rng.normal(size=(n, m)) for m, n in pairwise(sizes)]
    biases = [rng.normal(size=n) for n in sizes[1:]]

    def line(values):
        return ",".join(f"{v!r}" for v in map(float, values)) + ","

    def long(values):
        """With numbers of other inputs, which the networks of a family share, in between."""
        return line([*values[:inputs], *[7.5] * more, *values[inputs:]])

    lines = ["// a network", "// made for a test", f"{len(weights)},{inputs},{sizes[-1]},9,"]
    lines += [",".join(map(str, sizes)) + ",", "0,"]
    lines += [long(-np.arange(1, inputs + 1)), long(np.arange(1, inputs + 1))]
    lines += [long(means), long(ranges)]
    for weight, bias in zip(weights, biases, strict=True):
        lines += [line(row) for row in weight] + [line([b]) for b in bias]

    def evaluate(x):
        y, pre = (x - means[:-1]) / ranges[:-1], []
        for weight, bias in zip(weights, biases, strict=True):
            pre.append(weight @ y + bias)
            y = np.maximum(pre[-1], 0)
        return [*pre[:-1], pre[-1] * ranges[-1] + means[-1]]

    return "\n".join(lines) + "\n", evaluate


@pytest.mark.parametrize("options", [{}, {"scaled": False}, {"more": 2}, {"sizes": (2, 1)}])
def test_every_layer_is_what_the_format_says(tmp_path, options):
    path = tmp_path / "net.nnet"
    written, evaluate = text(**options)
    path.write_text(written)
    loaded = load_model(str(path))
    inputs = options.get("sizes", SIZES)[0]
    assert loaded.input_shape == (inputs,)
    assert "(made for inputs between bounds of their own, " in loaded.source
    x = np.random.default_rng(5).normal(size=inputs)
    wanted = evaluate(x)
    found = loaded.module(torch.tensor(x)[None])[0].numpy()
    np.testing.assert_allclose(found, wanted[-1], rtol=1e-13)
    names = [layer.name for layer in relu_layers(loaded.module, (inputs,))]
    assert names == [f"layer{k}" for k in range(1, len(wanted))]
    if names:
        pre = LayerReader(loaded.module, names[-1]).pre_activation(torch.tensor(x)[None])
        np.testing.assert_allclose(pre[0].numpy(), wanted[-2], rtol=1e-13)


def test_what_collides_in_the_space_of_the_files_own_inputs(tmp_path):
    path = tmp_path / "net.nnet"
    written, evaluate = text(3, (6, 3, 2, 2))
    path.write_text(written)
    loaded = load_model(str(path))
    assert (loaded.ends, loaded.input_shape) == ((-6.0, 6.0), (6,))
    x = np.array([0.5, -1, 2, 0.25, -3, 4])
    polytope = input_polytope(loaded.module, "layer2", torch.tensor(x), domain=Box(-6, 6))
    verify(polytope.dimension().certificate)
    wanted, unit = np.maximum(evaluate(x)[1], 0), polytope.inactive_units[0]
    found = polytope.unit_vertex(unit)
    assert found.status is LPStatus.OPTIMAL
    point = np.array([float(v) for v in found.point])
    np.testing.assert_allclose(np.maximum(evaluate(point)[1], 0), wanted, atol=1e-12)
    assert evaluate(point)[1][unit] == pytest.approx(float(found.value))
    assert np.abs(point - x).max() > 0.1


def broken(lines, number, line):
    return "\n".join([*lines[: number - 1], *([] if line is None else [line]), *lines[number:]])


@pytest.mark.parametrize(
    ("number", "line", "message"),
    [
        (3, "3,3,2,", "expected four numbers first"),
        (3, "2000000,3,2,9,", "expected four numbers first, of layers .1 to 1,000."),
        (3, "x,3,2,9,", "line 3: expected numbers of layers, inputs, outputs"),
        (4, "3,4,5,3,", "expected sizes of 4 layers, 3 inputs first and 2 outputs last"),
        (4, "3,999999999,5,2,", "each 1 to 1,048,576"),
        (4, "3,1000000,5,2,", "expected 9,000,017 weights and biases, got fewer"),
        (6, "1,2,", "line 6: expected 3 smallest inputs, got 2"),
        (6, "9,9,9,", "expected bounds in order and ranges that are not 0"),
        (6, "-9,-9,-9,-9,", "expected bounds of 3 inputs, means and ranges of one more, got 4, 3"),
        (9, "1,0,1,1,", "expected bounds in order and ranges that are not 0"),
        (9, "1,nan,1,1,", "line 9: expected finite ranges, got nan"),
        (9, "1,1_0,1,1,", "line 9: expected ranges in numbers, got: a number with an underscore"),
        (10, "1,2,", "expected 53 weights and biases, as sizes .* need, got 52"),
        (10, "1,2,3,4,", "expected 53 weights and biases, .* got 54"),
        (10, "1,2,x,", "expected weights and biases in numbers, got: could not convert"),
        (10, "1,2,inf,", "expected finite weights and biases, got inf"),
    ],
)
def test_what_is_no_such_file_is_one_sentence(tmp_path, number, line, message):
    path = tmp_path / "net.nnet"
    path.write_text(broken(text()[0].splitlines(), number, line))
    with pytest.raises(FileFormatError, match=message) as caught:
        load_model(str(path))
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_file_cut_anywhere_is_refused(tmp_path):
    path = tmp_path / "net.nnet"
    whole = text()[0].encode()
    for size in range(0, len(whole) - 30, 23):
        path.write_bytes(whole[:size])
        with pytest.raises(FileFormatError):
            read_nnet(path)
    with pytest.raises(FileFormatError, match="No such file"):
        read_nnet(tmp_path / "absent.nnet")


def test_it_takes_no_weights_and_no_other_shape(tmp_path):
    path = tmp_path / "net.nnet"
    path.write_text(text()[0])
    with pytest.raises(InputError, match=r"weights: expected none with .*which holds its own"):
        load_model(str(path), tmp_path / "w.npz")
    with pytest.raises(InputError, match=r"input-shape: expected none, or \(3,\) as .*got \(4,\)"):
        load_model(str(path), input_shape=(4,))
