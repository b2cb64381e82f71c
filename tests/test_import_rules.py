"""Data flows one way: polytope <- optimize <- experiments, and between the rooms of each."""

import subprocess
import sys

import pytest

from tests.examples.module_graph import FILES, NAMES, PACKAGES, ROOT, imports, modules, name_of

__all__ = ["LEVELS", "NAMES", "PACKAGES", "modules", "room_of"]  # tools/draw_rooms.py asks for them

#: Level by level from the bottom: a room imports rooms of lower levels, never its neighbours.
#: A room is a folder, or a module that lies in none; "polytope" and "optimize" are the doors.
LEVELS = (
    ("polytope.errors", "polytope.checker"),
    ("polytope.files",),
    ("polytope.exact",),
    ("polytope.sets",),
    ("polytope.answers", "polytope.lp"),
    ("polytope.questions",),
    ("polytope.vertices",),
    ("polytope.measures",),
    ("polytope.collision",),
    ("polytope.network", "polytope.formats"),
    ("polytope",),
    ("optimize.model",),
    ("optimize.exact", "optimize.search"),
    ("optimize.compare",),
    ("optimize",),
    ("experiments.run", "experiments.readers", "experiments.paper"),
    (
        *("experiments.datasets", "experiments.measure", "experiments.show"),
        *("experiments.models.onnx", "experiments.models.foreign"),
    ),
    ("experiments.models.keras",),
    ("experiments.models", "experiments.pictures", "experiments.images"),
    (
        *("experiments.mnist", "experiments.lenet5", "experiments.vgg16"),
        *("experiments.squeezenet", "experiments.small"),
    ),
    ("experiments.own", "experiments.scales"),
    ("experiments.bench",),
    ("experiments.cli",),
)
LEVEL_OF = {room: level for level, rooms in enumerate(LEVELS) for room in rooms}


def room_of(module):
    """The innermost room that holds a module: of `polytope.lp.proof`, `polytope.lp`."""
    parts = module.split(".")
    prefixes = (".".join(parts[:n]) for n in range(len(parts), 0, -1))
    return next(prefix for prefix in prefixes if prefix in LEVEL_OF)


def breaches(source, room):
    """Modules that lie no lower than the room of a source, and are not in it."""
    level = LEVEL_OF[room]
    used = {name: room_of(name) for name in modules(source)}
    return sorted(n for n, other in used.items() if other != room and LEVEL_OF[other] >= level)


@pytest.mark.parametrize("path", FILES, ids=str)
def test_imports_go_down(path):
    if name_of(path) != "experiments":  # an empty door: every room below it is imported by name
        assert breaches((ROOT / path).read_text(), room_of(name_of(path))) == []


@pytest.mark.parametrize("path", [p for p in FILES if p.parts[0] == "polytope"], ids=str)
def test_polytope_knows_no_torch(path):
    roots = {name.partition(".")[0] for name in imports((ROOT / path).read_text())}
    assert "torch" not in roots
    assert "safetensors.torch" not in set(imports((ROOT / path).read_text()))


def test_no_module_imports_itself_by_way_of_others():
    below = {name: set(modules((ROOT / path).read_text())) - {name} for name, path in NAMES.items()}
    while free := [name for name, used in below.items() if not used & below.keys()]:
        for name in free:
            del below[name]
    assert below == {}


def test_every_folder_is_a_room_and_every_room_is_there():
    folders = {".".join(path.parent.parts) for path in FILES} - {"experiments"}
    doors = {name for name in NAMES if name.count(".") == 1 and NAMES[name].name != "__init__.py"}
    assert set(LEVEL_OF) == folders | doors


def test_the_rule_sees_every_form_of_import():
    source = """
import numpy, torch.nn as nn
def f():
    from experiments import paper
    from experiments.run import record
    from torchlike import x
"""
    assert breaches(source, "optimize.model") == ["experiments.paper", "experiments.run.record"]
    assert "torch.nn" in set(imports(source))
    assert breaches("from polytope.lp.proof import prove", "polytope.answers") == [
        "polytope.lp.proof"
    ]


TESTS = sorted(path.relative_to(ROOT) for path in (ROOT / "tests").rglob("*.py"))
HELPERS = {name_of(path) for path in TESTS if path.parent.name != "tests"}
#: What they could be called by as well, since pytest puts tests/ on the path.
BARE = {path.parts[1].removesuffix(".py") for path in TESTS}


def other_names(source):
    """Imports of tests and of their helpers by another name than the whole one.

    A helper that is imported by two names is two modules, each with its own state.
    """
    for name in imports(source):
        root = name.partition(".")[0]
        helper = name in HELPERS or name.rpartition(".")[0] in HELPERS
        if root in BARE or (root == "tests" and not helper):
            yield name


@pytest.mark.parametrize("path", TESTS, ids=str)
def test_helpers_of_tests_have_one_name(path):
    assert list(other_names((ROOT / path).read_text())) == []


def test_the_rule_of_one_name_sees_every_form():
    sources = {
        "from tests.examples import deep, layers": [],
        "from tests.examples.deep import install_deep": [],
        "import tests.oracles.exact_oracle": [],
        "from tests import test_kills": ["tests.test_kills"],
        "from tests.test_kills import command": ["tests.test_kills.command"],
        "from tests.deep import install_deep": ["tests.deep.install_deep"],
        "from examples.deep import install_deep": ["examples.deep.install_deep"],
        "from examples import deep": ["examples.deep"],
        "import examples": ["examples"],
        "import conftest": ["conftest"],
        "import json, numpy.random": [],
    }
    assert {source: list(other_names(source)) for source in sources} == sources


def loaded_by(statement):
    """Returns the names of all modules that a fresh Python has loaded after the statement."""
    done = subprocess.run(
        [sys.executable, "-c", f"{statement}\nimport sys\nprint(*sys.modules)"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "module",
    ["polytope", "experiments.cli.main", "experiments.run.record", "experiments.datasets.mnist"],
)
def test_torch_is_not_loaded_by(module):
    assert "torch" not in loaded_by(f"import {module}")


def test_the_checker_needs_the_standard_library_alone():
    source = (ROOT / "polytope" / "checker.py").read_text()
    roots = {name.partition(".")[0] for name in imports(source)}
    assert roots <= set(sys.stdlib_module_names)
