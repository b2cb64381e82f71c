"""The finder's benchmark in deep networks: counts, rates, and what a record holds."""

import pytest
import torch

from experiments.bench.finder import FinderRequest, FinderResults
from experiments.bench.limits import device_limits
from experiments.cli.bench import main
from experiments.run.record import read_record
from polytope.errors import InputError
from tests.examples.printed import timed


def bench(tmp_path, *options):
    assert main(["finder", "--smoke", "--quiet", "--out", str(tmp_path), *options]) == 0
    return read_record(tmp_path, FinderResults)


def test_a_deep_model_is_measured_by_method(tmp_path, capsys, golden):
    record = bench(tmp_path, "--model", "lenet5", "--at-once", "4")
    assert record.results.vertices == 6
    assert record.results.steps == 10
    # conv1 forward; conv2 forward and its input's gradient; conv1's input's gradient.
    conv1, conv2 = 28 * 28 * 6 * 25, 10 * 10 * 16 * 6 * 25
    assert record.results.flops == 2 * 2 * (conv1 + conv2)
    headings, *rows = record.timings["table"]
    assert len(rows) == 4
    assert {len(row) for row in rows} == {len(headings)}
    assert {row[headings.index("at once")] for row in rows} == {"4"}
    assert all(rate > 0 for rate in record.timings["limits"].values())
    printed = capsys.readouterr().out
    golden.check("bench-finder-deep", printed, places={"FOLDER": tmp_path}, masked=timed)


def test_models_of_the_user_s_own_and_their_size(tmp_path):
    (tmp_path / "net.py").write_text(
        "from torch import nn\n"
        "def make():\n"
        "    net = nn.Sequential(nn.Conv2d(2, 3, 3), nn.ReLU())\n"
        "    net.input_shape = (2, 5, 5)\n"
        "    return net\n"
    )
    factory = f"{tmp_path / 'net.py'}:make"
    out = tmp_path / "run"
    with pytest.raises(InputError, match=r"layer: expected the name of a layer of .* got none"):
        bench(out, "--model", factory)
    with pytest.raises(InputError, match=r"image-size: .* got 0 for inputs of shape \(2, 5, 5\)"):
        bench(out, "--model", factory, "--layer", "0", "--image-size", "0")
    with pytest.raises(InputError, match="targets: expected at least 1, got 0"):
        bench(out, "--model", factory, "--layer", "0", "--targets", "0")


def test_defaults_depend_on_the_model():
    def counts(model, *, cuda):
        request = FinderRequest(model=model).counts(cuda=cuda)
        return request.targets, request.steps

    assert FinderRequest().model == "mlp"
    assert counts("mlp", cuda=False) == counts("mlp", cuda=True) == (100, 100)
    assert (counts("vgg16", cuda=False), counts("vgg16", cuda=True)) == ((2, 3), (100, 20))
    assert FinderRequest(targets=7, steps=5).counts(cuda=True).targets == 7


def test_limits_name_both_precisions(monkeypatch):
    monkeypatch.setattr("experiments.bench.limits._SIZES", {"cpu": (64, 1, 8)})
    monkeypatch.setattr("experiments.bench.limits._SECONDS", 0.01)
    limits = device_limits(torch.device("cpu"))
    assert set(limits) == {
        f"{what}, {kind}"
        for what in ("matrix product", "convolution")
        for kind in ("float32", "bfloat16")
    }
    assert min(limits.values()) > 0
