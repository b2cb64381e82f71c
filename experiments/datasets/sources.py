"""Where do the thousand images and SqueezeNet's weights come from?  GitHub, or a folder of yours.

Every file is compared with a pinned SHA-256, wherever it came from.  They lie in the cache folder
as `imagenet-samples/NAME.JPEG` and `squeezenet/compressed_SqueezeNet.net`.
"""

import time
from pathlib import Path

from experiments.datasets import fetch, mnist
from experiments.datasets.imagenet import samples_sha256
from experiments.datasets.pinned import Pinned, data_root
from experiments.datasets.tar import extract_members
from experiments.run.files import open_run_folder
from experiments.run.words import counted
from polytope.errors import DownloadError

IMAGES_COMMIT = "bc69043e2862758a1906c6a24a792bb28c6bb2ff"
IMAGES_ARCHIVE = "https://codeload.github.com/EliSchwartz/imagenet-sample-images/tar.gz/"
IMAGES_RAW = "https://raw.githubusercontent.com/EliSchwartz/imagenet-sample-images/"
#: Fewer missing images than this are fetched one by one.
FEW = 50
MAX_IMAGES = 1 << 29  # bytes of the archive; the thousand files have some 110 million
MAX_IMAGE = 1 << 25

SQUEEZENET_COMMIT = "fb13faa2cf121ced9999f8a9d538ec6c56084733"
SQUEEZENET_RAW = "https://raw.githubusercontent.com/songhan/SqueezeNet-Deep-Compression/"
SQUEEZENET_FILE = "compressed_SqueezeNet.net"
SQUEEZENET_BYTES = 675_763
SQUEEZENET_SHA256 = "e4ab6960ae8cd81505e1c2136921201507e930966c53deaf15862a395b3a3261"


def images_folder(root: Path | str | None = None) -> Path:
    """Returns where the cache keeps the thousand images; see `data_root`."""
    return data_root(root) / "imagenet-samples"


def squeezenet_file(root: Path | str | None = None) -> Path:
    """Returns where the cache keeps SqueezeNet's compressed weights."""
    return data_root(root) / "squeezenet" / SQUEEZENET_FILE


def fetch_images(
    root: Path | str | None = None,
    *,
    source: Path | None = None,
    report: fetch.Report = fetch.report_to_stderr,
) -> Path:
    """Brings the thousand images into the cache; returns their folder there.

    Args:
        root: the cache folder.
        source: a folder that holds the original files; None for GitHub.
        report: takes one line of progress.

    Raises:
        DownloadError: a file is absent and cannot be had.
        ChecksumError: a file is not the pinned one.
        OutputError: the cache cannot be written.
    """
    pinned = Pinned(images_folder(root), samples_sha256())
    missing = pinned.missing()
    if missing and source is not None:
        pinned.copy(source, missing, report=report)
    elif missing:
        open_run_folder(pinned.folder)
        if len(missing) < FEW:
            for name in missing:
                url = f"{IMAGES_RAW}{IMAGES_COMMIT}/{name}"
                pinned.keep(name, _patiently(url, MAX_IMAGE, report))
        else:
            _archive(pinned, missing, report)
    report(f"ImageNet samples: {counted(len(pinned.sha256), 'images')} in {pinned.folder}")
    return pinned.folder


def _archive(pinned: Pinned, missing: list[str], report: fetch.Report) -> None:
    report(
        "ImageNet samples: fetching one archive (about 110 MB) for "
        f"{counted(len(missing), 'images')}"
    )
    packed = fetch.download(f"{IMAGES_ARCHIVE}{IMAGES_COMMIT}", limit=MAX_IMAGES)
    title, prefix = "the archive of ImageNet samples", f"imagenet-sample-images-{IMAGES_COMMIT}/"
    archive = fetch.gunzip(packed, limit=MAX_IMAGES, name=title)
    found = extract_members(archive, [prefix + name for name in missing], name=title)
    for name in missing:
        pinned.keep(name, found[prefix + name])


def _patiently(url: str, limit: int, report: fetch.Report) -> bytes:
    """One file; a second try after a while, since a server may ask for patience."""
    try:
        return fetch.download(url, limit=limit)
    except DownloadError as problem:
        report(f"{problem}; trying once more")
        time.sleep(1)
        return fetch.download(url, limit=limit)


def fetch_squeezenet(
    root: Path | str | None = None,
    *,
    source: Path | None = None,
    report: fetch.Report = fetch.report_to_stderr,
) -> Path:
    """Brings SqueezeNet's compressed weights into the cache; returns the file there.

    Args and errors: as `fetch_images`.
    """
    path = squeezenet_file(root)
    pinned = Pinned(path.parent, {SQUEEZENET_FILE: SQUEEZENET_SHA256})
    missing = pinned.missing()
    if missing and source is not None:
        pinned.copy(source, missing, report=report)
    elif missing:
        open_run_folder(path.parent)
        report(f"SqueezeNet: fetching {SQUEEZENET_FILE}")
        url = f"{SQUEEZENET_RAW}{SQUEEZENET_COMMIT}/{SQUEEZENET_FILE}"
        pinned.keep(SQUEEZENET_FILE, _patiently(url, SQUEEZENET_BYTES, report))
    report(f"SqueezeNet: weights in {path}")
    return path


def copy_mnist(source: Path, root: Path | str | None, *, report: fetch.Report) -> None:
    """Copies MNIST's four unpacked files from a folder into the cache; errors as `fetch_images`."""
    pinned = mnist.pinned(root)
    pinned.copy(source, pinned.missing(), report=report)
