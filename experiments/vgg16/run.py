"""The paper's Tables 3 and 4: collisions of images at fc6 of VGG-16."""

from dataclasses import dataclass
from pathlib import Path

from experiments.datasets.imagenet import class_name
from experiments.datasets.images import Resize, Rule
from experiments.images.pictures import load_pictures
from experiments.images.setting import Setting
from experiments.models.preprocess import torchvision_step
from experiments.models.vgg16 import FC6, VGG16, Shape, random_vgg16
from experiments.models.vgg16_weights import URLS, fetch_vgg16, load_vgg16
from experiments.run.progress import Progress
from experiments.vgg16.options import SIDE, Vgg16Options
from optimize import OpenedNetwork
from polytope.files import sha256_bytes

CLASSES = 1000
TITLES = {
    "torchvision": "VGG-16 (torchvision's IMAGENET1K_V1)",
    "caffe": "VGG-16 (Caffe weights, TF port)",
}


@dataclass(frozen=True, eq=False)
class _Network:
    model: VGG16
    title: str
    remarks: tuple[str, ...]
    data: dict[str, str]
    rule: Rule


def vgg16_setting(
    options: Vgg16Options, progress: Progress, *, shape: Shape | None = None
) -> Setting:
    """Returns the experiment that the options describe, weights and images loaded.

    Args:
        options: of the command.
        progress: reports.
        shape: of a stand-in for tests, said so in every table; None for VGG-16.

    Raises:
        InputError: an option does not fit the folder of images.
        FileFormatError, ChecksumError, DownloadError: of weights and images.
    """
    network = _network(options, progress, shape)
    rule = options.resize or network.rule
    side = max(options.side, round(256 * options.side / SIDE))
    random = options.random_weights is not None  # its classes mean nothing
    pictures = load_pictures(
        options.images,
        options,
        Resize(height=options.side, width=options.side, rule=rule, side=side),
        progress,
        labelled=not random,
    )
    return Setting(
        experiment="vgg16",
        title=network.title,
        network=OpenedNetwork(network.model),
        layer=FC6,
        pictures=pictures,
        class_names=() if random else tuple(map(class_name, range(CLASSES))),
        remarks=(*network.remarks, *_remarks(options)),
        data=network.data | {"images": pictures.sha256},
        more={"resize": rule, "side": options.side},
        options=options.image,
    )


def _network(options: Vgg16Options, progress: Progress, shape: Shape | None) -> _Network:
    stand_in = () if shape is None else (f"A narrow stand-in, not VGG-16: {shape}.",)
    seed = options.random_weights
    if seed is not None:
        model = random_vgg16(seed, shape)
        weights = (each.contiguous().numpy() for each in model.state_dict().values())
        digest = sha256_bytes(b"".join(each.tobytes() for each in weights))
        model.preprocess = torchvision_step()
        remark = f"Random weights (seed {seed}), untrained: a test of the command, no result."
        title = f"VGG-16 with random weights (seed {seed})"
        data = {f"random weights, seed {seed}": digest}
        return _Network(model, title, (remark, *stand_in), data, "crop")
    path = (
        fetch_vgg16(options.weights, root=options.data, sha256=options.sha256, report=progress.say)
        if options.weights in URLS
        else Path(options.weights)
    )
    loaded = load_vgg16(path, sha256=options.sha256, shape=shape)
    progress.say(f"    {path}: SHA-256 {loaded.sha256}, compared with {loaded.verified}")
    checked = f"Weights: {path.name}, SHA-256 {loaded.sha256}, compared with {loaded.verified}."
    rule: Rule = "squash" if loaded.source == "caffe" else "crop"
    title = TITLES[loaded.source]
    data = {path.name: loaded.sha256}
    return _Network(loaded.model, title, (checked, *stand_in), data, rule)


def _remarks(options: Vgg16Options) -> tuple[str, ...]:
    """What a reader must know of substitutes and reductions."""
    found = ["The images are not the authors', whose arrays of 256 x 256 pixels are not published."]
    if options.side != SIDE:
        found.append(
            f"Images of {options.side} x {options.side} pixels instead of {SIDE} x {SIDE}: what "
            "leaves the last pooling is averaged (or repeated) to 7 x 7 before fc6, for which no "
            "weights were trained."
        )
    limit = options.image.max_steps
    if limit is not None:
        found.append(f"Searches were cut off after {limit} steps.")
    return tuple(found)
