"""Layers made to break exact answers: scales, ulps, ties, denominators, contradictions, shapes."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import ml_dtypes
import numpy as np
import torch

from polytope import Box, Free, Nonnegative
from tests.examples.random_layers import Instance
from tests.oracles.exact_oracle import dot, exact

Rng = np.random.Generator
Shape = tuple[int, int]
#: weight, bias, target or None, activation or None; a domain or a tolerance where it matters.
Drawn = dict[str, Any]
TINY, HUGE = 5e-324, 1.7976931348623157e308


def adversarial(seed: int, *, largest: Shape = (6, 4)) -> Instance:
    """Draw a layer of at most ``largest`` = (units, inputs); the family follows from the seed."""
    family = list(FAMILIES)[seed % len(FAMILIES)]
    rng = np.random.default_rng([20191209, seed])
    n_units, n_inputs = (int(rng.integers(1, most + 1)) for most in largest)
    drawn = FAMILIES[family](rng, (n_units, n_inputs))
    target, activation = drawn.get("target"), drawn.get("activation")
    domain = drawn.get("domain") or _domain(rng, None if target is None else exact(target))
    tolerance = drawn.get("tolerance", 0)
    name = f"seed {seed}: {family}, {type(domain).__name__}, tolerance {float(tolerance):.3g}"
    return Instance(name, drawn["weight"], drawn["bias"], target, activation, domain, tolerance)


def _domain(rng: Rng, target: Any) -> Free | Nonnegative | Box:
    """A domain that holds the target, which often lies on its boundary."""
    kind = int(rng.integers(4))
    if kind == 0:
        return Free()
    if target is None:
        return [Nonnegative(), Box(0, 1), Box(-1, 2)][kind - 1]
    if kind == 1 and min(target) >= 0:
        return Nonnegative()
    room = [Fraction(int(v), 4) for v in rng.integers(0, 5, 2 * len(target))]
    lower = [v - r for v, r in zip(target, room, strict=False)]
    upper = [v + r for v, r in zip(target, room[::-1], strict=False)]
    return Box(lower, upper)


def _coarse(rng: Rng, n: int) -> np.ndarray:
    return rng.integers(-8, 9, n) / 8.0


def _exactly(weight: Any, target: Any) -> list[Fraction]:
    """``-w x`` of each row: the bias that makes a tie."""
    return [-dot(exact(w), exact(target)) for w in weight]


def _objects(values: list[Fraction]) -> np.ndarray:
    out = np.empty(len(values), dtype=object)
    out[:] = values
    return out


def _float32_scales(rng: Rng, shape: Shape) -> Drawn:
    """Entries from the smallest subnormal of float32 to its largest number."""
    size = 10.0 ** rng.uniform(-44, 38, shape)
    weight = (rng.choice([-1.0, 1.0], shape) * size).astype(np.float32)
    bias = (rng.choice([-1.0, 0, 1.0], shape[0]) * 10.0 ** rng.uniform(-44, 38, shape[0])).astype(
        np.float32
    )
    target = (_coarse(rng, shape[1]) * 10.0 ** rng.uniform(-44, 37, shape[1])).astype(np.float32)
    return {"weight": weight, "bias": bias, "target": target}


def _one_ulp(rng: Rng, shape: Shape) -> Drawn:
    """float32 rows that differ by one unit in the last place, at a target that all but ties."""
    row = rng.standard_normal(shape[1]).astype(np.float32)
    toward = rng.choice([-9.0, 0.0, 9.0], shape).astype(np.float32)
    weight = np.nextafter(np.tile(row, (shape[0], 1)), toward).astype(np.float32)
    weight[rng.random(shape[0]) < 0.5] = row
    weight *= rng.choice([-1, 1], (shape[0], 1)).astype(np.float32)
    target = rng.random(shape[1]).astype(np.float32)
    bias = np.nextafter(-(weight @ target), rng.choice([-9.0, 9.0], shape[0]).astype(np.float32))
    return {"weight": weight, "bias": bias.astype(np.float32), "target": target}


def _nearly_zero(rng: Rng, shape: Shape) -> Drawn:
    """Pre-activations that are zero, or smaller than any float distinguishes from it."""
    weight = rng.standard_normal(shape).astype(np.float32)
    target = rng.standard_normal(shape[1]).astype(np.float32)
    steps = [Fraction(0), Fraction(TINY), Fraction(1, 2**149), Fraction(1, 10**60), Fraction(1e-9)]
    moves = [steps[int(rng.integers(5))] * s for s in _signs(rng, shape[0])]
    ties = _exactly(weight, target)
    bias = _objects([t + Fraction(m) for t, m in zip(ties, moves, strict=True)])
    return {"weight": weight, "bias": bias, "target": target}


def _signs(rng: Rng, n: int) -> list[int]:
    return [int(v) for v in rng.choice([-1, 1], n)]


def _denominators(rng: Rng, shape: Shape) -> Drawn:
    """Fractions whose denominators are hundreds of bits long, and coprime."""

    def number() -> Fraction:
        bits = int(rng.integers(1, 400))
        top = int.from_bytes(rng.bytes(bits // 8 + 1), "big") - (1 << bits)
        return Fraction(top, (1 << bits) + int(rng.integers(1, 99)))

    weight = _objects([number() for _ in range(shape[0] * shape[1])]).reshape(shape)
    target = _objects([number() for _ in range(shape[1])])
    bias = [t + (number() if rng.random() < 0.6 else 0) for t in _exactly(weight, target)]
    return {"weight": weight, "bias": _objects(bias), "target": target}


def _extremes(rng: Rng, shape: Shape) -> Drawn:
    """The ends of float64: its largest numbers beside its smallest."""
    numbers = [0.0, -0.0, TINY, -TINY, 2.2e-308, 1.0, -1.0, 1e308, -HUGE, HUGE, 1e154, -1e-154]
    weight = rng.choice(numbers, shape)
    bias = rng.choice(numbers, shape[0])
    target = rng.choice([0.0, -0.0, 1.0, -1.0, TINY, 1e-300, HUGE, 0.5], shape[1])
    return {"weight": weight, "bias": bias, "target": target}


def _tolerances(rng: Rng, shape: Shape) -> Drawn:
    """Tolerances that meet an activation exactly, are tiny, or dwarf everything."""
    weight, bias = rng.integers(-3, 4, shape), rng.integers(-3, 4, shape[0])
    target = _coarse(rng, shape[1])
    ties = _exactly(weight, target)
    post = [max(Fraction(0), int(b) - t) for t, b in zip(ties, bias, strict=True)]
    meets = [y for y in post if y] or [Fraction(1)]
    choices: list[Any] = [meets[0], max(meets), TINY, 1e-300, 2.0**-52, Fraction(1, 3**50), HUGE]
    tolerance = Fraction(choices[int(rng.integers(len(choices)))])
    return {"weight": weight, "bias": bias, "target": target, "tolerance": tolerance}


def _degenerate(rng: Rng, shape: Shape) -> Drawn:
    """Many ties: far more rows pass through the target than there are coordinates."""
    rows = max(shape[0], min(shape[1] + 3, 7))
    weight = rng.integers(-1, 2, (rows, shape[1]))
    target = rng.integers(0, 2, shape[1])
    bias = -(weight @ target) - (rng.random(rows) < 0.15)
    return {"weight": weight, "bias": bias, "target": target, "domain": Box(0, 1)}


def _contradictions(rng: Rng, shape: Shape) -> Drawn:
    """Scaled copies of a row that ask for values a hair apart: empty by any margin, or just not."""
    row = exact(rng.integers(-4, 5, shape[1]))
    factors = [Fraction(int(a), int(b)) for a, b in rng.integers(1, 9, (shape[0], 2))]
    weight = np.array([[f * v for v in row] for f in factors], dtype=object)
    margin = [Fraction(0), Fraction(1), Fraction(TINY), Fraction(1, 2**100), Fraction(1, 10**6)]
    wanted = [
        f * 3 + margin[int(rng.integers(5))] * s * (rng.random() < 0.3)
        for f, s in zip(factors, _signs(rng, shape[0]), strict=True)
    ]
    bias = np.zeros(shape[0], dtype=int)
    post = _objects([max(v, Fraction(0)) for v in wanted])
    tolerance = [0, 0, Fraction(TINY), Fraction(1, 2**100)][int(rng.integers(4))]
    return {"weight": weight, "bias": bias, "activation": post, "tolerance": tolerance}


def _repeated(rng: Rng, shape: Shape) -> Drawn:
    """Equal, scaled and opposite rows, the scales powers of two and odd numbers."""
    base = rng.integers(-3, 4, (2, shape[1]))
    factor = rng.choice([1, -1, 3, 2**40, -(2**60), 7], shape[0]).astype(object)
    which = rng.integers(0, 2, shape[0])
    weight = base[which].astype(object) * factor[:, None]
    bias = np.array([0, 1, -1])[rng.integers(0, 3, 2)][which].astype(object) * factor
    return {"weight": weight, "bias": bias, "target": _coarse(rng, shape[1])}


def _all_active(rng: Rng, shape: Shape) -> Drawn:
    """N+ >= d, mostly of full rank: a point, or the domain's own shape in few dimensions."""
    rows = shape[1] + int(rng.integers(0, 3))
    weight = rng.integers(-2, 3, (rows, shape[1])).astype(np.float32)
    bias = np.full(rows, 50, np.float32)
    bias[rng.random(rows) < 0.2] = -50
    return {"weight": weight, "bias": bias, "target": _coarse(rng, shape[1])}


def _none_active(rng: Rng, shape: Shape) -> Drawn:
    """No unit fires: only inequalities, perhaps none that matters."""
    weight = rng.standard_normal(shape)
    bias = -np.abs(rng.standard_normal(shape[0])) * 10.0 ** rng.integers(-300, 9)
    target = np.zeros(shape[1])
    return {"weight": weight, "bias": bias, "target": target}


def _one_input(rng: Rng, shape: Shape) -> Drawn:
    """d = 1: intervals, half-lines, points, the line."""
    n = shape[0]
    weight = rng.choice([0.0, 1.0, -1.0, 0.1, -3.0, TINY, 1e300], (n, 1))
    target = _coarse(rng, 1)
    ties = _exactly(weight, target)
    moves = rng.integers(-2, 2, n)
    bias = _objects([t + Fraction(int(m)) for t, m in zip(ties, moves, strict=True)])
    return {"weight": weight, "bias": bias, "target": target}


def _zero_rows(rng: Rng, shape: Shape) -> Drawn:
    """Rows of zeros, dead or firing for ever; sometimes asked for what they never give."""
    weight = rng.integers(-2, 3, shape)
    weight[rng.random(shape[0]) < 0.6] = 0
    bias = rng.integers(-1, 2, shape[0])
    if rng.random() < 0.4:
        post = np.maximum(bias, 0) + (rng.random(shape[0]) < 0.15)
        return {"weight": weight, "bias": bias, "activation": post}
    return {"weight": weight, "bias": bias, "target": _coarse(rng, shape[1])}


def _half(rng: Rng, shape: Shape) -> Drawn:
    """float16, bfloat16 and 8-bit floats, of numpy, ml_dtypes and torch."""
    weight, bias = rng.standard_normal(shape), rng.standard_normal(shape[0])
    target = _coarse(rng, shape[1])
    if rng.random() < 0.2:
        return {"weight": weight.astype("f2"), "bias": bias.astype("f2"), "target": target}
    if rng.random() < 0.2:
        low = ml_dtypes.bfloat16
        return {"weight": weight.astype(low), "bias": bias.astype(low), "target": target}
    kinds = [torch.bfloat16, torch.float16, torch.float8_e4m3fn, torch.float8_e5m2]
    kind = kinds[int(rng.integers(len(kinds)))]
    made = [torch.tensor(v, dtype=torch.float32).to(kind) for v in (weight, bias, target)]
    return dict(zip(("weight", "bias", "target"), made, strict=True))


def _integers(rng: Rng, shape: Shape) -> Drawn:
    """Integers at the ends of int64 and uint64, and far beyond them."""
    ends = [2**63 - 1, -(2**63), 2**62 + 1, -3, 1, 0]
    if rng.random() < 0.3:
        ends = [2**64 - 1, 2**63, 5, 0, 1]
        weight: Any = np.array(rng.choice(np.array(ends, dtype=np.uint64), shape))
    elif rng.random() < 0.5:
        weight = np.array(rng.choice(np.array(ends, dtype=np.int64), shape))
    else:
        wide = [10**40, -(10**39) + 1, 2**200, 1, -1, 0]
        weight = [[wide[int(k)] for k in row] for row in rng.integers(6, size=shape)]
    bias = rng.integers(-(2**62), 2**62, shape[0])
    return {"weight": weight, "bias": bias, "target": rng.integers(-1, 2, shape[1])}


def _bit_patterns(rng: Rng, shape: Shape) -> Drawn:
    """float64 of random bits: 52-bit mantissas at every exponent, or near one another."""

    def draw(*size: int) -> np.ndarray:
        bits = rng.integers(0, 2**64, size, dtype=np.uint64)
        if near:
            bits = (bits & np.uint64(0x800FFFFFFFFFFFFF)) | np.uint64(0x3FE0000000000000)
        found = bits.view(np.float64)
        return np.asarray(np.where(np.isfinite(found), found, 1.0))

    near = rng.random() < 0.6
    return {"weight": draw(*shape), "bias": draw(shape[0]), "target": draw(shape[1])}


def _thin_boxes(rng: Rng, shape: Shape) -> Drawn:
    """Boxes an ulp wide, of the largest floats, or fixed in some coordinates."""
    weight, bias = rng.standard_normal(shape), rng.standard_normal(shape[0])
    lower = rng.standard_normal(shape[1])
    wide = [np.nextafter(lower, 9.0), lower, lower + 1.0, np.full(shape[1], HUGE)]
    upper = np.array([wide[int(k)][j] for j, k in enumerate(rng.integers(4, size=shape[1]))])
    lower = np.where(upper == HUGE, -HUGE, lower)
    target = np.where(rng.random(shape[1]) < 0.5, lower, np.where(upper == HUGE, 0.0, upper))
    return {"weight": weight, "bias": bias, "target": target, "domain": Box(lower, upper)}


def _low_rank(rng: Rng, shape: Shape) -> Drawn:
    """Rank 1 or 2 in the middle of ties: lines, wedges, cones."""
    k = int(rng.integers(1, 3))
    weight = rng.integers(-2, 3, (shape[0], k)) @ rng.integers(-2, 3, (k, shape[1]))
    target = rng.integers(-2, 3, shape[1])
    bias = -(weight @ target) + rng.choice([0, 0, 0, 1, -1], shape[0])
    return {"weight": weight, "bias": bias, "target": target}


def _no_units(rng: Rng, shape: Shape) -> Drawn:
    """N = 0: the set is the domain."""
    weight = np.zeros((0, shape[1]), np.float32)
    if rng.random() < 0.3:
        return {"weight": weight, "bias": [], "activation": []}
    return {"weight": weight, "bias": np.zeros(0), "target": _coarse(rng, shape[1])}


FAMILIES: dict[str, Callable[[Rng, Shape], Drawn]] = {
    "float32 of all scales": _float32_scales,
    "one ulp apart": _one_ulp,
    "nearly zero": _nearly_zero,
    "huge denominators": _denominators,
    "ends of float64": _extremes,
    "tolerances": _tolerances,
    "degenerate": _degenerate,
    "contradictions": _contradictions,
    "repeated and scaled": _repeated,
    "all active": _all_active,
    "none active": _none_active,
    "one input": _one_input,
    "zero rows": _zero_rows,
    "half precision": _half,
    "large integers": _integers,
    "bit patterns": _bit_patterns,
    "thin boxes": _thin_boxes,
    "low rank, ties": _low_rank,
    "no units": _no_units,
}
