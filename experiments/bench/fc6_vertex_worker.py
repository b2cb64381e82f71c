"""One certified vertex of an fc6-sized layer, in a process of its own: prints one JSON object.

python -m experiments.bench.fc6_vertex_worker '{"sizes": [N, d, N+], "seed": 0, "verify": false,
"weights": null, "optimum": false}'
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from experiments.bench.fc6_worker import layer, positive_fifth
from polytope import Box, CollisionPolytope, Nonnegative, checker
from polytope.answers.certificates import Certificate
from polytope.vertices.purification import Purification

#: Kilobytes of ru_maxrss to gigabytes of 10^9 bytes.
_GB = 1024 / 1e9
_FILE = "certificate.json"


class Stages:
    """Seconds of each stage, and peak resident memory at its end."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.peak_gb: dict[str, float] = {}

    @contextmanager
    def measure(self, name: str) -> Iterator[None]:
        """Measures what runs inside."""
        began = time.perf_counter()
        yield
        self.add(name, time.perf_counter() - began)

    def add(self, name: str, seconds: float) -> None:
        """Adds a stage that was measured elsewhere and has just ended."""
        self.seconds[name] = seconds
        self.peak_gb[name] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _GB


def measure(
    sizes: tuple[int, int, int],
    seed: int,
    *,
    verify: bool,
    weights: str | None = None,
    optimum: bool = False,
) -> dict[str, Any]:
    """Measures every stage once."""
    weight, bias, target = layer(*sizes, seed=seed) if weights is None else real(weights, seed)
    stages = Stages()
    polytope = CollisionPolytope.from_layer(weight, bias, target, domain=Nonnegative())
    results: dict[str, Any] = {"n_units": len(weight), "n_inputs": len(target)}
    with stages.measure("split"):
        results["n_positive"] = polytope.n_positive
    with stages.measure("right-hand sides"):
        _ = polytope.layer.system
    with stages.measure("dimension"):
        results["dimension"] = polytope.dimension().value
    with stages.measure("kernel"):
        results["kernel_holds"] = polytope.kernel_condition().holds
    with stages.measure("lineality"):
        results["lineality"] = polytope.lineality().dimension
    found = polytope.purify()
    for name, seconds in found.timings.items():
        stages.add(name, seconds)
    results |= {"status": found.status.name, "reason": found.reason, "checker": ""}
    if found.point is not None and found.certificate is not None:
        results |= _looked_at(polytope, found, target, stages)
        with tempfile.TemporaryDirectory() as folder:
            results["certificate_mb"] = _saved(found.certificate, Path(folder), stages)
            if verify:
                results["checker"] = _checked(Path(folder), "checker", stages)
    if optimum:
        del polytope, found
        results |= _least_unit(weight, bias, target, stages, verify=verify)
    return {
        "results": results,
        "timings": {"seconds": stages.seconds, "peak_gb": stages.peak_gb},
    }


def real(path: str, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns weight and bias of fc6 from a file of VGG-16's weights, and a seeded target."""
    from experiments.models.vgg16_weights import load_vgg16  # torch, where it is needed only

    state = load_vgg16(path).model.state_dict()
    weight, bias = (state[f"classifier.0.{name}"].numpy() for name in ("weight", "bias"))
    return weight, bias, positive_fifth(weight.shape[1], np.random.default_rng(seed))


def _looked_at(
    polytope: CollisionPolytope, found: Purification, target: np.ndarray, stages: Stages
) -> dict[str, Any]:
    """What the vertex is like, exactly and rounded."""
    if found.point is None:
        raise AssertionError("a vertex without a point")
    with stages.measure("residuals"):
        rounded = polytope.residuals(found.point_float().astype(np.float32))
    with stages.measure("contains"):
        if not polytope.contains(found.point):
            raise AssertionError("the certified vertex does not lie in the set")
    active = set(polytope.active_units)
    signs = [(z > 0) != (i in active) for i, z in enumerate(rounded.pre_activation)]
    return {
        "moves": found.moves,
        "tight": len(found.tight),
        "tight_inactive": sum(row.unit not in active for row in found.tight),
        "support": sum(v != 0 for v in found.point.numerators),
        "target_support": int((target > 0).sum()),
        "denominator_bits": found.point.denominator.bit_length(),
        "rounded_tolerance": float(rounded.smallest_tolerance),
        "rounded_sign_changes": sum(signs),
    }


def _saved(certificate: Certificate, folder: Path, stages: Stages) -> float:
    """Saves a certificate, and returns its megabytes."""
    with stages.measure("save"):
        path = certificate.save(folder / _FILE)
    return path.stat().st_size / 1e6


def _checked(folder: Path, stage: str, stages: Stages) -> str:
    """What the stand-alone checker says of the certificate in a folder."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(checker.__file__), _FILE],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    stages.add(stage, time.perf_counter() - began)
    stages.peak_gb[stage] = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * _GB
    return done.stdout.strip().splitlines()[-1]


def _least_unit(
    weight: np.ndarray, bias: np.ndarray, target: np.ndarray, stages: Stages, *, verify: bool
) -> dict[str, Any]:
    """The least pre-activation of the first inactive unit over the face of the target's support.

    In a box, for without one such a unit has no least value here: a large layer is unbounded.
    """
    support = np.flatnonzero(target > 0)
    upper = int(np.ceil(target.max()))
    face = CollisionPolytope.from_layer(
        weight[:, support], bias, target[support], domain=Box(0, upper)
    )
    unit = face.inactive_units[0]
    with stages.measure("optimum"):
        found = face.unit_vertex(unit)
    results = {
        "status": found.status.name,
        "reason": found.reason,
        "unit": unit,
        "upper": upper,
        "value": None if found.value is None else float(found.value),
        "is_vertex": found.is_vertex,
        "seconds_by_part": dict(found.timings),
        "checker": "",
    }
    if verify and found.certificate is not None:
        with tempfile.TemporaryDirectory() as folder:
            found.certificate.save(Path(folder) / _FILE)
            results["checker"] = _checked(Path(folder), "optimum checker", stages)
    return {"optimum": results}


if __name__ == "__main__":
    asked = json.loads(sys.argv[1])
    n_units, n_inputs, n_active = asked["sizes"]
    answer = measure(
        (n_units, n_inputs, n_active),
        asked["seed"],
        verify=asked["verify"],
        weights=asked["weights"],
        optimum=asked["optimum"],
    )
    print(json.dumps(answer))
