"""find_vertices: batching, resuming, statuses, history, deeper layers, options."""

import doctest
from collections import Counter

import pytest
import torch
from torch import nn

import optimize.search.finder
from optimize import (
    Adam,
    AugmentedLagrangian,
    Authors,
    Objective,
    SearchStatus,
    Splitting,
    Stopping,
    find_vertices,
)
from polytope.errors import InputError, OutputError
from tests.examples.layers import (
    SEGMENT_TARGET,
    SEGMENT_VERTICES,
    convolutional,
    random_inputs,
    random_network,
    segment,
)

HINGE = Objective(others="hinge")
FIELDS = (
    "points",
    "layer_inputs",
    "units",
    "targets",
    "pre_activation",
    "objective",
    "equality_residual",
    "violation",
    "steps",
    "gap",
    "lower_bound",
)
TRACES = ("steps", "objective", "pre_activation", "equality_residual", "violation")


def same_bits(first, second):
    """Whether two tensors agree bit for bit, NaN included."""
    return first.dtype == second.dtype and first.numpy().tobytes() == second.numpy().tobytes()


def assert_same(first, second):
    for name in FIELDS:
        assert same_bits(getattr(first, name), getattr(second, name)), name
    for name in TRACES:
        assert same_bits(getattr(first.history, name), getattr(second.history, name)), name
    assert first.status == second.status


def test_the_docstring_example_holds():
    assert doctest.testmod(optimize.search.finder).failed == 0
    assert doctest.testmod(optimize.search.finder).attempted > 0


def test_vertices_come_target_by_target_and_equal_single_searches():
    model, targets = random_network(30, 16, seed=2), random_inputs(3, 30, seed=2)
    whole = find_vertices(model, "0", targets, units=2, objective=HINGE, device="cpu")
    assert whole.points.shape == (6, 30)
    assert whole.points.dtype == torch.float32
    assert whole.targets.tolist() == [0, 0, 1, 1, 2, 2]
    pre = model[0](targets)
    assert (pre[whole.targets, whole.units] <= 0).all()
    for vertex in range(6):
        owner, unit = int(whole.targets[vertex]), int(whole.units[vertex])
        alone = find_vertices(
            model, "0", targets[owner], units=[unit], objective=HINGE, device="cpu"
        )
        torch.testing.assert_close(alone.points[0], whole.points[vertex], rtol=0, atol=1e-5)
        assert alone.steps[0] == whole.steps[vertex]


def test_the_measured_values_are_those_of_the_returned_points():
    model, targets = random_network(30, 16, seed=2), random_inputs(2, 30, seed=2)
    search = find_vertices(model, "0", targets, units=2, device="cpu")
    layer = model[0].double()
    pre, goal = layer(search.points.double()), layer(targets.double())[search.targets]
    on = goal > 0
    expected = torch.where(on, (pre - goal).abs(), 0).amax(1)
    torch.testing.assert_close(search.equality_residual, expected)
    torch.testing.assert_close(search.violation, torch.where(on, 0, pre).clamp(min=0).amax(1))
    torch.testing.assert_close(search.pre_activation, pre.gather(1, search.units[:, None])[:, 0])
    assert torch.equal(search.layer_inputs, search.points)


@pytest.mark.parametrize(
    ("method", "objective"),
    [
        (Splitting(), HINGE),
        (Splitting(), Objective()),
        (Adam(), Objective()),
        (Authors(), Objective()),
        (AugmentedLagrangian(), HINGE),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_resumed_search_equals_an_unbroken_one_bit_for_bit(tmp_path, method, objective):
    model, targets = random_network(20, 12, seed=4), random_inputs(2, 20, seed=4)
    options = {
        "units": 2,
        "objective": objective,
        "optimizer": method,
        "noise": 0.1,
        "device": "cpu",
    }
    stopping = {"check_every": 20, "patience": 3, "plateau_tolerance": 1e-4}
    unbroken = find_vertices(
        model, "0", targets, stopping=Stopping(max_steps=400, **stopping), **options
    )
    kept = {"checkpoint": tmp_path, "checkpoint_every": 20}
    for limit in (60, 140, 140, 400):
        broken = find_vertices(
            model, "0", targets, stopping=Stopping(max_steps=limit, **stopping), **kept, **options
        )
    assert_same(broken, unbroken)


def test_a_search_killed_between_saves_goes_on_from_the_last_save(tmp_path, monkeypatch):
    model, targets = random_network(20, 12, seed=4), random_inputs(2, 20, seed=4)
    stopping = Stopping(max_steps=300, check_every=20)
    unbroken = find_vertices(model, "0", targets, units=2, stopping=stopping, device="cpu")
    real, calls = Splitting.inspect, []

    def killed(self, *arguments):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return real(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(Splitting, "inspect", killed)
        with pytest.raises(KeyboardInterrupt):
            find_vertices(
                model,
                "0",
                targets,
                units=2,
                stopping=stopping,
                checkpoint=tmp_path,
                checkpoint_every=40,
                device="cpu",
            )
    assert (tmp_path / "state-40.safetensors").exists()
    resumed = find_vertices(
        model, "0", targets, units=2, stopping=stopping, checkpoint=tmp_path, device="cpu"
    )
    assert_same(resumed, unbroken)


def test_a_checkpoint_of_another_search_is_refused(tmp_path):
    options = {"units": [1], "device": "cpu", "checkpoint": tmp_path}
    find_vertices(segment(), "0", SEGMENT_TARGET, **options)
    for change in ({"objective": HINGE}, {"units": [2]}, {"start": [1.0, 0.0]}, {"bounds": None}):
        with pytest.raises(InputError, match="got another search's"):
            find_vertices(segment(), "0", SEGMENT_TARGET, **{**options, **change})


def test_an_unwritable_checkpoint_folder_is_reported(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="checkpoint"):
        find_vertices(
            segment(), "0", SEGMENT_TARGET, units=[1], device="cpu", checkpoint=tmp_path / "file"
        )


def test_seeds_decide_the_noise():
    runs = [
        find_vertices(
            segment(),
            "0",
            SEGMENT_TARGET,
            units=[1],
            noise=0.1,
            seed=seed,
            optimizer="adam",
            stopping=Stopping(max_steps=1, check_every=1),
            device="cpu",
        )
        for seed in (0, 0, 1)
    ]
    assert torch.equal(runs[0].points, runs[1].points)
    assert not torch.equal(runs[0].points, runs[2].points)


def test_the_start_is_where_the_history_begins():
    search = find_vertices(
        segment(), "0", SEGMENT_TARGET, start=[1.0, 0.5], units=[1, 2], device="cpu"
    )
    assert search.history.steps[0] == 0
    assert search.history.pre_activation[0].tolist() == [-0.375, -0.25]
    assert search.history.equality_residual[0].tolist() == [0.5, 0.5]


def test_the_history_has_an_entry_every_so_many_steps():
    search = find_vertices(
        segment(),
        "0",
        SEGMENT_TARGET,
        units=[1, 2],
        optimizer="authors",
        stopping=Stopping(max_steps=100, check_every=10, patience=100),
        history_every=30,
        device="cpu",
    )
    assert search.history.steps.tolist() == [0, 30, 60, 90]
    assert search.history.objective.shape == (4, 2)
    assert search.status == (SearchStatus.STEP_LIMIT,) * 2
    assert search.steps.tolist() == [100, 100]


def test_a_time_limit_ends_at_a_check():
    search = find_vertices(
        segment(),
        "0",
        SEGMENT_TARGET,
        units=[1],
        optimizer="authors",
        stopping=Stopping(check_every=5, max_seconds=1e-9),
        device="cpu",
    )
    assert search.status == (SearchStatus.TIME_LIMIT,)
    assert search.steps.tolist() == [5]


def watched(watch, *, check_every, max_steps=100):
    return find_vertices(
        segment(),
        "0",
        SEGMENT_TARGET,
        units=[1, 2],
        optimizer="authors",
        stopping=Stopping(max_steps=max_steps, check_every=check_every, patience=max_steps),
        watch=watch,
        device="cpu",
    )


def test_a_watch_sees_the_start_and_every_check_and_may_end_the_search():
    seen = {}

    def watch(step, points):
        seen[step] = points.clone()
        points.zero_()  # a copy: the search does not notice
        return step == 30

    search = watched(watch, check_every=10)
    assert list(seen) == [0, 10, 20, 30]
    assert search.status == (SearchStatus.STOPPED,) * 2
    assert search.steps.tolist() == [30, 30]
    assert search.history.steps.tolist() == [0, 10, 20, 30]
    assert torch.equal(seen[0], torch.tensor([SEGMENT_TARGET] * 2, dtype=seen[0].dtype))
    assert torch.equal(seen[30].to(search.points.dtype), search.points)
    assert not torch.equal(seen[20], seen[30])
    assert not search.converged.any()


def test_a_watch_changes_nothing_and_neither_does_how_often_it_looks():
    free = watched(None, check_every=50)
    assert free.status == (SearchStatus.STEP_LIMIT,) * 2
    for every in (1, 25):
        steps = []

        def watch(step, points, steps=steps):
            steps.append(step)
            return False

        search = watched(watch, check_every=every)
        assert torch.equal(search.points, free.points)
        assert search.status == free.status
        assert steps == list(range(0, 101, every))


def test_a_watch_may_end_a_search_before_its_first_step():
    search = watched(lambda step, points: True, check_every=10)
    assert search.status == (SearchStatus.STOPPED,) * 2
    assert search.steps.tolist() == [0, 0]
    assert search.points.tolist() == [SEGMENT_TARGET] * 2


def test_divergence_is_said():
    search = find_vertices(
        segment(),
        "0",
        SEGMENT_TARGET,
        units=[1],
        optimizer=Authors(learning_rate=1e9),
        bounds=None,
        device="cpu",
    )
    assert search.status == (SearchStatus.DIVERGED,)
    assert not search.converged.any()


def test_a_layer_behind_a_convolution_is_searched_through_autograd():
    model = nn.Sequential(*convolutional(seed=3), nn.ReLU())
    generator = torch.Generator().manual_seed(0)
    targets = torch.rand(2, 1, 6, 6, generator=generator)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    search = find_vertices(
        model,
        "3",
        targets,
        units=1,
        objective=HINGE,
        stopping=Stopping(max_steps=2000, plateau_tolerance=1e-3),
        device="cpu",
    )
    assert search.points.shape == (2, 1, 6, 6)
    assert search.layer_inputs.shape == (2, 48)
    torch.testing.assert_close(search.layer_inputs, model[2](model[1](model[0](search.points))))
    start = model[:4](targets).gather(1, search.units[:, None])[:, 0]
    # The second polytope is too small to say much, the first leaves room.
    assert (search.pre_activation <= start + 1e-3).all()
    assert search.pre_activation[0] < start[0] - 0.05
    assert torch.maximum(search.equality_residual, search.violation).max() <= 5e-3
    assert not search.converged.any()
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())


def test_points_stay_inside_bounds_that_float32_cannot_hold():
    search = find_vertices(
        segment(), "0", SEGMENT_TARGET, units=[1, 2], bounds=(0.3, 0.7), device="cpu"
    )
    points = search.points.double()
    assert (points >= 0.3).all()
    assert (points <= 0.7).all()
    assert Counter(search.status) == {SearchStatus.CONVERGED: 2}


def test_defaults_are_what_the_docstring_says():
    model = nn.Sequential(*random_network(6, 8, seed=3), nn.ReLU())
    inputs = random_inputs(1, 6, seed=3)
    short = Stopping(max_steps=1)
    for layer, objective, name in (
        ("0", Objective(), "Splitting"),
        ("0", HINGE, "Splitting"),
        ("2", Objective(), "Adam"),
        ("2", HINGE, "AugmentedLagrangian"),
    ):
        search = find_vertices(
            model, layer, inputs, units=1, objective=objective, stopping=short, device="cpu"
        )
        assert search.method.startswith(f"{name}(")


@pytest.mark.gpu
def test_cuda_gives_the_cpus_answer():
    model, targets = random_network(60, 30, seed=9), random_inputs(4, 60, seed=10)
    runs = [
        find_vertices(model, "0", targets, units=3, objective=HINGE, device=device)
        for device in ("cpu", "cuda")
    ]
    assert runs[1].converged.all()
    torch.testing.assert_close(runs[0].pre_activation, runs[1].pre_activation, rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize(
    ("options", "got"),
    [
        ({"layer": "fc"}, "layer: .* got 'fc'"),
        ({"noise": -1.0}, "noise: .* got -1.0"),
        ({"seed": -1}, "seed: .* got -1"),
        ({"device": "abacus"}, "device: .* got 'abacus'"),
        ({"optimizer": "sgd"}, "optimizer: .* got 'sgd'"),
        ({"optimizer": 3}, "optimizer: .* got 3"),
        ({"history_every": 7}, "history_every: .* got 7"),
        ({"checkpoint_every": 0}, "checkpoint_every: .* got 0"),
        ({"units": [0]}, "units: .* got unit 0"),
        ({"bounds": (1, 0)}, "bounds: .* got 1.0 > 0.0"),
        ({"start": [2.0, 0.0]}, "start: .* got 2.0"),
        ({"target": [2.0, 0.0]}, "target: .* got 2.0"),
    ],
)
def test_mistakes_are_told_before_any_step(monkeypatch, options, got):
    def stepped(*_):
        raise AssertionError("took a step")

    monkeypatch.setattr(Splitting, "advance", stepped)
    given = {"layer": "0", "target": SEGMENT_TARGET, **options}
    with pytest.raises(InputError, match=got):
        find_vertices(segment(), given.pop("layer"), given.pop("target"), **{"units": [1], **given})


@pytest.mark.skipif(torch.cuda.is_available(), reason="CUDA is there")
def test_cuda_without_cuda_is_told():
    with pytest.raises(InputError, match="got 'cuda' without CUDA"):
        find_vertices(segment(), "0", SEGMENT_TARGET, units=[1], device="cuda")


def test_the_bar_is_silent_off_a_terminal_and_speaks_when_asked(capsys):
    options = {"units": [1], "device": "cpu"}
    find_vertices(segment(), "0", SEGMENT_TARGET, **options)
    assert capsys.readouterr() == ("", "")
    find_vertices(segment(), "0", SEGMENT_TARGET, progress=True, **options)
    out, err = capsys.readouterr()
    assert out == ""
    assert "1 vertices" in err


def test_known_vertices_from_another_start():
    search = find_vertices(
        segment(),
        "0",
        SEGMENT_TARGET,
        start=[0.0, 0.0],
        units=[[1, 2]],
        objective=HINGE,
        device="cpu",
    )
    for row, unit in enumerate((1, 2)):
        assert search.points[row].tolist() == pytest.approx(SEGMENT_VERTICES[unit], abs=2e-3)
