import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from experiments.images import facts
from experiments.images.facts import limited_facts
from optimize import ExactLayer
from polytope import verify


def layer(units, inputs, *, seed=0):
    rng = np.random.default_rng(seed)
    weight = rng.standard_normal((units, inputs), dtype=np.float32)
    return ExactLayer(
        weight=weight,
        bias=np.zeros(units, np.float32),
        input_shape=(inputs,),
        output_shape=(units,),
    )


def test_facts_of_a_small_layer_with_their_certificates(tmp_path):
    target = np.abs(np.random.default_rng(1).standard_normal(9)).astype(np.float32)
    small = layer(6, 9)
    found = limited_facts(small, target, tmp_path, seconds=120)
    assert (found["limit"], found["broken"], found["saved"]) == (None, None, True)
    active = int((small.weight.astype(float) @ target > 0).sum())
    free, positive = found["domains"]["free"], found["domains"]["nonnegative"]
    assert free["rank_positive"] == positive["rank_positive"] == active
    assert free["dimension"] == positive["dimension"] == free["paper_bound"] == 9 - active
    assert (free["lineality"], free["pointed"]) == (3, False)
    assert (positive["lineality"], positive["pointed"]) == (0, True)
    assert "vertex" not in free
    assert positive["vertex"] == "vertex"
    assert verify(tmp_path / positive["vertex_certificate"]["file"])
    point = np.load(tmp_path / facts.VERTEX)["point"]
    assert (point >= 0).all()
    assert np.linalg.norm(point - target) == positive["vertex_distance"]
    assert (point > 0).sum() == positive["vertex_positive"] <= positive["vertex_tight"]
    pre = small.weight.astype(float) @ point
    wanted = small.weight.astype(float) @ target
    np.testing.assert_allclose(pre[wanted > 0], wanted[wanted > 0], atol=1e-9)
    assert (pre[wanted <= 0] <= 1e-9).all()
    for name in ("rank", "kernel", "dimension", "lineality"):
        assert free[f"{name}_proved"]
        assert verify(tmp_path / free[f"{name}_certificate"]["file"])


def test_x_that_is_negative_somewhere_is_asked_about_freely_only(tmp_path):
    target = np.array([1, -1, 2], np.float32)
    found = limited_facts(layer(2, 3), target, tmp_path, seconds=120)
    assert list(found["domains"]) == ["free"]


def test_certificates_of_a_large_layer_are_not_saved(tmp_path, monkeypatch):
    monkeypatch.setattr(facts, "MOST_SAVED", 5)
    found = limited_facts(layer(2, 3), np.ones(3, np.float32), tmp_path, seconds=120)
    assert not found["saved"]
    assert found["domains"]["free"]["rank_certificate"] is None
    assert found["domains"]["free"]["rank_proved"]
    assert list((tmp_path / "certificates").iterdir()) == []


def test_what_takes_too_long_is_given_up_and_said(tmp_path):
    found = limited_facts(layer(2, 3), np.ones(3, np.float32), tmp_path, seconds=0.01)
    assert found["limit"] == 0.01
    assert found["domains"] == {"free": {}, "nonnegative": {}}


def test_a_process_that_breaks_is_said(tmp_path):
    wrong = layer(2, 3)
    wrong.bias[0] = np.nan
    found = limited_facts(wrong, np.ones(3, np.float32), tmp_path, seconds=120)
    assert found["broken"] == "the process ended with 1"
    assert found["domains"]["free"] == {}


ORPHAN = """
import multiprocessing, os, signal, sys, threading, time
from experiments.images import facts

def work(path):
    threading.Thread(target=facts._end_with_parent, daemon=True).start()
    with open(path, "w") as stream:
        stream.write(str(os.getpid()))
    time.sleep(60)

if __name__ == "__main__":
    multiprocessing.get_context("spawn").Process(target=work, args=(sys.argv[1],)).start()
    while not (os.path.exists(sys.argv[1]) and os.path.getsize(sys.argv[1])):
        time.sleep(0.05)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def alive(pid):
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="asks Linux who is alive")
def test_the_process_ends_with_its_parent(tmp_path):
    (tmp_path / "orphan.py").write_text(ORPHAN)
    root = Path(__file__).resolve().parent.parent
    subprocess.run(
        [sys.executable, tmp_path / "orphan.py", tmp_path / "pid"],
        env={**os.environ, "PYTHONPATH": str(root)},
        check=False,
        timeout=60,
    )
    pid, until = int((tmp_path / "pid").read_text()), time.monotonic() + 20
    while alive(pid) and time.monotonic() < until:
        time.sleep(0.05)
    ended = not alive(pid)
    if not ended:
        os.kill(pid, signal.SIGKILL)
    assert ended
