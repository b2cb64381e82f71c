"""Where do SqueezeNet's weights come from?  Three kinds of file, told apart by what they hold.

* the first release's, in the compressed form of Han et al. (`.net`), or decoded (`.npz`);
* torchvision's state dict of `squeezenet1_0` (`.pth`, `.pt`, `.safetensors`).

Each kind saw its own preprocessing in training, which comes with the network here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from experiments.datasets.images import Resize
from experiments.datasets.sources import SQUEEZENET_SHA256
from experiments.models.checksums import check_sha256
from experiments.models.preprocess import channel_affine, torchvision_step
from experiments.models.squeezenet import SqueezeNet, release_names
from experiments.models.squeezenet_codec import decode
from experiments.readers.arrays import read_arrays
from polytope.errors import FileFormatError, InputError
from polytope.files import sha256_file

LARGEST = 64 << 20  # bytes; torchvision's file has 5 million
RELEASE_MEAN = (104.0, 117.0, 123.0)  # of blue, green, red in 0..255
RELEASE_SIZE = Resize(height=227, width=227, rule="squash-crop", side=256)
TORCHVISION_SIZE = Resize(height=224, width=224, rule="crop", side=256)


@dataclass(frozen=True, eq=False)
class Pretrained:
    """SqueezeNet with weights.

    Attributes:
        model: in evaluation mode, frozen; takes (n, 3, H, W) RGB pixels in 0..255.
        source: "release" or "torchvision".
        resize: how an image comes to the size it was evaluated at.
        sha256: of the file.
        verified: what the checksum was compared with, in words.
    """

    model: SqueezeNet
    source: str
    resize: Resize
    sha256: str
    verified: str


def load_squeezenet(path: Path | str) -> Pretrained:
    """Returns SqueezeNet v1.0 with the weights of a file.

    Raises:
        FileFormatError: no such file, not one of the three kinds, or values that are not finite.
        ChecksumError: the file's name carries another checksum than its content has.
    """
    place = Path(path)
    if not place.is_file():
        raise FileFormatError(
            f"weights: expected a file of SqueezeNet v1.0 (.net, .npz, .pth, .safetensors), got "
            f"{place}; `collide fetch --only squeezenet` brings one"
        )
    if place.stat().st_size > LARGEST:
        raise FileFormatError(f"{place}: expected at most {LARGEST} bytes, got more")
    digest = sha256_file(place)
    if place.suffix.lower() == ".net":
        known = digest == SQUEEZENET_SHA256
        verified = "equal to the published file's" if known else "of another file than published"
        arrays: Mapping[str, Any] = decode(place.read_bytes(), name=str(place))
    else:
        arrays, verified = read_arrays(place), check_sha256(digest, place)
    release = "conv1.weight" in arrays
    model = _release(arrays, place) if release else _torchvision(arrays, place)
    return Pretrained(
        model=model,
        source="release" if release else "torchvision",
        resize=RELEASE_SIZE if release else TORCHVISION_SIZE,
        sha256=digest,
        verified=verified,
    )


def _release(arrays: Mapping[str, Any], place: Path) -> SqueezeNet:
    names = release_names()
    state = {}
    for key, value in arrays.items():
        layer, _, part = key.rpartition(".")
        if layer not in names:
            raise FileFormatError(f"{place}: expected SqueezeNet v1.0's layers, got {key!r}")
        state[f"{names[layer]}.{part}"] = torch.as_tensor(value)
    shift = [-mean for mean in RELEASE_MEAN]
    return _filled(state, place, channel_affine([1.0] * 3, shift, order=(2, 1, 0)))


def _torchvision(arrays: Mapping[str, Any], place: Path) -> SqueezeNet:
    state = {key: torch.as_tensor(value) for key, value in arrays.items()}
    return _filled(state, place, torchvision_step())


def _filled(state: Mapping[str, Tensor], place: Path, step: nn.Module) -> SqueezeNet:
    """The network with these parameters, every one of them checked."""
    model = SqueezeNet(step)
    wanted = {k: v for k, v in model.state_dict().items() if not k.startswith("step.")}
    for key in sorted({*wanted, *state}):
        if key not in state or key not in wanted:
            kind = "without" if key in wanted else "with, besides,"
            raise FileFormatError(
                f"{place}: expected the {len(wanted)} parameters of SqueezeNet v1.0, got a file "
                f"{kind} {key}"
            )
        if state[key].shape != wanted[key].shape:
            raise FileFormatError(
                f"{place}: expected {key} of shape {tuple(wanted[key].shape)}, "
                f"got {tuple(state[key].shape)}"
            )
        if not state[key].is_floating_point() or not bool(state[key].isfinite().all()):
            raise FileFormatError(f"{place}: expected finite floats in {key}, got others")
    model.load_state_dict(dict(state), strict=False)
    for parameter in model.parameters():
        if parameter.ndim == 4:  # channels innermost: convolutions run twice as fast on a CPU
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    return model.eval().requires_grad_(False)


def release_layer(name: str) -> str:
    """Returns our name of a layer given by either name.

    Raises:
        InputError: there is no such layer.

    >>> release_layer("conv10"), release_layer("fire9/expand3x3"), release_layer("classifier.1")
    ('classifier.1', 'features.12.expand3x3', 'classifier.1')
    """
    names = release_names()
    if name in names.values():
        return name
    if name not in names:
        raise InputError(
            f"layer: expected one of {', '.join(names)}, or torchvision's name of one, such as "
            f"{names['fire9/expand3x3']}, got {name!r}"
        )
    return names[name]
