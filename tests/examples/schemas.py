"""Are the files of a run as their JSON Schemas say?"""

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

import experiments
from experiments.cli.schemas import results_types

FOLDER = Path(experiments.__file__).with_name("schemas")


@cache
def validator(name: str) -> Draft202012Validator:
    """The validator of one schema of the package, e.g. "mnist"."""
    return Draft202012Validator(json.loads((FOLDER / f"{name}.json").read_text()))


def named(schema: str) -> str:
    """The schema's file, e.g. "mnist" of "collision-polytopes/mnist/2"."""
    return schema.split("/")[1]


def faults(name: str, document: Any) -> list[str]:
    """What of a document is not as a schema says."""
    return [f"{name}: {error.json_path}" for error in validator(name).iter_errors(document)]


@cache
def package_of(schema: str) -> str:
    """The package of the experiment whose results have this schema."""
    return next(
        kind.__module__.split(".")[1] for kind in results_types() if vars(kind)["SCHEMA"] == schema
    )


def misfits(folder: Path) -> list[str]:
    """What is not as the schemas say in the records and rows of a run."""
    found = []
    for path in sorted(folder.rglob("record.json")):
        document = json.loads(path.read_text())
        found += faults("record", document)
        found += faults(named(document["results_schema"]), document["results"])
    for path in sorted(folder.rglob("*.jsonl")):
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        package = package_of(lines[0]["results_schema"])
        found += [each for line in lines for each in faults(f"rows-{package}", line)]
    return found
