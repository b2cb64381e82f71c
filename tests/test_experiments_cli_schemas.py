"""The JSON Schemas in the package are those of the types, and say what a reader would refuse."""

import json
from fractions import Fraction

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from experiments.bench.lp import LpResults
from experiments.bench.report import Report, write_report
from experiments.bench.units import UnitsRequest
from experiments.cli import schemas
from experiments.cli.main import main
from experiments.images.measures import Accuracy
from experiments.images.pair import AccuracyKey
from experiments.run.outcomes import Outcome
from experiments.run.record import read_record
from experiments.run.rows import RowFile
from tests.examples.schemas import FOLDER, faults, misfits

RESULTS = LpResults(units=(1,), values={1: Fraction(-1, 3)}, qsopt_ex_agrees={})


def test_the_files_are_those_of_the_types():
    made = schemas.schemas()
    assert {path.name for path in FOLDER.glob("*.json")} == set(made), "run experiments.cli.schemas"
    for name, schema in made.items():
        assert (FOLDER / name).read_text() == schemas.text(schema), f"{name}: run it again"


def test_every_schema_is_one_and_has_a_name_of_its_own():
    made = schemas.schemas()
    for schema in made.values():
        Draft202012Validator.check_schema(schema)
    identifiers = [schema["$id"] for schema in made.values()]
    assert len(set(identifiers)) == len(identifiers)


def record(tmp_path):
    report = Report(title="", headings=[], rows=[], results=RESULTS, timings={})
    return write_report(tmp_path, "lp", UnitsRequest(), report=report)


def test_a_record_is_as_both_schemas_say(tmp_path):
    record(tmp_path)
    assert misfits(tmp_path) == []
    assert read_record(tmp_path, LpResults).results == RESULTS


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda d: d.pop("seed"), "record: $"),
        (lambda d: d.update(more=1), "record: $"),
        (lambda d: d.update(schema="collision-polytopes/record/1"), "record: $.schema"),
        (lambda d: d["results"].update(units="1"), "bench-lp: $.units"),
        (lambda d: d["results"].update(more=1), "bench-lp: $"),
        (
            lambda d: d["results"]["values"].update({"1": {"exact": "1/3", "approx": None}}),
            "bench-lp: $.values['1'].exact",
        ),
    ],
)
def test_a_record_that_was_changed_is_not(tmp_path, change, found):
    path = record(tmp_path)
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
    assert misfits(tmp_path) == [found]


def test_rows_are_as_their_schema_says_and_other_keys_are_not(tmp_path):
    path = tmp_path / "stages.jsonl"
    found = Outcome(Accuracy(images=3, top1=0.5, top5=1.0), {"points": np.ones((1, 2))}, 0.5)
    with RowFile(path, options={"a": 1}, schema="collision-polytopes/images/2") as rows:
        rows.append(AccuracyKey(), found)
    assert misfits(tmp_path) == []
    for line in path.read_text().splitlines():
        document = json.loads(line)
        for name in document:
            changed = {key: value for key, value in document.items() if key != name}
            assert faults("rows-images", changed) != []
    row = document | {"key": {"work": "another"}}
    assert faults("rows-images", row) != []
    row = document | {"results": document["results"] | {"more": 1}}
    assert faults("rows-images", row) != []


def test_verify_says_of_which_schema_another_document_is(tmp_path, capsys):
    path = record(tmp_path)
    known = "collision-polytopes/certificate/2 or collision-polytopes/certificate/3"
    said = f"expected a certificate of schema {known}, got "
    assert main(["verify", str(path)]) == 2
    out, err = capsys.readouterr()
    assert out.startswith(f"{str(path)!a}: not accepted: ")
    assert err == f"{path}: {said}collision-polytopes/record/2\n"
    assert main(["verify", "--json", str(path)]) == 2
    (entry,) = json.loads(capsys.readouterr().out)
    assert entry["reason"].endswith(f"({said}collision-polytopes/record/2)")
    path.write_text('{"schema": "collision-polytopes/certificate/2"}')
    assert main(["verify", str(path)]) == 2
    assert capsys.readouterr().err == ""
