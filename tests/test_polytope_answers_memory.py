"""Is a question asked once of a set, and does nobody else pay for that?"""

import gc
import pickle
import weakref

import numpy as np
import pytest

from polytope import Box, CollisionPolytope, Free, Nonnegative, verify
from polytope.answers.memory import once
from polytope.questions import dimension as dimension_module
from polytope.questions import kernel as kernel_module
from polytope.sets.linalg import Minor

QUESTIONS = (
    *("feasibility", "dimension", "lineality", "rank_positive", "kernel_condition"),
    *("boundedness", "uniqueness", "redundancy", "implicit_equalities", "chebyshev_ball"),
    "inscribed_ellipsoid",
)


def small(domain=None):
    weight = np.random.default_rng(3).integers(-4, 5, (5, 3))
    return CollisionPolytope.from_layer(
        weight, [1, -2, 3, 0, -1], [0.25, 0.5, 0.75], domain=domain or Box(0, 1)
    )


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_same_answer_for_the_same_set(question):
    P = small()
    assert getattr(P, question)() is getattr(P, question)()
    assert getattr(small(), question)() is not getattr(P, question)()


@pytest.mark.parametrize("domain", [Box(0, 1), Nonnegative(), Free()], ids=["box", ">= 0", "free"])
def test_one_rank_serves_all_questions(domain, monkeypatch):
    asked = []
    rank = kernel_module.exact_rank
    monkeypatch.setattr(kernel_module, "exact_rank", lambda *a: asked.append(a) or rank(*a))
    monkeypatch.setattr(dimension_module, "exact_rank", lambda *a: asked.append(a) or rank(*a))
    P = small(domain)
    for question in ("rank_positive", "kernel_condition", "dimension"):
        assert "C" in verify(getattr(P, question)().certificate)
    assert len(asked) == 1
    P.implicit_equalities()
    P.uniqueness()
    assert len(asked) <= 2 + isinstance(domain, Free)  # the rows with z >= 0


def test_a_minor_of_the_target_is_a_rank_already(monkeypatch):
    monkeypatch.setattr(dimension_module, "_rank", None)
    P = CollisionPolytope.from_layer([[1, 2, 3]], [1], [1, 0, 1], domain=Nonnegative())
    found = P.dimension()
    assert found.value == 2
    assert isinstance(found.certificate.witness["target"], Minor)
    assert "dimension 2" in verify(found.certificate)


def test_a_polytope_that_was_asked_can_be_sent_to_another_process():
    P = small()
    P.unit_vertices()
    values = [P.dimension().value, P.rank_positive().value, len(P.redundancy().minimal)]
    sent = pickle.loads(pickle.dumps(P))
    assert sent.layer.answers == {}
    again = [sent.dimension().value, sent.rank_positive().value, len(sent.redundancy().minimal)]
    assert again == values
    assert sent.dimension() is not P.dimension()


def test_what_is_remembered_goes_with_the_set():
    P = small()
    gone = [weakref.ref(P.layer), weakref.ref(P.dimension()), weakref.ref(P.redundancy())]
    del P
    gc.collect()
    assert [ref() for ref in gone] == [None] * 3


def test_a_mistake_is_not_remembered():
    calls = []

    @once
    def question(layer):
        calls.append(layer)
        if len(calls) == 1:
            raise KeyboardInterrupt
        return len(calls)

    layer = small().layer
    with pytest.raises(KeyboardInterrupt):
        question(layer)
    assert (question(layer), question(layer)) == (2, 2)
