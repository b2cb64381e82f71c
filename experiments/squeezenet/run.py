"""The paper's experiment on a network that runs anywhere: SqueezeNet, real ImageNet images.

Two layers: conv10, a 1 x 1 convolution, whose set is a product of one small polytope a position and
so can be known exactly; and an expand layer of a fire module, for the relaxed search.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from experiments.datasets.imagenet import class_name
from experiments.datasets.sources import images_folder, squeezenet_file
from experiments.images.measures import Accuracy, accuracy
from experiments.images.pair import AccuracyKey, run_images
from experiments.images.pictures import Pictures, load_pictures
from experiments.images.results import ImageResults
from experiments.images.search import read_found
from experiments.images.setting import Setting
from experiments.measure.probe import Probe
from experiments.models.squeezenet import CLASSES
from experiments.models.squeezenet_weights import Pretrained, load_squeezenet, release_layer
from experiments.run.files import open_run_folder
from experiments.run.jobs import FILE_NAME, keep
from experiments.run.progress import Progress
from experiments.run.record import Record, write_record
from experiments.run.rows import RowFile
from experiments.squeezenet.conv10 import LAYER as CONV10
from experiments.squeezenet.conv10 import conv10_of
from experiments.squeezenet.options import SqueezeNetOptions
from experiments.squeezenet.positions import certify_positions
from experiments.squeezenet.results import Positions, SqueezeNetResults, WeightsFile
from optimize import OpenedNetwork
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
    network: OpenedNetwork
    pictures: Pictures
    data: dict[str, str]


def run_squeezenet(
    options: SqueezeNetOptions, folder: Path, progress: Progress
) -> Record[SqueezeNetResults]:
    """Runs the experiment, one sub-folder a layer, and returns the record of the whole.

    Raises:
        InputError: an option does not fit the images, or the folder belongs to another run.
        FileFormatError, ChecksumError: of weights and images.
        OutputError: the folder cannot be written.
    """
    inputs = _load(options, progress)
    net, pictures = inputs.net, inputs.pictures
    open_run_folder(folder)
    # Positions may be added when a run is gone on with: theirs are rows of their own.
    lasting: dict[str, Any] = {
        "layers": list(options.layers),
        "target": pictures.target.name,
        "inputs": inputs.data,
        "limit": options.limit,
        "units": options.image.units,
    }
    positions: Positions | None = None
    layers: dict[str, ImageResults] = {}
    path, schema = folder / FILE_NAME, SqueezeNetResults.SCHEMA
    with RowFile(path, options=lasting, schema=schema) as rows:
        image = options.image

        def known() -> Accuracy:
            probe = Probe(inputs.network, CONV10, device=image.device, batch=image.batch)
            return accuracy(probe, pictures.pixels, pictures.labels)

        seen = keep(AccuracyKey(), known, rows, progress)
        for layer in options.layers:
            setting = _setting(options, inputs, layer)
            place = open_run_folder(folder / folder_name(layer))
            progress.say(f"layer {layer} ({setting.layer}) in {place}")
            results = layers[layer] = run_images(setting, place, progress).results
            if setting.layer == CONV10:
                with progress.stage("positions", "conv10, position by position, exactly"):
                    found = {str(one): read_found(place, one.search) for one in results.sets}
                    parts = conv10_of(net.model, setting, found)
                    positions = certify_positions(parts, results, place, options, progress)
    record = Record(
        experiment="squeezenet",
        options=lasting | {"positions": options.positions},
        seed=options.image.seed,
        data=inputs.data,
        results=SqueezeNetResults(
            title=TITLES[net.source],
            source=net.source,
            weights=WeightsFile(sha256=net.sha256, verified=net.verified),
            images=pictures.which,
            resize=net.resize.describe(),
            accuracy=seen,
            layers=layers,
            positions=positions,
        ),
        timings=progress.total(),
    )
    write_record(folder, record)
    return record


def folder_name(layer: str) -> str:
    """Returns the name of a layer's sub-folder."""
    return layer.replace("/", "-")


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
    pictures = load_pictures(folder, options, net.resize, progress, limit=options.limit)
    data = {place.name: net.sha256, "images": pictures.sha256}
    return _Inputs(net, OpenedNetwork(net.model), pictures, data)


def _setting(options: SqueezeNetOptions, inputs: _Inputs, layer: str) -> Setting:
    name, pictures = release_layer(layer), inputs.pictures
    return Setting(
        experiment="squeezenet",
        title=TITLES[inputs.net.source],
        network=inputs.network,
        layer=name,
        pictures=pictures,
        class_names=tuple(map(class_name, range(CLASSES))),
        remarks=_remarks(options, pictures.which, name),
        data=inputs.data,
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
