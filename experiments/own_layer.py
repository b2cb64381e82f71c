"""How is a layer of the user's own certified?  Weights from a file, facts and vertices out."""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.torch

from experiments.case import lp_entry
from experiments.facts import facts
from experiments.files import next_run_folder, open_run_folder, sha256_file
from experiments.progress import Progress
from experiments.proofs import FOLDER, Proofs
from experiments.record import Record, exact_document, jsonable, write_record
from polytope import Box, CollisionPolytope, Free, Nonnegative
from polytope.domains import Domain
from polytope.errors import FileFormatError, InputError

Array = Any  # numpy arrays, or torch tensors from .safetensors


def read_arrays(path: Path) -> dict[str, Array]:
    """Returns the arrays of a .npz, .npy ("target") or .safetensors file, by name.

    Raises:
        FileFormatError: the file is absent or not of its format; pickled arrays are refused.
    """
    try:
        if path.suffix == ".safetensors":
            return dict(safetensors.torch.load_file(path))  # numpy has no bfloat16
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return {"target": loaded}
        with loaded:
            return {name: loaded[name] for name in loaded.files}
    except (OSError, ValueError, KeyError, TypeError, safetensors.SafetensorError) as problem:
        raise FileFormatError(
            f"{path} must be a readable .npz, .npy or .safetensors file: {problem}"
        ) from problem


def pick(arrays: dict[str, Array], name: str, path: Path) -> Array:
    """Returns one array of a file.

    Raises:
        InputError: there is none of that name.
    """
    if name not in arrays:
        known = ", ".join(sorted(arrays)) or "none"
        raise InputError(f"key: expected the name of an array in {path} ({known}); got {name!r}")
    return arrays[name]


def certify_layer(options: argparse.Namespace, progress: Progress) -> dict[str, Any]:
    """Returns facts and vertices of the layer named by the options, and writes a record.

    Raises:
        InputError: arrays are missing or do not fit.
        OutputError: the folder cannot be written.
    """
    arrays = read_arrays(options.file)
    weight = pick(arrays, options.weight_key, options.file)
    bias = pick(arrays, options.bias_key, options.file)
    source = options.file if options.target is None else options.target
    others = arrays if options.target is None else read_arrays(options.target)
    target = pick(others, options.target_key, source)
    domains: dict[str, Domain] = {
        "free": Free(),
        "nonnegative": Nonnegative(),
        "box": Box(options.lower, options.upper),
    }
    polytope = CollisionPolytope.from_layer(weight, bias, target, domain=domains[options.domain])
    if options.vertices < 0:
        raise InputError(f"vertices: expected at least 0, got {options.vertices}")
    folder = next_run_folder(Path("runs"), "certify") if options.out is None else options.out
    open_run_folder(folder / FOLDER)
    proofs = Proofs(folder)
    with progress.stage("facts", f"facts of {polytope!r}"):
        known = facts(polytope, proofs, options.domain)
    vertices = []
    chosen = polytope.inactive_units[: options.vertices]
    with progress.stage("vertices", f"{len(chosen)} exact vertices"):
        for unit in progress.track(chosen, total=len(chosen), unit="vertices"):
            result = polytope.unit_vertex(unit)
            proof = proofs.keep(f"{options.domain}-unit-{unit}", result.certificate)
            approx = None if result.value is None else exact_document(result.value)["approx"]
            entry = {"unit": unit, **lp_entry(result), "approx": approx, "certificate": proof}
            vertices.append(entry)
    results = {"facts": known, "vertices": vertices, "folder": str(folder)}
    record = Record(
        experiment="certify",
        options={name: value for name, value in vars(options).items() if name != "verb"},
        seed=0,
        data={str(path): sha256_file(path) for path in (options.file, source)},
        results=results,
        timings=progress.total(),
    )
    write_record(folder, record)
    found: dict[str, Any] = jsonable(results)
    return found
