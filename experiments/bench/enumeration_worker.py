"""How much memory does one enumeration need?  In a process of its own: prints one JSON object.

python -m experiments.bench.enumeration_worker FAMILY DIMENSION HALFSPACES SEED
"""

import json
import re
import sys
import time
from pathlib import Path

from experiments.bench.enumeration_sets import SMOKE, LayerSize
from polytope.answers.generators import Generators


def enumerate_all(size: LayerSize) -> tuple[Generators, float]:
    """Lists a set with every exact coordinate and the witness read.

    Returns:
        The lists, and the seconds it took from the integer rows on, where the peers start too.
    """
    polytope = size.polytope(size.layer())
    polytope.layer.system.prepare()
    began = time.perf_counter()
    found = polytope.vertices()
    for vector in (*found.points, *found.rays, *found.lines):
        _ = vector.numerators, vector.denominator
    if found.certificate is not None:
        _ = found.certificate.witness
    return found, time.perf_counter() - began


def resident(field: str) -> int:
    """Returns VmRSS (now) or VmHWM (most ever) of this process in bytes; Linux only."""
    found = re.search(rf"{field}:\s*([0-9]+) kB", Path("/proc/self/status").read_text())
    return 1024 * int(found[1]) if found else 0


def measure(size: LayerSize) -> dict[str, float]:
    """Measures peak memory above what imports and a small enumeration need."""
    enumerate_all(LayerSize("box", *SMOKE[-1], size.seed))
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts again from now
    before = resident("VmRSS")
    found, _ = enumerate_all(size)
    return {
        "vertices": len(found.points),
        "peak": max(0, resident("VmHWM") - before),
        "kept": max(0, resident("VmRSS") - before),
    }


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[2:5]]
    print(json.dumps(measure(LayerSize(sys.argv[1], numbers[0], numbers[1], numbers[2]))))
