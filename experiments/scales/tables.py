"""Which tables does `collide scales` print?  Read from its record; nothing is computed here."""

import numpy as np

from experiments.mnist.survey_summary import spread
from experiments.scales.looks import NEIGHBOURS
from experiments.scales.results import ScalesResults, Share, Summary, deviation_text
from experiments.show.numbers import fixed, percent, spread_text
from experiments.show.proof_cells import proof_cell, uncertified
from experiments.show.tables import Table


def scales_tables(results: ScalesResults) -> list[Table]:
    """Returns all tables."""
    return [main_table(results), networks_table(results)]


def main_table(results: ScalesResults) -> Table:
    """One row a deviation."""
    rows = [_row(summary) for summary in results.summaries]
    digits = len(results.rows[0].found.near) if results.rows else 0
    return Table(
        name="scales",
        title="What the nearest exact collision looks like, by the scale of the initial weights",
        columns=(
            *("initial std", "accuracy", "confidence", "vertices apart", "rarely lit fixed"),
            *("l2 to the nearest collision", "keeps the start's class", "looks like the target's"),
            *("the same, CNN: start's", "target's"),
        ),
        rows=tuple(rows),
        proofs=tuple(_proofs(results, summary) for summary in results.summaries),
        notes=(
            "Initial std: standard deviation of all weights and biases before training. Accuracy: "
            "on the test images, mean over the networks; confidence: median over the test images.",
            "Vertices apart: mean l2 distance of the exact vertices of the first inactive units, "
            "mean ± std (least to largest) over targets and networks; then with the "
            f"{results.rarely_lit} pixels lit in under 1% of the training images held at the "
            f"target's values. Random test images are {fixed(results.image_distance)} apart.",
            f"Nearest collision: to the first test image of each of the {digits} digits other than "
            "the target's, the exact collision nearest to it (l2, upper of two proved bounds).",
            f"Class: the vote of the {NEIGHBOURS} nearest training images (l2); CNN: LeNet-5 "
            f"trained apart, accuracy {percent(results.judge_accuracy, 2)}.",
            _proved(results),
        ),
    )


def _row(summary: Summary) -> tuple[str, ...]:
    near = np.array(summary.nearest)
    return (
        deviation_text(summary.deviation),
        percent(float(np.mean(summary.accuracies)), 2),
        f"{np.mean(summary.confidences):.4f}",
        spread_text(spread(summary.exact)),
        spread_text(spread(summary.rarely)),
        f"{fixed(near.mean())} ({fixed(near.min())} to {fixed(near.max())})",
        *_share(summary.neighbours),
        *_share(summary.convolutional),
    )


def _share(found: Share) -> tuple[str, str]:
    count = found.start + found.target + found.other
    return f"{found.start} of {count}", f"{found.target} of {count}"


def _proofs(results: ScalesResults, summary: Summary) -> str:
    kept = [
        proof
        for row in results.rows
        if row.deviation == summary.deviation
        for proof in (*row.found.exact.certificates, *(n.certificate for n in row.found.near))
    ]
    return proof_cell(*kept)


def _proved(results: ScalesResults) -> str:
    vertices = sum(each.verified for each in results.summaries)
    asked = sum(each.asked for each in results.summaries)
    bounds = sum(each.bounds_verified for each in results.summaries)
    wanted = sum(each.bounds_asked for each in results.summaries)
    return (
        f"Checked: {vertices} of {asked} vertices and {bounds} of {wanted} distances have a "
        "certificate that the checker accepted; those of each network's first target are kept."
    )


def networks_table(results: ScalesResults) -> Table:
    """One row a network."""
    shares = {
        (summary.deviation, seed): share
        for summary in results.summaries
        for seed, share in enumerate(summary.by_seed)
    }
    rows = tuple(
        (
            deviation_text(net.deviation),
            str(net.seed),
            percent(net.accuracy, 2),
            f"{net.confidence:.4f}",
            f"{net.steps:,}",
            f"{net.weight_scale:.3f}",
            percent(shares[net.deviation, net.seed]),
        )
        for net in results.networks
    )
    return Table(
        name="scales-networks",
        title="The networks",
        columns=(
            *("initial std", "seed", "accuracy", "confidence", "steps", "trained std"),
            "keeps the start's class",
        ),
        rows=rows,
        proofs=uncertified(rows),
        notes=(
            "Trained std: of the first layer's trained weights on pixels that at least 1% of the "
            "training images light.",
        ),
    )
