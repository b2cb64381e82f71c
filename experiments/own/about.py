"""What do the certificates of `collide compare` state?  A page that is put beside them."""

from collections.abc import Mapping
from pathlib import Path

from experiments.own.results import Comparison, LayerSpaceSummary, RegionSummary
from experiments.own.solver import IN_REGION
from experiments.run.proofs import FOLDER, command
from polytope.files import write_text

NAME = "about.md"

_END = """\
Check one with Python alone, in the folder above: `{command}`.
"""


def write_about(folder: Path, found: Comparison, *, target: Path, files: Mapping[str, str]) -> None:
    """Writes `certificates/about.md` in a run folder.

    Args:
        folder: of the run.
        found: its results.
        target: the target's file.
        files: what was read: path -> SHA-256.

    Raises:
        OutputError: it cannot be written.
    """
    parts = [_files(found, target, files)]
    if not found.layer_space.left_out:
        parts.append(_layer(found.layer, found.layer_space))
    if found.input_space is not None and found.input_space.region is not None:
        parts.append(_region(found, found.input_space.region))
    written = sorted(path.name for path in (folder / FOLDER).glob("*.json"))
    if written:
        parts.append(_END.format(command=command(f"{FOLDER}/{written[0]}")))
    else:
        parts.append("No certificate was saved: the tables say why.\n")
    write_text(folder / FOLDER / NAME, "\n".join(parts))


def _files(found: Comparison, target: Path, files: Mapping[str, str]) -> str:
    lines = [
        "# What the certificates in this folder are about",
        "",
        f"* network: {found.model}, weights: {found.weights}",
        f"* layer: {found.layer}",
        f"* target: {target}",
        *(f"* {remark}" for remark in found.remarks),
        "",
        "Files read, by SHA-256:",
        "",
        *(f"    {digest}  {path}" for path, digest in files.items()),
        "",
        "A certificate states a system of numbers and proves its claim about that system. That the",
        "numbers are those of these files is computed by this program, and not part of any proof.",
        "",
    ]
    return "\n".join(lines)


def _layer(name: str, layer: LayerSpaceSummary) -> str:
    return f"""\
## layer-I-minimum.json, layer-I-distance.json

The layer {name} alone, for the I-th found vertex (row I of the tables).

* units 0 to {layer.n_units - 1:,}: the layer's, in the order of its flattened output
* inputs: the {layer.n_inputs:,} numbers that enter it, flattened; domain: {layer.words}
* weights and biases: the stored ones; behind a BatchNorm they are folded, 1/sqrt(var + eps) being
  rounded once to float64
* target: what the float run gives the layer at the network's target
"""


def _region(found: Comparison, region: RegionSummary) -> str:
    name, count, rows = found.layer, found.layer_space.n_units, region.region_rows
    behind = (
        f"* units {count:,} to {count + rows - 1:,}: rows of the region" if rows else "* no rows"
    )
    return f"""\
## input-I-minimum{IN_REGION}.json, input-I-distance{IN_REGION}.json

Not one layer of the network, although the checker says "layer" and "units" of all of it: inputs
of the network, {region.n_inputs:,} numbers in {region.domain}, that lie in the linear region
of the target and collide with it at {name}.

* units 0 to {count - 1:,}: the pre-activations of {name} as functions of the network's input,
  composed of all layers up to it; they are the network's inside the region only
{behind}, each `w x + b <= 0`, written as an inactive unit: a ReLU or a
  max-pool before {name} decides as at the target, in the order of `LinearRegion.crossings`

**The composition is not part of the proof.** The certificate proves its claim about the composed
system that it states. `optimize.input_polytope(model, "{name}", target, domain=...)` composes it
again from the files. Nothing is said of inputs outside of the region, which may collide as well:
a minimum is that of the region, not that of all colliding inputs.
"""
