"""How is a set of the user's own certified?  Facts and vertices of units, from a file."""

import argparse
from typing import Any

from experiments.case import lp_entry
from experiments.facts import facts, uniqueness_entry, uniqueness_sentence
from experiments.files import new_run_folder, open_run_folder
from experiments.layer_files import load_set
from experiments.progress import Progress
from experiments.proofs import FOLDER, Proofs, keep_checker
from experiments.record import Record, exact_document, jsonable, write_record
from polytope.errors import InputError


def certify_layer(options: argparse.Namespace, progress: Progress) -> dict[str, Any]:
    """Returns facts and vertices of the set named by the options, and writes a record.

    Raises:
        InputError: arrays are missing or do not fit.
        OutputError: the folder cannot be written.
    """
    loaded = load_set(options)
    polytope, name = loaded.polytope, loaded.name
    if options.vertices < 0:
        raise InputError(f"vertices: expected at least 0, got {options.vertices}")
    folder = new_run_folder(options.out, "certify")
    open_run_folder(folder / FOLDER)
    proofs = Proofs(folder)
    with progress.stage("facts", f"facts of {polytope!r}"):
        known = facts(polytope, proofs, name)
        unique = uniqueness_entry(polytope, proofs, name)
        unique["sentence"] = uniqueness_sentence(unique, polytope.n_inputs, domain=name)
    vertices = []
    chosen = polytope.inactive_units[: options.vertices]
    with progress.stage("vertices", f"{len(chosen)} exact vertices"):
        for unit in progress.track(chosen, total=len(chosen), unit="vertices"):
            result = polytope.unit_vertex(unit)
            proof = proofs.keep(f"{name}-unit-{unit}", result.certificate)
            approx = None if result.value is None else exact_document(result.value)["approx"]
            entry = {"unit": unit, **lp_entry(result), "approx": approx, "certificate": proof}
            vertices.append(entry)
    results = {
        "facts": known,
        "uniqueness": unique,
        "vertices": vertices,
        "folder": str(folder),
    }
    record = Record(
        experiment="certify",
        options={name: value for name, value in vars(options).items() if name != "verb"},
        seed=0,
        data=loaded.files,
        results=results,
        timings=progress.total(),
    )
    write_record(folder, record)
    keep_checker(folder)
    found: dict[str, Any] = jsonable(results)
    return found
