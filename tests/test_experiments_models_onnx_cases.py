"""Small files that once were refused: each kind with the values of ONNX's reference."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("onnx", reason="needs the extra onnx")

from experiments.models.onnx.reader import read_onnx
from optimize import LayerReader, relu_layers
from tests.examples.real_data import BESIDE

FOLDER = BESIDE.parent / "cases"
VALUE = re.compile(r"\(([\d, ]+)\), ([\d.]+), (\d+)")


def cases():
    """Yields file and right values: shape, sum of absolute values, positive units of each ReLU."""
    page = FOLDER / "README.md"
    lines = page.read_text().splitlines() if page.is_file() else []
    for line in lines:
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 4 and cells[0].endswith(".onnx"):
            found = VALUE.findall(cells[2])
            yield (
                cells[0],
                [
                    (
                        tuple(int(size) for size in shape.split(",") if size.strip()),
                        float(total),
                        int(n),
                    )
                    for shape, total, n in found
                ],
            )


@pytest.mark.skipif(not FOLDER.is_dir(), reason="needs the shared cases beside the checkout")
@pytest.mark.parametrize(("name", "right"), list(cases()), ids=lambda value: str(value)[:30])
def test_pre_activations_are_those_of_the_reference(name, right):
    net, shape = read_onnx(Path(FOLDER / name))
    count = int(np.prod(shape))
    x = (torch.arange(1, count + 1, dtype=torch.float32) / 8).reshape(1, *shape)
    found = []
    for layer in relu_layers(net, shape):
        _, pre = LayerReader(net, layer.name).run(x)
        found.append((tuple(pre.shape[1:]), float(pre.abs().sum()), int((pre > 0).sum())))
    assert [(each[0], each[2]) for each in found] == [(each[0], each[2]) for each in right]
    assert [each[1] for each in found] == pytest.approx([each[1] for each in right], abs=2e-6)


@pytest.mark.skipif(not FOLDER.is_dir(), reason="needs the shared cases beside the checkout")
def test_there_are_cases():
    assert len(list(cases())) >= 13
