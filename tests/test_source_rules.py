"""What no source here may do with what comes from outside, and which releases are safe."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = [
    path.relative_to(ROOT)
    for package in ("polytope", "optimize", "experiments")
    for path in sorted((ROOT / package).rglob("*.py"))
]
#: Functions that run what they are given, or would.
CALLS = {
    *("eval", "exec", "compile", "__import__", "os.system", "os.popen", "os.execv", "os.spawnv"),
    *("pickle.load", "pickle.loads", "pickle.Unpickler", "marshal.loads", "shelve.open"),
    *("yaml.load", "yaml.unsafe_load", "joblib.load", "torch.hub.load", "np.fromregex"),
    *("tarfile.open", "shutil.unpack_archive", "zipfile.ZipFile.extractall"),
}
#: Keyword -> the value it must not have.
KEYWORDS = {
    "allow_pickle": True,
    "weights_only": False,
    "trust_remote_code": True,
    "shell": True,
    "autoescape": False,
}
#: The numbers of a layer on their way to our own process, by a file that no one else names.
OWN = {("experiments/images/facts.py", "pickle.load")}


def dotted(node):
    """A function as it is called: "os.system", "eval"; "" for anything else."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def breaches(source, name="source"):
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        called = dotted(node.func)
        if called in CALLS and (name, called) not in OWN:
            found.append(called)
        for keyword in node.keywords:
            if keyword.arg in KEYWORDS:
                value = keyword.value
                safe = isinstance(value, ast.Constant) and value.value is not KEYWORDS[keyword.arg]
                if keyword.arg == "autoescape":  # jinja's own rule will do
                    safe = safe or dotted(getattr(value, "func", value)) == "select_autoescape"
                if not safe:
                    found.append(f"{called}: {keyword.arg}")
        if called == "torch.load" and "weights_only" not in {k.arg for k in node.keywords}:
            found.append("torch.load without weights_only")
        if called.endswith(".extractall"):
            found.append(called)
    return found


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_nothing_from_outside_is_run(path):
    assert breaches((ROOT / path).read_text(), str(path)) == []


def test_imports_that_are_not_needed():
    """No module for pickles or shells beside the two that say why, and no parser of YAML."""
    known = {"experiments/images/facts.py", "experiments/readers/torch_files.py"}
    found = set()
    for path in SOURCES:
        for node in ast.walk(ast.parse((ROOT / path).read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [str(node.module)]
            if {"pickle", "yaml", "dill", "cloudpickle", "marshal", "tarfile"} & set(names):
                found.add(str(path))
    assert found == known


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("eval('1')", ["eval"]),
        ("import os\nos.system('ls')", ["os.system"]),
        ("pickle.loads(b'')", ["pickle.loads"]),
        ("np.load(f, allow_pickle=True)", ["np.load: allow_pickle"]),
        ("np.load(f, allow_pickle=flag)", ["np.load: allow_pickle"]),
        ("np.load(f, allow_pickle=False)", []),
        ("torch.load(f)", ["torch.load without weights_only"]),
        ("torch.load(f, weights_only=False)", ["torch.load: weights_only"]),
        ("torch.load(f, weights_only=True)", []),
        ("subprocess.run(c, shell=True)", ["subprocess.run: shell"]),
        ("Environment(autoescape=False)", ["Environment: autoescape"]),
        ("Environment(autoescape=select_autoescape())", []),
        ("archive.extractall()", ["archive.extractall"]),
        ("model.eval()", []),
    ],
)
def test_the_rule_sees(source, found):
    assert breaches(source) == found


# --- versions --------------------------------------------------------------------------------

#: Package -> the oldest release without a published hole that files can reach, and the hole.
FLOORS = {
    "torch": ((2, 10), "CVE-2025-32434 and CVE-2026-24747: code and heap under weights_only"),
    "onnx": ((1, 21), "CVE-2024-27318, CVE-2026-27489, CVE-2026-34446: external data"),
    "numpy": ((1, 16, 3), "CVE-2019-6446: pickles by default"),
    "pillow": ((11, 3), "CVE-2025-48379: heap overflow"),
    "jinja2": ((3, 1, 6), "CVE-2025-27516: sandbox"),
    "tqdm": ((4, 66, 3), "CVE-2024-34062: options that are evaluated"),
}


def floors():
    """Package -> its floor, of all requirements of pyproject.toml; each has a cap as well."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    needed = [*project["dependencies"], *extras["onnx"]]
    found = {}
    for requirement in needed:
        name, floor = re.fullmatch(r"([\w-]+)>=([\d.]+),<[\d.]+", requirement).groups()
        found[name.lower()] = tuple(map(int, floor.split(".")))
    return found


@pytest.mark.parametrize("package", FLOORS)
def test_what_is_required_is_not_known_to_be_open(package):
    oldest, why = FLOORS[package]
    assert floors()[package] >= oldest, why


def test_the_check_at_run_time_is_that_of_the_requirement():
    pytest.importorskip("onnx", reason="needs the extra onnx")
    from experiments.models.onnx import reader
    from experiments.readers import torch_files

    assert floors()["torch"] == torch_files.OLDEST
    assert floors()["onnx"] == reader.OLDEST


def test_python_itself_is_recent_enough():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == ">=3.11"
