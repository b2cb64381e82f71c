"""What kind of set is it: rank, kernel, dimension, lineality?  Exact, and within a time limit.

The work runs in a process of its own, which is ended when its time is over; what it had proved by
then counts.
"""

import json
import multiprocessing
import os
import pickle
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from experiments.measure.facts import DOMAINS
from experiments.run.files import atomic_path, open_run_folder
from experiments.run.interrupts import children_do_not_hear
from experiments.run.limited import ended
from experiments.run.proofs import FOLDER, Proofs
from experiments.run.record import jsonable
from polytope import CollisionPolytope

if TYPE_CHECKING:  # the process of its own starts sooner without torch
    from optimize import ExactLayer

#: Certificates hold the layer in text: beyond so many weights they are not saved.
MOST_SAVED = 4_000_000
_CHILD = ("free", "nonnegative")

#: What a vertex of the set is kept as, in the run folder: "point" (d,), rounded to float64.
VERTEX = "exact-vertex.npz"

Fact = Callable[[CollisionPolytope], tuple[dict[str, Any], Any]]


def _rank(polytope: CollisionPolytope) -> tuple[dict[str, Any], Any]:
    found = polytope.rank_positive()
    return {"rank_positive": found.value}, found.certificate


def _kernel(polytope: CollisionPolytope) -> tuple[dict[str, Any], Any]:
    found = polytope.kernel_condition()
    return {"kernel_condition": found.holds}, found.certificate


def _dimension(polytope: CollisionPolytope) -> tuple[dict[str, Any], Any]:
    found = polytope.dimension()
    return {"dimension": found.value, "paper_bound": found.paper_bound}, found.certificate


def _lineality(polytope: CollisionPolytope) -> tuple[dict[str, Any], Any]:
    found = polytope.lineality()
    return {"lineality": found.dimension, "pointed": found.pointed}, found.certificate


def _vertex(polytope: CollisionPolytope) -> tuple[dict[str, Any], Any]:
    """One exact vertex: the target pushed to one, without a linear program."""
    found = polytope.purify()
    entry: dict[str, Any] = {"vertex": found.status.name.lower(), "vertex_reason": found.reason}
    if found.point is not None and polytope.layer.target_vector is not None:
        point = found.point_float()
        target = polytope.layer.target_vector.to_float()
        entry |= {
            "vertex_tight": len(found.tight),
            "vertex_moves": found.moves,
            "vertex_positive": int((point > 0).sum()),
            "vertex_distance": float(np.linalg.norm(point - target)),
            "point": point.tolist(),
        }
    return entry, found.certificate


FACTS: dict[str, Fact] = {
    "rank": _rank,
    "kernel": _kernel,
    "dimension": _dimension,
    "lineality": _lineality,
    "vertex": _vertex,
}


def limited_facts(
    layer: "ExactLayer", target: NDArray[np.float32], folder: Path, *, seconds: float
) -> dict[str, Any]:
    """Returns the facts of a target's set, x free and x >= 0, that were proved in time.

    Args:
        layer: exact.
        target: (d,), what enters the layer; x >= 0 is left out where a number is negative.
        folder: the run folder, for certificates.
        seconds: after which the rest is given up.

    Returns:
        "domains": the facts by domain, a vertex (its point in `VERTEX`) with x >= 0 only;
        "limit": the seconds, where something was given up, else None; "broken": why the process
        ended early, else None; "saved": whether certificates were small enough to be saved.
    """
    open_run_folder(folder / FOLDER)
    saved = layer.weight.shape[0] * layer.weight.shape[1] <= MOST_SAVED
    domains = _CHILD if bool((target >= 0).all()) else _CHILD[:1]
    with tempfile.TemporaryDirectory() as place:
        lines, numbers = Path(place) / "facts.jsonl", Path(place) / "numbers.pickle"
        lines.touch()
        # By a file: hundreds of megabytes in the pipe of a process that dies would block us.
        with numbers.open("wb") as stream:
            pickle.dump((layer.weight, layer.bias, target), stream, protocol=5)
        process = multiprocessing.get_context("spawn").Process(
            target=_prove,
            args=(numbers, domains, (folder if saved else None, lines)),
        )
        with children_do_not_hear():
            process.start()
        process.join(seconds)
        late = process.is_alive()
        if late:
            process.terminate()
            process.join()
        code = process.exitcode
        # A line that was being written when the process was ended has no newline.
        text = lines.read_text()
    found: dict[str, Any] = {domain: {} for domain in domains}
    for line in text[: text.rfind("\n") + 1].splitlines():
        entry = json.loads(line)
        point = entry.pop("point", None)
        if point is not None:
            with atomic_path(folder / VERTEX) as path:
                np.savez(path, point=np.array(point))
        found[entry.pop("domain")] |= entry
    broken = None if late or code == 0 else ended(code)
    return {
        "domains": found,
        "limit": seconds if late else None,
        "broken": broken,
        "saved": saved,
    }


def _prove(
    numbers: Path,
    domains: tuple[str, ...],
    places: tuple[Path | None, Path],
) -> None:
    """Proves one fact after the other, a line each; runs in the process of its own.

    Args:
        numbers: file of weight, bias and target, pickled by our own hand.
        domains: names of `DOMAINS`.
        places: the run folder for certificates, or None; the file of lines.
    """
    threading.Thread(target=_end_with_parent, daemon=True).start()
    folder, lines = places
    with numbers.open("rb") as opened:
        weight, bias, target = pickle.load(opened)
    for domain in domains:
        polytope = CollisionPolytope.from_layer(weight, bias, target, domain=DOMAINS[domain])
        for name, fact in FACTS.items():
            if name == "vertex" and domain == "free":
                continue  # there is none where the set has lines
            entry, certificate = fact(polytope)
            proof = None
            if folder is not None:
                proof = jsonable(Proofs(folder).keep(f"{domain}-{name}", certificate))
            entry = {
                "domain": domain,
                **entry,
                f"{name}_certificate": proof,
                f"{name}_proved": certificate is not None,
            }
            with lines.open("a") as stream:
                stream.write(json.dumps(entry) + "\n")


def _end_with_parent() -> None:
    """Nobody reads the lines once the parent is gone, however it went."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
