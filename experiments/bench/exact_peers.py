"""What do the exact peers list?  lrs, Normaliz, PPL and cdd with GMP on the same integer rows.

Each peer lives in a child process that is warm before the clock starts, and is stopped at a
deadline.  What its clock covers: PPL, cdd.gmp and Normaliz are timed in process, from their rows
handed over to their generators in hand; lrs is a program, and states itself how much processor time
it used, reading and printing included (to 1 ms).
"""

import importlib.util
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from experiments.bench.exact_sets import (
    EMPTY,
    ExactSet,
    HalfspaceSystem,
    exact_set,
    homogeneous,
    set_of,
)
from polytope.errors import FileFormatError
from polytope.exact.rounding import load_ppl
from polytope.formats import cdd as cdd_format
from polytope.formats.representations import HalfspaceRows, VRepresentation

_LRS_TIME = re.compile(r"^\*([0-9.]+)u ([0-9.]+)s ", re.MULTILINE)
#: Seconds that a child may take to start and import its peer.
START = 120


@dataclass(frozen=True)
class Answer:
    """What a peer said.

    Attributes:
        listed: its V-representation in comparable form; None where it ran out of time.
        seconds: by its clock (see above); the limit where it ran out of time.
        failure: why there is no list; empty if there is one.
    """

    listed: ExactSet | None
    seconds: float
    failure: str = ""


def lrs_path() -> str | None:
    """Returns where the program lrs lies: on the path, or in the package passagemath-lrslib."""
    found = shutil.which("lrs")
    if found is not None:
        return found
    for place in sys.path:
        program = Path(place or ".") / "sage_wheels" / "bin" / "lrs"
        if program.is_file():
            return str(program)
    return None


def _has_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # of a package that is not there
        return False


#: Peer -> whether it is here, and what to install otherwise.
PRESENT: dict[str, tuple[Callable[[], bool], str]] = {
    "lrs": (lambda: lrs_path() is not None, "the program lrs, or the extra peers"),
    "Normaliz": (lambda: _has_module("PyNormaliz"), "PyNormaliz, in the extra peers"),
    "PPL": (lambda: _has_module("ppl"), "pplpy"),
    "cdd.gmp": (lambda: _has_module("cdd.gmp"), "pycddlib, the extra cdd"),
}


def installed() -> list[str]:
    """Returns the names of the peers that are here."""
    return [name for name, (here, _) in PRESENT.items() if here()]


def missing() -> list[str]:
    """Returns a sentence for each peer that is not."""
    return [f"{name} is missing: {what}." for name, (here, what) in PRESENT.items() if not here()]


def solve_ppl(system: HalfspaceSystem) -> Answer:
    """Lists by PPL's double description (Bagnara, Hill & Zaffanella 2008)."""
    ppl = load_ppl()

    n = system.n_inputs
    began = time.perf_counter()
    constraints = ppl.Constraint_System()
    for row in system.inequalities:
        constraints.insert(ppl.Linear_Expression(row[1:], row[0]) >= 0)
    for row in system.equations:
        constraints.insert(ppl.Linear_Expression(row[1:], row[0]) == 0)
    space = ppl.C_Polyhedron(n, "universe")
    space.add_constraints(constraints)
    listed = [] if space.is_empty() else list(space.minimized_generators())
    seconds = time.perf_counter() - began

    def integers(generator: Any) -> tuple[int, ...]:
        found = [int(v) for v in generator.coefficients()]
        return (*found, *(0,) * (n - len(found)))

    found = exact_set(
        ((int(g.divisor()), *integers(g)) for g in listed if g.is_point()),
        (integers(g) for g in listed if g.is_ray()),
        [integers(g) for g in listed if g.is_line()],
    )
    return Answer(found, seconds)


def solve_cdd(system: HalfspaceSystem) -> Answer:
    """Lists by cddlib's double description with GMP (Fukuda); a cone's apex is put back."""
    import cdd
    import cdd.gmp

    rows = [[Fraction(v) for v in row] for row in system.rows]
    equations = range(len(system.inequalities), len(rows))
    began = time.perf_counter()
    matrix = cdd.gmp.matrix_from_array(
        rows, rep_type=cdd.RepType.INEQUALITY, lin_set=set(equations)
    )
    found = cdd.gmp.copy_generators(cdd.gmp.polyhedron_from_matrix(matrix))
    array, linear = found.array, found.lin_set
    seconds = time.perf_counter() - began
    points = [homogeneous(row[1:]) for row in array if row[0] == 1]
    if not points and system.is_homogeneous:
        points = [(1, *(0,) * system.n_inputs)]
    directions = [(k, homogeneous(row[1:])[1:]) for k, row in enumerate(array) if row[0] == 0]
    rays = [row for k, row in directions if k not in linear]
    lines = [row for k, row in directions if k in linear]
    return Answer(exact_set(points, rays, lines), seconds)


def solve_normaliz(system: HalfspaceSystem) -> Answer:
    """Lists by Normaliz (Bruns, Ichim, Soeger et al.), with GMP integers.

    Its default, machine integers that are to notice overflows, lost vertices of boxes with
    41-bit numbers (Normaliz of PyNormaliz 2.24); GMP was as fast on float32 layers.
    """
    import PyNormaliz

    # Without inequalities it would add x >= 0.
    inequalities = system.inequalities or ((1, *(0,) * system.n_inputs),)
    given = {"inhom_inequalities": [[*row[1:], row[0]] for row in inequalities]}
    if system.equations:
        given["inhom_equations"] = [[*row[1:], row[0]] for row in system.equations]
    began = time.perf_counter()
    cone = PyNormaliz.Cone(**given)
    cone.Compute("VerticesOfPolyhedron", "ExtremeRays", "MaximalSubspace", "BigInt")
    points, rays = cone.VerticesOfPolyhedron(), cone.ExtremeRays()
    lines = cone.MaximalSubspace()
    seconds = time.perf_counter() - began
    found = exact_set(
        ((row[-1], *row[:-1]) for row in points),
        (tuple(row[:-1]) for row in rays),
        [tuple(row[:-1]) for row in lines],
    )
    return Answer(found, seconds)


def solve_lrs(system: HalfspaceSystem, limit: float = START) -> Answer:
    """Lists by lrs's reverse search (Avis & Fukuda 1992); repeated rays are merged.

    Raises:
        TimeoutExpired: it did not end within `limit` seconds.
        FileFormatError: it did not print a V-representation and its time.
    """
    rows = HalfspaceRows(
        system.n_inputs, [[*r] for r in system.inequalities], [[*r] for r in system.equations]
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "set.ine"
        path.write_text(cdd_format.halfspaces_text(rows))
        done = subprocess.run(
            [lrs_path() or "lrs", str(path)],
            capture_output=True,
            text=True,
            timeout=limit,
            check=False,
        )
    return parse_lrs(done.stdout)


def parse_lrs(text: str) -> Answer:
    """Returns what lrs printed, and its processor time.

    Raises:
        FileFormatError: there is no V-representation or no time in it.
    """
    times = _LRS_TIME.findall(text)
    if not times:
        raise FileFormatError(f"lrs: expected a line *...u ...s, got {text[-80:]!a}")
    seconds = sum(map(float, times[-1]))
    if "No feasible solution" in text:
        return Answer(EMPTY, seconds)
    # After an overflow it starts again with longer integers, from the first line on.
    found = cdd_format.parse(text[text.rfind("V-representation") :], "lrs")
    if not isinstance(found, VRepresentation):
        raise FileFormatError("lrs: expected a V-representation, got an H-representation")
    return Answer(set_of(found), seconds)


SOLVERS: dict[str, Callable[[HalfspaceSystem], Answer]] = {
    "lrs": solve_lrs,
    "Normaliz": solve_normaliz,
    "PPL": solve_ppl,
    "cdd.gmp": solve_cdd,
}
