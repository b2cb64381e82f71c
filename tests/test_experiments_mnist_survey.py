import json
from dataclasses import replace

import pytest
import torch

from experiments.datasets.mnist import pixels
from experiments.measure import search
from experiments.measure.case import Case
from experiments.measure.sampling import Verdict
from experiments.measure.search import MAX_STEPS
from experiments.mnist import survey as module
from experiments.mnist.controls import control_masks
from experiments.mnist.output import finish_survey
from experiments.mnist.survey import run_survey
from experiments.mnist.survey_figure import survey_figure
from experiments.mnist.survey_job import SurveyJob, run_survey_job
from experiments.mnist.survey_options import SurveyOptions
from experiments.mnist.survey_results import (
    COLUMNS,
    EXACT,
    RELAXED,
    ExactRow,
    Proved,
    RelaxedRow,
    Spread,
    SurveyResults,
    SurveyRow,
)
from experiments.mnist.survey_summary import observations, spread, summarise
from experiments.mnist.survey_tables import held_table, survey_tables
from experiments.models.mlp import weights_of
from experiments.run.progress import Progress
from experiments.run.record import read_record
from optimize import find_vertices
from polytope.errors import InputError
from tests.examples.printed import by_row, with_tables
from tests.examples.run_folders import unproved
from tests.examples.schemas import misfits
from tests.examples.small_runs import install, small_mnist, small_net

OPTIONS = SurveyOptions(targets=2, seeds=2, units=2, workers=1)
QUIET = Progress(quiet=True)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "survey"
    with pytest.MonkeyPatch.context() as patch:
        install(patch, module)
        run_survey(OPTIONS, folder, QUIET)
    return folder


def test_the_files_are_as_the_schemas_say(run):
    assert misfits(run) == []


def test_one_row_a_target_and_seed(run):
    results = read_record(run, SurveyResults).results
    assert [(r.seed, r.target) for r in results.rows] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    for row in results.rows:
        exact, hinge = row.exact["exact"], row.relaxed["hinge"]
        assert exact.verified == exact.decided == exact.vertices == 2
        assert hinge.max_relative_gap < 0.02
        assert hinge.max_tolerance < 1e-3
        assert hinge.distance == pytest.approx(exact.distance, rel=0.02)
    proofs = Proved(asked=8, decided=8, verified=8, vertices=8)
    assert results.summary.proofs["exact"] == proofs


def test_a_row_is_what_the_polytope_says(run):
    row = read_record(run, SurveyResults).results.rows[2]
    data = small_mnist()
    layer = small_net(data, seed=1).model.hidden1
    case = Case(layer.weight.numpy(), layer.bias.numpy(), pixels(data.test_images[0]))
    polytope = case.polytope()
    assert row.units == polytope.inactive_units[:2]
    first, second = (v.point_float() for v in polytope.unit_vertices(row.units).values())
    assert row.distance("exact") == float(((first - second) ** 2).sum() ** 0.5)


def test_resume_and_more_targets_keep_what_is_there(run, monkeypatch):
    install(monkeypatch, module)
    before = (run / "rows.jsonl").read_bytes()
    results = read_record(run, SurveyResults).results
    again = run_survey(OPTIONS, run, QUIET)
    assert (run / "rows.jsonl").read_bytes() == before
    assert again.results == results


def test_other_options_are_refused(run, monkeypatch):
    install(monkeypatch, module)
    with pytest.raises(InputError, match=r"other options \(units: 2 there, 3 here\)"):
        run_survey(SurveyOptions(targets=2, seeds=2, units=3, workers=1), run, QUIET)
    with pytest.raises(InputError, match="targets: expected at most 30, the test images; got 31"):
        run_survey(SurveyOptions(targets=31, seeds=1), run, QUIET)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"device": "tpu"}, "device: expected auto, cpu, cuda or cuda:N, got 'tpu'"),
        ({"device": "cuda:999"}, "device: expected a device of this machine, got 'cuda:999'"),
        ({"network": "narrow"}, "network: expected wide or default, got 'narrow'"),
        ({"targets": 10_001}, "targets: expected at most 10000, the test images, got 10001"),
    ],
)
def test_bad_options_are_refused_before_any_work(change, message):
    with pytest.raises(InputError, match=message):
        SurveyOptions(**change)


def test_rows_of_another_device_are_refused(run, monkeypatch):
    install(monkeypatch, module)
    monkeypatch.setattr(module, "read_device", lambda name: torch.device("cuda", 1))
    with pytest.raises(InputError, match=r'other options \(device: nothing there, "cuda" here\)'):
        run_survey(replace(OPTIONS, device="auto"), run, QUIET)


def test_rows_on_a_cpu_do_not_name_the_device(run):
    header = json.loads((run / "rows.jsonl").read_bytes().splitlines()[0])
    assert set(header["options"]) == {"units", "batch", "max_steps", "network 0", "network 1"}


def test_the_wide_networks_have_a_survey_of_their_own(run, tmp_path, monkeypatch):
    install(monkeypatch, module)
    options = replace(OPTIONS, network="wide", targets=1, seeds=1)
    results = run_survey(options, tmp_path / "wide", QUIET).results
    assert (results.network, results.networks[0].sha256) == ("wide", f"{100:064x}")
    assert "wide network" in survey_tables(results)[0].title
    assert survey_figure(results).axes[0].get_title().startswith("wide network: 1 rows")
    with pytest.raises(InputError, match=r"other options \(network 0: "):
        run_survey(options, run, QUIET)


def test_targets_that_agree_in_the_held_pixels_are_one_batch(monkeypatch):
    """And of one that does not, the row is the same as if it were alone."""
    data, batches = small_mnist(), []
    images = pixels(data.test_images[:3]).copy()
    masks = {"never": control_masks(data.train_images)["never"]}
    images[1, masks["never"].argmax()] = 0.5
    layer = small_net(data, seed=0).model

    def seen(model, layer, targets, **options):
        batches.append(len(targets))
        return find_vertices(model, layer, targets, **options)

    monkeypatch.setattr(search, "find_vertices", seen)

    def rows(*chosen):
        job = SurveyJob(
            seed=0,
            weights=weights_of(layer),
            targets=chosen,
            labels=(0,) * len(chosen),
            images=images[list(chosen)],
            masks=masks,
            units=2,
            device="cpu",
        )
        return {key.target: row for key, row in run_survey_job(job).items()}

    together = rows(0, 1, 2)
    assert batches == [3, 3, 2, 1]  # two penalties, then those that agree and the one that does not
    for target in range(3):
        (alone,) = rows(target).values()
        family = "absolute_never"
        assert together[target].distance(family) == pytest.approx(alone.distance(family), rel=1e-3)


def test_every_search_runs_on_the_device_asked_for(monkeypatch):
    data, asked = small_mnist(), []

    def seen(*args, device, **options):
        asked.append(device)
        return find_vertices(*args, device="cpu", **options)

    monkeypatch.setattr(search, "find_vertices", seen)
    job = SurveyJob(
        seed=0,
        weights=weights_of(small_net(data, seed=0).model),
        targets=(0,),
        labels=(0,),
        images=pixels(data.test_images[:1]),
        masks=control_masks(data.train_images),
        units=2,
        device="elsewhere",
    )
    run_survey_job(job)
    assert asked == ["elsewhere"] * 4  # two penalties, and the paper's under two controls


def test_tables_and_figure_are_written(run, capsys, golden):
    finish_survey(run, as_json=False)
    shown = with_tables(capsys.readouterr().out, run)
    golden.check("mnist-survey", shown, places={"FOLDER": run})
    assert (run / "figures" / "survey.png").read_bytes().startswith(b"\x89PNG")
    assert {p.suffix for p in (run / "tables").iterdir()} == {".md", ".csv", ".tex"}
    assert unproved(run) == []


def row(seed, target, **distances):
    """A made-up row; families that are not named lie 1 apart."""
    exact, relaxed = (
        {family: kind(distance=distances.get(family, 1.0), **rest) for family in families}
        for families, kind, rest in (
            (EXACT, ExactRow, dict.fromkeys(("decided", "verified", "vertices"), 2)),
            (
                RELAXED,
                RelaxedRow,
                {"max_relative_gap": 0.01, "max_tolerance": 1e-4, "converged": 2},
            ),
        )
    )
    return SurveyRow(
        seed=seed,
        target=target,
        label=target,
        seen=Verdict(winner=0, confidence=1.0),
        n_positive=1,
        units=(0, 1),
        exact=exact,
        relaxed=relaxed,
    )


def test_summary_by_hand():
    rows = [row(0, 0, exact=4.0), row(0, 1, exact=8.0), row(1, 0, exact=0.5)]
    found = summarise(rows, image_distance=10.0)
    assert found.distances["exact"] == Spread(
        count=3,
        mean=pytest.approx(12.5 / 3),
        std=pytest.approx(3.752777),
        min=0.5,
        max=8.0,
    )
    assert found.by_seed[1]["exact"].mean == 0.5
    assert found.by_label[1]["exact"].mean == 8.0
    assert found.ratios["absolute"] == pytest.approx(0.1)
    first = observations(rows)[0]
    assert (first.left, first.right, first.held, first.rows) == ("exact", "absolute", 2, 3)


def test_rows_without_a_distance_are_left_out_of_the_means():
    rows = [row(0, 0, exact=4.0), row(0, 1, exact=None)]
    assert summarise(rows, 10.0).distances["exact"].mean == 4.0
    assert observations(rows)[0].rows == 1
    assert spread([]).mean is None


def test_searches_that_did_not_converge_are_counted_not_named(run):
    results = read_record(run, SurveyResults).results
    searches = dict(results.summary.searches)
    searches["hinge"] = replace(searches["hinge"], converged=5)
    results = replace(results, summary=replace(results.summary, searches=searches))
    tables = {table.name: table for table in survey_tables(results)}
    hinge = by_row(tables["survey"])["hinge, run to convergence"]
    assert hinge["proved or converged"] == "5/8 converged"
    for name in ("survey-seeds", "survey-digits"):
        assert "hinge, run to convergence: 5/8 converged, all rows." in tables[name].notes
    ticks = [text.get_text() for text in survey_figure(results).axes[0].get_xticklabels()]
    assert ticks[COLUMNS.index("hinge")].endswith("5/8 converged")


def test_ratios_are_explained_and_rows_without_one_counted():
    rows = [row(0, 0, exact=4.0, absolute=0.0), row(0, 1, exact=8.0)]
    table = held_table(observations(rows))
    farther = "the exact vertices lie farther apart than the paper's penalty's"
    cells = by_row(table)
    assert list(cells)[:3] == [
        farther,
        f"{farther}, never-lit pixels held in both",
        f"{farther}, rarely lit pixels held in both",
    ]
    assert list(cells[farther].values())[1:] == ["2 of 2", "8.00 (8.00 to 8.00)"]
    assert f"left out of it: 1 of 2 in '{farther}'" in table.notes[0]
    table = held_table(observations(rows[1:]))
    assert table.notes[0].endswith("left out of it: none.")


def test_the_figure_says_what_it_draws_and_what_is_proved(run):
    axes = survey_figure(read_record(run, SurveyResults).results).axes[0]
    assert "box: quartiles and median;\nwhiskers" in axes.get_title()
    ticks = [text.get_text() for text in axes.get_xticklabels()]
    for family in ("exact", "never", "rarely"):
        assert ticks[COLUMNS.index(family)].endswith("8/8 proved")


def test_the_means_state_the_stopping_rule(run):
    notes = " ".join(survey_tables(read_record(run, SurveyResults).results)[0].notes)
    assert f"ends after {MAX_STEPS:,} steps" in notes
