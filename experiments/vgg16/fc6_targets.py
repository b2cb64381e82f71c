"""What do the authors' own fc6 targets say of their sets?  N+, the paper's bound, half-spaces.

The released scripts come with the fc6 pre-activations of their ImageNet targets.  The counts need
nothing else: which units are active, and how many inputs fc6 has.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.models.vgg16 import Shape
from experiments.readers.arrays import read_arrays
from experiments.show.proof_cells import uncertified
from experiments.show.tables import Table
from polytope.errors import FileFormatError, NonFiniteError
from polytope.files import sha256_file


def read_targets(path: Path) -> dict[str, NDArray[Any]]:
    """Returns the pre-activations (N,) of each target, by name, sorted.

    Raises:
        FileFormatError: the file cannot be read, or an array has another shape than (4096,).
        NonFiniteError: an array holds NaN or infinity.
    """
    units = Shape().hidden
    found = {}
    for name, value in sorted(read_arrays(path).items()):
        array = np.asarray(value)
        if array.shape != (units,) or array.dtype.kind != "f":
            raise FileFormatError(
                f"{path}, {name}: expected floats of shape ({units},), got {array.dtype} of shape "
                f"{array.shape}"
            )
        if not np.isfinite(array).all():
            raise NonFiniteError(f"{path}, {name}: expected finite numbers, got NaN or infinity")
        found[name] = array
    if not found:
        raise FileFormatError(f"{path}: expected arrays of pre-activations by name, got none")
    return found


@dataclass(frozen=True, kw_only=True)
class TargetCounts:
    """Counts of one target's set.

    Attributes:
        name: of the target.
        n_units: N.
        n_inputs: d.
        n_positive: N+.
        paper_bound: d - N+.
        halfspaces: N - N+.
        zeros: pre-activations that are exactly 0.
        equal_to: names of the targets that are the same, byte for byte.
    """

    name: str
    n_units: int
    n_inputs: int
    n_positive: int
    paper_bound: int
    halfspaces: int
    zeros: int
    equal_to: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class TargetsResults:
    """The counts of a file of targets, with its checksum."""

    sha256: str
    targets: tuple[TargetCounts, ...]


def count_targets(targets: Mapping[str, NDArray[Any]]) -> tuple[TargetCounts, ...]:
    """Returns counts of each target's set."""
    inputs, found = Shape().fc6_inputs, []
    for name, values in targets.items():
        active, same = int((values > 0).sum()), values.tobytes()
        equal = (other for other, each in targets.items() if each.tobytes() == same)
        found.append(
            TargetCounts(
                name=name,
                n_units=len(values),
                n_inputs=inputs,
                n_positive=active,
                paper_bound=inputs - active,
                halfspaces=len(values) - active,
                zeros=int((values == 0).sum()),
                equal_to=tuple(other for other in equal if other != name),
            )
        )
    return tuple(found)


def targets_results(path: Path) -> TargetsResults:
    """Returns the counts of a file, with its checksum."""
    return TargetsResults(sha256=sha256_file(path), targets=count_targets(read_targets(path)))


def targets_table(results: TargetsResults) -> Table:
    """The authors' targets, one a row."""
    counts = results.targets
    rows = [
        (
            each.name,
            str(each.n_positive),
            str(each.paper_bound),
            str(each.halfspaces),
            str(each.zeros),
            ", ".join(each.equal_to),
        )
        for each in counts
    ]
    active = [each.n_positive for each in counts]
    fewer = sum(each.halfspaces < each.paper_bound for each in counts)
    inputs, units = counts[0].n_inputs, counts[0].n_units
    return Table(
        name="fc6-targets",
        title=f"The authors' {len(counts)} targets at fc6 of VGG-16 (d = {inputs}, N = {units})",
        columns=(
            *("target", "active units N+", "paper's bound d - N+", "half-spaces N - N+"),
            *("exactly 0", "equal, byte for byte, to"),
        ),
        rows=tuple(rows),
        proofs=uncertified(rows),
        notes=(
            f"N+ from {min(active)} to {max(active)}, so the bound from {inputs - max(active)} to "
            f"{inputs - min(active)}, with {units - max(active)} to {units - min(active)} "
            "half-spaces.",
            f"In {fewer} of {len(counts)} sets the half-spaces are fewer than the dimension's "
            f"bound: with x free each contains at least d - N = {inputs - units} independent lines "
            "and has no vertices.",
            "The signs are those of the stored float32 numbers.",
        ),
    )
