"""`collide scales`: networks of several scales, and what their exact collisions look like."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from experiments.cli.main import main
from experiments.run.record import read_record
from experiments.scales import run as module
from experiments.scales.job import Near, TargetResults
from experiments.scales.looks import Look, neighbour_votes
from experiments.scales.options import ScalesOptions
from experiments.scales.results import Row, ScalesResults, share
from experiments.scales.tables import main_table
from polytope import verify
from polytope.errors import InputError
from tests.examples.small_runs import small_mnist, small_net


class Judge(nn.Module):
    """Stands in for the convolutional network: brightness by columns."""

    def forward(self, x):
        return x.reshape(len(x), 28, 28).sum(1)[:, 9:19]


def untrained(architecture, data, *, seed, root=None, report=None):
    """Stands in for `trained_net`."""
    net = replace(small_net(data, seed=seed + len(architecture.name)), seed=seed)
    return replace(net, model=Judge()) if architecture.name == "lenet5" else net


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("scales") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "load_mnist", lambda root, report=None: small_mnist())
        patch.setattr(module, "trained_net", untrained)
        words = "--deviations 0.5 --seeds 1 --targets 2 --units 3 --workers 1 --quiet"
        assert main(["scales", *words.split(), "--out", str(place)]) == 0
        before = (place / "record.json").read_bytes()
        again = ["--resume", "--out", str(place), "--json"]
        assert main(["scales", *words.split(), *again]) == 0
        after = (place / "record.json").read_bytes()
    first, second = json.loads(before), json.loads(after)
    assert first["results"] == second["results"]  # every row was kept
    return place


def test_every_number_is_recorded_and_every_claim_was_checked(folder):
    results = read_record(folder, ScalesResults).results
    assert [(net.deviation, net.seed) for net in results.networks] == [
        (None, 0),
        (0.5, 0),
    ]
    assert len(results.rows) == 4
    for row in results.rows:
        assert len(row.found.near) == len(row.looks) == 9
        assert row.found.exact.verified == row.found.exact.asked == 3
        for near in row.found.near:
            assert near.verified
            assert near.lower <= near.upper <= near.before + 1e-9  # the target itself collides
            assert near.digit != row.found.label
    kept = [row for row in results.rows if row.found.exact.certificates]
    assert [row.target for row in kept] == [0] * 2
    for proof in (*kept[0].found.exact.certificates, kept[0].found.near[0].certificate):
        verify(folder / proof.file)


def test_tables_figure_and_images(folder):
    assert (folder / "figures" / "scales.png").stat().st_size > 10_000
    table = main_table(read_record(folder, ScalesResults).results)
    assert [row[0] for row in table.rows] == ["torch's default", "0.5"]
    for row in table.rows:
        counts = [[int(n) for n in cell.split(" of ")] for cell in row[-4:]]
        assert all(part <= whole == 18 for part, whole in counts)
    assert (folder / "figures" / "collisions.png").stat().st_size > 10_000
    with np.load(folder / "collisions.npz") as images:
        assert images["target"].shape == (784,)
        for name in ("starts", "collisions-default", "collisions-0.5"):
            assert images[name].shape == (9, 784)


def test_votes_are_those_of_plain_distances():
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (200, 12), dtype=np.uint8)
    labels, points = random.integers(0, 4, 200).astype(np.uint8), random.random((30, 12))
    for vote, point in zip(neighbour_votes(points, images, labels), points, strict=True):
        order = np.argsort(np.linalg.norm(images / 255 - point, axis=1), kind="stable")[:5]
        counts = {label: (labels[order] == label).sum() for label in labels[order]}
        assert vote == max(counts, key=counts.get)  # the first of those that are tied


def test_shares_count_start_target_and_neither():
    def near(digit):
        return Near(
            start=0, digit=digit, before=1, lower=0, upper=0, after=0, verified=True,
            certificate=None,
        )  # fmt: skip

    def look(label):
        return Look(neighbours=label, convolutional=7, network=7)

    found = TargetResults(
        label=7, network_class=7, confidence=1, n_positive=3, exact=None, rarely=None,
        near=(near(1), near(2), near(3)),
    )  # fmt: skip
    row = Row(deviation=1, seed=0, target=0, found=found, looks=(look(1), look(7), look(9)))
    counted = share([row, row], "neighbours")
    assert (counted.start, counted.target, counted.other) == (2, 2, 2)
    assert counted.of_start == pytest.approx(1 / 3)
    assert share([row], "convolutional").target == 3
    assert np.isnan(share([], "neighbours").of_start)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"deviations": (0.1, 0.1)}, "deviations: expected each once, got 0.1 twice"),
        ({"deviations": (-1.0,)}, "deviations: expected finite numbers > 0, got -1.0"),
        ({"deviations": (float("nan"),)}, "deviations: expected finite numbers > 0, got nan"),
        ({"decay": -0.1}, "decay: expected a finite number >= 0, got -0.1"),
        ({"hidden": 9}, "hidden: expected at least 10, got 9"),
        ({"targets": 0}, "targets: expected at least 1, got 0"),
        ({"units": 1}, "units: expected at least 2, got 1"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        ScalesOptions(**options)


def test_more_targets_than_images_are_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(module, "load_mnist", lambda root, report=None: small_mnist())
    monkeypatch.setattr(module, "trained_net", untrained)
    words = ["scales", "--targets", "31", "--out", str(tmp_path / "run"), "--quiet"]
    assert main(words) == 2
    assert "targets: expected at most 30, the test images; got 31" in capsys.readouterr().err


def test_the_judge_sees_images():
    assert Judge()(torch.zeros(2, 1, 28, 28)).shape == (2, 10)
