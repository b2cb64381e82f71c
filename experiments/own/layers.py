"""Which layers of a network can be asked about?  `collide layers`: a table, sizes, active units."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from experiments.own.network import load_network
from experiments.own.options import LayersRequest
from experiments.show.proof_cells import uncertified
from experiments.show.tables import Table
from optimize import LayerReader, exact_layer, other_layers, relu_layers
from polytope import CollisionPolytope

#: Products of a layer up to which its split is computed exactly: the matrix of a convolution has to
#: be written out (some 70 bytes each), that of a Linear is there.
EXACT_PRODUCTS = {"Linear": 200_000_000, "Conv1d": 20_000_000, "Conv2d": 20_000_000}


def list_layers(options: LayersRequest) -> dict[str, Any]:
    """Returns every ReLU layer of the network, and for a given input its units' split.

    Raises:
        InputError: model, weights or input are not as described (see `load_network`).
    """
    own = load_network(options, role="input")
    infos = relu_layers(own.model, own.shape)
    layers = []
    for info in infos:
        entry: dict[str, Any] = {
            "name": info.name,
            "kind": info.kind,
            "batch_norm": info.normalised,
            "n_inputs": info.n_inputs,
            "n_units": info.n_units,
            "input_shape": list(info.input_shape),
            "output_shape": list(info.output_shape),
        }
        if own.target is not None:
            entry |= split_entry(own.model, info.name, own.target)
        layers.append(entry)
    return {
        "model": options.model,
        "weights": own.source,
        "input_shape": list(own.shape),
        "input": None if options.input is None else str(options.input),
        "files": dict(own.files),
        "remarks": list(own.remarks),
        "layers": layers,
        "others": [
            {"name": other.name, "kind": other.kind, "reason": other.reason}
            for other in other_layers(own.model)
        ],
    }


def split_entry(model: nn.Module, name: str, target: Tensor) -> dict[str, Any]:
    """Returns N+ of a layer at an input, exact where the layer is not too large.

    The exact split is that of the layer's real arithmetic at the input which the float run gives
    it; `float_disagreements` counts the units that this float run puts on the other side of zero.

    Args:
        model: the network.
        name: of the layer.
        target: one input (*input,).
    """
    reader = LayerReader(model, name)
    with torch.no_grad():
        entered, pre = reader.run(target[None].to(reader.dtype))
    float_active = (pre.flatten() > 0).numpy()
    entry: dict[str, Any] = {
        "n_positive": int(float_active.sum()),
        "exact": False,
        "zeros": int((pre == 0).sum()),
        "float_disagreements": None,
    }
    if products(reader, pre) <= EXACT_PRODUCTS[reader.kind]:
        exact = exact_layer(model, name, target)
        polytope = CollisionPolytope.from_layer(exact.weight, exact.bias, entered.flatten())
        signs = np.array(polytope.layer.signs)
        entry |= {
            "n_positive": polytope.n_positive,
            "exact": True,
            "zeros": len(polytope.ties),
            "float_disagreements": int(((signs > 0) != float_active).sum()),
        }
    return entry | {"paper_bound": entered.numel() - entry["n_positive"]}


def products(reader: LayerReader, outputs: Tensor) -> int:
    """Returns how many products one run of a layer takes, padding counted."""
    each = reader.weight[0].numel()
    return outputs[0].numel() * each


def layers_table(found: dict[str, Any]) -> Table:
    """Returns what `list_layers` found as a table."""
    given = found["input"] is not None
    columns = ["layer", "kind", "d", "N", "input", "output"]
    columns += ["N+", "d - N+", "zeros", "float differs"] if given else []
    rows = []
    for layer in found["layers"]:
        kind = layer["kind"] + (" + BatchNorm" if layer["batch_norm"] else "")
        cells = [layer["name"], kind, f"{layer['n_inputs']:,}", f"{layer['n_units']:,}"]
        cells += [
            " x ".join(f"{size:,}" for size in layer[name])
            for name in ("input_shape", "output_shape")
        ]
        if given:
            mark = "" if layer["exact"] else " (float)"
            differs = layer["float_disagreements"]
            cells += [
                f"{layer['n_positive']:,}{mark}",
                f"{layer['paper_bound']:,}",
                f"{layer['zeros']:,}",
                "" if differs is None else f"{differs:,}",
            ]
        rows.append(tuple(cells))
    return Table(
        name="layers",
        title=f"Layers of {found['model']} whose output goes into a ReLU",
        columns=tuple(columns),
        rows=tuple(rows),
        proofs=uncertified(rows),
        notes=_notes(found, given),
    )


def _notes(found: dict[str, Any], given: bool) -> tuple[str, ...]:
    shape = " x ".join(f"{size:,}" for size in found["input_shape"])
    notes = [
        f"one input: {shape}; weights: {found['weights']}",
        *found["remarks"],
        "d: numbers that enter the layer; N: its units; input, output: how these are arranged",
    ]
    if given:
        notes += [
            f"N+: active units at {found['input']}; zeros: pre-activations that are exactly 0",
            "d - N+: the active units leave a subspace of at least this dimension (Proposition 1; "
            "exactly this one where the rows of W+ are independent); the set in it can have fewer "
            "dimensions, through bounds and zeros, down to a single point; negative: says nothing",
            "N+ is exact for the layer's real arithmetic at what the float run gives it; float "
            "differs: units that this run puts on the other side of zero",
        ]
        if not all(layer["exact"] for layer in found["layers"]):
            notes.append(
                "(float): counted in the float run alone, the layer has more products than "
                f"{EXACT_PRODUCTS['Conv2d']:,} (convolution) or {EXACT_PRODUCTS['Linear']:,}"
            )
    if any(layer["batch_norm"] for layer in found["layers"]):
        notes.append("BatchNorm is folded into the layer: its output is the pre-activation")
    notes += [
        f"not listed: {other['name']} ({other['kind']}), which {other['reason']}"
        for other in found["others"]
    ]
    return tuple(notes)
