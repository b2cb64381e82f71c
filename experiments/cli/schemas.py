"""Which schema has a file of a run?  `python -m experiments.cli.schemas` writes them all anew.

experiments/schemas/ holds a JSON Schema for each type of results that names its version, one for
the record around them, and one for the rows of each experiment. They are made from the types.
"""

import importlib
import inspect
import json
import pkgutil
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from experiments.run import record, rows
from experiments.run.documents import DIALECT, json_schema, json_schemas
from experiments.run.outcomes import Key
from polytope.files import write_text

_PACKAGE = Path(__file__).resolve().parents[1]
FOLDER = _PACKAGE / "schemas"


#: They run when they are imported, or are programs of their own that need an extra (h5py).
_PROGRAMS = ("experiments.cli.__main__", "experiments.models.keras.hdf5")


def _modules() -> list[ModuleType]:
    """Every module of the experiments but the programs."""
    found = pkgutil.walk_packages([str(_PACKAGE)], "experiments.")
    return [importlib.import_module(m.name) for m in found if m.name not in _PROGRAMS]


def _classes(module: ModuleType) -> list[type]:
    return [each for _, each in inspect.getmembers(module, inspect.isclass)]


def results_types() -> list[type]:
    """Returns every type of results that names a schema, by module and name."""
    found = {each for module in _modules() for each in _classes(module) if "SCHEMA" in vars(each)}
    return sorted(found, key=_name)


def _name(kind: type) -> tuple[str, str]:
    return kind.__module__, kind.__name__


def _keys() -> dict[str, list[type[Key[Any]]]]:
    """Package -> the keys of work that its modules know, their own and others'."""
    found: dict[str, set[type[Key[Any]]]] = {}
    for module in _modules():
        keys = {each for each in _classes(module) if issubclass(each, Key) and each is not Key}
        found.setdefault(module.__name__.split(".")[1], set()).update(keys)
    return {package: sorted(keys, key=_name) for package, keys in found.items() if keys}


def schemas() -> dict[str, dict[str, Any]]:
    """Returns file name -> JSON Schema."""
    found = {"record.json": _record()}
    for kind in results_types():
        identifier: str = vars(kind)["SCHEMA"]
        found[f"{identifier.split('/')[1]}.json"] = json_schema(kind, identifier)
    return found | {
        f"rows-{package}.json": _rows(package, keys) for package, keys in _keys().items()
    }


def _record() -> dict[str, Any]:
    """Of the record; its results have a schema of their own, which it names."""
    (reference,), names = json_schemas(record.Record[dict[str, Any]])
    document: dict[str, Any] = names[reference["$ref"].rpartition("/")[2]]
    own = {"schema": {"const": record.SCHEMA}, "results_schema": {"type": "string"}}
    return {
        "$schema": DIALECT,
        "$id": record.SCHEMA,
        **document,
        "properties": {**own, **document["properties"]},
        "required": [*own, *document["required"], "versions"],
    }


def _rows(package: str, keys: list[type[Key[Any]]]) -> dict[str, Any]:
    """Of a line of rows: the first one, or a piece of work of one of these kinds."""
    kinds, names = json_schemas(*keys, *(key.results_type() for key in keys))
    header = {
        "schema": {"const": rows.SCHEMA},
        "results_schema": {"type": "string"},
        "options": {"type": "object"},
    }
    lines = [_line(header)]
    for key, named, results in zip(keys, kinds, kinds[len(keys) :], strict=False):
        fields = names.pop(named["$ref"].rpartition("/")[2])
        own = {"work": {"const": key.WORK}, **fields["properties"]}
        lines.append(
            _line(
                {
                    "key": fields | {"properties": own, "required": list(own)},
                    "results": results,
                    "arrays": {"type": "object", "additionalProperties": {"type": "array"}},
                    "seconds": {"type": "number", "minimum": 0},
                }
            )
        )
    return {
        "$schema": DIALECT,
        "$id": f"{rows.SCHEMA}/{package}",
        "title": f"A line of the rows of {package}",
        "oneOf": lines,
        "$defs": names,
    }


def _line(fields: Mapping[str, Any]) -> dict[str, Any]:
    known = {**fields, "crc32": {"type": "string", "pattern": "^[0-9a-f]{8}$"}}
    return {
        "type": "object",
        "properties": known,
        "required": list(known),
        "additionalProperties": False,
    }


def text(schema: Mapping[str, Any]) -> str:
    """Returns a schema as its file holds it."""
    return json.dumps(schema, indent=1) + "\n"


def main() -> None:
    """Writes every schema, and removes those of types that are gone."""
    FOLDER.mkdir(exist_ok=True)
    made = schemas()
    for name, schema in made.items():
        write_text(FOLDER / name, text(schema))
    for path in FOLDER.glob("*.json"):
        if path.name not in made:
            path.unlink()
    print(f"{len(made)} schemas in {FOLDER}")


if __name__ == "__main__":
    main()
