import gzip
import io
import subprocess
import tarfile
import time
from pathlib import Path

import pytest

from experiments.datasets import fetch
from polytope.errors import ChecksumError, DownloadError, FileFormatError
from tests.examples import loopback
from tests.examples.loopback import serving

LIMIT = 1000
LARGE_LIMIT = 5_000_000
SIZE = 3_000_000  # several blocks


class Handler(loopback.Handler):
    def do_GET(self):
        if self.path == "/slow":
            time.sleep(1)
            return
        if self.path == "/absent":
            self.send_error(404)
            return
        body = b"x" * (LIMIT + 1 if self.path == "/long" else 10)
        self.answer(body)


@pytest.fixture(scope="module")
def server():
    with serving(Handler) as address:
        yield address


def tar(*members):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for member in members:
            name, content, kind = (*member, tarfile.REGTYPE)[:3]
            info = tarfile.TarInfo(name)
            info.type = kind
            if kind == tarfile.REGTYPE:
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
            else:
                info.linkname = content
                archive.addfile(info)
    return stream.getvalue()


def test_download(server):
    assert fetch.download(server, limit=LIMIT) == b"x" * 10


@pytest.mark.parametrize(
    ("path", "match"),
    [
        ("/long", "expected at most 1000 bytes, got more"),
        ("/absent", "could not be downloaded: .*404"),
        ("/torn", "broke off after 10 bytes, 1 are missing|IncompleteRead"),
        ("/slow", "could not be downloaded"),
    ],
)
def test_downloads_that_fail(server, path, match):
    timeout = 0.2 if path == "/slow" else 60
    with pytest.raises(DownloadError, match=match):
        fetch.download(server + path, limit=LIMIT, timeout=timeout)


def test_a_download_without_end_is_cut(server, monkeypatch):
    monkeypatch.setattr(fetch, "DEADLINE", -1.0)
    with pytest.raises(DownloadError, match="took more than"):
        fetch.download(server, limit=LIMIT)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/x", "nonsense", "http://[/x"])
def test_addresses_that_lead_nowhere(url):
    with pytest.raises(DownloadError, match="could not be downloaded"):
        fetch.download(url, limit=LIMIT)


def test_gunzip():
    assert fetch.gunzip(gzip.compress(b"a" * LIMIT), limit=LIMIT, name="f") == b"a" * LIMIT


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"<html>", "f: expected a gzip file, got an HTML page"),
        (b"", "f: expected one whole gzip file, got 0 bytes"),
        (gzip.compress(b"abc", mtime=0)[:-1], "one whole gzip file"),
        (gzip.compress(b"abc", mtime=0) + b"x", "one whole gzip file"),
        (gzip.compress(bytes(10_000_000)), "at most 1000 bytes unpacked, got more"),
    ],
)
def test_gzip_files_that_are_refused(data, match):
    with pytest.raises(FileFormatError, match=match):
        fetch.gunzip(data, limit=LIMIT, name="f")


def fake_npm(monkeypatch, outcome):
    """Lets `outcome(folder)` stand for what the npm client does in its working folder."""

    def run(command, *, cwd, **options):
        assert command[1:] == ["pack", "--silent", "--ignore-scripts", "n@1"]
        outcome(Path(cwd))

    monkeypatch.setattr(fetch.shutil, "which", lambda name: "/bin/npm")
    monkeypatch.setattr(fetch.subprocess, "run", run)


def test_npm_pack(monkeypatch):
    archive = gzip.compress(tar(("p/a", b"1")))
    fake_npm(monkeypatch, lambda folder: (folder / "n-1.tgz").write_bytes(archive))
    assert fetch.npm_pack("n@1", ["p/a"], limit=20_000) == {"p/a": b"1"}
    with pytest.raises(FileFormatError, match="n@1: expected at most 10 bytes"):
        fetch.npm_pack("n@1", ["p/a"], limit=10)
    with pytest.raises(FileFormatError, match="at most 2000 bytes unpacked"):
        fetch.npm_pack("n@1", ["p/a"], limit=2000)


def test_npm_that_fails(monkeypatch):
    def fail(folder):
        raise subprocess.CalledProcessError(7, "npm")

    fake_npm(monkeypatch, fail)
    with pytest.raises(DownloadError, match="npm ended with exit status 7"):
        fetch.npm_pack("n@1", ["p/a"], limit=LIMIT)
    fake_npm(monkeypatch, lambda folder: None)
    with pytest.raises(DownloadError, match="one archive for n@1, got 0"):
        fetch.npm_pack("n@1", ["p/a"], limit=LIMIT)
    monkeypatch.setattr(fetch.shutil, "which", lambda name: None)
    with pytest.raises(DownloadError, match="npm is not installed"):
        fetch.npm_pack("n@1", ["p/a"], limit=LIMIT)


# --- files that are streamed to the disk ---


class Large(loopback.Handler):
    def do_GET(self):
        if self.path == "/absent":
            self.send_error(404)
            return
        body = b"x" * (LARGE_LIMIT + 1 if self.path == "/long" else SIZE)
        self.answer(body)


@pytest.fixture(scope="module")
def large():
    with serving(Large) as address:
        yield address


def test_a_file_comes_whole_and_is_checked_under_a_temporary_name(large, tmp_path):
    path, seen = tmp_path / "new" / "file.pth", []

    def check(place):
        seen.append((place.name != path.name, place.suffix, place.stat().st_size, path.exists()))

    assert fetch.download_file(large, path, limit=LARGE_LIMIT, check=check) == path
    assert seen == [(True, ".pth", SIZE, False)]
    assert path.read_bytes() == b"x" * SIZE
    assert [each.name for each in path.parent.iterdir()] == ["file.pth"]


@pytest.mark.parametrize(
    ("where", "match"),
    [
        ("/long", "expected at most 5000000 bytes, got more"),
        ("/absent", r"could not be downloaded: .*404"),
        ("/torn", "broke off|IncompleteRead"),
    ],
)
def test_files_that_fail_leave_nothing(large, tmp_path, where, match):
    path = tmp_path / "file.npz"
    with pytest.raises(DownloadError, match=match):
        fetch.download_file(large + where, path, limit=LARGE_LIMIT, check=lambda place: None)
    assert list(tmp_path.iterdir()) == []


def test_a_refused_file_is_not_kept_and_the_old_one_stays(large, tmp_path):
    path = tmp_path / "file.npz"
    path.write_bytes(b"old")

    def refuse(place):
        raise ChecksumError("another file")

    with pytest.raises(ChecksumError, match="another file"):
        fetch.download_file(large, path, limit=LARGE_LIMIT, check=refuse)
    assert path.read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_files_of_no_server_and_no_address(tmp_path):
    for url in ("http://127.0.0.1:9/x", "no-address"):
        with pytest.raises(DownloadError, match="could not be downloaded"):
            fetch.download_file(url, tmp_path / "x", limit=LARGE_LIMIT, check=lambda place: None)
