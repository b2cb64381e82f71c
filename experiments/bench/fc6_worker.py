"""One measurement of the fc6 benchmark, in a process of its own: prints one JSON object.

python -m experiments.bench.fc6_worker DOMAIN UNITS INPUTS ACTIVE SEED [--verify]
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from polytope import CollisionPolytope, Free, Nonnegative, checker
from polytope.answers.certificates import Certificate

#: Kilobytes of ru_maxrss to gigabytes of 10^9 bytes.
_GB = 1024 / 1e9


def layer(
    units: int, inputs: int, active: int, *, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns weight (units, inputs), bias (units,) and target (inputs,), all float32.

    The target is |N(0, 1)| on a fifth of its coordinates and zero elsewhere; one bias for all
    units leaves about `active` of them active.
    """
    rng = np.random.default_rng(seed)
    weight = rng.standard_normal((units, inputs), dtype=np.float32)
    weight *= np.float32(inputs**-0.5)
    target = positive_fifth(inputs, rng)
    reached = np.sort(weight @ target)
    shift = -(reached[-active] + reached[-active - 1]) / 2
    return weight, np.full(units, shift, dtype=np.float32), target


def positive_fifth(inputs: int, rng: np.random.Generator) -> np.ndarray:
    """Returns a float32 target (inputs,): |N(0, 1)| on a fifth of its coordinates, else 0."""
    target = np.abs(rng.standard_normal(inputs, dtype=np.float32))
    target[rng.random(inputs) < 0.8] = 0
    return target


def measure(domain: str, sizes: tuple[int, int, int], seed: int, *, verify: bool) -> dict[str, Any]:
    """Measures dimension and kernel certificate once."""
    weight, bias, target = layer(*sizes, seed=seed)
    clock = [time.perf_counter()]
    where = Free() if domain == "free" else Nonnegative()
    polytope = CollisionPolytope.from_layer(weight, bias, target, domain=where)
    n_positive = polytope.n_positive
    clock.append(time.perf_counter())
    dimension = polytope.dimension()
    clock.append(time.perf_counter())
    kernel = polytope.kernel_condition()
    clock.append(time.perf_counter())
    if dimension.certificate is None:
        raise AssertionError(f"dimension: {dimension.reason}")
    certificates = [dimension.certificate, kernel.certificate]
    for certificate in certificates:
        # The inverses modulo a prime are the part of a witness that is computed when it is read.
        minors = {id(m): m for m in _minors(certificate.witness)}
        _ = [minor.inverse for minor in minors.values()]
    clock.append(time.perf_counter())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _GB
    del polytope, weight
    checked: tuple[list[str], float | None, float | None] = ([], None, None)
    if verify:
        checked = _check(certificates)
    stages = dict(zip(("split", "dimension", "kernel", "witness"), np.diff(clock), strict=True))
    return {
        "results": {
            "n_positive": n_positive,
            "dimension": dimension.value,
            "paper_bound": dimension.paper_bound,
            "kernel_holds": kernel.holds,
            "checker": checked[0],
        },
        "timings": {
            **{name: float(seconds) for name, seconds in stages.items()},
            "total": clock[-1] - clock[0],
            "peak_gb": peak,
            "checker": checked[1],
            "checker_gb": checked[2],
        },
    }


def _minors(witness: Any) -> list[Any]:
    values = [
        v
        for part in witness.values()
        for v in (part.values() if isinstance(part, dict) else [part])
    ]
    return [value for value in values if hasattr(value, "inverse")]


def _check(certificates: list[Certificate]) -> tuple[list[str], float, float]:
    """Saves the certificates, and checks each as a stranger would; claims, seconds, peak GB."""
    claims, seconds = [], 0.0
    with tempfile.TemporaryDirectory() as folder:
        for certificate in certificates:
            path = certificate.save(Path(folder) / f"{certificate.kind}.json")
            began = time.perf_counter()
            done = subprocess.run(
                [sys.executable, "-I", "-S", str(checker.__file__), path.name],
                cwd=folder,
                capture_output=True,
                text=True,
                check=False,
            )
            seconds += time.perf_counter() - began
            claims.append(done.stdout.strip().splitlines()[-1])
    return claims, seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * _GB


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[2:6]]
    found = measure(
        sys.argv[1],
        (numbers[0], numbers[1], numbers[2]),
        numbers[3],
        verify="--verify" in sys.argv[6:],
    )
    print(json.dumps(found))
