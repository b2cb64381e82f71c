"""Which layers of a network can be asked about?  `collide layers`: a table, sizes, active units."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from experiments.own.at_target import EXACT_PRODUCTS, at_target
from experiments.own.bare import bare_layers, is_bare
from experiments.own.network import OwnNetwork, load_network
from experiments.own.options import LayersRequest
from experiments.readers.arrays import files_of
from experiments.show.numbers import NO_BOUND
from experiments.show.proof_cells import uncertified
from experiments.show.tables import Table
from optimize import LayerInfo, OtherLayer, other_layers, relu_layers
from polytope.errors import InputError
from polytope.files import sha256_file
from polytope.sets.layer import relu_layer


@dataclass(frozen=True, kw_only=True)
class ListedLayer:
    """A layer in front of a ReLU; the fields are those of `optimize.LayerInfo`."""

    name: str
    kind: str
    batch_norm: bool
    n_inputs: int
    n_units: int
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class SplitLayer(ListedLayer):
    """The same at an input.

    Attributes:
        n_positive: active units.
        exact: whether it was counted in exact arithmetic, at what the float run gives the layer.
        zeros: pre-activations that are 0.
        float_disagreements: units that the float run puts on the other side of zero.
        paper_bound: inputs less active units (Proposition 1).
    """

    n_positive: int
    exact: bool
    zeros: int
    float_disagreements: int | None
    paper_bound: int


@dataclass(frozen=True, kw_only=True)
class Layers:
    """What `collide layers` lists; its layers are split where an input was given."""

    SCHEMA: ClassVar[str] = "collision-polytopes/layers/2"

    model: str
    weights: str
    input_shape: tuple[int, ...]
    input: str | None
    files: dict[str, str]
    remarks: tuple[str, ...]
    layers: tuple[ListedLayer, ...]
    others: tuple[OtherLayer, ...]


def list_layers(request: LayersRequest) -> Layers:
    """Returns every ReLU layer of the network, and for a given input its units' split.

    Raises:
        InputError: model, weights or input are not as described (see `load_network`).
    """
    if request.weights is None and is_bare(request.model):
        return _of_weights_alone(request)
    own = load_network(request, request.input, role="input")
    example = own.shape if own.given is None else own.given
    listed = [_listed(info) for info in relu_layers(own.opened, example)]
    return Layers(
        model=request.model,
        weights=own.source,
        input_shape=own.shape,
        input=None if request.input is None else str(request.input),
        files=dict(own.files),
        remarks=own.remarks,
        layers=tuple(listed if own.given is None else [_split(own, each) for each in listed]),
        others=other_layers(own.opened, example),
    )


def _of_weights_alone(request: LayersRequest) -> Layers:
    """Every weight of a file without a network, none of which is known to stand before a ReLU."""
    path = Path(request.model)
    if request.input is not None:
        raise InputError(
            f"input: expected none with {path}, which holds weights and no network to run; "
            f"got {request.input}"
        )
    return Layers(
        model=request.model,
        weights=request.model,
        input_shape=(),
        input=None,
        files={str(each): sha256_file(each) for each in files_of(path)},
        remarks=(),
        layers=(),
        others=bare_layers(path),
    )


def _listed(info: LayerInfo) -> ListedLayer:
    fields = dict(vars(info))
    return ListedLayer(batch_norm=fields.pop("normalised"), **fields)


def _split(own: OwnNetwork, layer: ListedLayer) -> SplitLayer:
    """The same with its units at the input, counted exactly where it is not too large."""
    at = at_target(own, layer.name)
    active = (at.pre > 0).numpy()
    polytope = at.polytope()
    if polytope is None:
        n_positive, zeros, differ = int(active.sum()), int((at.pre == 0).sum()), None
    else:
        n_positive, zeros = polytope.n_positive, len(polytope.ties)
        differ = int(((np.array(relu_layer(polytope.layer).signs) > 0) != active).sum())
    return SplitLayer(
        **vars(layer),
        n_positive=n_positive,
        exact=polytope is not None,
        zeros=zeros,
        float_disagreements=differ,
        paper_bound=layer.n_inputs - n_positive,
    )


def layers_table(found: Layers) -> Table:
    """Returns what `list_layers` found as a table."""
    split = [layer for layer in found.layers if isinstance(layer, SplitLayer)]
    columns = ["layer", "kind", "d", "N", "input", "output"]
    columns += ["N+", "d - N+", "zeros", "float differs"] if found.input is not None else []
    rows = tuple(_cells(layer) for layer in found.layers)
    return Table(
        name="layers",
        title=f"Layers of {found.model} whose output goes into a ReLU",
        columns=tuple(columns),
        rows=rows,
        proofs=uncertified(rows),
        notes=_notes(found, split),
    )


def _sizes(shape: tuple[int, ...]) -> str:
    return " x ".join(f"{size:,}" for size in shape)


def _cells(layer: ListedLayer) -> tuple[str, ...]:
    kind = layer.kind + (" + BatchNorm" if layer.batch_norm else "")
    cells = [layer.name, kind, f"{layer.n_inputs:,}", f"{layer.n_units:,}"]
    cells += [_sizes(layer.input_shape), _sizes(layer.output_shape)]
    if isinstance(layer, SplitLayer):
        mark = "" if layer.exact else " (float)"
        differs = layer.float_disagreements
        cells += [f"{layer.n_positive:,}{mark}", f"{layer.paper_bound:,}", f"{layer.zeros:,}"]
        cells.append("" if differs is None else f"{differs:,}")
    return tuple(cells)


def _notes(found: Layers, split: list[SplitLayer]) -> tuple[str, ...]:
    alone = not found.input_shape
    notes = [
        f"{found.weights}: weights alone, no network"
        if alone
        else f"one input: {_sizes(found.input_shape)}; weights: {found.weights}",
        *found.remarks,
        "d: numbers that enter the layer; N: its units; input, output: how these are arranged",
    ]
    if found.input is not None:
        notes += [
            f"N+: active units at {found.input}; zeros: pre-activations that are exactly 0",
            "d - N+: the active units leave a subspace of at least this dimension (Proposition 1; "
            "exactly this one where the rows of W+ are independent); the set in it can have fewer "
            f"dimensions, through bounds and zeros, down to a single point; {NO_BOUND}",
            "N+ is exact for the layer's real arithmetic at what the float run gives it; float "
            "differs: units that this run puts on the other side of zero",
        ]
        if not all(layer.exact for layer in split):
            notes.append(
                "(float): counted in the float run alone, the layer has more products than "
                f"{EXACT_PRODUCTS['Conv2d']:,} (convolution) or {EXACT_PRODUCTS['Linear']:,}"
            )
    if any(layer.batch_norm for layer in found.layers):
        notes.append("BatchNorm is folded into the layer: its output is the pre-activation")
    notes += [
        f"not listed: {other.name} ({other.kind}), which {other.reason}" for other in found.others
    ]
    return tuple(notes)
