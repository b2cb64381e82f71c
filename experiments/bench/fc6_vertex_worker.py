"""One certified vertex of an fc6-sized layer, in a process of its own: prints one JSON object.

python -m experiments.bench.fc6_vertex_worker '{"sizes": [N, d, N+], "seed": 0, "verify": false,
"weights": null}'
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
from polytope import CollisionPolytope, Nonnegative, checker
from polytope.certificates import Certificate
from polytope.purification import Purification

#: Kilobytes of ru_maxrss to gigabytes of 10^9 bytes.
_GB = 1024 / 1e9


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
    sizes: tuple[int, int, int], seed: int, *, verify: bool, weights: str | None = None
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
            results |= _saved(found.certificate, Path(folder), stages, verify=verify)
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


def _saved(
    certificate: Certificate, folder: Path, stages: Stages, *, verify: bool
) -> dict[str, Any]:
    with stages.measure("save"):
        path = certificate.save(folder / "vertex.json")
    results: dict[str, Any] = {"certificate_mb": path.stat().st_size / 1e6}
    if verify:
        began = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-I", "-S", str(checker.__file__), path.name],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        stages.add("checker", time.perf_counter() - began)
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        stages.peak_gb["checker"] = children.ru_maxrss * _GB
        results["checker"] = done.stdout.strip().splitlines()[-1]
    return results


if __name__ == "__main__":
    asked = json.loads(sys.argv[1])
    n_units, n_inputs, n_active = asked["sizes"]
    answer = measure(
        (n_units, n_inputs, n_active),
        asked["seed"],
        verify=asked["verify"],
        weights=asked["weights"],
    )
    print(json.dumps(answer))
