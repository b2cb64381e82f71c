"""How is a set of the user's own certified?  Facts and vertices of units, from a file."""

import argparse
from pathlib import Path
from typing import Any

from experiments.measure.entries import lp_entry
from experiments.measure.facts import facts
from experiments.measure.uniqueness import uniqueness
from experiments.own.claims import every_claim
from experiments.own.set_file import Loaded, load_set
from experiments.run.files import open_run_folder
from experiments.run.folder import running
from experiments.run.progress import Progress
from experiments.run.proofs import FOLDER, Proofs, keep_checker
from experiments.run.record import Record, exact_document, jsonable, write_record
from polytope.errors import InputError


def certify_layer(options: argparse.Namespace, progress: Progress) -> dict[str, Any]:
    """Returns facts and vertices of the set named by the options, and writes a record.

    Raises:
        InputError: arrays are missing or do not fit.
        OutputError: the folder cannot be written.
    """
    loaded = load_set(options)
    if options.vertices < 0:
        raise InputError(f"vertices: expected at least 0, got {options.vertices}")
    with running(options, "certify") as folder:
        return _certified(options, loaded, folder, progress)


def _certified(
    options: argparse.Namespace, loaded: Loaded, folder: Path, progress: Progress
) -> dict[str, Any]:
    polytope, name = loaded.polytope, loaded.name
    open_run_folder(folder / FOLDER)
    proofs = Proofs(folder, loaded.sources, polytope.layer)
    with progress.stage("facts", f"facts of {polytope!r}"):
        known = facts(polytope, proofs, name)
        unique = uniqueness(polytope, proofs, name)
    vertices = []
    chosen = polytope.inactive_units[: options.vertices]
    with progress.stage("vertices", f"{len(chosen)} exact vertices"):
        for unit in progress.track(chosen, total=len(chosen), unit="vertices"):
            result = polytope.unit_vertex(unit)
            proof = proofs.keep(f"{name}-unit-{unit}", result.certificate)
            approx = None if result.value is None else exact_document(result.value)["approx"]
            entry = {"unit": unit, **lp_entry(result), "approx": approx, "certificate": proof}
            vertices.append(entry)
    claims = []
    if options.every_claim:
        with progress.stage("claims", "every other claim"):
            claims = every_claim(polytope, proofs, name, point=loaded.point)
    results = {
        "facts": known,
        "claims": claims,
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
