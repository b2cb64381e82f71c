"""Flow is one way, polytope <- optimize <- experiments; polytope and the command need no torch."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FORBIDDEN = {
    "polytope": {"torch", "optimize", "experiments", "safetensors.torch"},
    "optimize": {"experiments"},
}
MODULES = [
    (package, path.relative_to(ROOT))
    for package in FORBIDDEN
    for path in sorted((ROOT / package).rglob("*.py"))
]


def imports(source):
    """Yields every module a source imports, at any depth and also under TYPE_CHECKING."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports are not used here"
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)


def breaches(source, forbidden):
    return sorted(
        name
        for name in set(imports(source))
        if any(name == other or name.startswith(other + ".") for other in forbidden)
    )


@pytest.mark.parametrize(("package", "path"), MODULES, ids=lambda value: str(value))
def test_imports_go_one_way(package, path):
    assert breaches((ROOT / path).read_text(), FORBIDDEN[package]) == []


def test_the_rule_sees_every_form_of_import():
    source = """
import numpy, torch.nn as nn
def f():
    from experiments import record
    from torchlike import x
"""
    assert breaches(source, {"torch", "experiments"}) == [
        "experiments",
        "experiments.record",
        "torch.nn",
    ]


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
    "module", ["polytope", "experiments.cli", "experiments.record", "experiments.datasets.mnist"]
)
def test_torch_is_not_loaded_by(module):
    assert "torch" not in loaded_by(f"import {module}")


def test_the_checker_needs_the_standard_library_alone():
    source = (ROOT / "polytope" / "checker.py").read_text()
    roots = {name.partition(".")[0] for name in imports(source)}
    assert roots <= set(sys.stdlib_module_names)
