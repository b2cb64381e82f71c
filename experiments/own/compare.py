"""How far is relaxed from exact on a network of the user's own?  `collide compare`, kept on disk.

In the layer's own input space always; in the network's input space, inside the linear region of
the target, where asked for.  Every vertex is one row, so that a run that was cut off goes on.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from experiments.measure.collisions import collision_meanings
from experiments.measure.grey_levels import write_png
from experiments.measure.interpolation import Interpolation, interpolate
from experiments.measure.sampling import SCHEMES
from experiments.measure.search import SearchSummary
from experiments.own.about import write_about
from experiments.own.at_target import at_target
from experiments.own.compare_tables import compare_tables
from experiments.own.find import search_vertices, write_found
from experiments.own.input import as_picture
from experiments.own.input_space import InputSpace, input_space, left_out
from experiments.own.kept_search import search_of
from experiments.own.layer_space import LayerSpace, layer_space
from experiments.own.network import OwnNetwork, load_network
from experiments.own.options import SEARCH_OPTIONS, CompareRequest
from experiments.own.results import ComparedVertex, Comparison, PointMeanings, VertexKey
from experiments.own.solver import Solver
from experiments.run.desk import Run
from experiments.run.files import open_run_folder
from experiments.run.limited import Helper
from experiments.run.outcomes import Outcome
from experiments.run.proofs import FOLDER, keep_checker
from experiments.run.record import Record, write_record
from experiments.run.request import recorded
from experiments.run.rows import RowFile
from experiments.run.words import counted
from experiments.show.tables import write_tables
from optimize import LayerReader, VertexSearch
from optimize.search.setup import read_device
from polytope.files import sha256_bytes

ROWS = "vertices.jsonl"
SEARCH = "search"
IMAGES = "images"


@dataclass(frozen=True, eq=False, kw_only=True)
class Work:
    """What is compared.

    Attributes:
        own: network and target.
        request: of the command.
        run: folder and progress.
        search: the found points.
        reader: the layer, on the device of the float runs.
        layer: the exact set in its own space.
        network: that in the network's input; None where it was not asked for.
    """

    own: OwnNetwork
    request: CompareRequest
    run: Run
    search: VertexSearch
    reader: LayerReader
    layer: LayerSpace
    network: InputSpace | None


def compare_network(request: CompareRequest, run: Run) -> Comparison:
    """Compares found vertices with exact ones, writes everything, and returns the results.

    Raises:
        InputError: model, layer, target, search or options are not as described.
        OutputError: the folder cannot be written.
    """
    own = load_network(request, request.target, start=request.start)
    work = _opened(own, request, run, _search(own, request, run))
    vertices = _vertices(work)
    with run.progress.stage("meanings", "the meanings of a collision, interpolation"):
        found = Comparison(
            model=request.model,
            layer=request.layer,
            weights=own.source,
            remarks=own.remarks,
            bounds=own.ends,
            search=SearchSummary.of(work.search),
            device=str(work.reader.device),
            dtype=str(work.reader.dtype).removeprefix("torch."),
            layer_space=work.layer.summary,
            input_space=None if work.network is None else work.network.summary,
            vertices=vertices,
            meanings=tuple(_meanings(work, vertices)),
            interpolation=_interpolation(work),
        )
    write_about(run.folder, found, target=request.target, files=own.files)
    write_record(
        run.folder,
        Record(
            experiment="compare",
            options=recorded(request),
            seed=request.seed,
            data=own.files,
            results=found,
            timings=run.progress.total(),
        ),
    )
    write_tables(run.folder, compare_tables(found))
    keep_checker(run.folder)
    return found


def _opened(own: OwnNetwork, request: CompareRequest, run: Run, search: VertexSearch) -> Work:
    """The exact sets that the points are held against."""
    open_run_folder(run.folder / FOLDER)
    with run.progress.stage("setting", "the exact set in the layer's own space"):
        layer = layer_space(at_target(own, request.layer), limit=request.exact_limit)
    network = None
    if request.input_space and layer.summary.is_first:
        network = left_out("the layer is given the network's input itself: the table above is it")
    elif request.input_space:
        with run.progress.stage("region", "the linear region of the target"):
            network = input_space(own, request.layer, limit=request.region_limit)
    return Work(
        own=own,
        request=request,
        run=run,
        search=search,
        reader=LayerReader(
            own.opened, request.layer, read_device(request.device), example=own.target
        ),
        layer=layer,
        network=network,
    )


def _search(own: OwnNetwork, request: CompareRequest, run: Run) -> VertexSearch:
    """The search of the folder that is named, or a new one inside the run folder."""
    if request.search is None:
        inside = Run(open_run_folder(run.folder / SEARCH), run.progress)
        search = search_vertices(own, request, inside)
        write_found(own, request, search, inside)
        return search
    return search_of(own, request)


def _vertices(work: Work) -> tuple[ComparedVertex, ...]:
    """Every vertex against the exact sets, each kept as soon as it is there."""
    search = work.search
    # The files' checksums say which target, the points which search.
    said = {"target", "search", *(each.field for each in SEARCH_OPTIONS)}
    asked = {name: str(v) for name, v in recorded(work.request).items() if name not in said}
    asked["points"] = sha256_bytes(search.points.double().numpy().tobytes())
    keys = [VertexKey(index) for index in range(len(search.units))]
    progress, title = work.run.progress, f"{counted(len(keys), 'vertices')} against exact ones"
    with (
        Helper() as helper,
        RowFile(
            work.run.folder / ROWS,
            options={"files": work.own.files, **asked},
            schema=Comparison.SCHEMA,
        ) as rows,
        progress.stage("vertices", title),
    ):
        solver = Solver(work.run.folder, work.request.vertex_seconds, helper)
        for key in progress.track(keys, total=len(keys), unit="vertices"):
            if key not in rows:
                rows.append(key, Outcome(_vertex(work, key.index, solver)))
        return tuple(rows[key].results for key in keys)


def _vertex(work: Work, index: int, solver: Solver) -> ComparedVertex:
    search, network = work.search, work.network
    return ComparedVertex(
        unit=int(search.units[index]),
        layer=work.layer.compare(search, index, solver=solver),
        input=None if network is None else network.compare(search, index, solver=solver),
    )


def _meanings(work: Work, vertices: tuple[ComparedVertex, ...]) -> Iterator[PointMeanings]:
    """The found points, and the exact vertices once they are floats of the network."""
    units = [int(unit) for unit in work.search.units]
    yield from _senses(work, "relaxed", units, work.search.points)
    solved = [each for each in vertices if each.exact_point is not None]
    if solved:
        points = torch.tensor([each.exact_point for each in solved], dtype=torch.float64)
        rounded = points.reshape(-1, *work.own.shape).to(work.reader.dtype)
        yield from _senses(work, "exact, rounded", [each.unit for each in solved], rounded)


def _senses(work: Work, name: str, units: list[int], points: Tensor) -> Iterator[PointMeanings]:
    """In which senses some points collide; their images are saved."""
    own, network = work.own, work.network
    senses = collision_meanings(
        work.reader, own.target, points, polytope=work.layer.polytope, bounds=own.ends
    )
    for unit, point, each in zip(units, points, senses, strict=True):
        yield PointMeanings(
            **vars(each),
            point=name,
            unit=unit,
            image=_picture(work, f"{name.partition(',')[0]}-{unit}.png", point),
            network_tolerance=None if network is None else network.tolerance(point),
        )


def _picture(work: Work, name: str, point: Tensor) -> str | None:
    """Saves an image as 8-bit PNG; returns its name, or None where the input is no image."""
    image = as_picture(point)
    if image is None or work.own.ends is None:
        return None
    place = open_run_folder(work.run.folder / IMAGES)
    write_png(place / name, image.double(), work.own.ends)
    return f"{IMAGES}/{name}"


def _interpolation(work: Work) -> tuple[Interpolation, ...]:
    if len(work.search.units) < 2:
        return ()
    request = work.request
    return tuple(
        interpolate(
            work.reader,
            work.own.target,
            work.search.points,
            tolerance=request.tolerance,
            samples=request.samples,
            scheme=scheme,
            seed=request.seed,
        )
        for scheme in SCHEMES
    )
