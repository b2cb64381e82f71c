"""Where do the thousand images and SqueezeNet's weights come from?  GitHub, or a folder of yours.

Every file is compared with a pinned SHA-256, wherever it came from.  They lie in the cache folder
as `imagenet-samples/NAME.JPEG` and `squeezenet/compressed_SqueezeNet.net`.
"""

import time
from collections.abc import Mapping
from pathlib import Path

from experiments.datasets import fetch, mnist
from experiments.datasets.imagenet import samples_sha256
from experiments.run.files import open_run_folder
from polytope.errors import DownloadError, InputError
from polytope.files import sha256_file, write_bytes

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
    """Returns where the cache keeps the thousand images; see `fetch.data_root`."""
    return fetch.data_root(root) / "imagenet-samples"


def squeezenet_file(root: Path | str | None = None) -> Path:
    """Returns where the cache keeps SqueezeNet's compressed weights."""
    return fetch.data_root(root) / "squeezenet" / SQUEEZENET_FILE


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
    folder, pinned = images_folder(root), samples_sha256()
    missing = _missing(folder, pinned)
    if missing:
        open_run_folder(folder)
        if source is not None:
            copy_files(source, folder, missing, report=report)
        elif len(missing) < FEW:
            for name, digest in missing.items():
                url = f"{IMAGES_RAW}{IMAGES_COMMIT}/{name}"
                _keep(folder / name, _patiently(url, MAX_IMAGE, report), digest)
        else:
            _archive(folder, missing, report)
    report(f"ImageNet samples: {len(pinned)} images in {folder}")
    return folder


def _archive(folder: Path, missing: Mapping[str, str], report: fetch.Report) -> None:
    report(f"ImageNet samples: fetching one archive (about 110 MB) for {len(missing)} images")
    packed = fetch.download(f"{IMAGES_ARCHIVE}{IMAGES_COMMIT}", limit=MAX_IMAGES)
    archive = fetch.gunzip(packed, limit=MAX_IMAGES, name="the archive of ImageNet samples")
    prefix = f"imagenet-sample-images-{IMAGES_COMMIT}/"
    found = fetch.extract_members(
        archive, [prefix + name for name in missing], name="the archive of ImageNet samples"
    )
    for name, digest in missing.items():
        _keep(folder / name, found[prefix + name], digest)


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
    missing = _missing(path.parent, {SQUEEZENET_FILE: SQUEEZENET_SHA256})
    if missing:
        open_run_folder(path.parent)
        if source is not None:
            copy_files(source, path.parent, missing, report=report)
        else:
            report(f"SqueezeNet: fetching {SQUEEZENET_FILE}")
            url = f"{SQUEEZENET_RAW}{SQUEEZENET_COMMIT}/{SQUEEZENET_FILE}"
            _keep(path, _patiently(url, SQUEEZENET_BYTES, report), SQUEEZENET_SHA256)
    report(f"SqueezeNet: weights in {path}")
    return path


def copy_mnist(source: Path, root: Path | str | None, *, report: fetch.Report) -> None:
    """Copies MNIST's four unpacked files from a folder into the cache; errors as `fetch_images`."""
    folder = fetch.data_root(root) / "mnist"
    open_run_folder(folder)
    copy_files(source, folder, _missing(folder, mnist.SHA256), report=report)


def copy_files(
    source: Path, folder: Path, wanted: Mapping[str, str], *, report: fetch.Report
) -> None:
    """Copies the files named in `wanted` (name -> SHA-256), each checked.

    Raises:
        InputError: `source` is no folder.
        DownloadError: it lacks a file.
        ChecksumError: a file is not the pinned one.
    """
    if not source.is_dir():
        raise InputError(f"from: expected a folder, got {source}")
    report(f"copying {len(wanted)} files from {source}")
    absent = [name for name in wanted if not (source / name).is_file()]
    if absent:
        more = f" and {len(absent) - 1} more" if len(absent) > 1 else ""
        raise DownloadError(f"from: expected {absent[0]}{more} in {source}, which lacks it")
    for name, digest in wanted.items():
        _keep(folder / name, (source / name).read_bytes(), digest)


def _missing(folder: Path, pinned: Mapping[str, str]) -> dict[str, str]:
    """The files that are absent or damaged."""
    return {
        name: digest
        for name, digest in pinned.items()
        if not (folder / name).is_file() or sha256_file(folder / name) != digest
    }


def _keep(path: Path, content: bytes, digest: str) -> None:
    fetch.check_sha256(content, digest, path.name)
    write_bytes(path, content)
