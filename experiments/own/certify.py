"""How is a set of the user's own certified?  Facts and vertices of units, from a file."""

from dataclasses import dataclass, fields
from fractions import Fraction
from pathlib import Path
from typing import ClassVar

from experiments.measure.facts import Facts, facts
from experiments.measure.minimum import Minimum
from experiments.measure.uniqueness import Uniqueness, uniqueness
from experiments.own.claims import Claim, every_claim
from experiments.own.function_words import in_words
from experiments.own.options import CertifyLayerRequest
from experiments.own.savable import expect_savable
from experiments.own.set_file import Loaded
from experiments.own.set_options import CertifyRequest
from experiments.run.files import open_run_folder
from experiments.run.progress import Progress
from experiments.run.proofs import FOLDER, Proofs, keep_checker
from experiments.run.record import Record, write_record
from experiments.run.request import recorded
from experiments.run.words import counted
from experiments.show.numbers import approx, paper_bound

#: Of the facts, those that are printed a line each.
_FACTS = tuple(each.name for each in fields(Facts) if each.name != "certificates")


@dataclass(frozen=True, kw_only=True)
class CertifyResults:
    """What `collide certify` finds.

    Attributes:
        facts: dimension, rank, lineality, ... of the set.
        uniqueness: whether the target is alone in it.
        vertices: exact minima of the first inactive units.
        claims: every other claim, where they were asked for.
        about: of another function than the ReLU: which, how ends are rounded, what is saturated.
    """

    SCHEMA: ClassVar[str] = "collision-polytopes/certify/2"

    facts: Facts
    uniqueness: Uniqueness
    vertices: tuple[Minimum, ...]
    claims: tuple[Claim, ...]
    about: str = ""


def certify(
    request: CertifyRequest | CertifyLayerRequest, loaded: Loaded, folder: Path, progress: Progress
) -> CertifyResults:
    """Returns facts and vertices of a set, and writes certificates and a record.

    Args:
        request: what is asked for.
        loaded: the set of its files.
        folder: of the run.
        progress: reports.

    Raises:
        LimitError: a certificate would be larger than the checker reads.
        OutputError: the folder cannot be written.
    """
    polytope, name = loaded.polytope, loaded.name
    expect_savable(polytope.layer, named=loaded.sources)
    open_run_folder(folder / FOLDER)
    proofs = Proofs(folder, loaded.sources, polytope.layer)
    with progress.stage("facts", f"facts of {polytope!r}"):
        known = facts(polytope, proofs, name)
        unique = uniqueness(polytope, proofs, name)
    vertices = []
    if chosen := polytope.inactive_units[: request.vertices]:
        with progress.stage("vertices", counted(len(chosen), "exact vertices")):
            for unit in progress.track(chosen, total=len(chosen), unit="vertices"):
                result = polytope.unit_vertex(unit)
                proof = proofs.keep(f"{name}-unit-{unit}", result.certificate)
                vertices.append(Minimum.of(unit, result, proof))
    claims: tuple[Claim, ...] = ()
    if request.every_claim:
        with progress.stage("claims", "every other claim"):
            claims = every_claim(polytope, proofs, name, point=loaded.point)
    results = CertifyResults(
        facts=known,
        uniqueness=unique,
        vertices=tuple(vertices),
        claims=claims,
        about=in_words(polytope.layer),
    )
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
    return results


def certify_lines(found: CertifyResults) -> list[str]:
    """Returns the lines that say what was found: a line a fact, a unit, a claim."""
    shown = {name: getattr(found.facts, name) for name in _FACTS}
    shown["sign_disagreements"] = list(found.facts.sign_disagreements)
    shown["paper_bound"] = paper_bound(found.facts.paper_bound)
    lines = [f"{'set':20} {found.about}"] if found.about else []
    lines += [f"{name:20} {value}" for name, value in shown.items()]
    rounded = " (said of the rounded set)" if found.about else ""
    lines.append(f"{'unique':20} {found.uniqueness.sentence}{rounded}")
    for each in found.vertices:
        proof = each.certificate
        lines.append(
            f"unit {each.unit:<6} {each.status:10} {_rounded(each.value)}  "
            f"{proof.file if proof else ''}"
        )
    for one in found.claims:
        lines.append(f"{one.claim:34} {one.certificate.file if one.certificate else one.reason}")
    return lines


def _rounded(value: Fraction | None) -> str:
    if value is None:
        return ""
    number = approx(value)
    return "beyond the range of floats" if number is None else str(number)
