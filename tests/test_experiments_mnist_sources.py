"""The certificates of `collide mnist` name the network's file and MNIST's own, by their SHA-256."""

import json

import pytest

from experiments.datasets.mnist import SHA256, TEST_IMAGES
from experiments.datasets.pinned import data_root
from experiments.mnist.options import MnistOptions
from experiments.mnist.setting import set_up
from experiments.models.architectures import MLPS
from experiments.models.presets import PRESETS
from experiments.models.train import trained_mlp
from experiments.run.proofs import FOLDER, Proofs
from polytope import verify


@pytest.mark.data
@pytest.mark.parametrize("network", PRESETS)
def test_the_target_is_mnists_image_and_the_weights_are_the_checkpoints(network, mnist, tmp_path):
    name = MLPS[network].name
    checkpoints = list((data_root() / "nets").glob(f"{name}-seed0-*.safetensors"))
    if not checkpoints:
        pytest.skip("needs a trained network in the cache; `make mnist` leaves one")
    net = trained_mlp(mnist, seed=0, network=network, report=lambda _: None)
    setting = set_up(MnistOptions(), mnist, net, network)
    assert set(setting.case.sources) == {"weight", "bias", "target"}
    polytope = setting.case.polytope()
    (tmp_path / FOLDER).mkdir()
    proofs = Proofs(tmp_path, setting.case.sources, polytope.layer)
    proofs.keep("rank", polytope.rank_positive().certificate)
    path = tmp_path / FOLDER / "rank.json"
    stated = json.loads(path.read_text())["problem"]
    assert stated["target"] == {
        "file": TEST_IMAGES,
        "tensor": f"{setting.options.target}/255",
        "sha256": SHA256[TEST_IMAGES],
    }
    assert stated["weight"]["sha256"] == stated["bias"]["sha256"] == net.sha256
    assert "of them active, 784 inputs" in verify(path)
