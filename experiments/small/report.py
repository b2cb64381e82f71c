"""What does the report of `collide small` say?  Its page, read from the record."""

from experiments.run.words import counted
from experiments.show.numbers import percent, short
from experiments.show.page import Page, Section
from experiments.small.results import SmallResults
from experiments.small.tables import target_name

_SECTIONS = (
    Section(
        name="sets",
        title="Relaxed against exact: how much of the set is seen",
        tables=("sets",),
        figures=(
            ("projection", "The set's vertices and the hulls of the points found, projected."),
            ("section", "The set, or a section of it, with the inequalities on its sides."),
        ),
    ),
    Section(
        name="facts",
        title="What this set is",
        tables=("facts",),
        proofs=("box-",),
    ),
    Section(
        name="units",
        title="Every inactive unit",
        tables=("units",),
        figures=(("images", "Images of the exact and relaxed vertices of some units."),),
        proofs=("unit-", "distance-"),
    ),
    Section(
        name="targets",
        title="Every test point",
        tables=("targets",),
        figures=(("targets", "Number of vertices of every test point by its active units."),),
    ),
)


def small_page(results: SmallResults) -> Page:
    """Returns what a run says of itself."""
    data, network = results.data, results.network
    kept = "" if data.variance == 1 else f", {percent(data.variance)} of the variance"
    return Page(
        title=f"A small network on the {data.name}",
        heading=f"A small network analysed completely: {data.name}",
        lead=(
            f"Data: {data.name}, {data.dimension} inputs{kept}, {data.n_train} points for "
            f"training and {data.n_test} for testing. Network {network.architecture}, test "
            f"accuracy {percent(network.accuracy)}. Target: {target_name(results)}."
        ),
        conclusion=conclusion(results),
        headline=headline(results),
        sections=_SECTIONS,
        points="points.npz",
    )


def conclusion(results: SmallResults) -> str:
    """Returns the run's result in one sentence."""
    facts, own = results.facts, results.hulls["units"]
    if facts.dimension == 0:
        return "Nothing else in the box collides with the target: the set is this one point."
    text = (
        f"The set has dimension {facts.dimension} and "
        f"{counted(results.vertices.count, 'vertices')} (complete, certified); "
        f"the exact minima of all {own.points} inactive units show "
        f"{own.distinct} of them"
    )
    if own.hausdorff.upper == 0:
        return f"{text}, and their hull is the whole set."
    share = own.volume_ratio
    volume = "" if share is None else f" hold {percent(share)} of its volume in their hull"
    return (
        f"{text},{f'{volume},' if volume else ''} and leave points of the set up to "
        f"{short(own.hausdorff.upper, 3)} away, of a diameter of "
        f"{short(results.whole.diameter.upper, 3)}."
    )


def headline(results: SmallResults) -> list[str]:
    """Returns the main numbers as sentences, without a verdict."""
    lines = []
    for key, name in (("hinge", "the hinge"), ("absolute", "the paper's penalty")):
        hull, found = results.hulls[key], results.relaxed[key].comparisons
        vertices = sum(each.is_vertex for each in found)
        lines.append(
            f"relaxed vertices by {name}: Hausdorff distance of their hull and the set "
            f"{short(hull.hausdorff.upper, 3)} (set to hull {short(hull.from_set.upper, 3)}, hull "
            f"to set {short(hull.from_hull.upper, 3)}); {vertices or 'none'} of {len(found)} "
            f"{'are vertices' if vertices > 1 else 'is a vertex'}; tolerance needed up to "
            f"{short(max(each.smallest_tolerance for each in found))}"
        )
    alone = sum(each.dimension == 0 for each in results.targets)
    sizes = [each.vertices for each in results.targets if each.vertices is not None]
    lines.append(
        f"all {len(results.targets)} test points: {alone} have no other collision at all; the "
        f"others' sets have up to {counted(max(sizes, default=0), 'vertices')}"
    )
    return lines
