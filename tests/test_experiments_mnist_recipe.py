from dataclasses import replace

import numpy as np
import pytest

from experiments.datasets.mnist import pixels
from experiments.measure.case import Case
from experiments.measure.distances import mean_pairwise
from experiments.mnist.course_figure import course_figure
from experiments.mnist.course_job import CourseJob, CourseKey
from experiments.mnist.jobs import LAYER
from experiments.mnist.recipe import STEPS, WANTED, Recipe, moments_kept
from experiments.mnist.results import MnistResults, Moment
from experiments.models.mlp import weights_of
from experiments.models.presets import PRESETS
from optimize import SearchStatus
from tests.examples.small_runs import small_mnist, small_net

ALPHA = 10.0


@pytest.fixture(scope="module")
def net():
    return small_net(small_mnist(), seed=0).model


@pytest.fixture
def recipe(net):
    images = pixels(small_mnist().test_images)
    case = Case(net.hidden1.weight.numpy(), net.hidden1.bias.numpy(), images[7])
    units = case.polytope().inactive_units[:3]
    return Recipe(
        case=replace(case, units=units),
        start=images[3],
        step_size=1e-2,
        max_steps=60,
        given={"device": "cpu"},
    )


def by_hand(recipe, steps):
    """The released scripts' loop, written anew: v <- 0.99 v + 0.01 g, x <- clip(x - step v)."""
    weight, bias = (np.float64(each) for each in (recipe.case.weight, recipe.case.bias))
    target = weight @ np.float64(recipe.case.target) + bias
    points = np.repeat(np.float64(recipe.start)[None], len(recipe.case.units), axis=0)
    velocity = np.zeros_like(points)
    for _ in range(steps):
        pre = points @ weight.T + bias
        slope = np.where(target > 0, ALPHA * (pre - target), np.sign(pre))
        for row, unit in enumerate(recipe.case.units):
            slope[row, unit] = 1
        velocity = 0.99 * velocity + 0.01 * slope @ weight
        points = np.clip(points - recipe.step_size * velocity, 0, 1)
    return points


def moment_by_hand(recipe, steps):
    points = by_hand(recipe, steps)
    weight, bias = (np.float64(each) for each in (recipe.case.weight, recipe.case.bias))
    target, pre = weight @ np.float64(recipe.case.target) + bias, points @ weight.T + bias
    return Moment(
        step=steps,
        distance=mean_pairwise(points),
        active=np.abs(pre - target)[:, target > 0].max(),
        inactive=max(0, pre[:, target <= 0].max()),
        moved=np.linalg.norm(points - recipe.start, axis=1).mean(),
    )


def test_the_way_is_that_of_the_released_scripts(net, recipe):
    moments = recipe.course(net, LAYER)
    assert [moment.step for moment in moments] == [10, 20, 30, 40, 50, 60]
    for moment in moments:
        wanted = vars(moment_by_hand(recipe, moment.step))
        assert vars(moment) == {name: pytest.approx(wanted[name], rel=1e-3) for name in wanted}
    assert moments[0].distance < moments[-1].distance


def test_it_stops_at_the_first_step_at_which_the_distance_is_met(net, recipe):
    wanted = moment_by_hand(recipe, 37).distance * 0.9999
    found = recipe.until(net, LAYER, wanted)
    assert set(found.status) == {SearchStatus.STOPPED}
    assert found.steps.tolist() == [37] * 3
    assert mean_pairwise(found.points.double().numpy()) >= wanted
    short = replace(recipe, max_steps=36).until(net, LAYER, wanted)
    assert set(short.status) == {SearchStatus.STEP_LIMIT}
    assert mean_pairwise(short.points.double().numpy()) < wanted


def test_the_step_of_each_network_and_the_distance_of_each_start():
    assert set(STEPS) == set(PRESETS)
    assert WANTED == {"target": 1.33, "other": 1.28}


@pytest.mark.parametrize(
    ("most", "first", "last", "count"), [(1, 1, 1, 1), (7, 7, 7, 1), (25, 10, 25, 3)]
)
def test_the_limit_is_a_moment_whatever_it_is(net, recipe, most, first, last, count):
    kept = sorted(moments_kept(most))
    assert (kept[0], kept[-1], len(kept)) == (first, last, count)
    moments = replace(recipe, max_steps=most).course(net, LAYER)
    assert [moment.step for moment in moments] == kept


def test_moments_are_spaced_in_their_logarithm():
    kept = np.array(sorted(moments_kept(20_000)))
    assert (kept % 10 == 0).all()
    assert (kept[0], kept[-1]) == (10, 20_000)
    ratios = kept[1:] / kept[:-1]
    assert ratios[kept[1:] > 500].max() < 1.15


def test_the_job_keeps_the_start_and_the_size_of_the_step(net, recipe, tmp_path):
    job = CourseJob(key=CourseKey("wide", "other"), recipe=recipe, weights=weights_of(net))
    found = job.run(tmp_path)
    assert str(job.key) == "course.wide.other"
    assert (found.results.start, found.results.step_size) == ("other", 1e-2)
    assert found.results.moments == recipe.course(net, LAYER)
    assert list(tmp_path.iterdir()) == []


def test_without_networks_there_is_no_figure():
    empty = MnistResults(layer="l", images=None, controls={}, networks=())
    assert course_figure(empty) is None
