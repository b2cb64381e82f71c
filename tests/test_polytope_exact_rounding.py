"""A thread that does not round to nearest is mended or refused, and PPL leaves none behind."""

import ast
import ctypes
import platform
import subprocess
import sys
from fractions import Fraction as F
from pathlib import Path

import pytest

from polytope import CollisionPolytope
from polytope.errors import InputError
from polytope.exact import rounding

ROOT = Path(__file__).resolve().parent.parent
#: Upwards, downwards and towards zero, as <fenv.h> of the processor numbers them.
MODES = {"x86_64": (0x800, 0x400, 0xC00), "aarch64": (0x400000, 0x800000, 0xC00000)}
OTHERS = MODES.get(platform.machine(), ())
C = ctypes.CDLL(None)


@pytest.fixture
def restored():
    yield
    C.fesetround(0)


@pytest.mark.parametrize("mode", OTHERS)
def test_another_mode_is_seen_and_mended(mode, restored):
    C.fesetround(mode)
    assert not rounding._nearest()
    with pytest.warns(RuntimeWarning, match="did not round to nearest"):
        polytope = CollisionPolytope.from_layer([[0.5]], [0.1], [0.25])
    assert C.fegetround() == 0
    assert rounding._nearest()
    assert polytope.layer.pre_activations == (F(0.125) + F(0.1),)


@pytest.mark.parametrize("mode", OTHERS)
def test_a_mode_that_cannot_be_mended_is_refused(mode, restored, monkeypatch):
    monkeypatch.setattr(rounding, "_set_nearest", lambda: None)
    C.fesetround(mode)
    with pytest.raises(InputError, match="rounding: expected that of this thread to be to nearest"):
        rounding.keep_nearest()


def test_ppl_is_loaded_and_floats_stay_as_they_were():
    words = """
import ctypes, sys, warnings
warnings.simplefilter("error")
from polytope.exact.rounding import load_ppl
ppl = load_ppl()
assert ctypes.CDLL(None).fegetround() == 0
point = ppl.C_Polyhedron(ppl.Variable(0) == 3).minimized_generators()[0]
assert ctypes.CDLL(None).fegetround() == 0
print(point.coefficients()[0], float(sys.argv[1]) == 0.1)
"""
    run = [sys.executable, "-c", words, "0.1"]
    done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.split() == ["3", "True"], done.stderr


def test_no_source_loads_ppl_but_by_that_door():
    """But for the process of its own in which engines list vertices: no float is added there."""
    found = {
        str(path.relative_to(ROOT))
        for package in ("polytope", "optimize", "experiments")
        for path in (ROOT / package).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import) and "ppl" in [name.name for name in node.names]
    }
    assert found == {"polytope/exact/rounding.py", "polytope/vertices/engine.py"}
