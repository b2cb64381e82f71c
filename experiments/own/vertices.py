"""How are all vertices of a set of the user's own listed?  `collide vertices`, from a file."""

import time
from pathlib import Path

from experiments.measure.inequalities import Facets, Redundancy
from experiments.measure.set_measures import measures
from experiments.own.set_file import Loaded
from experiments.own.set_options import VerticesRequest
from experiments.own.vertices_results import (
    Estimate,
    VerticesResults,
    counts_of,
    dimension_of,
    some,
)
from experiments.pictures.projection import write_picture
from experiments.run.files import open_run_folder
from experiments.run.progress import Progress
from experiments.run.proofs import FOLDER, Proofs, keep_checker
from experiments.run.record import Record, write_record
from experiments.run.request import recorded
from experiments.run.words import counted
from polytope import CollisionPolytope, write_generators, write_halfspaces
from polytope.answers.generators import Completeness, Generators

_SAY_EVERY = 2.0  # seconds between two lines of progress


def list_vertices(
    request: VerticesRequest, loaded: Loaded, folder: Path, progress: Progress
) -> VerticesResults:
    """Returns what was found about a set; generators, certificates and a record are written.

    Args:
        request: what is asked for.
        loaded: the set of its files.
        folder: of the run.
        progress: reports.

    Raises:
        OutputError: the folder cannot be written.
    """
    polytope, proofs = loaded.polytope, Proofs(folder)
    with progress.stage("estimate", f"size of {polytope!r}"):
        estimate = _estimate(polytope, progress)
    with progress.stage("vertices", "vertices, rays and lines"):
        found = polytope.vertices(
            max_seconds=request.max_seconds,
            max_count=request.max_count,
            max_memory=request.max_memory,
            progress=_Counter(progress),
        )
    open_run_folder(folder / FOLDER)
    proved = found.certificate is not None
    words = "certificate, written and checked" if proved else "no certificate: not proved complete"
    with progress.stage("proof", words):
        proof = proofs.keep(f"{loaded.name}-vertices", found.certificate)
    facets, measured, redundancy = None, None, None
    if found.complete and found.status is not Completeness.EMPTY:
        facets = Facets.of(found)
        with progress.stage("measures", "measures"):
            measured = measures(polytope, found, level=request.measures)
    if request.redundancy:
        with progress.stage("redundancy", "which inequalities the others imply"):
            redundancy = Redundancy.of(polytope, proofs, loaded.name)
    results = VerticesResults(
        set=repr(polytope),
        estimate=estimate,
        status=found.status.name.lower(),
        sentence=found.status.value,
        reason=found.reason,
        dimension=dimension_of(found),
        counts=counts_of(found),
        points=some(found.points, every=request.every),
        rays=some(found.rays, every=request.every),
        lines=some(found.lines, every=request.every),
        certificate=proof,
        facets=facets,
        measures=measured,
        redundancy=redundancy,
        files=_write(folder, polytope, found, minimal=request.redundancy),
    )
    record = Record(
        experiment="vertices",
        options=recorded(request),
        seed=0,
        data=loaded.files,
        results=results,
        timings=progress.total(),
    )
    write_record(folder, record)
    return results


class _Counter:
    """Says now and then how many vertices were proved, and how many wait."""

    def __init__(self, progress: Progress) -> None:
        self._progress, self._last = progress, time.monotonic()

    def __call__(self, proved: int, waiting: int) -> None:
        now = time.monotonic()
        if now - self._last >= _SAY_EVERY:
            self._last = now
            self._progress.say(f"    {counted(proved, 'vertices')} proved, {waiting:,} to visit")


def _estimate(polytope: CollisionPolytope, progress: Progress) -> Estimate | None:
    """An order of magnitude before the work, from random walks."""
    found = polytope.estimate_vertices()
    if found is None:
        return None
    estimate = Estimate.of(found)
    kind = " of a perturbation (the set is degenerate)" if found.degenerate else ""
    known = estimate.standard_error
    about = "more than" if known is None else "about"
    number = f"{found.vertices:,.0f}" if not known else f"{found.vertices:,.0f} ± {known:,.0f}"
    progress.say(
        f"    {about} {number} {'vertex' if number == '1' else 'vertices'}{kind}, "
        f"{found.bytes / (1 << 20):,.1f} MiB; an estimate by random walkers, "
        f"at most {_magnitude(found.upper_bound)}"
    )
    return estimate


def _magnitude(count: int) -> str:
    return f"{count:,}" if count < 10**9 else f"10^{len(str(count)) - 1}"


def _write(
    folder: Path, polytope: CollisionPolytope, found: Generators, *, minimal: bool
) -> tuple[str, ...]:
    """Writes both representations, the checker and a picture; returns the names."""
    written = [write_halfspaces(polytope, folder / "halfspaces.ine")]
    if minimal:
        written.append(write_halfspaces(polytope, folder / "minimal.ine", minimal=True))
    if len(found.points):
        # Nothing inside the formats says that a list is not all there is: the name has to.
        name = "generators" if found.complete else "generators-partial"
        written += [write_generators(found, folder / f"{name}{s}") for s in (".ext", ".json")]
        picture = write_picture(folder, polytope, found)
        written += [picture] if picture is not None else []
    written.append(keep_checker(folder))
    return tuple(str(path.relative_to(folder)) for path in written)
