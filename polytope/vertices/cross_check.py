"""What if the set is too degenerate to certify?  Two exact engines must list the same.

Double description handles some very degenerate sets whose perturbation has millions of vertices.
No engine gives a proof, so the answer is "cross-checked" at best: that each point is a vertex and
each ray extreme is proved here, that none is missing is what two independent programs say.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from math import gcd
from operator import mul

import numpy as np
from flint import fmpz_mat

from polytope.answers.generators import Completeness, Generators
from polytope.vertices import engine
from polytope.vertices.engine import available
from polytope.vertices.limits import Limits
from polytope.vertices.reduction import Reduced

_Rows = frozenset[tuple[int, ...]]


def cross_checked(reduced: Reduced, reason: str, limits: Limits) -> Generators:
    """List the generators of a pointed set by two exact engines, run side by side."""
    names = available()[:2]
    started = time.perf_counter()
    listed, failures = _run(reduced, names, limits)
    if not listed:
        why = "; ".join(failures) or "no exact engine is installed"
        return Generators(Completeness.UNDECIDED, reason=f"{reason}; {why}")
    name, (points, rays) = next(iter(listed.items()))
    agree = len(listed) == 2 and len(set(listed.values())) == 1
    if len(listed) == 2 and not agree:
        return Generators(
            Completeness.UNDECIDED, reason=f"{reason}; {' and '.join(names)} disagree"
        )
    incidence = _incidence(reduced, sorted(points), sorted(rays))
    if incidence is None:
        return Generators(Completeness.UNDECIDED, reason=f"{reason}; {name} listed no vertex")
    if not agree:
        failures = failures or ["a second engine is not installed (extra cdd)"]
        reason += f"; listed by {name} alone, {'; '.join(failures)}"
    return Generators(
        Completeness.CROSS_CHECKED if agree else Completeness.PARTIAL,
        tuple(reduced.lift(sorted(points))),
        tuple(reduced.lift([[0, *ray] for ray in sorted(rays)])) if rays else (),
        reduced.lines,
        reduced.chart,
        reduced.halfspaces,
        incidence,
        None,
        f"{reason}; {' and '.join(names)} agree" if agree else reason,
        {"engines": time.perf_counter() - started},
    )


def _run(
    reduced: Reduced, names: list[str], limits: Limits
) -> tuple[dict[str, tuple[_Rows, _Rows]], list[str]]:
    """Run the engines as children; what they listed, and who failed."""
    given = json.dumps(
        {
            "normals": [[format(v, "x") for v in row] for row in reduced.normals],
            "offsets": [format(v, "x") for v in reduced.offsets],
            "memory": limits.memory,
        }
    )
    listed: dict[str, tuple[_Rows, _Rows]] = {}
    failures: list[str] = []

    def run(name: str) -> None:
        # By its path, without the current folder: whatever is called polytope there is not ours.
        command = [sys.executable, "-P", engine.__file__, name]
        left = limits.seconds_left()
        try:
            done = subprocess.run(
                command, input=given, capture_output=True, text=True, timeout=left, check=True
            )
            listed[name] = _read(done.stdout)
        except subprocess.TimeoutExpired:
            failures.append(f"{name} was stopped at max_seconds")
        except subprocess.CalledProcessError as error:
            last = error.stderr.strip().splitlines()[-1:] or [f"exit code {error.returncode}"]
            failures.append(f"{name} failed ({last[0][:200]})")

    with ThreadPoolExecutor() as pool:
        list(pool.map(run, names))
    return listed, failures


def _read(output: str) -> tuple[_Rows, _Rows]:
    found = json.loads(output)
    lists = [[[int(v, 16) for v in row] for row in found[key]] for key in ("points", "rays")]
    points, rays = ([tuple(_coprime(row)) for row in rows] for rows in lists)
    return frozenset(points), frozenset(rays)


def _coprime(row: list[int]) -> list[int]:
    divisor = gcd(*row) or 1
    return [v // divisor for v in row]


def _incidence(
    reduced: Reduced, points: list[tuple[int, ...]], rays: list[tuple[int, ...]]
) -> np.ndarray | None:
    """Exact incidence; None unless every point is a vertex and every ray is extreme."""
    out = []
    for rows, rank in ((points, reduced.n), (rays, reduced.n - 1)):
        for entry in rows:
            den, x = (entry[0], entry[1:]) if rank == reduced.n else (0, entry)
            slacks = [
                b * den - sum(map(mul, a, x))
                for a, b in zip(reduced.normals, reduced.offsets, strict=True)
            ]
            tight = [slack == 0 for slack in slacks]
            chosen = [list(a) for a, t in zip(reduced.normals, tight, strict=True) if t]
            if min(slacks) < 0 or (rank and (not chosen or fmpz_mat(chosen).rank() != rank)):
                return None
            out.append(tight)
    return np.array(out, dtype=bool).reshape(-1, len(reduced.offsets))
