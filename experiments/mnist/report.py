"""What does the report of `collide mnist` say?  Its page, read from the record."""

from fractions import Fraction

from experiments.mnist.results import MnistResults, VertexSet
from experiments.mnist.searches import title_of
from experiments.show.numbers import approx, fixed, percent, short
from experiments.show.page import Page, Section

_SECTIONS = (
    Section(
        name="table2",
        title="Table 2: distances and success",
        tables=("table2",),
        proofs=("vertex-",),
    ),
    Section(
        name="table1",
        title="Table 1: the vertices",
        figures=(("table1", "Rows of five images each: relaxed, exact and control vertices."),),
    ),
    Section(
        name="facts",
        title="What this set is",
        tables=("facts",),
        proofs=("free-", "nonnegative-", "box-"),
    ),
    Section(
        name="comparison",
        title="Relaxed beside exact",
        tables=("comparison",),
        proofs=("distance-",),
    ),
    Section(
        name="nearest",
        title="Nearest exact collisions",
        tables=("nearest",),
        figures=(("nearest", "For each digit its image and the nearest exact collisions."),),
        proofs=("nearest.",),
    ),
    Section(
        name="curve",
        title="Tolerance against distance",
        tables=("curve",),
        figures=(("curve", "Distance to another digit's image falls as the tolerance grows."),),
        proofs=("curve.",),
    ),
    Section(
        name="controls",
        title="The controls",
        figures=(("masks", "Maps of the pixels that training hardly ever lights."),),
    ),
)


def mnist_page(results: MnistResults) -> Page:
    """Returns what a run says of itself."""
    target, network = results.target, results.network
    return Page(
        title="Collision polytopes on MNIST",
        heading="Exact and relaxed collisions at the first hidden layer, MNIST",
        lead=(
            f"Target: test image {target.index}, a {target.label}. Network "
            f"{network.architecture}, test accuracy {percent(network.accuracy, 2)}."
        ),
        conclusion=conclusion(results),
        headline=headline(results),
        sections=_SECTIONS,
        points="vertices.npz",
    )


def conclusion(results: MnistResults) -> str:
    """Returns the run's result in one sentence: the exact vertices beside the paper's penalty's."""
    exact = next(one for one in results.exact if one.control == "none")
    found = next(
        one
        for one in results.relaxed
        if (one.family, one.start, one.control) == ("absolute", "target", "none")
    )
    tolerances = [each.smallest_tolerance for each in found.comparisons]
    meeting = tolerances.count(Fraction(0))
    text = (
        f"Exact vertices: {_apart(exact, 'of the distance of random test images')}; "
        f"the paper's penalty: {_apart(found)}; "
        f"{meeting or 'none'} of its {len(tolerances)} points "
        f"{'collide' if meeting > 1 else 'collides'} exactly"
    )
    known = [approx(value) for value in tolerances]
    if not known or None in known:
        return f"{text}."
    ends = f"{short(min(tolerances))} to {short(max(tolerances))}"
    return f"{text} (smallest tolerances {ends})."


def _apart(one: VertexSet, what: str = "") -> str:
    if one.measured is None:
        return "undecided"
    share = f"{percent(one.measured.ratio)} {what}".rstrip()
    return f"{fixed(one.measured.distance)} apart ({share})"


def headline(results: MnistResults) -> list[str]:
    """Returns the run's main numbers as sentences, without a verdict."""
    lines = []
    for one in results.sets:
        start = f" (start: {one.start})" if one.start else ""
        distance, ratio = (
            one.measured and one.measured.distance,
            one.measured and one.measured.ratio,
        )
        lines.append(
            f"{title_of(one)}{start}: mean distance of the vertices {fixed(distance)}, "
            f"{percent(ratio)} of the distance of test images"
        )
    hinge = [each for one in results.relaxed if one.family == "hinge" for each in one.comparisons]
    gaps = [each.relative_gap for each in hinge if each.relative_gap is not None]
    if gaps and len(gaps) == len(hinge):
        lines.append(
            f"hinge runs: largest relative gap to the exact minimum {short(max(gaps))}, "
            "smallest tolerance at which every found point collides "
            f"{short(max(each.smallest_tolerance for each in hinge))} (largest over the points)"
        )
    return lines
