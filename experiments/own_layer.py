"""How is a layer of the user's own certified?  Weights from a file, facts and vertices out."""

import argparse
import zipfile
import zlib
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

PICKLES = (".pt", ".pth", ".ckpt", ".pkl")
STARTS = (b"PK\x03\x04", b"PK\x05\x06", b"\x93NUMPY")  # of .npz, of an empty one, of .npy
UNREADABLE = (
    *(OSError, ValueError, KeyError, TypeError, EOFError),
    *(zipfile.BadZipFile, zlib.error, safetensors.SafetensorError),
)
#: Default key -> options by which the user names another array.
WAYS = {
    "weight": "--weight-key NAME",
    "bias": "--bias-key NAME",
    "target": "--target-key NAME, or --target FILE",
}


def read_arrays(path: Path) -> dict[str, Array]:
    """Returns the arrays of a .npz, .npy ("target") or .safetensors file, by name.

    Raises:
        FileFormatError: the file is absent or not of its format; pickled arrays are refused.
    """
    if path.suffix.lower() in PICKLES:
        raise FileFormatError(
            f"{path}: expected .npz or .safetensors; save the tensors with safetensors"
        )
    try:
        if path.suffix == ".safetensors":
            return dict(safetensors.torch.load_file(path))  # numpy has no bfloat16
        with path.open("rb") as stream:
            start = stream.read(8)
            if not start.startswith(STARTS):
                raise FileFormatError(
                    f"{path} must be a readable .npz, .npy or .safetensors file: "
                    f"expected arrays saved by numpy, got a file that starts with {start!r}"
                )
            stream.seek(0)
            loaded = np.load(stream, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                return {"target": loaded}
            with loaded:
                return {name: loaded[name] for name in loaded.files}
    except UNREADABLE as problem:
        raise FileFormatError(
            f"{path} must be a readable .npz, .npy or .safetensors file: {problem}"
        ) from problem


def pick(arrays: dict[str, Array], name: str, path: Path, *, role: str) -> Array:
    """Returns one array of a file; `role`, a key of `WAYS`, says what it is for.

    Raises:
        InputError: there is none of that name.
    """
    if name not in arrays:
        known = ", ".join(sorted(arrays)) or "none"
        raise InputError(
            f"{role}: expected the name of an array in {path} ({known}); got {name!r}; "
            f"give {WAYS[role]}"
        )
    return arrays[name]


def _domain(options: argparse.Namespace) -> Domain:
    """The domain asked for; bounds that were left out get their defaults in the options."""
    for name, usual in (("lower", 0.0), ("upper", 1.0)):
        given = getattr(options, name)
        if given is None:
            setattr(options, name, usual)
        elif options.domain != "box":
            raise InputError(
                f"{name}: expected none without --domain box (got --domain {options.domain}); "
                f"got {given}"
            )
    if options.domain == "box":
        return Box(options.lower, options.upper)
    return Nonnegative() if options.domain == "nonnegative" else Free()


def _folder(options: argparse.Namespace) -> Path:
    """The run folder, ready to be written into.

    Raises:
        InputError: it holds files.
        OutputError: it cannot be written.
    """
    if options.out is None:
        folder = next_run_folder(Path("runs"), "certify")
    else:
        folder = Path(options.out)
        if folder.is_dir() and any(folder.iterdir()):
            raise InputError(f"out: expected a new or empty folder; {folder} holds files")
        open_run_folder(folder)
    open_run_folder(folder / FOLDER)
    return folder


def certify_layer(options: argparse.Namespace, progress: Progress) -> dict[str, Any]:
    """Returns facts and vertices of the layer named by the options, and writes a record.

    Raises:
        InputError: arrays are missing or do not fit.
        OutputError: the folder cannot be written.
    """
    domain = _domain(options)
    arrays = read_arrays(options.file)
    weight = pick(arrays, options.weight_key, options.file, role="weight")
    bias = pick(arrays, options.bias_key, options.file, role="bias")
    source = options.file if options.target is None else options.target
    others = arrays if options.target is None else read_arrays(options.target)
    target = pick(others, options.target_key, source, role="target")
    polytope = CollisionPolytope.from_layer(weight, bias, target, domain=domain)
    if options.vertices < 0:
        raise InputError(f"vertices: expected at least 0, got {options.vertices}")
    folder = _folder(options)
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
