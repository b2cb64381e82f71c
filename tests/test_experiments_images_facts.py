import numpy as np

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
    assert (found.limit, found.broken, found.saved) == (None, None, True)
    active = int((small.weight.astype(float) @ target > 0).sum())
    free, positive = found.domains["free"].facts, found.domains["nonnegative"].facts
    assert free.rank_positive == positive.rank_positive == active
    assert free.dimension == positive.dimension == free.paper_bound == 9 - active
    assert (free.lineality, free.pointed) == (3, False)
    assert (positive.lineality, positive.pointed) == (0, True)
    assert found.domains["free"].vertex is None
    vertex = found.domains["nonnegative"].vertex
    assert vertex.status == "vertex"
    assert verify(tmp_path / vertex.certificate.file) == vertex.certificate.claim
    point = np.load(tmp_path / facts.VERTEX)["point"]
    assert (point >= 0).all()
    assert np.linalg.norm(point - target) == vertex.distance
    assert (point > 0).sum() == vertex.positive <= vertex.tight
    pre = small.weight.astype(float) @ point
    wanted = small.weight.astype(float) @ target
    np.testing.assert_allclose(pre[wanted > 0], wanted[wanted > 0], atol=1e-9)
    assert (pre[wanted <= 0] <= 1e-9).all()
    assert set(free.certificates) == {"rank", "kernel", "dimension", "lineality"}
    for proof in free.certificates.values():
        assert verify(tmp_path / proof.file) == proof.claim


def test_x_that_is_negative_somewhere_is_asked_about_freely_only(tmp_path):
    target = np.array([1, -1, 2], np.float32)
    found = limited_facts(layer(2, 3), target, tmp_path, seconds=120)
    assert list(found.domains) == list(found.asked) == ["free"]


def test_certificates_of_a_large_layer_are_not_saved(tmp_path, monkeypatch):
    monkeypatch.setattr(facts, "MOST_SAVED", 5)
    found = limited_facts(layer(2, 3), np.ones(3, np.float32), tmp_path, seconds=120)
    assert not found.saved
    proof = found.domains["free"].facts.certificates["rank"]
    assert proof.file is None
    assert "neither saved nor checked" in proof.claim
    assert list((tmp_path / "certificates").iterdir()) == []


def test_what_takes_too_long_is_given_up_and_said(tmp_path):
    found = limited_facts(layer(2, 3), np.ones(3, np.float32), tmp_path, seconds=0.01)
    assert (found.limit, found.broken) == (0.01, None)
    assert (found.asked, found.domains) == (("free", "nonnegative"), {})


def test_a_process_that_breaks_is_said(tmp_path):
    wrong = layer(2, 3)
    wrong.bias[0] = np.nan
    found = limited_facts(wrong, np.ones(3, np.float32), tmp_path, seconds=120)
    assert (found.broken, found.limit) == ("the process ended with 1", None)
    assert (found.asked, found.domains) == (("free", "nonnegative"), {})
