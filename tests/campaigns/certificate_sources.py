"""Which certificates does the library write?  All kinds, for one collision polytope after another.

    python -m tests.campaigns.certificate_sources --count 2000 [--images 5]

checks each of so many with the checker, as a file; and those about the first layer of the trained
MNIST networks in the cache folder, for so many images.  Exit code 0 if all are accepted.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from safetensors.numpy import load_file

from polytope import Box, Certificate, CollisionPolytope, Free, Nonnegative, checker
from polytope.sets.layer import Layer
from polytope.sets.nonlinearity import NAMES
from polytope.sets.rows import StatedRows
from tests.examples.random_layers import instance


def certificates(polytope: CollisionPolytope, rng: np.random.Generator) -> Iterator[Certificate]:
    """Ask everything once; what is undecided has no certificate."""
    d = polytope.n_inputs
    answers: list[Any] = [polytope.rank_positive(), polytope.kernel_condition()]
    answers += [polytope.feasibility(), polytope.dimension(), polytope.lineality()]
    answers += [polytope.boundedness(), polytope.uniqueness()]
    answers.append(polytope.vertices(max_seconds=2, max_count=200))
    answers += [polytope.minimize(rng.integers(-3, 4, d)) for _ in range(2)]
    answers += polytope.unit_vertices(polytope.inactive_units[:2]).values()
    somewhere = rng.integers(-16, 17, d) / 8.0
    answers += [polytope.nearest(somewhere, norm) for norm in ("linf", "l1", "l2")]
    answers.append(polytope.purify())
    answers.append(polytope.membership(somewhere))
    answers.append(polytope.objective_bounds(rng.integers(-3, 4, d)))
    if isinstance(polytope.layer, Layer) and polytope.layer.target is not None:
        answers.append(polytope.active_set())
    for answer in answers:
        if answer.certificate is not None:
            yield answer.certificate
    yield from polytope.implicit_equalities().certificates.values()
    yield from polytope.redundancy().certificates.values()


def random_small(start: int) -> Iterator[tuple[str, CollisionPolytope]]:
    """Layers of at most 4 units and 2 or 3 inputs, one after another."""
    seed = start
    while True:
        case = instance(seed, largest=(4, 2 + seed % 2))
        yield case.name, case.polytope()
        seed += 1


def random_rows(start: int) -> Iterator[tuple[str, CollisionPolytope]]:
    """Sets of at most 4 units with stated floors and ceilings, in 2 or 3 inputs."""
    for seed in count(start):
        rng = np.random.default_rng([61, seed])
        shape = int(rng.integers(1, 5)), 2 + seed % 2
        ends = [sorted(pair) for pair in rng.integers(-4, 5, (shape[0], 2)).tolist()]
        floors, ceilings = zip(*ends, strict=True)
        kept = rng.random((2, shape[0])) < 0.7
        rows = StatedRows.of(
            rng.integers(-3, 4, shape),
            rng.integers(-2, 3, shape[0]),
            floors=[v / 2 if k else None for v, k in zip(floors, kept[0], strict=True)],
            ceilings=[v / 2 if k else None for v, k in zip(ceilings, kept[1], strict=True)],
            domain=[Free(), Nonnegative(), Box(-2, 2)][int(rng.integers(3))],
        )
        yield f"rows, seed {seed}", CollisionPolytope(rows)


def random_functions(start: int) -> Iterator[tuple[str, CollisionPolytope]]:
    """Layers of at most 3 units, 2 or 3 inputs, other functions than the ReLU behind them."""
    names = [*NAMES[1:-1], "clipped_relu(2)", "elu(0.5)"]
    for seed in count(start):
        rng = np.random.default_rng([62, seed])
        shape = int(rng.integers(1, 4)), 2 + seed % 2
        given = {
            "domain": [Free(), Nonnegative(), Box(-2, 2)][int(rng.integers(3))],
            "tolerance": [0, 2**-7, 0.75][int(rng.integers(3))],
            "nonlinearity": names[seed % len(names)],
            "rounding": ["inner", "outer"][int(rng.integers(2))],
        }
        weight, bias = rng.integers(-3, 4, shape), rng.integers(-2, 3, shape[0]) / 2
        target = rng.integers(0, 3, shape[1]) / 2
        polytope = CollisionPolytope.from_layer(weight, bias, target, **given)
        yield f"{given['nonlinearity']}, seed {seed}", polytope


def planted(units: int, inputs: int, seed: int) -> tuple[str, CollisionPolytope]:
    """A float32 layer with a collision of the target known beforehand: a point in ker W+.

    The last columns of W repeat the first, so that what moves from one to the other is not seen.
    """
    rng = np.random.default_rng([19, seed])
    weight = rng.standard_normal((units, inputs)).astype(np.float32)
    weight[:, -2:] = weight[:, :2]
    bias = rng.standard_normal(units).astype(np.float32)
    target = rng.random(inputs).astype(np.float32)
    domain = [Box(0, 1), Nonnegative(), Free()][seed % 3]
    found = CollisionPolytope.from_layer(weight, bias, target, domain=domain)
    return f"planted {units} x {inputs}, {type(domain).__name__}, seed {seed}", found


def sources(start: int) -> Iterator[tuple[str, Certificate]]:
    """Four random small layers, stated rows, another function, a planted layer, and so on."""
    small, rows, others = random_small(start), random_rows(start), random_functions(start)
    for number in count(start):
        drawn = [next(small) for _ in range(4)]
        drawn += [next(rows), next(others), planted(12, 20, number)]
        for name, polytope in drawn:
            for certificate in certificates(polytope, np.random.default_rng(number)):
                yield name, certificate


def real_layers(images: int) -> Iterator[tuple[str, Certificate]]:
    """256 units and 784 inputs, trained; a test image each, the networks in turn."""
    from experiments.datasets.mnist import load_mnist
    from experiments.datasets.pinned import data_root

    networks = sorted((data_root() / "nets").glob("mlp-*.safetensors"))
    data = load_mnist(download=False)
    for number in range(images):
        path = networks[number % len(networks)]
        tensors = load_file(path)
        image = data.test_images[number].reshape(-1) / np.float32(255)
        weight, bias = tensors["hidden1.weight"], tensors["hidden1.bias"]
        polytope = CollisionPolytope.from_layer(weight, bias, image, domain=Box(0, 1))
        name = f"image {number} at {path.stem}"
        answers: list[Any] = [polytope.rank_positive(), polytope.kernel_condition()]
        answers += [polytope.feasibility(), polytope.active_set(), polytope.dimension()]
        answers += [polytope.lineality(), polytope.boundedness(), polytope.purify()]
        answers.append(polytope.unit_vertex(polytope.inactive_units[0]))
        answers.append(polytope.objective_bounds(weight[0]))
        for answer in answers:
            yield name, answer.certificate


def run(
    found: Iterator[tuple[str, Certificate]], *, saved: bool = False
) -> tuple[Counter[str], list[str], float]:
    """Check certificates as files: how many of each kind, the refused, the slowest.

    Saved ones have a large layer in a file beside them, the others have it in them.
    """
    made: Counter[str] = Counter()
    refused, slowest = [], 0.0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "certificate.json"
        for name, certificate in found:
            if saved:
                certificate.save(path)
            else:
                path.write_text(json.dumps(certificate.document()))
            made[certificate.kind] += 1
            began = perf_counter()
            try:
                checker.check_file(path)
            except checker.CheckError as error:
                refused.append(f"{name}: {certificate.kind}: {error}")
            slowest = max(slowest, perf_counter() - began)
    return made, refused, slowest


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--images", type=int, default=0)
    args = parser.parse_args()
    made, refused, slowest = run(islice(sources(args.start), args.count))
    real = run(real_layers(args.images), saved=True)
    print(f"{real[0].total()} of real layers, slowest check {real[2]:.2f} s")
    made, refused = made + real[0], refused + real[1]
    for kind, many in sorted(made.items()):
        print(f"{many:8d}  {kind}")
    for line in refused:
        print(f"REFUSED: {line}")
    total = made.total()
    print(f"{total} certificates, {total - len(refused)} accepted; slowest small {slowest:.3f} s")
    return int(bool(refused) or total < args.count)


if __name__ == "__main__":
    sys.exit(main())
