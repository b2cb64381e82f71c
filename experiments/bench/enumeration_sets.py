"""Which sets are enumerated?  float32 layers in a box or alone, each from its size and seed."""

import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from polytope import Box, CollisionPolytope, Free
from polytope.answers.generators import Generators

Family = Literal["box", "free"]
#: Family -> what it is.  In a box most numbers of a set are short, which suits the peers.
FAMILIES: dict[Family, str] = {"box": "in the box [0, 1]^d", "free": "alone (free domain)"}
#: Dimension and half-spaces (of units and bounds); some 70 to 40,000 vertices.
SIZES = (
    (4, 30), (4, 50), (4, 70), (6, 30), (6, 50), (6, 70), (8, 30), (8, 40), (8, 50), (8, 70),
    (10, 30), (10, 40), (12, 30),
)  # fmt: skip
QUICK = ((4, 30), (4, 70), (6, 30), (6, 70), (8, 30), (8, 40), (10, 30))
SMOKE = ((2, 6), (3, 10))


@dataclass(frozen=True)
class LayerSize:
    """A layer of units that are all inactive at the target, and cut the set around it.

    Weights are N(0, 1/d), the target is (1/2, ..., 1/2), and unit i is a margin below its
    threshold there, uniform in [0.2, 0.6].

    Attributes:
        family: "box" has `halfspaces - 2 d` units and x in [0, 1]^d; "free" `halfspaces` units.
        dimension: d.
        halfspaces: of units and bounds.
        seed: of the weights.
    """

    family: Family
    dimension: int
    halfspaces: int
    seed: int

    @property
    def units(self) -> int:
        """Number of units."""
        return self.halfspaces - (2 * self.dimension if self.family == "box" else 0)

    def polytope(self) -> CollisionPolytope:
        """Returns the collision polytope of the layer, float32."""
        d = self.dimension
        rng = np.random.default_rng(self.seed)
        weight = (rng.standard_normal((self.units, d)) / d**0.5).astype(np.float32)
        target = np.full(d, 0.5, np.float32)
        bias = (-(weight @ target) - rng.uniform(0.2, 0.6, self.units)).astype(np.float32)
        domain = Box(0, 1) if self.family == "box" else Free()
        return CollisionPolytope.from_layer(weight, bias, target, domain=domain)


@dataclass(frozen=True, eq=False)
class Enumerated:
    """All that is listed of a set, every exact coordinate and the witness read.

    Attributes:
        found: the lists.
        seconds: from the integer rows on, where the peers start too.
    """

    found: Generators
    seconds: float


def enumerate_all(size: LayerSize) -> Enumerated:
    """Lists a set."""
    polytope = size.polytope()
    polytope.layer.system.prepare()
    began = time.perf_counter()
    found = polytope.vertices()
    for vector in (*found.points, *found.rays, *found.lines):
        _ = vector.numerators, vector.denominator
    if found.certificate is not None:
        _ = found.certificate.witness
    return Enumerated(found, time.perf_counter() - began)


@dataclass(frozen=True)
class Memory:
    """Bytes of resident memory above what imports and a small enumeration need.

    Attributes:
        vertices: that were listed.
        peak: the most.
        kept: with the lists in hand.
    """

    vertices: int
    peak: int
    kept: int


def measure_memory(size: LayerSize) -> Memory:
    """Measures one enumeration in a process that does nothing else; Linux only."""
    enumerate_all(LayerSize("box", *SMOKE[-1], size.seed))
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts again from now
    before = _resident("VmRSS")
    listed = enumerate_all(size)
    return Memory(
        vertices=len(listed.found.points),
        peak=max(0, _resident("VmHWM") - before),
        kept=max(0, _resident("VmRSS") - before),
    )


def _resident(field: str) -> int:
    """VmRSS (now) or VmHWM (most ever) of this process in bytes."""
    found = re.search(rf"{field}:\s*([0-9]+) kB", Path("/proc/self/status").read_text())
    return 1024 * int(found[1]) if found else 0
