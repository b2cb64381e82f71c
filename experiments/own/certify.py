"""How is a set of the user's own certified?  Facts and vertices of units, from a file."""

from pathlib import Path
from typing import Any

from experiments.measure.entries import lp_entry
from experiments.measure.facts import facts
from experiments.measure.uniqueness import uniqueness
from experiments.own.claims import every_claim
from experiments.own.set_file import Loaded
from experiments.own.set_options import CertifyRequest
from experiments.run.files import open_run_folder
from experiments.run.progress import Progress
from experiments.run.proofs import FOLDER, Proofs, keep_checker
from experiments.run.record import Record, exact_document, jsonable, write_record
from experiments.run.request import recorded


def certify(
    request: CertifyRequest, loaded: Loaded, folder: Path, progress: Progress
) -> dict[str, Any]:
    """Returns facts and vertices of a set, and writes certificates and a record.

    Args:
        request: what is asked for.
        loaded: the set of its files.
        folder: of the run.
        progress: reports.

    Raises:
        OutputError: the folder cannot be written.
    """
    polytope, name = loaded.polytope, loaded.name
    open_run_folder(folder / FOLDER)
    proofs = Proofs(folder, loaded.sources, polytope.layer)
    with progress.stage("facts", f"facts of {polytope!r}"):
        known = facts(polytope, proofs, name)
        unique = uniqueness(polytope, proofs, name)
    vertices = []
    chosen = polytope.inactive_units[: request.vertices]
    with progress.stage("vertices", f"{len(chosen)} exact vertices"):
        for unit in progress.track(chosen, total=len(chosen), unit="vertices"):
            result = polytope.unit_vertex(unit)
            proof = proofs.keep(f"{name}-unit-{unit}", result.certificate)
            approx = None if result.value is None else exact_document(result.value)["approx"]
            entry = {"unit": unit, **lp_entry(result), "approx": approx, "certificate": proof}
            vertices.append(entry)
    claims = []
    if request.every_claim:
        with progress.stage("claims", "every other claim"):
            claims = every_claim(polytope, proofs, name, point=loaded.point)
    results = {"facts": known, "claims": claims, "uniqueness": unique, "vertices": vertices}
    record = Record(
        experiment="certify",
        options=recorded(request),
        seed=0,
        data=loaded.files,
        results=results,
        timings=progress.total(),
    )
    write_record(folder, record)
    keep_checker(folder)
    found: dict[str, Any] = jsonable(results)
    return found
