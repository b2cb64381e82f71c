"""Where do VGG-16's weights come from?  Two kinds of file, told apart by the names they hold.

* torchvision's state dict, IMAGENET1K_V1 (`.pth`, `.pt`, `.safetensors`), whose name carries the
  first eight hex digits of its SHA-256;
* the Caffe weights of Simonyan & Zisserman in the TF port that the authors used
  (`vgg16_weights.npz`), for which no checksum is published that we know of.

Each comes with its own preprocessing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from experiments.datasets.fetch import Report, download_file, report_to_stderr
from experiments.datasets.pinned import data_root
from experiments.models.checksums import check_sha256
from experiments.models.preprocess import caffe_step, torchvision_step
from experiments.models.vgg16 import POOLED, VGG16, Shape, empty_vgg16
from experiments.models.weights import as_tensor
from experiments.readers.arrays import read_arrays
from polytope.errors import DownloadError, FileFormatError
from polytope.files import sha256_file

URLS = {
    "torchvision": "https://download.pytorch.org/models/vgg16-397923af.pth",
    "caffe": "https://www.cs.toronto.edu/~frossard/vgg16/vgg16_weights.npz",
}
LIMIT = 1 << 30  # bytes; both files have some 553 million
#: Places of the convolutions in `features`, and their names in the TF port.
CONVOLUTIONS = {
    0: "conv1_1",
    2: "conv1_2",
    5: "conv2_1",
    7: "conv2_2",
    10: "conv3_1",
    12: "conv3_2",
    14: "conv3_3",
    17: "conv4_1",
    19: "conv4_2",
    21: "conv4_3",
    24: "conv5_1",
    26: "conv5_2",
    28: "conv5_3",
}
DENSE = {0: "fc6", 3: "fc7", 6: "fc8"}


@dataclass(frozen=True, eq=False, kw_only=True)
class Pretrained:
    """VGG-16 with weights.

    Attributes:
        model: in evaluation mode, frozen; takes (n, 3, H, W) RGB pixels in 0..255.
        source: "torchvision" or "caffe".
        path: of the file.
        sha256: of the file, in full.
        verified: what the checksum was compared with, in words.
    """

    model: VGG16
    source: str
    path: Path
    sha256: str
    verified: str


def fetch_vgg16(
    source: str,
    *,
    root: Path | str | None = None,
    sha256: str | None = None,
    report: Report = report_to_stderr,
) -> Path:
    """Returns the file of a source of `URLS`, downloaded into the cache where it is not there.

    Args:
        source: "torchvision" or "caffe".
        root: the cache folder; files lie in `root/weights`.  Default: see `data_root`.
        sha256: checksum, or first digits of it, that the file must have.
        report: takes one line of progress.

    Raises:
        DownloadError: it could not be downloaded.
        ChecksumError: what came, or lies in the cache, has another checksum.
        OutputError: the cache folder cannot be written.
    """
    url = URLS[source]
    path = data_root(root) / "weights" / url.rpartition("/")[2]

    def check(place: Path) -> None:
        check_sha256(sha256_file(place), path, sha256)

    if path.is_file():
        check(path)
        return path
    report(f"VGG-16: fetching {url} (some 553 MB) to {path}")
    try:
        return download_file(url, path, limit=LIMIT, check=check)
    except DownloadError as problem:
        raise DownloadError(
            f"{problem}; download it elsewhere and give the file as --weights FILE, or place it at "
            f"{path}"
        ) from problem


def load_vgg16(
    path: Path | str, *, sha256: str | None = None, shape: Shape | None = None
) -> Pretrained:
    """Returns VGG-16 with the weights of a file.

    Args:
        path: of one of the two kinds.
        sha256: checksum that the file must have; see `check_sha256`.
        shape: of a stand-in; None for VGG-16.

    Raises:
        FileFormatError: no such file, or names that are of neither kind (ShapeError,
            NonFiniteError: its tensors).
        ChecksumError: it has another checksum than the one given, or the one in its name.
    """
    place = Path(path)
    if not place.is_file():
        raise FileFormatError(
            f"weights: expected a file, 'torchvision' or 'caffe' (to download one), got {place}"
        )
    digest = sha256_file(place)
    verified = check_sha256(digest, place, sha256)
    arrays = read_arrays(place)
    source = "caffe" if "conv1_1_W" in arrays else "torchvision"
    model = empty_vgg16(shape)
    wanted = dict(model.state_dict())
    found = from_caffe(arrays, place) if source == "caffe" else dict(arrays)
    model.load_state_dict(_checked(found, wanted, place), assign=True)
    model.preprocess = caffe_step() if source == "caffe" else torchvision_step()
    return Pretrained(
        model=model.eval().requires_grad_(False),
        source=source,
        path=place,
        sha256=digest,
        verified=verified,
    )


def from_caffe(arrays: Mapping[str, Any], path: Path) -> dict[str, Tensor]:
    """Returns the TF port's tensors under torchvision's names, in torch's order of axes.

    Its convolutions are (height, width, in, out), its dense layers (in, out), and what enters fc6
    is flattened by height, width, channel; torch flattens by channel, height, width.

    Raises:
        FileFormatError: names are missing or too many, or a tensor has other axes.
    """
    names = [*CONVOLUTIONS.values(), *DENSE.values()]
    expected = {f"{name}_{part}" for name in names for part in "Wb"}
    if set(arrays) != expected:
        raise FileFormatError(
            f"{path}: expected exactly {len(expected)} arrays conv1_1_W, conv1_1_b, ..., fc8_W, "
            f"fc8_b, got {_difference(set(arrays), expected)}"
        )
    found = {}
    for place, name in CONVOLUTIONS.items():
        weight = _axes(arrays[f"{name}_W"], 4, f"{path}, {name}_W")
        found[f"features.{place}.weight"] = weight.permute(3, 2, 0, 1).contiguous()
        found[f"features.{place}.bias"] = _axes(arrays[f"{name}_b"], 1, f"{path}, {name}_b")
    for place, name in DENSE.items():
        weight = _axes(arrays[f"{name}_W"], 2, f"{path}, {name}_W")
        if name == "fc6":
            weight = _channels_first(weight, path)
        found[f"classifier.{place}.weight"] = weight.T.contiguous()
        found[f"classifier.{place}.bias"] = _axes(arrays[f"{name}_b"], 1, f"{path}, {name}_b")
    return found


def _channels_first(weight: Tensor, path: Path) -> Tensor:
    """Rows of fc6 (in, out) from height, width, channel to channel, height, width."""
    inputs, units = weight.shape
    if inputs % (POOLED * POOLED):
        raise FileFormatError(
            f"{path}, fc6_W: expected a multiple of {POOLED * POOLED} rows, got {inputs}"
        )
    maps = weight.view(POOLED, POOLED, -1, units)
    return maps.permute(2, 0, 1, 3).reshape(inputs, units)


def _axes(value: Any, count: int, name: str) -> Tensor:
    tensor = as_tensor(value, name)
    if tensor.ndim != count:
        raise FileFormatError(f"{name}: expected {count} axes, got shape {tuple(tensor.shape)}")
    return tensor


def _checked(
    found: Mapping[str, Any], wanted: Mapping[str, Tensor], path: Path
) -> dict[str, Tensor]:
    """The tensors as float32, each checked: name, shape, finiteness."""
    if set(found) != set(wanted):
        raise FileFormatError(
            f"{path}: expected the {len(wanted)} tensors of VGG-16, features.0.weight to "
            f"classifier.6.bias, got {_difference(set(found), set(wanted))}"
        )
    checked = {}
    for name, like in wanted.items():
        tensor = as_tensor(found[name], f"{path}, {name}")
        if tensor.shape != like.shape or tensor.dtype != torch.float32:
            raise FileFormatError(
                f"{path}, {name}: expected float32 of shape {tuple(like.shape)}, got "
                f"{tensor.dtype} of shape {tuple(tensor.shape)}"
            )
        checked[name] = tensor.contiguous()
    return checked


def _difference(found: set[str], expected: set[str]) -> str:
    missing, extra = sorted(expected - found), sorted(found - expected)
    parts = [f"{len(found)}"]
    if missing:
        parts.append(f"without {', '.join(missing[:3])}{' ...' if len(missing) > 3 else ''}")
    if extra:
        parts.append(f"with {', '.join(extra[:3])}{' ...' if len(extra) > 3 else ''}")
    return " ".join(parts)
