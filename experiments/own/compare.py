"""How far is relaxed from exact on a network of the user's own?  `collide compare`, kept on disk.

In the layer's own input space always; in the network's input space, inside the linear region of
the target, where asked for.  Every vertex is one row, so that a run that was cut off goes on.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from experiments.measure.collisions import collision_meanings
from experiments.measure.entries import search_entry
from experiments.measure.grey_levels import write_png
from experiments.measure.interpolation import interpolate
from experiments.measure.sampling import SCHEMES
from experiments.own.about import write_about
from experiments.own.compare_tables import compare_tables
from experiments.own.exact import InputSpace, LayerSpace, LeftOut, input_space, layer_space
from experiments.own.find import find, read_search, target_sha256
from experiments.own.input import as_picture
from experiments.own.network import OwnNetwork, load_network
from experiments.own.options import SEARCH_OPTIONS, CompareRequest
from experiments.own.solver import Solver
from experiments.run.files import open_run_folder, sha256_bytes
from experiments.run.progress import Progress
from experiments.run.proofs import FOLDER, keep_checker
from experiments.run.record import Record, jsonable, write_record
from experiments.run.request import recorded
from experiments.run.rows import RowFile
from experiments.show.tables import write_tables
from optimize import LayerReader, VertexSearch
from optimize.search.setup import read_device
from polytope.errors import InputError

ROWS = "vertices.jsonl"
SEARCH = "search"
IMAGES = "images"


@dataclass(frozen=True, eq=False, kw_only=True)
class Work:
    """What is compared, and where it goes."""

    own: OwnNetwork
    options: CompareRequest
    folder: Path
    progress: Progress
    search: VertexSearch
    reader: LayerReader


def compare_network(options: CompareRequest, folder: Path, progress: Progress) -> dict[str, Any]:
    """Compares found vertices with exact ones, writes everything, and returns the results.

    Raises:
        InputError: model, layer, target, search or options are not as described.
        OutputError: the folder cannot be written.
    """
    own = load_network(options)
    search = _search(own, options, folder, progress)
    work = Work(
        own=own,
        options=options,
        folder=folder,
        progress=progress,
        search=search,
        reader=LayerReader(own.model, options.layer, read_device(options.device)),
    )
    open_run_folder(folder / FOLDER)
    with progress.stage("setting", "the exact set in the layer's own space"):
        layer = layer_space(own, options.layer, limit=options.exact_limit)
    network: InputSpace | LeftOut | None = None
    if options.input_space and layer.is_first:
        network = LeftOut("the layer is given the network's input itself: the table above is it")
    elif options.input_space:
        with progress.stage("region", "the linear region of the target"):
            network = input_space(own, options.layer, limit=options.region_limit)
    rows = _rows(work, layer, network)
    with progress.stage("meanings", "the meanings of a collision, interpolation"):
        meanings = _meanings(work, layer, network, rows=rows)
        shares = _interpolation(work)
    results: dict[str, Any] = jsonable(
        {
            "model": options.model,
            "layer": options.layer,
            "weights": own.source,
            "remarks": list(own.remarks),
            "search": search_entry(search),
            "device": str(work.reader.device),
            "dtype": str(work.reader.dtype).removeprefix("torch."),
            "bounds": own.ends,
            "layer_space": layer.document(),
            "input_space": None if network is None else network.document(),
            "vertices": rows,
            "meanings": meanings,
            "interpolation": shares,
        }
    )
    write_about(own, options, folder, layer=layer, network=network)
    _write(work, results)
    return results


def _search(
    own: OwnNetwork, options: CompareRequest, folder: Path, progress: Progress
) -> VertexSearch:
    """The search of the folder that is named, or a new one inside the run folder."""
    if options.search is None:
        place = open_run_folder(folder / SEARCH)
        find(options, place, progress)
        return read_search(place)[1]
    record, search = read_search(options.search)
    if record.results["layer"] != options.layer:
        raise InputError(
            f"search: expected one at layer {options.layer!r}, got one at "
            f"{record.results['layer']!r} in {options.search}"
        )
    assert own.target is not None
    theirs = record.results.get("target_sha256")
    if theirs is not None and theirs != target_sha256(own.target):
        raise InputError(
            f"target: expected that of the search in {options.search}, "
            f"{record.options.get('target')}, got other numbers in {options.target}"
        )
    _check_search(own, options, search)
    return search


def _check_search(own: OwnNetwork, options: CompareRequest, search: VertexSearch) -> None:
    """Raise InputError where the search's points do not belong to this network."""
    if tuple(search.points.shape[1:]) != own.shape:
        raise InputError(
            f"search: expected points of shape {own.shape}, got {tuple(search.points.shape[1:])}"
        )
    reader = LayerReader(own.model, options.layer)
    entered = reader.layer_inputs(search.points.to(reader.dtype)).double()
    scale = 1 + float(search.layer_inputs.double().abs().max())
    if entered.shape != search.layer_inputs.shape or not torch.allclose(
        entered, search.layer_inputs.double(), rtol=0, atol=1e-3 * scale
    ):
        raise InputError(
            f"search: expected one of this very network, got points in {options.search} that reach "
            "the layer with other values (other weights, or another model)"
        )


def _rows(
    work: Work, layer: LayerSpace, network: InputSpace | LeftOut | None
) -> list[dict[str, Any]]:
    """One entry a vertex, each kept as soon as it is there."""
    solver = Solver(work.folder, work.options.vertex_seconds)
    found = []
    # The files' checksums say which target, the points which search.
    said = {"target", "search", *(each.field for each in SEARCH_OPTIONS)}
    asked = {name: str(v) for name, v in recorded(work.options).items() if name not in said}
    key = {"files": work.own.files, **asked}
    key["points"] = sha256_bytes(work.search.points.double().numpy().tobytes())
    count = len(work.search.units)
    with (
        RowFile(work.folder / ROWS, options=key) as rows,
        work.progress.stage("vertices", f"{count} vertices against exact ones"),
    ):
        for i in work.progress.track(range(count), total=count, unit="vertices"):
            name = f"{i}"
            if name not in rows:
                entry: dict[str, Any] = {"unit": int(work.search.units[i])}
                entry["layer"] = layer.compare(work.search, i, solver=solver)
                if isinstance(network, InputSpace):
                    entry["input"] = network.compare(work.search, i, solver=solver)
                rows.append(name, entry)
            found.append(dict(rows[name].results))
    return found


def _meanings(
    work: Work,
    layer: LayerSpace,
    network: InputSpace | LeftOut | None,
    *,
    rows: list[dict[str, Any]],
) -> list[dict[str, Any]]:
    """In which senses the found points collide, and the exact vertices once they are floats."""
    target = work.own.target
    assert target is not None
    entries = []
    for kind, units, points in _points(work, rows):
        if not units:
            continue
        senses = collision_meanings(
            work.reader, target, points, polytope=layer.polytope, bounds=work.own.ends
        )
        for unit, point, each in zip(units, points, senses, strict=True):
            file = _picture(work, kind, unit, point)
            entry = {"point": kind, "unit": unit, "image": file, **jsonable(each)}
            if isinstance(network, InputSpace):
                entry["network_tolerance"] = jsonable(network.tolerance(point))
            entries.append(entry)
    return entries


def _points(work: Work, rows: list[dict[str, Any]]) -> list[tuple[str, list[int], torch.Tensor]]:
    """Relaxed points, and exact vertices of the network's input rounded to the model's floats."""
    units = [int(unit) for unit in work.search.units]
    exact = [(row["unit"], _exact_point(row)) for row in rows]
    known = [(unit, point) for unit, point in exact if point is not None]
    rounded = [torch.tensor(point, dtype=torch.float64) for _, point in known]
    stacked = (
        torch.stack(rounded).reshape(-1, *work.own.shape).to(work.reader.dtype)
        if rounded
        else torch.empty(0)
    )
    return [
        ("relaxed", units, work.search.points),
        ("exact, rounded", [unit for unit, _ in known], stacked),
    ]


def _exact_point(row: dict[str, Any]) -> list[float] | None:
    """The exact vertex in the network's input: of the region, or of a first layer."""
    if "input" in row:
        point: list[float] | None = row["input"]["point"]
        return point
    first: list[float] | None = row["layer"]["point"]
    return first


def _picture(work: Work, kind: str, unit: int, point: torch.Tensor) -> str | None:
    """Saves an image as 8-bit PNG; returns its name, or None where the input is no image."""
    image = as_picture(point)
    if image is None or work.own.ends is None:
        return None
    place = open_run_folder(work.folder / IMAGES)
    path = place / f"{kind.partition(',')[0]}-{unit}.png"
    write_png(path, image.double(), work.own.ends)
    return f"{IMAGES}/{path.name}"


def _interpolation(work: Work) -> list[dict[str, Any]]:
    if len(work.search.units) < 2:
        return []
    return [
        jsonable(
            interpolate(
                work.reader,
                work.own.target,
                work.search.points,
                tolerance=work.options.tolerance,
                samples=work.options.samples,
                scheme=scheme,
                seed=work.options.seed,
            )
        )
        for scheme in SCHEMES
    ]


def _write(work: Work, results: dict[str, Any]) -> None:
    write_record(
        work.folder,
        Record(
            experiment="compare",
            options=recorded(work.options),
            seed=work.options.seed,
            data=work.own.files,
            results=results,
            timings=work.progress.total(),
        ),
    )
    write_tables(work.folder, compare_tables(results))
    keep_checker(work.folder)
