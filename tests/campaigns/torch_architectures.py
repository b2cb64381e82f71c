"""Architectures that others wrote: is every layer read, and rightly?

    python -m tests.campaigns.torch_architectures [--only WORD]

Each network has random weights, in float64.  It counts as read where every layer that is offered
gives what torch itself gives one of its ReLUs, up to the last bits, and where the exact layer gives
the same within rounding (layers of up to MOST products); and where every weighted layer is offered
or listed with a reason.  The ReLUs that no layer is offered for are counted.  torchvision and
transformers are used where they are installed.
"""

import argparse
import importlib.util
import sys
import time
import warnings
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor, nn

from optimize import LayerReader, OpenedNetwork, exact_layer, other_layers, relu_layers
from optimize.model.copying import inside_of
from polytope.errors import InputError, LimitError
from tests.campaigns.torch_libraries import Made, torchvision_networks, transformers_networks
from tests.campaigns.torch_own import OWN
from tests.examples.graphs import matrix

#: Products of a layer up to which its exact form is held against torch's.
MOST = 300_000


def networks() -> Iterator[Made]:
    """Yields all of them."""
    yield from OWN
    for library, made in (
        ("torchvision", torchvision_networks),
        ("transformers", transformers_networks),
    ):
        if importlib.util.find_spec(library) is None:
            print(f"-- {library} is not installed: its networks are left out")
        else:
            yield from made()


def relu_inputs(model: nn.Module, x: Tensor) -> list[Tensor]:
    """What torch gives every ReLU of a model, whatever it is written as."""
    seen: list[Tensor] = []

    class Watch(torch.overrides.TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
            name = getattr(func, "__name__", "").partition(".")[0]
            least = (kwargs or {}).get("min", args[1] if len(args) > 1 else None)
            clamps = name in ("clamp", "clip", "clamp_min") and type(least) in (int, float)
            if name in ("relu", "relu_") or (clamps and least == 0):
                seen.append(args[0].clone())
            return func(*args, **(kwargs or {}))

    with torch.no_grad(), Watch():
        model(x.clone())
    return seen


def verdict(make: Callable[[], nn.Module], shape: tuple[int, ...]) -> str:
    """Reads a network; says how many layers were held against torch, or raises AssertionError."""
    torch.manual_seed(0)
    model = make()
    if "torch.export" not in str(type(model).__mro__):  # those refuse to be switched
        model = model.double().eval()
    model = model.requires_grad_(False)
    x = torch.rand(1, *shape, dtype=torch.float64)
    relus = relu_inputs(inside_of(model), x)
    opened = OpenedNetwork(model)
    layers, others = relu_layers(opened, x[0]), other_layers(opened, x[0])
    met, exact = set[int](), 0
    for layer in layers:
        reader = LayerReader(opened, layer.name, example=x[0])
        entered, pre = reader.run(x)
        same = [k for k, each in enumerate(relus) if _equal(each, pre)]
        same = same or [k for k, each in enumerate(relus) if _pooled(each, pre)]
        assert same, f"{layer.name}: no ReLU is given what was read"
        met.add(next((k for k in same if k not in met), same[0]))
        if layer.n_units * reader.weight[0].numel() <= MOST:
            found = exact_layer(opened, layer.name, x[0])
            flat = entered.flatten().numpy()
            value = matrix(found.weight) @ flat + np.array(found.bias, dtype=float)
            error = np.abs(value - pre.flatten().numpy()).max()
            assert error <= 1e-9 * (1 + np.abs(value).max()), f"{layer.name}: differs by {error}"
            exact += 1
    named = {each.name.partition("#")[0] for each in others}
    named |= {part for layer in layers for part in layer.name.partition("#")[0].split("+")}
    kinds = nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d | nn.ConvTranspose2d
    wanted = [_own(name) for name, each in model.named_modules() if isinstance(each, kinds)]
    missing = [name for name in wanted if name not in named]
    assert not missing, f"in neither list: {', '.join(missing)}"
    way = "traced" if opened.untraced is None else "recorded"
    return (
        f"read ({way}): {len(layers)} layers ({exact} exact) for {len(met)} of {len(relus)} "
        f"ReLUs, {len(others)} others with a reason"
    )


def _own(name: str) -> str:
    return name.replace("_orig_mod.", "").replace("module.", "")


def _equal(one: Tensor, other: Tensor) -> bool:
    """Are they the same, but for the rounding of another order of sums?"""
    same = one.numel() == other.numel()
    return same and torch.allclose(one.flatten(), other.flatten(), rtol=1e-12, atol=1e-13)


def _pooled(relu: Tensor, pre: Tensor) -> bool:
    """May a ReLU behind a max-pool have been given this?  All its numbers are among them."""
    return relu.numel() < pre.numel() and bool(torch.isin(relu, pre).all())


def main() -> int:
    """Prints the verdict on each, and how many of how many were read."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", default="", help="those whose name has this word")
    only = parser.parse_args().only
    warnings.simplefilter("ignore")
    counts = {"read": 0, "refused": 0, "wrong": 0}
    for name, make, shape in networks():
        if only not in name:
            continue
        began = time.monotonic()
        try:
            said = verdict(make, shape)
        except (InputError, LimitError) as problem:
            said = f"refused: {problem}"
        except AssertionError as problem:
            said = f"wrong: {problem}"
        counts[said.partition(" ")[0].removesuffix(":")] += 1
        print(f"{name}: {said} [{time.monotonic() - began:.1f} s]", flush=True)
    total = sum(counts.values())
    print(f"{counts['read']} of {total} read, {counts['refused']} refused, {counts['wrong']} wrong")
    return 1 if counts["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
