"""What if every float solver lies?  All answers must stay right, or be undecided.

    python -m tests.campaigns.lies --count 12

replaces one float routine after another (HiGHS, cvxpy, numpy's and scipy's linear algebra, and our
own proposers) by one that returns garbage, NaN, wrong statuses, empty or impossible bases, or
raises, and asks every question of ``--count`` instances under each lie.  Two exact engines, that no
lie touches, say what is right.  Exit code 0 if nothing was wrong and nothing crashed.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import cvxpy
import numpy as np
import pytest
import scipy.linalg
import scipy.optimize

from polytope.lp import highs, interior_point, linprog
from polytope.lp.highs import Basis, FloatStatus, Proposal
from polytope.questions import interior, safe_bounds
from polytope.vertices import crossover
from tests.campaigns.differential import Comparison, draw
from tests.campaigns.differential_tally import Tally
from tests.campaigns.lies_distortions import DISTORTIONS, distorted, raises
from tests.campaigns.lies_highs import HIGHS
from tests.campaigns.lies_subjects import SUBJECTS, differences, truth

Patch = Any  # of pytest, or one that counts
Rng = np.random.Generator
Tell = Callable[[Patch, Rng], None]


def _routine(owner: Any, name: str, change: Callable[..., Any] | None) -> Tell:
    """Lie about one library routine: a distorted result, or an exception (None)."""

    def tell(patch: Patch, rng: Rng) -> None:
        true = getattr(owner, name)

        @functools.wraps(true)
        def lying(*args: Any, **options: Any) -> Any:
            if change is None:
                raise raises(rng)
            return distorted(true(*args, **options), change, rng)

        patch.setattr(owner, name, lying)

    return tell


ROUTINES: dict[str, tuple[Any, str]] = {
    "numpy.linalg.inv": (np.linalg, "inv"),
    "numpy.linalg.pinv": (np.linalg, "pinv"),
    "numpy.linalg.qr": (np.linalg, "qr"),
    "numpy.linalg.solve": (np.linalg, "solve"),
    "numpy.linalg.slogdet": (np.linalg, "slogdet"),
    "scipy.linalg.qr": (scipy.linalg, "qr"),
    "crossover.qr": (crossover, "qr"),
    "lapack.dgetrf": (crossover.lapack, "dgetrf"),
    "lapack.dgetrs": (crossover.lapack, "dgetrs"),
    "cho_factor": (interior_point, "cho_factor"),
    "cho_solve": (interior_point, "cho_solve"),
    "nnls": (scipy.optimize, "nnls"),
    "linprog": (safe_bounds, "linprog"),
    "interior_proposal": (interior, "interior_proposal"),
    "onto_equalities: qr": (interior, "_well_conditioned"),
}


# ---- Our own proposers, and cvxpy --------------------------------------------------------------


def _any_basis(patch: Patch, rng: Rng) -> None:
    """Bases with any number of columns and rows, each once, on any side."""

    def propose(self: Any, program: Any) -> Proposal:
        columns, rows = program.n, len(program.rows)
        some = [sorted(rng.permutation(n)[: rng.integers(0, n + 1)].tolist())
                for n in (columns, rows, columns, columns)]  # fmt: skip
        basis = Basis(tuple(some[0]), tuple(some[1]), frozenset(some[2]), frozenset(some[3]))
        return Proposal(list(FloatStatus)[int(rng.integers(4))], basis)

    def refined(self: Any, costs: Any, *_: Any) -> Proposal:
        return Proposal(FloatStatus.OPTIMAL, None)

    patch.setattr(highs.Proposer, "propose", propose)
    patch.setattr(highs.Proposer, "propose_refined", refined)


def _no_proposals(patch: Patch, rng: Rng) -> None:
    """Nobody proposes anything at all."""
    patch.setattr(highs.Proposer, "propose", lambda *_: Proposal(FloatStatus.UNKNOWN, None))
    patch.setattr(interior, "interior_proposal", lambda *_: None)
    patch.setattr(crossover, "push", lambda *_, **__: None)


def _dense(patch: Patch, rng: Rng) -> None:
    """The interior point method is asked about everything, and proposes any basis."""

    def propose(program: Any) -> Basis | None:
        n, m = program.n, len(program.rows)
        size = int(rng.integers(0, min(n, m) + 1))
        basic, tight = (sorted(rng.permutation(k)[:size].tolist()) for k in (n, m))
        rest = sorted(set(range(n)) - set(basic))
        upper = frozenset(j for j in rest if rng.random() < 0.5)
        return Basis(tuple(basic), tuple(tight), upper, frozenset())

    patch.setattr(linprog.interior_point, "suits", lambda program: True)
    patch.setattr(linprog.interior_point, "propose", propose)


def _crossover(patch: Patch, rng: Rng) -> None:
    """The walk over a face ends at any rows and columns."""

    def push(face: crossover.Face, *, seed: int = 0) -> crossover.Proposal:
        sizes = len(face.equal), len(face.loose), len(face.value)
        equal, loose, columns = (
            sorted(rng.permutation(n)[: rng.integers(0, n + 1)].tolist()) for n in sizes
        )
        columns = columns[: len(equal) + len(loose)]
        at_upper = rng.random(sizes[2]) < 0.5
        return crossover.Proposal(equal, loose, columns, at_upper, 1)

    patch.setattr(crossover, "push", push)


def _cvxpy(change: Callable[..., Any] | None) -> Tell:
    def tell(patch: Patch, rng: Rng) -> None:
        true = cvxpy.Problem.solve

        def solve(self: Any, *args: Any, **options: Any) -> Any:
            if change is None:
                raise cvxpy.SolverError("failed") if rng.random() < 0.5 else raises(rng)
            with contextlib.suppress(cvxpy.SolverError):
                true(self, *args, **options)
            for leaf in (*self.variables(), *(c.dual_variables[0] for c in self.constraints)):
                if leaf.value is not None:
                    leaf.save_value(change(np.asarray(leaf.value, dtype=float), rng))

        patch.setattr(cvxpy.Problem, "solve", solve)

    return tell


LIES: dict[str, Tell] = {
    **HIGHS,
    "any basis": _any_basis,
    "no proposals": _no_proposals,
    "any basis of the interior point method": _dense,
    "any end of the crossover": _crossover,
    **{f"cvxpy: {c.__name__[1:]}": _cvxpy(c) for c in DISTORTIONS},
    "cvxpy raises": _cvxpy(None),
    **{
        f"{name}: {'raises' if change is None else change.__name__[1:]}": _routine(
            owner, attribute, change
        )
        for name, (owner, attribute) in ROUTINES.items()
        for change in (*DISTORTIONS, None)
    },
}


#: How often each lie was really told: a routine nobody calls proves nothing.
TOLD: Counter[str] = Counter()


class _Patch:
    """A monkeypatch whose replacements count their calls."""

    def __init__(self, patch: Patch, name: str) -> None:
        self._patch, self._name = patch, name

    def setattr(self, owner: Any, attribute: str, replacement: Callable[..., Any]) -> None:
        def counted(*args: Any, **options: Any) -> Any:
            TOLD[self._name] += 1
            return replacement(*args, **options)

        self._patch.setattr(owner, attribute, counted)


@contextlib.contextmanager
def told(name: str, seed: int = 0) -> Iterator[None]:
    """Everything inside is lied to."""
    with pytest.MonkeyPatch.context() as patch:
        LIES[name](_Patch(patch, name), np.random.default_rng([20191211, seed]))
        yield


def ask_subjects(name: str, tally: Tally) -> None:
    """The larger sets and the measures under one lie."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for subject in SUBJECTS:
            true, tally.name = truth(subject), subject.__name__
            try:
                with told(name, 1):
                    ours = subject()
            except Exception as error:
                tally.crash(subject.__name__, error)
                continue
            wrong, undecided = differences(ours, true)
            tally.compared[subject.__name__] += len(true)
            tally.wrong += [f"{subject.__name__}: {line}" for line in wrong]
            tally.undecided += [subject.__name__] * undecided


def ask(name: str, seeds: range) -> Tally:
    """Every question of some instances under one lie."""
    with Comparison() as comparison, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # garbage overflows: what matters is the answer
        for seed in seeds:
            case = draw(seed)
            with told(name, seed):
                comparison.ask(case, seed=seed)
    return comparison.tally


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Ask everything of us while the floats lie.")
    parser.add_argument("--count", type=int, default=12, help="instances under each lie")
    parser.add_argument("--start", type=int, default=0, help="number of the first instance")
    parser.add_argument("--only", default="", help="lies whose name contains this")
    options = parser.parse_args(argv)
    answers = undecided = 0
    bad: list[str] = []
    names = [name for name in LIES if options.only in name]
    for k, name in enumerate(names):
        first = options.start + k * options.count
        told_before = TOLD[name]
        tally = ask(name, range(first, first + options.count))
        ask_subjects(name, tally)
        answers, undecided = answers + tally.n_compared, undecided + len(tally.undecided)
        wrong = [*tally.wrong, *tally.crashes]
        bad += [f"{name}: {line}" for line in wrong]
        print(
            f"{name}: told {TOLD[name] - told_before} times, {tally.n_compared} answers, "
            f"{len(tally.undecided)} undecided, {len(tally.wrong)} wrong, "
            f"{len(tally.crashes)} crashes",
            flush=True,
        )
    print("\n".join(f"BAD: {line}" for line in bad))
    print(
        f"{len(names)} lies: {answers} answers, {undecided} undecided, {len(bad)} wrong or crashed"
    )
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
