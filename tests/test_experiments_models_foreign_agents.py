"""Agents of stable-baselines3: the way from an observation to an action, by numpy."""

import io
import json
import zipfile

import numpy as np
import pytest
import torch

from experiments.models.foreign.agents import read_agent
from experiments.models.registry import load_model
from optimize import LayerReader, relu_layers
from polytope.errors import FileFormatError, InputError

RNG = np.random.default_rng(0)
MINE = {"activation_fn": "<class 'mine.Swish'>"}
RELU = {":type:": "<class 'dict'>", "activation_fn": "<class 'torch.nn.modules.activation.ReLU'>"}


def written(path, layers, data=None, more=()):
    """An archive with Linear layers (name -> sizes), and its numbers."""
    state = {name: torch.zeros(shape) for name, shape in more}
    for name, (inputs, units) in layers.items():
        state[f"{name}.weight"] = torch.tensor(
            RNG.normal(size=(units, inputs)), dtype=torch.float32
        )
        state[f"{name}.bias"] = torch.tensor(RNG.normal(size=units), dtype=torch.float32)
    stream = io.BytesIO()
    torch.save(state, stream)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data", json.dumps({"policy_kwargs": {}} if data is None else data))
        archive.writestr("policy.pth", stream.getvalue())
        archive.writestr("pytorch_variables.pth", b"never read")
    return {name: value.numpy().astype(np.float64) for name, value in state.items()}


def forward(x, numbers, names, activation):
    """Pre-activations, one after the other."""
    pre = []
    for name in names:
        x = activation(pre[-1]) if pre else x
        pre.append(numbers[f"{name}.weight"] @ x + numbers[f"{name}.bias"])
    return pre


def relu(x):
    return np.maximum(x, 0)


#: Layers, which of them lead to the action, what the file says of activations, what stands there.
AGENTS = {
    "dqn": (
        {"q_net.q_net.0": (3, 5), "q_net.q_net.2": (5, 4), "q_net_target.q_net.0": (3, 5)},
        ("q_net.q_net.0", "q_net.q_net.2"),
        {},
        relu,
    ),
    "td3": (
        {"actor.mu.0": (3, 5), "actor.mu.2": (5, 4), "actor.mu.10": (4, 2)},
        ("actor.mu.0", "actor.mu.2", "actor.mu.10"),
        {},
        relu,
    ),
    "sac": (
        {"actor.latent_pi.0": (3, 5), "actor.mu": (5, 2), "actor.log_std": (5, 2)},
        ("actor.latent_pi.0", "actor.mu"),
        {},
        relu,
    ),
    "ppo": (
        {"mlp_extractor.policy_net.0": (3, 5), "action_net": (5, 2), "value_net": (5, 1)},
        ("mlp_extractor.policy_net.0", "action_net"),
        {},
        np.tanh,
    ),
    "ppo, ReLU": (
        {"mlp_extractor.policy_net.0": (3, 5), "action_net": (5, 2), "value_net": (5, 1)},
        ("mlp_extractor.policy_net.0", "action_net"),
        RELU,
        relu,
    ),
    "ars, linear": ({"action_net": (3, 2)}, ("action_net",), {}, relu),
}


@pytest.mark.parametrize("kind", AGENTS)
def test_the_way_to_an_action(tmp_path, kind):
    layers, names, options, activation = AGENTS[kind]
    path = tmp_path / "agent.zip"
    numbers = written(path, layers, {"policy_kwargs": options}, more=[("log_std", (2,))])
    loaded = load_model(str(path))
    assert loaded.input_shape == (3,)
    x = RNG.normal(size=3).astype(np.float32)
    wanted = forward(x, numbers, names, activation)
    found = loaded.module(torch.tensor(x)[None])[0].numpy()
    np.testing.assert_allclose(found, wanted[-1], rtol=1e-5, atol=1e-6)
    asked = [layer.name for layer in relu_layers(loaded.module, (3,))]
    hidden = [name.replace(".", "_") for name in names[:-1]]
    assert asked == (hidden if activation is relu else [])
    for name, pre in zip(asked, wanted, strict=False):
        got = LayerReader(loaded.module, name).pre_activation(torch.tensor(x)[None])
        np.testing.assert_allclose(got[0].numpy(), pre, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("layers", "data", "more", "error", "message"),
    [
        (
            {"net.0": (3, 2)},
            None,
            (),
            InputError,
            r"a policy .* known here, got tensors net.0.bias",
        ),
        (
            {"q_net.q_net.0": (3, 2)},
            None,
            [("q_net.features_extractor.cnn.0.weight", (1, 1, 1, 1))],
            InputError,
            r"MlpPolicy\), got one with a features extractor .*as --weights",
        ),
        (
            {"q_net.q_net.0": (3, 2)},
            {"policy_kwargs": MINE},
            (),
            InputError,
            "activation_fn among ReLU, Tanh, .* got 'Swish'",
        ),
        (
            {},
            None,
            [("action_net.weight", (2, 3)), ("action_net.bias", (3,))],
            FileFormatError,
            r"a Linear layer 'action_net', got weight of shape \(2, 3\)",
        ),
    ],
)
def test_what_is_not_known_is_named(tmp_path, layers, data, more, error, message):
    path = tmp_path / "agent.zip"
    written(path, layers, data, more)
    with pytest.raises(error, match=message):
        load_model(str(path))


def test_archives_that_are_no_agents(tmp_path):
    path = tmp_path / "agent.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("words.txt", "words")
    with pytest.raises(
        FileFormatError, match=r"of numpy, torch or stable-baselines3, got one with"
    ):
        read_agent(path)
    written(path, {"action_net": (3, 2)})
    whole = path.read_bytes()
    for size in range(0, len(whole), 41):
        path.write_bytes(whole[:size])
        with pytest.raises(FileFormatError):
            read_agent(path)
    with zipfile.ZipFile(tmp_path / "whole.zip", "w") as archive:
        archive.writestr("policy.pth", zipfile.Path(io.BytesIO(whole), "policy.pth").read_bytes())
    with pytest.raises(FileFormatError, match="got an archive without 'data'"):
        read_agent(tmp_path / "whole.zip")
