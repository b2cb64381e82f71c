"""Which conditions does the checker's source have, and how does it read without one of them?

Each change is made by a program, in the syntax tree: a check is taken out, a branch is always or
never taken, an operand of `and` and `or` goes, a filter of a comprehension goes, `all` is `any`, a
comparison is shifted by its equality or turned round.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from polytope import checker

SOURCE = Path(checker.__file__).read_text(encoding="utf-8")
#: Statements that are calls and no checks.
_NO_CHECKS = {"print", "add", "append", "update", "clear", "remove", "super"}
_SHIFTED = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}
_TURNED = {ast.Eq: ast.NotEq, ast.In: ast.NotIn, ast.Is: ast.IsNot}
_TURNED |= {other: one for one, other in _TURNED.items()}


@dataclass(frozen=True)
class Change:
    """One condition less.

    Attributes:
        number: of the change, in the order of the source.
        line: in the source.
        function: where it stands.
        text: the condition.
        how: what became of it.
    """

    number: int
    line: int
    function: str
    text: str
    how: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What stays the same when lines are added above."""
        return self.function, self.text, self.how


Edit = Callable[[], None]


def _called(node: ast.Call) -> str:
    name = node.func
    return name.attr if isinstance(name, ast.Attribute) else getattr(name, "id", "")


def _set(owner: ast.AST, field: str, index: int | None, value: ast.AST | None) -> Edit:
    def edit() -> None:
        if index is None:
            setattr(owner, field, value)
        elif value is None:
            del getattr(owner, field)[index]
        else:
            getattr(owner, field)[index] = value

    return edit


def _edits(
    node: ast.AST, owner: ast.AST, field: str, index: int | None
) -> Iterator[tuple[str, ast.AST, Edit]]:
    """How, the condition, and what makes the change; `owner.field[index]` is the node."""

    def put(value: ast.AST) -> Edit:
        return _set(owner, field, index, ast.copy_location(value, node))

    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        if _called(node.value) not in _NO_CHECKS:
            yield "taken out", node.value, put(ast.Pass())
    elif isinstance(node, ast.If | ast.IfExp):
        raising = isinstance(node, ast.If) and isinstance(node.body[0], ast.Raise)
        for how, value in (("never", False), ("always", True)):
            if not (raising and value):
                constant = ast.copy_location(ast.Constant(value), node)
                yield how, node.test, _set(node, "test", None, constant)
    elif isinstance(node, ast.BoolOp):
        for k, operand in enumerate(node.values):
            rest = node.values[:k] + node.values[k + 1 :]
            left = rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)
            word = "and" if isinstance(node.op, ast.And) else "or"
            yield f"left out of an {word}", operand, put(left)
    elif isinstance(node, ast.comprehension):
        for k, test in enumerate(node.ifs):
            yield "filter taken out", test, _set(node, "ifs", k, None)
    elif isinstance(node, ast.Call) and _called(node) in ("all", "any"):
        other = "any" if _called(node) == "all" else "all"
        yield other, node, _set(node, "func", None, ast.copy_location(ast.Name(other), node))
    elif isinstance(node, ast.Compare):
        for k, op in enumerate(node.ops):
            for table, how in ((_SHIFTED, "shifted"), (_TURNED, "turned round")):
                if type(op) in table:
                    where = f"{how}, {k + 1}" if len(node.ops) > 1 else how
                    yield where, node, _set(node, "ops", k, table[type(op)]())


def _walk(tree: ast.Module) -> Iterator[tuple[str, str, ast.AST, Edit]]:
    """Every change: function, how, condition, edit; in the order of the source."""

    def visit(node: ast.AST, function: str) -> Iterator[tuple[str, str, ast.AST, Edit]]:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            function = f"{function}.{node.name}".lstrip(".")
        for field, value in ast.iter_fields(node):
            for k, child in enumerate(value if isinstance(value, list) else [value]):
                if not isinstance(child, ast.AST):
                    continue
                index = k if isinstance(value, list) else None
                for how, condition, edit in _edits(child, node, field, index):
                    yield function, how, condition, edit
                yield from visit(child, function)

    yield from visit(tree, "")


def changes() -> list[Change]:
    """All changes of the checker."""
    return [
        Change(number, condition.lineno, function or "module", ast.unparse(condition), how)  # type: ignore[attr-defined]
        for number, (function, how, condition, _) in enumerate(_walk(ast.parse(SOURCE)))
    ]


def changed(number: int) -> ModuleType:
    """The checker with one change, as a module of its own."""
    tree = ast.parse(SOURCE)
    for k, (_, _, _, edit) in enumerate(_walk(tree)):
        if k == number:
            edit()
            break
    module = ModuleType(f"checker_{number}")
    exec(compile(ast.fix_missing_locations(tree), checker.__file__, "exec"), module.__dict__)
    return module
