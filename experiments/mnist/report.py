"""What does the report of `collide mnist` say?  Its page, read from the record."""

from collections.abc import Iterator
from fractions import Fraction

from experiments.measure.facts import DOMAINS
from experiments.mnist.results import MnistResults, NetworkResults, RelaxedSet, VertexSet
from experiments.mnist.searches import steps_of, title_of
from experiments.models.presets import PRESETS
from experiments.paper import TABLE_2
from experiments.show.numbers import approx, fixed, percent, short
from experiments.show.page import Page, Section

_SECTIONS = (
    Section(
        name="table2",
        title="Table 2: distances and success",
        tables=("table2",),
        proofs=tuple(f"{name}-vertex-" for name in PRESETS),
    ),
    Section(
        name="table1",
        title="Table 1: the vertices",
        figures=tuple(
            (
                f"table1-{name}",
                f"{name} network, rows of five images each: relaxed, exact, controls.",
            )
            for name in PRESETS
        ),
    ),
    Section(
        name="course",
        title="The paper's recipe on its way",
        figures=(("course", "Distance, errors and way of the vertices against the steps taken."),),
    ),
    Section(
        name="facts",
        title="What this set is",
        tables=("facts",),
        proofs=tuple(f"{name}-{domain}-" for name in PRESETS for domain in DOMAINS),
    ),
    Section(
        name="comparison",
        title="Relaxed beside exact",
        tables=("comparison",),
        proofs=tuple(f"{name}-distance-" for name in PRESETS),
    ),
    Section(
        name="nearest",
        title="Nearest exact collisions",
        tables=("nearest",),
        figures=(("nearest", "For each digit its image and the nearest exact collisions."),),
        proofs=tuple(f"{name}-nearest." for name in PRESETS),
    ),
    Section(
        name="curve",
        title="Tolerance against distance",
        tables=("curve",),
        figures=(("curve", "Distance to another digit's image falls as the tolerance grows."),),
        proofs=tuple(f"{name}-curve." for name in PRESETS),
    ),
    Section(
        name="controls",
        title="The controls",
        figures=(("masks", "Maps of the pixels that training hardly ever lights."),),
    ),
)


def mnist_page(results: MnistResults) -> Page:
    """Returns what a run says of itself."""
    first = results.networks[0]
    target = first.target
    networks = "; ".join(
        f"{each.name}: {percent(each.network.accuracy, 2)}" for each in results.networks
    )
    return Page(
        title="Collision polytopes on MNIST",
        heading="Exact and relaxed collisions at the first hidden layer, MNIST",
        lead=(
            f"Target: test image {target.index}, a {target.label}. Networks "
            f"{first.network.architecture}, test accuracy of {networks}."
        ),
        conclusion=conclusion(results),
        headline=headline(results),
        sections=_SECTIONS,
        points="vertices.npz",
    )


def conclusion(results: MnistResults) -> str:
    """Returns the run's result, one sentence a network."""
    return " ".join(map(_conclusion, results.networks))


def _conclusion(each: NetworkResults) -> str:
    early, found = each.search("early"), each.search("absolute")
    reached = set(early.search.status) == {"stopped"}
    way = f"after {steps_of(early)} steps" if reached else f"not within {steps_of(early)} steps"
    exact = _apart(each.vertices(), "of the distance of random test images")
    return (
        f"{each.name} network: the paper's recipe is {TABLE_2[0].vertex_distance} apart {way}, "
        f"where {_colliding(early)}; the minimum of the paper's penalty: {_apart(found)}, "
        f"{_colliding(found)}; exact vertices: {exact}."
    )


def _colliding(found: RelaxedSet) -> str:
    """How many of a search's points collide exactly, and within which tolerances the others do."""
    tolerances = [each.smallest_tolerance for each in found.comparisons]
    meeting = tolerances.count(Fraction(0))
    text = (
        f"{meeting or 'none'} of {len(tolerances)} points "
        f"{'collide' if meeting > 1 else 'collides'} exactly"
    )
    known = [approx(value) for value in tolerances]
    if not known or None in known:
        return text
    ends = f"{short(min(tolerances))} to {short(max(tolerances))}"
    return f"{text} (smallest tolerances {ends})"


def _apart(one: VertexSet, what: str = "") -> str:
    if one.measured is None:
        return "undecided"
    share = f"{percent(one.measured.ratio)} {what}".rstrip()
    return f"{fixed(one.measured.distance)} apart ({share})"


def headline(results: MnistResults) -> list[str]:
    """Returns the run's main numbers as sentences, without a verdict."""
    return [line for each in results.networks for line in _headline(each)]


def _headline(each: NetworkResults) -> Iterator[str]:
    for one in each.sets:
        start = f" (start: {one.start})" if one.start else ""
        distance, ratio = (
            one.measured and one.measured.distance,
            one.measured and one.measured.ratio,
        )
        yield (
            f"{each.name} network, {title_of(one)}{start}: mean distance of the vertices "
            f"{fixed(distance)}, {percent(ratio)} of the distance of test images"
        )
    hinge = [c for one in each.relaxed if one.family == "hinge" for c in one.comparisons]
    gaps = [c.relative_gap for c in hinge if c.relative_gap is not None]
    if gaps and len(gaps) == len(hinge):
        yield (
            f"{each.name} network, hinge runs: largest relative gap to the exact minimum "
            f"{short(max(gaps))}, smallest tolerance at which every found point collides "
            f"{short(max(c.smallest_tolerance for c in hinge))} (largest over the points)"
        )
