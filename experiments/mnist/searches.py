"""What is each search called, and when does it end?  Numbers come from `optimize`'s defaults."""

from experiments.mnist.results import RelaxedSet, VertexSet
from optimize import Splitting, Stopping
from optimize.search.splitting import CONSTRAINED_TOLERANCE, PENALTY_TOLERANCE

#: Family -> what a table calls it.  Whether its searches converged is counted, never named.
FAMILY = {
    "early": "relaxed: paper's recipe, stopped at the paper's distance",
    "authors": "relaxed: paper's penalty, authors' optimiser",
    "absolute": "relaxed: paper's penalty, run to convergence",
    "hinge": "relaxed: hinge, run to convergence",
    "exact": "exact",
}
START = {"target": "target", "other": "another digit", None: "none needed"}
CONTROL = {
    "none": "",
    "never": "; control: never-lit pixels fixed",
    "rarely": "; control: pixels lit in <1% fixed",
}


def _plateau() -> str:
    usual = Stopping()
    steps = usual.patience * usual.check_every
    return (
        f"ends on a plateau, once eq. 1 has not fallen by {usual.plateau_tolerance:g} of "
        f"max(1, |value|) in {steps:,} steps"
    )


#: Family -> when its search ends, and what its duality gap proves; of "early", see `STOPPED`.
RULES = {
    "authors": _plateau(),
    "absolute": "converged once (value of eq. 1 - lower bound) <= "
    f"{PENALTY_TOLERANCE:g} max(1, |value|), by duality gap in float64",
    "hinge": "solves the constrained problem; converged once no constraint is off by more than "
    f"{Splitting().feasibility:g} and |minimum - lower bound| <= "
    f"{CONSTRAINED_TOLERANCE:g} max(1, |minimum|), by duality gap in float64",
}


def name_of(one: VertexSet) -> str:
    """Returns what a table calls one set of vertices."""
    return FAMILY[one.family] + CONTROL[one.control]


def title_of(one: VertexSet) -> str:
    """Returns the name with the count of searches that converged, where the method can.

    A title reads "relaxed: hinge, run to convergence; 1 of 2 converged". That of the recipe says
    where the paper's distance was not reached.
    """
    if not isinstance(one, RelaxedSet) or one.family == "authors":
        return name_of(one)
    ended = one.search.status
    if one.family == "early":
        reached = set(ended) == {"stopped"}
        return name_of(one) + ("" if reached else f"; not reached in {steps_of(one)} steps")
    return f"{name_of(one)}; {ended.count('converged')} of {len(ended)} converged"


def steps_of(one: RelaxedSet) -> str:
    """Returns the steps that a search took, those of its longest vertex."""
    return f"{max(one.search.steps):,}"
