"""What is asked of a checker about rows and about other functions than the ReLU?"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from fractions import Fraction as F
from itertools import islice
from typing import Any

import numpy as np

from tests.campaigns.certificate_sources import certificates, random_functions, random_rows
from tests.campaigns.checker_questions import Scenario, outcome
from tests.examples.certificate_ends import turnings
from tests.examples.certificate_functions import function_document

NAMES = ("sigmoid", "tanh", "softplus", "elu(0.5)", "selu", "leaky_relu", "relu6", "hard_sigmoid")
STEPS = (F(1, 10**15), F(-1, 10**15), F(1), F(-1), F(-1, 2))
EMPTY: dict[str, list[Any]] = {"units": [], "num": [], "den": []}


def functions() -> Iterator[Scenario]:
    """Every function, its ends moved, left out and doubled; numbers of its bounds."""
    for name in NAMES:
        for rounding in ("inner", "outer"):
            for tolerance, target in (
                (F(1, 8), (F(1, 2), 3)),
                (F(0), (-1, 0)),
                (F(3), (7, -7)),
                (F(3), (-7, -8)),
            ):
                made = function_document(
                    name, rounding=rounding, tolerance=tolerance, target=target
                )
                for what, stated in _ends(made):
                    yield _document(f"{name} {rounding} {tolerance}: {what}", stated)
    for number, source in enumerate((random_rows(3), random_functions(3))):
        for seed, (name, polytope) in enumerate(islice(source, 2)):
            for k, one in enumerate(islice(certificates(polytope, np.random.default_rng(seed)), 5)):
                stated = json.loads(json.dumps(one.document()))
                yield _document(f"{name} {number} {k}", stated)
                for what, other in _ends(stated):
                    yield _document(f"{name} {number} {k}: {what}", other)
    for name, turning in turnings().items():
        yield _document(name, json.loads(json.dumps(turning.document)))
    for t in (F(0), F(1, 3), F(1, 2), F(1), F(2), F(7, 2), F(16), F(161, 10), F(1000)):
        for bits in (16, 64, 128):
            yield Scenario(
                f"exp(-{t}), {bits}",
                lambda m, _, t=t, b=bits: outcome(m, lambda: m.exp_of_minus(t, b)),  # type: ignore[misc]
                files=False,
            )
            if t <= 1:
                yield Scenario(
                    f"log(1 + {t}), {bits}",
                    lambda m, _, t=t, b=bits: outcome(  # type: ignore[misc]
                        m, lambda: m.log_of_one_plus(m.Between(t, t), b)
                    ),
                    files=False,
                )


def _document(name: str, stated: Any) -> Scenario:
    return Scenario(name, lambda m, _: outcome(m, lambda: m.check(stated)), files=False)


def _ends(stated: Any) -> Iterator[tuple[str, Any]]:
    """The certificate, and what becomes of it if an end or a word of the problem is another."""
    yield "as it is", stated
    for side in ("floors", "ceilings"):
        if side not in stated["problem"]:
            continue
        for k, unit in enumerate(stated["problem"][side]["units"]):
            for step in STEPS:
                changed = copy.deepcopy(stated)
                ends = changed["problem"][side]
                value = F(int(ends["num"][k], 16), int(ends["den"][k], 16)) + step
                ends["num"][k], ends["den"][k] = (format(v, "x") for v in value.as_integer_ratio())
                yield f"{side} {unit} {step}", changed
        for other in (EMPTY, {"units": [0], "num": ["1"], "den": ["0"]}, {"units": [0]}):
            yield f"{side} {other}", {**stated, "problem": {**stated["problem"], side: other}}
    for key, value in (
        *(("rounding", "near"), ("rounding", "outer"), ("rounding", "inner"), ("form", "rows")),
        *(("form", "function"), ("form", "layer"), ("tolerance", ["-1", "8"])),
        ("function", {"kind": "sine", "parameters": []}),
        ("function", {"kind": "tanh", "parameters": [["1", "1"]]}),
        ("function", {"kind": "elu", "parameters": [["1", "1"], ["0", "1"]]}),
        ("function", {"kind": "leaky_relu", "parameters": [["0", "1"]]}),
        ("function", {"kind": "clip", "parameters": [["1", "1"], *[["0", "1"]] * 3]}),
        ("function", {"kind": "clip", "parameters": [["0", "1"], *[["1", "1"]] * 3]}),
    ):
        if key in stated["problem"]:
            yield f"{key} {value}", {**stated, "problem": {**stated["problem"], key: value}}
    for schema in ("collision-polytopes/certificate/2", "collision-polytopes/certificate/3"):
        yield schema, {**stated, "schema": schema}
