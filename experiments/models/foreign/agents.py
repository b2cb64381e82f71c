"""Which network is an agent of stable-baselines3?  The one from an observation to an action.

The archive holds the tensors of the policy by name, and JSON about it beside pickles in it, which
are never read.  Read are policies of Linear layers (MlpPolicy); the layers are named as in the
policy's state dict.  Where observations were normalised (VecNormalize) that is in another file.
"""

import json
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from experiments.models.foreign.network import ForeignNetwork, chain, linear
from experiments.readers.arrays import read_arrays
from experiments.readers.foreign_files import check_archive, expecting
from polytope.errors import FileFormatError, InputError

_DATA, _LONGEST = "data", 1 << 26
_ACTIVATIONS: dict[str, type[nn.Module]] = {
    kind.__name__: kind
    for kind in (nn.ReLU, nn.Tanh, nn.ELU, nn.LeakyReLU, nn.Sigmoid, nn.SiLU, nn.GELU)
}


@dataclass(frozen=True)
class _Policy:
    """How a family of algorithms lays out the way to an action.

    Attributes:
        parts: prefixes of its layers, in order.
        activation: between them, where the file names none.
        words: what comes out.
    """

    parts: tuple[str, ...]
    activation: str
    words: str


#: The first whose last part is there is meant.
_POLICIES = (
    _Policy(
        ("mlp_extractor.shared_net", "mlp_extractor.policy_net", "action_net"),
        "Tanh",
        "the policy's action or logits",
    ),
    _Policy(("actor.latent_pi", "actor.mu"), "ReLU", "the mean action before it is squashed"),
    _Policy(("actor.mu",), "ReLU", "the action before it is squashed"),
    _Policy(("q_net.q_net",), "ReLU", "the values of the actions"),
    _Policy(("quantile_net.quantile_net",), "ReLU", "the quantiles of the actions' values"),
    _Policy(("action_net",), "ReLU", "the action before it is squashed"),
)


def read_agent(path: Path) -> ForeignNetwork:
    """Returns the network of an agent.

    Raises:
        InputError: its policy is not made of Linear layers, or of another kind.
        FileFormatError: it is no archive of stable-baselines3.
    """
    path = Path(path)
    tensors = read_arrays(path)  # refuses what is no such archive
    with expecting(f"{path}: expected an agent of stable-baselines3"):
        data = _data(path)
    policy = _policy(tensors, path)
    names = [name for part in policy.parts for name in _layers(part, tensors)]
    activation = _activation(data) or policy.activation
    if activation not in _ACTIVATIONS:
        known = ", ".join(_ACTIVATIONS)
        raise InputError(f"{path}: expected activation_fn among {known}, got {activation!r:.60}")
    steps: list[tuple[str, nn.Module]] = []
    for number, name in enumerate(names, start=1):
        steps.append((name.replace(".", "_"), _linear(name, tensors, path)))
        if number < len(names):
            steps.append((f"activation{number}", _ACTIVATIONS[activation]()))
    return ForeignNetwork(
        module=chain(steps),
        input_shape=(int(tensors[f"{names[0]}.weight"].shape[1]),),
        words=policy.words + (f", {activation} between its layers" if len(names) > 1 else ""),
    )


def _data(path: Path) -> Mapping[str, Any]:
    with zipfile.ZipFile(path) as archive:
        members = {member.filename: member for member in check_archive(archive, path)}
        if _DATA not in members or members[_DATA].file_size > _LONGEST:
            raise FileFormatError(
                f"{path}: expected an agent of stable-baselines3, got an archive without {_DATA!r}"
            )
        found = json.loads(archive.read(members[_DATA]))
    return found if isinstance(found, dict) else {}


def _policy(tensors: Mapping[str, Any], path: Path) -> _Policy:
    if others := [name for name in tensors if "features_extractor" in name]:
        raise InputError(
            f"{path}: expected a policy of Linear layers (MlpPolicy), got one with a features "
            f"extractor ({others[0]!r:.60}); make its network in a factory, and give this file as "
            "--weights"
        )
    for policy in _POLICIES:
        if _layers(policy.parts[-1], tensors) and (
            len(policy.parts) == 1 or _layers(policy.parts[-2], tensors)
        ):
            return policy
    raise InputError(
        f"{path}: expected a policy of stable-baselines3 that is known here, got tensors "
        f"{', '.join(sorted(tensors)[:4])}, ..."
    )


def _layers(part: str, tensors: Mapping[str, Any]) -> list[str]:
    """Names of the Linear layers of a part: itself, or its numbered ones in order."""
    if f"{part}.weight" in tensors:
        return [part]
    pattern = re.compile(re.escape(part) + r"\.([0-9]{1,6})\.weight")
    numbers = sorted(int(found[1]) for found in map(pattern.fullmatch, tensors) if found)
    return [f"{part}.{number}" for number in numbers]


def _activation(data: Mapping[str, Any]) -> str | None:
    """The class of activation that the text of the policy's options names."""
    options = data.get("policy_kwargs")
    named = options.get("activation_fn") if isinstance(options, dict) else None
    found = re.search(r"(\w+)'?>?$", named) if isinstance(named, str) else None
    return found[1] if found else None


def _linear(name: str, tensors: Mapping[str, Any], path: Path) -> nn.Linear:
    weight: Tensor = tensors[f"{name}.weight"]
    bias: Tensor | None = tensors.get(f"{name}.bias")
    fits = weight.ndim == 2 and (bias is None or tuple(bias.shape) == tuple(weight.shape[:1]))
    if not fits or not weight.is_floating_point():
        raise FileFormatError(
            f"{path}: expected a Linear layer {name!r}, got weight of shape {tuple(weight.shape)}"
        )
    return linear(weight, bias)
