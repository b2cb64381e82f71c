"""A file of weights alone: every weight is named, with the way to its layer's own space."""

import numpy as np
import pytest
import torch
from torch import nn

from experiments.own.bare import bare_layers, is_bare
from experiments.own.layers import layers_table, list_layers
from experiments.own.options import LayersRequest
from polytope.errors import InputError
from tests.examples.own_network import collide

NET = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8, 3), nn.BatchNorm1d(3))


def test_every_weight_is_named(tmp_path):
    path = tmp_path / "net.pth"
    torch.save({"state": [NET.state_dict()], "accuracy": 0.5, "table": torch.ones(4, 2)}, path)
    assert is_bare(str(path))
    found = {each.name: each for each in bare_layers(path)}
    assert list(found) == ["state.0.0.weight", "state.0.3.weight", "table"]
    assert found["state.0.0.weight"].kind == "Conv2d"
    assert "make its network in a factory" in found["state.0.0.weight"].reason
    assert "without a bias beside it" in found["table"].reason
    words = f"{path} --weight-key state.0.3.weight --bias-key state.0.3.bias --target FILE"
    assert words in found["state.0.3.weight"].reason


def test_layers_lists_them_and_the_way_it_names_works(capsys, tmp_path):
    path, target = tmp_path / "net.model", tmp_path / "x.npy"
    torch.save([NET.state_dict()], path)
    np.save(target, np.ones(8, np.float32))
    found = list_layers(LayersRequest(model=str(path)))
    assert (found.layers, found.input_shape, len(found.others)) == ((), (), 2)
    assert list(found.files) == [str(path)]
    printed = layers_table(found).markdown()
    assert f"* {path}: weights alone, no network" in printed
    assert "not listed: 0.3.weight (Linear), which is 3 x 8 numbers" in printed
    keys = ["--weight-key", "0.3.weight", "--bias-key", "0.3.bias"]
    out = tmp_path / "run"
    code, _, _ = collide(capsys, "certify", path, *keys, "--target", target, "--out", out)
    assert code == 0
    with pytest.raises(InputError, match="which holds weights and no architecture"):
        list_layers(LayersRequest(model=str(tmp_path / "absent.pth")))


def test_what_is_no_such_file(tmp_path):
    for name in ("net.onnx", "net.py", "mlp", "net.py:Net"):
        assert not is_bare(str(tmp_path / name))
