"""What does a certified vertex at the size of VGG-16's fc6 cost?  Time and memory by stage."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from experiments.bench.fc6_layer import BigLayer, Size, random_layer, real_layer
from experiments.bench.fresh import Stages, checked, fresh
from experiments.bench.report import Goal, Report
from experiments.run.progress import Progress
from polytope import Box, CollisionPolytope, Nonnegative
from polytope.vertices.purification import Purification

#: Stage -> what it does, in order.
STAGES = {
    "split": "active units, exact signs",
    "right-hand sides": "exact pre-activations of all units",
    "dimension": "with its certificate",
    "kernel": "kernel condition, with its certificate",
    "lineality": "with its certificate",
    "start": "what is tight at the target",
    "push": "float pushes to a vertex of its face",
    "solve": "exact solve of the tight system",
    "substitute": "exact signs of all other rows",
    "rank": "invertible minor of the tight system",
    "residuals": "exact residuals and signs of the vertex rounded to float32",
    "contains": "the exact vertex substituted once more, into all rows",
    "save": "the certificate written, its minor inverted",
    "checker": "by the stand-alone checker, a process of its own",
    "optimum": "least pre-activation of a unit over the target's support, in a box",
    "optimum checker": "by the stand-alone checker",
}
_VERTEX_STAGES = ("split", "right-hand sides", "start", "push", "solve", "substitute", "rank")


@dataclass(frozen=True)
class Asked:
    """What is measured.

    Attributes:
        size: of the random layer.
        seed: of everything drawn.
        verify: whether the checker is run as well.
        weights: of VGG-16, whose fc6 stands in for the random layer.
        optimum: whether the optimum of a unit is asked for as well.
    """

    size: Size
    seed: int
    verify: bool = False
    weights: Path | None = None
    optimum: bool = False


@dataclass(frozen=True, kw_only=True)
class Vertex:
    """The vertex, exactly and rounded to float32."""

    moves: int
    tight: int
    tight_inactive: int
    support: int
    target_support: int
    denominator_bits: int
    rounded_tolerance: float
    rounded_sign_changes: int
    certificate_mb: float
    claim: str


@dataclass(frozen=True, kw_only=True)
class Optimum:
    """The least pre-activation of the first inactive unit over the face of the target's support."""

    status: str
    reason: str
    unit: int
    upper: int
    value: float | None
    is_vertex: bool | None
    claim: str


@dataclass(frozen=True, kw_only=True)
class VertexResults:
    """What does not depend on the machine; claims are the checker's, "" where it was not asked."""

    SCHEMA: ClassVar[str] = "collision-polytopes/bench-fc6-vertex/2"
    n_units: int
    n_inputs: int
    n_positive: int
    dimension: int | None
    kernel_holds: bool
    lineality: int | None
    status: str
    reason: str
    vertex: Vertex | None
    optimum: Optimum | None


@dataclass(frozen=True)
class Measured:
    """One measurement; `parts` are the seconds of the optimum."""

    results: VertexResults
    stages: Stages
    parts: dict[str, float]


def run(asked: Asked, progress: Progress) -> Report[VertexResults]:
    """Runs all stages once, in a fresh process.

    Raises:
        CollisionError: the process failed.
    """
    progress.say("one certified vertex, all stages: minutes at full size")
    found = fresh(measure, asked, words="the vertex")
    seconds, peaks = found.stages.seconds, found.stages.peak_gb
    vertex = sum(seconds.get(stage, 0.0) for stage in _VERTEX_STAGES)
    return Report(
        title=_title(asked, found.results),
        headings=["stage", "what", "s", "peak GB so far"],
        rows=[
            [stage, STAGES[stage], f"{spent:.2f}", f"{peaks[stage]:.2f}"]
            for stage, spent in seconds.items()
        ],
        goals=[
            Goal("from the float32 arrays to the certified vertex", vertex, 600, "at most", " s"),
            Goal("peak memory", max(peaks.values()), 8, "at most", " GB"),
        ],
        notes=_notes(found),
        results=found.results,
        timings={"seconds": seconds, "peak_gb": peaks, "optimum": found.parts},
    )


def _title(asked: Asked, results: VertexResults) -> str:
    shape = f"{results.n_units:,} x {results.n_inputs:,}"
    if asked.weights is None:
        layer = f"{shape} float32 N(0, 1/inputs) (seed {asked.seed}), one bias for all units"
    else:
        layer = f"VGG-16's fc6 ({shape}) from {asked.weights.name}"
    return (
        f"One certified vertex at x >= 0: {layer}; target |N(0, 1)| on a fifth of the inputs and 0 "
        f"elsewhere (seed {asked.seed}): {results.n_positive:,} active units."
    )


def _notes(found: Measured) -> list[str]:
    results, vertex = found.results, found.results.vertex
    if vertex is None:
        return [f"no vertex: {results.status}: {results.reason}"]
    notes = [
        f"Dimension {results.dimension:,}, lineality {results.lineality}, kernel condition "
        f"{'holds' if results.kernel_holds else 'fails'}.",
        f"Vertex: {vertex.moves:,} pushes; {vertex.tight:,} rows of the layer are tight "
        f"({results.n_positive:,} active units and {vertex.tight_inactive:,} of "
        f"{results.n_units - results.n_positive:,} others), {vertex.support:,} of "
        f"{vertex.target_support:,} coordinates are left; common denominator of "
        f"{vertex.denominator_bits:,} bits.",
        f"Rounded to float32 it misses by {vertex.rounded_tolerance:.2e} at most (exact "
        f"residual), with {vertex.rounded_sign_changes} units on the wrong side of zero.",
        f"Certificate: {vertex.certificate_mb:.1f} MB, weights apart.",
    ]
    notes += [f"Checker: {vertex.claim}"] if vertex.claim else []
    return notes + _optimum_notes(results.optimum, found.parts)


def _optimum_notes(found: Optimum | None, parts: dict[str, float]) -> list[str]:
    if found is None:
        return []
    if found.value is None:
        return [f"no optimum: {found.status}: {found.reason}"]
    spent = ", ".join(f"{name} {value:.1f} s" for name, value in parts.items())
    notes = [
        f"Optimum: unit {found.unit} is at least {found.value:.6g} for all inputs of "
        f"[0, {found.upper}] that collide and are 0 where the target is, and attains it at a "
        f"{'vertex' if found.is_vertex else 'point'} ({spent})."
    ]
    return notes + ([f"Checker: {found.claim}"] if found.claim else [])


# ---- In the process of its own -----------------------------------------------------------------


def measure(asked: Asked) -> Measured:
    """Measures every stage once."""
    if asked.weights is None:
        layer = random_layer(asked.size, seed=asked.seed)
    else:
        layer = real_layer(asked.weights, seed=asked.seed)
    stages = Stages()
    polytope = layer.polytope(Nonnegative())
    with stages.measure("split"):
        n_positive = polytope.n_positive
    with stages.measure("right-hand sides"):
        _ = polytope.layer.system
    with stages.measure("dimension"):
        dimension = polytope.dimension().value
    with stages.measure("kernel"):
        kernel_holds = polytope.kernel_condition().holds
    with stages.measure("lineality"):
        lineality = polytope.lineality().dimension
    found = polytope.purify()
    for name, seconds in found.timings.items():
        stages.add(name, seconds)
    vertex = _looked_at(polytope, found, layer.target, stages, verify=asked.verify)
    parts: dict[str, float] = {}
    status, reason = found.status.name, found.reason
    del polytope, found
    optimum = _least_unit(layer, stages, parts, verify=asked.verify) if asked.optimum else None
    results = VertexResults(
        n_units=len(layer.weight),
        n_inputs=len(layer.target),
        n_positive=n_positive,
        dimension=dimension,
        kernel_holds=kernel_holds,
        lineality=lineality,
        status=status,
        reason=reason,
        vertex=vertex,
        optimum=optimum,
    )
    return Measured(results, stages, parts)


def _looked_at(
    polytope: CollisionPolytope,
    found: Purification,
    target: np.ndarray,
    stages: Stages,
    *,
    verify: bool,
) -> Vertex | None:
    """What the vertex is like, exactly and rounded; None where there is none."""
    if found.point is None or found.certificate is None:
        return None
    with stages.measure("residuals"):
        rounded = polytope.residuals(found.point_float().astype(np.float32))
    with stages.measure("contains"):
        if not polytope.contains(found.point):
            raise AssertionError("the certified vertex does not lie in the set")
    active = set(polytope.active_units)
    signs = [(z > 0) != (i in active) for i, z in enumerate(rounded.pre_activation)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "certificate.json"
        with stages.measure("save"):
            found.certificate.save(path)
        return Vertex(
            moves=found.moves,
            tight=len(found.tight),
            tight_inactive=sum(row.unit not in active for row in found.tight),
            support=sum(v != 0 for v in found.point.numerators),
            target_support=int((target > 0).sum()),
            denominator_bits=found.point.denominator.bit_length(),
            rounded_tolerance=float(rounded.smallest_tolerance),
            rounded_sign_changes=sum(signs),
            certificate_mb=path.stat().st_size / 1e6,
            claim=_claim(path, "checker", stages) if verify else "",
        )


def _claim(path: Path, stage: str, stages: Stages) -> str:
    """What the stand-alone checker says of a saved certificate."""
    found = checked(path)
    stages.add(stage, found.seconds, found.peak_gb)
    return found.claim


def _least_unit(
    layer: BigLayer, stages: Stages, parts: dict[str, float], *, verify: bool
) -> Optimum:
    """The least pre-activation of the first inactive unit over the face of the target's support.

    In a box, for without one such a unit has no least value here: a large layer is unbounded.
    """
    support, upper = np.flatnonzero(layer.target > 0), int(np.ceil(layer.target.max()))
    face = BigLayer(layer.weight[:, support], layer.bias, layer.target[support])
    polytope = face.polytope(Box(0, upper))
    unit = polytope.inactive_units[0]
    with stages.measure("optimum"):
        found = polytope.unit_vertex(unit)
    parts |= found.timings
    claim = ""
    if verify and found.certificate is not None:
        with tempfile.TemporaryDirectory() as folder:
            path = found.certificate.save(Path(folder) / "certificate.json")
            claim = _claim(path, "optimum checker", stages)
    return Optimum(
        status=found.status.name,
        reason=found.reason,
        unit=unit,
        upper=upper,
        value=None if found.value is None else float(found.value),
        is_vertex=found.is_vertex,
        claim=claim,
    )
