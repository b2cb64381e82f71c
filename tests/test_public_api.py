"""What the packages offer: sorted, annotated, documented, and few positional parameters."""

import ast
import inspect
import re
from enum import Enum
from pathlib import Path

import pytest

import optimize
import polytope

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = [polytope, optimize]
NAMES = [(package, name) for package in PACKAGES for name in package.__all__]


@pytest.mark.parametrize("package", PACKAGES, ids=lambda p: p.__name__)
def test_all_is_sorted_and_complete(package):
    assert list(package.__all__) == sorted(package.__all__)
    public = {
        name
        for name, value in vars(package).items()
        if not name.startswith("_") and not inspect.ismodule(value)
    }
    assert public == set(package.__all__)


def test_the_contract_is_there():
    promised = {"Box", "CollisionPolytope", "Free", "Nonnegative", "verify"}
    assert promised <= set(polytope.__all__)


@pytest.mark.parametrize(("package", "name"), NAMES, ids=[name for _, name in NAMES])
def test_documented(package, name):
    value = getattr(package, name)
    assert inspect.getdoc(value)
    assert (value.__doc__ or "").strip()[0].isupper() or value.__doc__.startswith("`")
    for member, found in _own_members(value):
        assert inspect.getdoc(found), f"{name}.{member} has no docstring"


@pytest.mark.parametrize(("package", "name"), NAMES, ids=[name for _, name in NAMES])
def test_annotated_with_at_most_three_positional_parameters(package, name):
    value = getattr(package, name)
    for member, function in _functions(value):
        signature = inspect.signature(function)
        assert signature.return_annotation is not inspect.Signature.empty, member
        parameters = [p for k, p in signature.parameters.items() if k not in ("self", "cls")]
        for parameter in parameters:
            assert parameter.annotation is not inspect.Parameter.empty, f"{member}: {parameter}"
        positional = [p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
        assert len(positional) <= 3, f"{name}.{member}: {positional}"


def _own_members(value):
    if not inspect.isclass(value) or issubclass(value, Enum):
        return []
    return [
        (member, found)
        for member, found in vars(value).items()
        if not member.startswith("_")
        and (callable(found) or isinstance(found, (property, classmethod)))
    ]


def _functions(value):
    if inspect.isfunction(value):
        return [(value.__name__, value)]
    unwrapped = [
        (member, found.fget if isinstance(found, property) else getattr(found, "__func__", found))
        for member, found in _own_members(value)
    ]
    return [(member, found) for member, found in unwrapped if inspect.isfunction(found)]


def module_functions(path, *, private=False):
    """Yields every function of a module, at any depth; those with an underscore if asked for."""
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.FunctionDef) and (private or re.match("[a-z]|__init__", node.name)):
            yield node


@pytest.mark.parametrize("package", ["optimize", "experiments"])
def test_functions_between_modules_take_few_positional_parameters(package):
    paths = sorted((ROOT / package).rglob("*.py"))
    assert len(paths) > 10
    crowded = [
        f"{path.name}:{node.name}"
        for path in paths
        for node in module_functions(path)
        if len([a for a in node.args.args if a.arg not in ("self", "cls")]) > 5
    ]
    assert crowded == []


MODULES = [
    path.relative_to(ROOT)
    for package in ("polytope", "optimize")
    for path in sorted((ROOT / package).rglob("*.py"))
    if path.name != "checker.py"  # a program of its own, its helpers private
]
#: Pairs that Python asks for: the items of a dict, and what torch hands to a module.
PAIRS = {"iter_unit_vertices", "unit_vertices", "unique", "forward"}


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_at_most_five_parameters_without_a_default(path):
    crowded = {}
    for node in module_functions(path):
        names = [a.arg for a in node.args.args if a.arg not in ("self", "cls")]
        needed = len(names) - len(node.args.defaults)
        needed += sum(default is None for default in node.args.kw_defaults)
        crowded |= {node.name: needed} if needed > 5 else {}
    assert crowded == {}


def unlike(annotation):
    """Tuples of a fixed length whose entries are of several types."""
    for node in ast.walk(annotation):
        if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "tuple":
            entries = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
            kinds = {ast.unparse(entry) for entry in entries}
            if len(kinds) > 1 and "..." not in kinds:
                yield ast.unparse(node)


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_no_tuple_of_unlike_things(path):
    """No parameter packs some, and what other modules may call returns none."""
    packed = set()
    for node in module_functions(path, private=True):
        given = [*node.args.args, *node.args.kwonlyargs]
        found = [(a.arg, a.annotation) for a in given if a.annotation is not None]
        if node.returns is not None and not node.name.startswith("_"):
            found.append(("return", node.returns))
        packed |= {(node.name, name) for name, kind in found for _ in unlike(kind)}
    assert {(name, part) for name, part in packed if name not in PAIRS} == set()


@pytest.mark.parametrize(
    ("annotation", "found"),
    [
        ("tuple[int, str]", ["tuple[int, str]"]),
        ("Iterator[tuple[int, Fraction]] | None", ["tuple[int, Fraction]"]),
        ("tuple[int, int]", []),
        ("tuple[Fraction, ...]", []),
        ("dict[str, list[int]]", []),
    ],
)
def test_the_rule_sees(annotation, found):
    assert list(unlike(ast.parse(annotation, mode="eval").body)) == found


def test_results_are_frozen():
    for name in ("LPResult", "NearestResult", "Certificate", "Box", "Free", "Nonnegative"):
        assert getattr(polytope, name).__dataclass_params__.frozen, name
    for name in ("VertexSearch", "VertexComparison", "Objective", "Splitting", "Stopping"):
        assert getattr(optimize, name).__dataclass_params__.frozen, name
