"""The paper's experiment on a network that runs anywhere: SqueezeNet, real ImageNet images.

Two layers: conv10, a 1 x 1 convolution, whose set is a product of one small polytope a position and
so can be known exactly; and an expand layer of a fire module, for the relaxed search.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.datasets.imagenet import class_name, labels, which_samples
from experiments.datasets.images import list_images, listing_sha256, load_images, pick_image
from experiments.datasets.sources import images_folder, squeezenet_file
from experiments.images.detail_tables import title_of
from experiments.images.pair import run_images
from experiments.images.setting import Picture, Setting, picture_of
from experiments.measure.judged import accuracy
from experiments.measure.probe import Probe
from experiments.models.squeezenet import CLASSES
from experiments.models.squeezenet_weights import Pretrained, load_squeezenet, release_layer
from experiments.run.files import open_run_folder
from experiments.run.jobs import FILE_NAME
from experiments.run.progress import Progress
from experiments.run.record import Record, write_record
from experiments.run.rows import RowFile
from experiments.squeezenet.options import SqueezeNetOptions
from experiments.squeezenet.positions import LAYER as CONV10
from experiments.squeezenet.positions import certify_positions
from polytope.errors import InputError

TITLES = {
    "release": "SqueezeNet v1.0 (first release)",
    "torchvision": "SqueezeNet v1.0 (torchvision)",
}
BOTH, MODERN = ("authors", "modern"), ("modern",)


@dataclass(frozen=True, eq=False)
class _Inputs:
    """Network and images, loaded."""

    net: Pretrained
    paths: tuple[Path, ...]
    pixels: NDArray[np.uint8]
    title: str
    data: dict[str, str]


def run_squeezenet(options: SqueezeNetOptions, folder: Path, progress: Progress) -> Record:
    """Runs the experiment, one sub-folder a layer, and returns the record of the whole.

    Raises:
        InputError: an option does not fit the images, or the folder belongs to another run.
        FileFormatError, ChecksumError: of weights and images.
        OutputError: the folder cannot be written.
    """
    inputs = _load(options, progress)
    settings = {layer: _setting(options, inputs, layer) for layer in options.layers}
    open_run_folder(folder)
    identity = {
        "layers": list(options.layers),
        "positions": options.positions,
        "target": next(iter(settings.values())).target.name,
        "inputs": inputs.data,
        "limit": options.limit,
        "units": options.image.units,
    }
    results = _about(inputs)
    timings: dict[str, Any] = {}
    # Positions may be added when a run is gone on with: theirs are rows of their own.
    lasting = {name: value for name, value in identity.items() if name != "positions"}
    with RowFile(folder / FILE_NAME, options=lasting) as rows:
        if "accuracy" not in rows:
            device, classes = options.image.device, labels(inputs.paths)
            with progress.stage("accuracy", f"classifying {len(inputs.paths)} images"):
                probe = Probe(inputs.net.model, CONV10, device=device, batch=options.image.batch)
                found = accuracy(probe, inputs.pixels, classes, bgr=False)
            rows.append("accuracy", found, {"seconds": progress.seconds["accuracy"]})
        results["accuracy"] = rows["accuracy"].results
        for layer, setting in settings.items():
            place = open_run_folder(folder / folder_name(layer))
            progress.say(f"layer {layer} ({setting.layer}) in {place}")
            done = run_images(setting, place, progress)
            results["layers"][layer] = _outline(done)
            if setting.layer == CONV10:
                with progress.stage("positions", "conv10, position by position, exactly"):
                    sizes = (options.positions, options.workers)
                    found, each = certify_positions(setting, (place, done), progress, sizes=sizes)
                    results["positions"], timings["each position"] = found, each
    record = Record(
        experiment="squeezenet",
        options=identity,
        seed=options.image.seed,
        data=inputs.data,
        results=results,
        timings=timings | progress.total(),
    )
    write_record(folder, record)
    return record


def _about(inputs: _Inputs) -> dict[str, Any]:
    """What the record says before anything is run."""
    return {
        "title": inputs.title,
        "source": inputs.net.source,
        "weights": {"sha256": inputs.net.sha256, "verified": inputs.net.verified},
        "images": which_samples(inputs.paths),
        "resize": inputs.net.resize.describe(),
        "layers": {},
        "positions": None,
    }


def folder_name(layer: str) -> str:
    """Returns the name of a layer's sub-folder."""
    return layer.replace("/", "-")


def _outline(record: Record) -> dict[str, Any]:
    """What of a layer's record stands in the record of the whole."""
    names = ("layer_name", "target", "starts", "layer", "images")
    sets = [
        {
            "title": title_of(record.results, one),
            "distance": one["float"]["distance"],
            "ratio": one["float"]["ratio"],
            "success": one["float"]["pixels"]["uniform"]["success"],
        }
        for one in record.results["sets"]
    ]
    return {**{name: record.results[name] for name in names}, "sets": sets}


def _load(options: SqueezeNetOptions, progress: Progress) -> _Inputs:
    place = options.weights or squeezenet_file(options.data)
    net = load_squeezenet(place)
    progress.say(f"weights {place}: {net.source}; SHA-256: {net.verified}")
    folder = options.images or images_folder(options.data)
    if options.images is None and not folder.is_dir():
        raise InputError(
            f"images: expected --images FOLDER, or the thousand samples in {folder}; "
            "`collide fetch --only images` brings them"
        )
    paths = list_images(folder)
    kept = {pick_image(paths, options.target), pick_image(paths, options.start)}
    if options.limit is not None:
        paths = tuple(p for i, p in enumerate(paths) if i < options.limit or i in kept)
    progress.say(f"{len(paths)} images, {net.resize.describe()}")
    pixels = load_images(
        paths, net.resize, track=lambda work: progress.track(work, total=len(paths), unit="images")
    )
    data = {place.name: net.sha256, "images": listing_sha256(paths)}
    return _Inputs(net, paths, pixels, TITLES[net.source], data)


def _setting(options: SqueezeNetOptions, inputs: _Inputs, layer: str) -> Setting:
    places = [pick_image(inputs.paths, wanted) for wanted in (options.target, options.start)]
    if places[0] == places[1] and not options.from_target:
        raise InputError(
            f"start: expected another image than the target, got {inputs.paths[places[0]].name} "
            "for both (--from-target searches from the target as well)"
        )
    known = labels(inputs.paths)
    target, other = (
        picture_of(inputs.paths[place].name, inputs.pixels[place], label=known[place])
        for place in places
    )
    starts: dict[str, Picture] = {"target": target} if options.from_target else {}
    name = release_layer(layer)
    which = which_samples(inputs.paths)
    return Setting(
        experiment="squeezenet",
        title=inputs.title,
        model=inputs.net.model,
        layer=name,
        target=target,
        starts=starts | {"other": other},
        class_names=tuple(class_name(index) for index in range(CLASSES)),
        images=inputs.pixels,
        images_title=f"{which}, {inputs.net.resize.describe()}",
        remarks=_remarks(options, which, name),
        data=inputs.data,
        paper_table="4",
        more={"layer_asked": layer},
        options=replace(
            options.image,
            exact=options.image.exact and name != CONV10,
            recipes=options.recipes or (BOTH if name == CONV10 else MODERN),
        ),
    )


def _remarks(options: SqueezeNetOptions, which: str, name: str) -> tuple[str, ...]:
    """What a reader must know of substitutes and reductions."""
    found = [f"Another network than the paper's VGG-16, other images ({which}): compare the ratio."]
    if name == CONV10:
        found.append(
            "conv10 is asked exactly position by position: tables/positions.md, gap.md and "
            "exact.md of the run's folder, beside this layer's."
        )
    image = options.image
    if image.max_steps is not None:
        found.append(f"Searches were cut off after {image.max_steps} steps a vertex.")
    return tuple(found)
