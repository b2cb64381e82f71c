"""What does one certified vertex cost, from a cold start?  Beside HiGHS alone and QSopt_ex."""

import argparse
import time
from collections import defaultdict
from fractions import Fraction
from typing import Any

from experiments.bench.layers import subject
from experiments.bench.peers import ESOLVER, esolver_path, highs_alone, qsopt_ex
from experiments.bench.report import Goal, Report, ratio, spread
from experiments.measure.case import Case
from experiments.run.progress import Progress
from polytope import verify
from polytope.errors import InputError

#: Key of each measured time -> its line in the table.
LINES = {
    "total": "ours: certified vertex, cold start",
    "float": "  of which HiGHS within ours",
    "proof": "  of which proof of optimality and vertex",
    "rest": "  of which exact split, scaling, model",
    "cpu": "  CPU time of all this",
    "verify": "ours: verify() from the stored numbers",
    "highs_ours": "HiGHS alone, our options (presolve off)",
    "highs_default": "HiGHS alone, its default options",
    "qsopt_ex": "QSopt_ex (esolver process, with reading)",
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds this benchmark's options."""
    parser.add_argument("--units", type=int, default=5, help="how many inactive units, the first")
    parser.add_argument("--runs", type=int, default=3, help="times that each unit is solved")
    parser.add_argument("--qsopt-units", type=int, default=1, help="of these, given to QSopt_ex")
    parser.add_argument("--qsopt-runs", type=int, default=1, help="times that QSopt_ex solves each")
    parser.add_argument("--qsopt-limit", type=float, default=600, help="its seconds for each")


def run(options: argparse.Namespace) -> Report:
    """Measures ours, HiGHS and QSopt_ex in turns on the same programs.

    Raises:
        InputError: a count is not positive, or there are fewer inactive units.
    """
    _check(options)
    progress = Progress(quiet=options.quiet)
    measured = subject(options)
    case = measured.case()
    system = case.polytope().layer.system
    units = case.polytope().inactive_units[: options.units]
    if len(units) < options.units:
        raise InputError(f"units must be at most {len(units)}, the inactive ones")
    times: dict[str, list[float]] = defaultdict(list)
    values: dict[int, Fraction] = {}
    off: list[float] = []
    for _, unit in progress.track(
        [(k, unit) for k in range(options.runs) for unit in units],
        total=options.runs * len(units),
        unit="vertices",
    ):
        values[unit] = _ours(case, unit, times)
        for key, ours in (("highs_ours", True), ("highs_default", False)):
            seconds, value = highs_alone(case, unit, ours=ours)
            times[key].append(seconds)
            off.append(abs(value - float(values[unit])))
    agree, notes = _exact_peer(options, case, units, values, times, progress)
    compared = units[: options.qsopt_units] if agree else ()
    return Report(
        title=f"One certified vertex, cold start, proof included. {measured.words}; units "
        f"{', '.join(map(str, units))}; {system.n_inputs} variables x {len(system.rows)} rows; "
        f"runs: {options.runs}.",
        headings=["seconds", "median", "min", "max"],
        rows=[[line, *spread(times[key])] for key, line in LINES.items()],
        goals=_goals(times),
        notes=[
            '"Ours" starts from the float32 arrays and ends with point, value and witness in hand.',
            f"Largest difference of a HiGHS value from the exact one: {max(off):.1e}.",
            *notes,
        ],
        data=measured.data,
        results={
            "units": units,
            "values": values,
            "qsopt_ex_agrees": {unit: agree[unit] for unit in compared},
        },
        timings={key: times[key] for key in LINES},
    )


def _check(options: argparse.Namespace) -> None:
    for name in ("units", "runs"):
        if getattr(options, name) < 1:
            raise InputError(f"{name} must be at least 1; got {getattr(options, name)}")
    for name in ("qsopt_units", "qsopt_runs"):
        if getattr(options, name) < 0:
            raise InputError(f"{name} must not be negative; got {getattr(options, name)}")


def _ours(case: Case, unit: int, times: dict[str, list[float]]) -> Fraction:
    """Solves one unit from scratch and notes where the time went."""
    began, cpu = time.perf_counter(), time.process_time()
    result = case.polytope().unit_vertex(unit)
    if result.certificate is None or result.value is None or not result.is_vertex:
        raise AssertionError(f"a bounded polytope with its target has a vertex: {result.reason}")
    solved = time.perf_counter()
    _ = result.certificate.witness
    ended = time.perf_counter()
    times["cpu"].append(time.process_time() - cpu)
    # Refinement steps and an exact engine, where they were needed, count as proof.
    inside = {k: v for k, v in result.timings.items() if k != "float"}
    proof = sum(inside.values()) + ended - solved
    times["total"].append(ended - began)
    times["float"].append(result.timings["float"])
    times["proof"].append(proof)
    times["rest"].append(ended - began - proof - result.timings["float"])
    began = time.perf_counter()
    verify(result.certificate)
    times["verify"].append(time.perf_counter() - began)
    return result.value


def _exact_peer(
    options: argparse.Namespace,
    case: Case,
    units: tuple[int, ...],
    values: dict[int, Fraction],
    times: dict[str, list[float]],
    progress: Progress,
) -> tuple[dict[int, bool], list[str]]:
    """Gives some of the programs to QSopt_ex; whether its values equal ours, and what to note."""
    if not (options.qsopt_units and options.qsopt_runs):
        return {}, ["QSopt_ex was not asked for."]
    if esolver_path() is None:
        return {}, [
            f"QSopt_ex is missing: no comparison with it (its program {ESOLVER} is in the Debian "
            "package qsopt-ex)."
        ]
    layer = case.polytope().layer
    agree: dict[int, bool] = {}
    for unit in units[: options.qsopt_units]:
        progress.say(f"QSopt_ex solves unit {unit} (half a minute or so)")
        for _ in range(options.qsopt_runs):
            answer = qsopt_ex(layer.system, unit, limit=options.qsopt_limit)
            times["qsopt_ex"].append(answer.seconds)
            same = answer.value + layer.biases[unit] == values[unit]
            agree[unit] = agree.get(unit, True) and same
    verdict = "equal ours exactly" if all(agree.values()) else "DIFFER from ours"
    return agree, [f"QSopt_ex's optimal values {verdict} ({len(agree)} compared)."]


def _goals(times: dict[str, list[float]]) -> list[Goal]:
    timed: dict[str, Any] = {"reach": 0.5, "side": "at most", "unit": " x"}
    return [
        Goal(
            "proof / HiGHS alone with our options",
            ratio(times["proof"], times["highs_ours"]),
            **timed,
        ),
        Goal(
            "proof / HiGHS alone, defaults", ratio(times["proof"], times["highs_default"]), **timed
        ),
        Goal("QSopt_ex / ours", ratio(times["qsopt_ex"], times["total"]), 40, "at least", " x"),
    ]
