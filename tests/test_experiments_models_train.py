import json
from dataclasses import replace

import numpy as np
import pytest
import safetensors
import safetensors.torch
import torch

from experiments.datasets.mnist import Mnist
from experiments.models import train
from experiments.models.architectures import (
    LENET5,
    MLP_784,
    MLPS,
    TrainOptions,
    normal_start,
    usual_start,
)
from experiments.models.lenet5 import LeNet5
from experiments.models.mlp import MLP
from experiments.models.presets import PRESETS
from experiments.models.train import trained_mlp, trained_net
from polytope.errors import InputError, LimitError, OutputError
from polytope.files import sha256_file

OPTIONS = TrainOptions(batch=32, held_out=100, every=2, threshold=0.9, max_steps=200)


@pytest.fixture(scope="module")
def data():
    """Ten classes, each a block of lit pixels under noise: learnt in a few steps."""
    random = np.random.default_rng(3)

    def make(count):
        labels = random.integers(0, 10, count).astype(np.uint8)
        images = random.integers(0, 60, (count, 784), dtype=np.uint8)
        for image, label in zip(images, labels.tolist(), strict=True):
            image[78 * label : 78 * label + 78] += 120
        return images, labels

    return Mnist(*make(600), *make(200), checksums={"file": "00"})


@pytest.fixture
def net(data, tmp_path):
    return trained_mlp(data, seed=1, options=OPTIONS, root=tmp_path)


def again(data, root, **changes):
    lines = []
    arguments = {"seed": 1, "options": OPTIONS, "root": root, "report": lines.append} | changes
    return trained_mlp(data, **arguments), lines


def test_the_net_learns_and_says_where_it_came_from(data, net):
    assert net.accuracy >= 0.8
    assert net.validation_accuracy >= OPTIONS.threshold
    assert net.steps % OPTIONS.every == 0
    assert net.torch_version == torch.__version__
    assert net.trained_now
    assert net.sha256 == sha256_file(net.path)
    assert not net.model.training
    assert not any(weight.requires_grad for weight in net.model.parameters())
    logits = net.model(torch.from_numpy(data.test_images).float() / 255)
    right = (logits.argmax(1).numpy() == data.test_labels).mean()
    assert net.accuracy == pytest.approx(right, abs=0.006)  # a tie or two at most


def test_a_second_call_reads_the_checkpoint(data, net, tmp_path):
    cached, lines = again(data, tmp_path)
    assert not cached.trained_now
    assert lines == []
    assert (cached.sha256, cached.steps, cached.accuracy) == (net.sha256, net.steps, net.accuracy)
    for name, weight in net.model.state_dict().items():
        assert torch.equal(weight, cached.model.state_dict()[name])


def test_a_seed_gives_the_same_bytes_whatever_the_threads_and_the_global_state(data, net, tmp_path):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    torch.manual_seed(99)
    state = torch.get_rng_state()
    try:
        second, _ = again(data, tmp_path / "elsewhere")
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert second.trained_now
    assert second.sha256 == net.sha256
    assert torch.equal(torch.get_rng_state(), state)


def test_other_seed_options_or_data_mean_another_checkpoint(data, net, tmp_path):
    other_data = Mnist(**(vars(data) | {"checksums": {"file": "01"}}))
    others = [
        again(data, tmp_path, seed=2)[0],
        again(data, tmp_path, options=TrainOptions(**(vars(OPTIONS) | {"rate": 2e-3})))[0],
        again(other_data, tmp_path)[0],
    ]
    assert all(other.trained_now for other in others)
    assert len({net.path, *(other.path for other in others)}) == 4


def rewrite(path, change):
    """Writes the checkpoint anew with changed metadata or weights."""
    with safetensors.safe_open(path, framework="pt") as file:
        document = json.loads(file.metadata()[train.METADATA])
        weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    change(document, weights)
    path.write_bytes(safetensors.torch.save(weights, {train.METADATA: json.dumps(document)}))


def one_weight(document, weights):
    weights["hidden1.bias"][0] += 1


def not_a_number(document, weights):
    weights["output.bias"][0] = float("nan")
    document["weights_sha256"] = train._weights_sha256(weights)


def other_shape(document, weights):
    weights["output.bias"] = weights["output.bias"][:-1].clone()
    document["weights_sha256"] = train._weights_sha256(weights)


@pytest.mark.parametrize(
    ("damage", "match"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-5]), "trained anew"),
        (lambda path: path.write_bytes(b""), "trained anew"),
        (lambda path: path.write_bytes(b"<html>"), "trained anew"),
        (lambda path: path.write_bytes(safetensors.torch.save(MLP().state_dict())), "trained anew"),
        (lambda path: rewrite(path, lambda document, weights: document.update(seed=7)), "belongs"),
        (lambda path: rewrite(path, lambda document, weights: document.pop("data")), "'data'"),
        (lambda path: rewrite(path, one_weight), "its weights were changed"),
        (lambda path: rewrite(path, not_a_number), "NaN"),
        (lambda path: rewrite(path, other_shape), "size mismatch"),
    ],
)
def test_a_damaged_or_foreign_checkpoint_is_trained_anew(data, net, tmp_path, damage, match):
    damage(net.path)
    second, lines = again(data, tmp_path)
    assert second.trained_now
    assert second.sha256 == net.sha256
    assert match in lines[0]


def test_a_threshold_out_of_reach(data, tmp_path):
    options = TrainOptions(**(vars(OPTIONS) | {"threshold": 1.0, "max_steps": 3}))
    said = (
        r"expected a held-out accuracy of 1\.0 after the last of 3 steps \(0\.2 epochs\), got 0\."
    )
    for network in PRESETS:
        with pytest.raises(LimitError, match=said):
            again(data, tmp_path, options=options, network=network)
    assert list((tmp_path / "nets").iterdir()) == []


def test_each_network_starts_and_is_kept_apart(data, net, tmp_path):
    """The same seed and the same options: only the start differs."""
    wide, lines = again(data, tmp_path, network="wide")
    assert lines[0].startswith("training the 784-256-256-10 network from N(0, 1^2)")
    assert wide.path.name.startswith("mlp-normal1-seed1-")
    assert wide.sha256 != net.sha256
    assert 0.9 < float(wide.model.hidden1.weight.std()) < 1.1
    assert float(net.model.hidden1.weight.std()) < 0.1
    for network, known in (("wide", wide), ("default", net)):
        cached, lines = again(data, tmp_path, network=network)
        assert (cached.trained_now, cached.sha256, lines) == (False, known.sha256, [])


@pytest.mark.parametrize(("ours", "theirs"), [("wide", "default"), ("default", "wide")])
def test_a_cached_network_of_the_other_name_is_never_taken(data, tmp_path, ours, theirs):
    """Not even one with the same seed, options and data, laid under the other's name."""
    nets = {name: again(data, tmp_path, network=name)[0] for name in PRESETS}
    nets[ours].path.write_bytes(nets[theirs].path.read_bytes())
    second, lines = again(data, tmp_path, network=ours)
    assert "trained anew: it belongs to another network, 'mlp" in lines[0]
    assert (second.trained_now, second.sha256) == (True, nets[ours].sha256)


def test_an_unknown_network_is_refused(data, tmp_path):
    with pytest.raises(InputError, match="network: expected wide or default, got 'narrow'"):
        again(data, tmp_path, network="narrow")
    assert set(MLPS) == set(PRESETS)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("seed", "changes", "match"),
    [
        (-1, {}, "seed: expected at least 0, got -1"),
        (0, {"batch": 0}, "batch: expected at least 1, got 0"),
        (0, {"threshold": 1.5}, r"threshold: .* got 1\.5"),
        (0, {"held_out": 590}, r"at most 600, .* got 590 \+ 32"),
    ],
)
def test_bad_arguments(data, tmp_path, seed, changes, match):
    with pytest.raises(InputError, match=match):
        again(data, tmp_path, seed=seed, options=TrainOptions(**(vars(OPTIONS) | changes)))


def test_an_unwritable_cache_is_noticed_before_training(data, tmp_path):
    (tmp_path / "nets").write_text("")
    with pytest.raises(OutputError, match="is a file"):
        again(data, tmp_path)


def test_mlp_has_the_layers_of_the_paper():
    shapes = {name: tuple(value.shape) for name, value in MLP().state_dict().items()}
    assert shapes == {
        "hidden1.weight": (256, 784),
        "hidden1.bias": (256,),
        "hidden2.weight": (256, 256),
        "hidden2.bias": (256,),
        "output.weight": (10, 256),
        "output.bias": (10,),
    }


def test_mlp_computes_what_its_weights_say():
    model = MLP(2, 2, 1)
    with torch.no_grad():
        model.hidden1.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, -1.0]]))
        model.hidden1.bias.copy_(torch.tensor([0.0, 1.0]))
        model.hidden2.weight.copy_(torch.tensor([[1.0, 2.0], [-1.0, 0.0]]))
        model.hidden2.bias.zero_()
        model.output.weight.copy_(torch.tensor([[3.0, 5.0]]))
        model.output.bias.fill_(-1)
    # hidden1 = (2, max(0, 1 - 5)) = (2, 0); hidden2 = (2, max(0, -2)) = (2, 0); output = 6 - 1
    assert model(torch.tensor([[2.0, 5.0], [2.0, 5.0]])).tolist() == [[5.0], [5.0]]


def test_lenet5_is_trained_by_the_same_code_and_kept_apart(data, net, tmp_path):
    options = TrainOptions(**(vars(OPTIONS) | {"threshold": 0.5, "every": 10}))
    first, second = (
        trained_net(LENET5, data, seed=1, options=options, root=tmp_path) for _ in range(2)
    )
    assert isinstance(first.model, LeNet5)
    assert first.path.name.startswith("lenet5-seed1-")
    assert first.path != net.path
    assert (first.trained_now, second.trained_now) == (True, False)
    assert first.validation_accuracy >= 0.5
    assert (first.sha256, first.accuracy) == (second.sha256, second.accuracy)
    logits = first.model(torch.from_numpy(data.test_images).float().view(-1, 1, 28, 28) / 255)
    right = (logits.argmax(1).numpy() == data.test_labels).mean()
    assert first.accuracy == pytest.approx(right, abs=0.006)


def test_a_checkpoint_of_another_architecture_is_no_network(data, net, tmp_path):
    options = TrainOptions(**(vars(OPTIONS) | {"threshold": 0.0}))
    first = trained_net(LENET5, data, seed=1, options=options, root=tmp_path)
    first.path.write_bytes(net.path.read_bytes())
    lines = []
    second = trained_net(LENET5, data, seed=1, options=options, root=tmp_path, report=lines.append)
    assert "trained anew" in lines[0]
    assert (second.trained_now, second.sha256) == (True, first.sha256)


def test_the_first_networks_are_found_under_their_old_names(data, net):
    document = json.dumps(
        {
            "schema": train.SCHEMA,
            "seed": 1,
            "options": {name: value for name, value in vars(OPTIONS).items() if name != "decay"},
            "data": train.sha256_bytes(b'{"file": "00"}'),
        },
        sort_keys=True,
    )
    name = train.sha256_bytes(document.encode())[:12]
    assert net.path.name == f"mlp-seed1-{name}.safetensors"
    assert MLP_784.options == TrainOptions()


@pytest.mark.data
@pytest.mark.slow
def test_the_real_net_comes_near_the_accuracy_of_the_paper(mnist, tmp_path):
    net = trained_mlp(mnist, seed=0, root=tmp_path)
    assert abs(net.accuracy - 0.9664) < 0.005


def test_widths_decays_and_starts_are_networks_of_their_own(data, tmp_path):
    kinds = [usual_start(), usual_start(hidden=12), usual_start(decay=0.5), normal_start(0.5)]
    nets = [
        trained_net(
            kind,
            data,
            seed=1,
            options=replace(OPTIONS, decay=kind.options.decay),
            root=tmp_path,
        )
        for kind in kinds
    ]
    names = [net.path.name.rsplit("-", 1)[0] for net in nets]
    assert names == ["mlp-seed1", "mlp-hidden12-seed1", "mlp-decay0.5-seed1", "mlp-normal0.5-seed1"]
    assert nets[1].model.hidden2.weight.shape == (12, 12)
    assert len({net.sha256 for net in nets}) == 4
    for kind, net in zip(kinds, nets, strict=True):
        options = replace(OPTIONS, decay=kind.options.decay)
        again = trained_net(kind, data, seed=1, options=options, root=tmp_path)
        assert not again.trained_now
        assert again.sha256 == net.sha256


def test_decay_shrinks_the_weights(data, tmp_path):
    norms = []
    for decay in (0.0, 50.0):
        options = replace(OPTIONS, decay=decay)
        net = trained_net(usual_start(decay=decay), data, seed=1, options=options, root=tmp_path)
        norms.append(float(net.model.hidden1.weight.norm()))
    assert norms[1] < norms[0]
