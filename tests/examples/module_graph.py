"""Which modules are there, and which does a source import?  What rules of the whole tree ask."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("polytope", "optimize", "experiments")
FILES = [
    path.relative_to(ROOT)
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
]


def name_of(path: Path) -> str:
    """The module of a file, relative to the root."""
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {name_of(path): path for path in FILES}


def imports(source: str) -> Iterator[str]:
    """Yields every module or name a source imports, at any depth and under TYPE_CHECKING too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports are not used here"
            yield from (f"{node.module}.{name.name}" for name in node.names)


def modules(source: str) -> Iterator[str]:
    """Yields every module of ours that a source imports."""
    for name in imports(source):
        if name.partition(".")[0] in PACKAGES:
            yield name if name in NAMES else name.rpartition(".")[0]
