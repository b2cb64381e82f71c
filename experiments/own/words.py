"""What do the columns of find and compare say?  Sentences for the notes below their tables."""

from fractions import Fraction

from experiments.own.results import Searched
from experiments.show.numbers import short

#: Optimiser -> what it does.
_METHODS = {
    "Splitting": "operator splitting",
    "Adam": "Adam",
    "AugmentedLagrangian": "augmented Lagrangian",
    "Authors": "the authors' momentum form",
}
_STATUS = {
    "converged": (
        "converged: the duality gap is below the optimiser's tolerance and every residual below "
        "its feasibility, in float64"
    ),
    "plateau": "plateau: no further progress; nothing proves a minimum",
    "step_limit": "step limit: still moving when --steps ended it",
    "time_limit": "time limit: still moving when --max-seconds ended it",
    "diverged": "diverged: values became NaN or infinite",
}

#: Of the tables that hold a found point against the exact set.
COMPARED = (
    "exact minimum: the least pre-activation of the unit over the set; relaxed value: that of the "
    "found point, and search: why its search ended",
    "gap: relaxed value - exact minimum; it can be negative only where the found point lies "
    "outside of the set, and is often positive there too",
    "worst equality: largest distance of an active unit's pre-activation from the target's; worst "
    "inactive: largest positive pre-activation of an inactive unit (0: none is)",
    "leaves the domain by: largest distance of a coordinate beyond its bound; smallest tolerance: "
    "largest distance of a unit's post-activation from the target's, the least at which the point "
    "collides",
    "linf distance to the set: how far the coordinate that moves most has to move for the point to "
    "collide exactly; vertex?: whether the found point lies in the set and is one of its vertices",
)


def search_notes(found: Searched) -> list[str]:
    """Returns what was minimised, how, and what each status means."""
    search = found.search
    name = search.method.partition("(")[0]
    notes = []
    if name == "AugmentedLagrangian" or (name == "Splitting" and search.penalty == "hinge"):
        notes.append(
            f"minimised by {_METHODS[name]}: the unit's pre-activation, subject to what the "
            "polytope asks of the others (others = hinge; --alpha is not used)"
        )
    else:
        notes.append(
            f"minimised by {_METHODS.get(name, name)}: the paper's eq. 1 with others = "
            f"{search.penalty}, alpha = {search.alpha:g}"
        )
    for status in sorted(set(search.status)):
        text = _STATUS[status]
        if status == "converged" and found.bounds is None:
            text += ", an estimate as the input has no bounds"
        notes.append(text)
    return notes


def number(value: Fraction | float | None, digits: int = 3) -> str:
    """Returns a number rounded, an exact one never to the 0 that it is not."""
    text = short(value, digits)
    return "below 1e-300" if text == "0" and value else text


def yes_no(value: bool | None) -> str:
    """Returns yes, no, or nothing where it was not asked."""
    return "" if value is None else "yes" if value else "no"
