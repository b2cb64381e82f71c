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
        ("/long", "at most 1000 bytes; got more"),
        ("/absent", "could not be downloaded: .*404"),
        ("/torn", "broke off after 10 bytes, 1 are missing|IncompleteRead"),
        ("/slow", "could not be downloaded"),
    ],
)
def test_downloads_that_fail(server, path, match):
    with pytest.raises(DownloadError, match=match):
        fetch.download(server + path, limit=LIMIT, timeout=0.2)


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
        (b"<html>", "must be a gzip file; got an HTML page"),
        (b"", "f must be one whole gzip file; got 0 bytes"),
        (gzip.compress(b"abc")[:-1], "one whole gzip file"),
        (gzip.compress(b"abc") + b"x", "one whole gzip file"),
        (gzip.compress(bytes(10_000_000)), "at most 1000 bytes; got more"),
    ],
)
def test_gzip_files_that_are_refused(data, match):
    with pytest.raises(FileFormatError, match=match):
        fetch.gunzip(data, limit=LIMIT, name="f")


def test_extract_members_takes_the_wanted_plain_files_only():
    archive = tar(("p/a", b"1"), ("../p/b", b"2"), ("/p/b", b"3"), ("p/b", b"4"), ("p/c", b"5"))
    assert fetch.extract_members(archive, ["p/a", "p/b"], name="n") == {"p/a": b"1", "p/b": b"4"}


@pytest.mark.parametrize(
    ("archive", "match"),
    [
        (tar(("p/b", b"1")), "n must hold the plain file p/a"),
        (tar(("p/a", "/etc/hostname", tarfile.SYMTYPE)), "must hold the plain file p/a"),
        (tar(("p/b", b"1"), ("p/a", "p/b", tarfile.LNKTYPE)), "must hold the plain file p/a"),
        (tar(("p/a", b"1"), ("p/a", b"2")), "holds p/a twice"),
        (b"\xffno tar\0" * 100, "must be a tar archive"),
        (tar(("p/a", b"1" * 3000))[:1024], "must be a tar archive"),
    ],
)
def test_archives_that_are_refused(archive, match):
    with pytest.raises(FileFormatError, match=match):
        fetch.extract_members(archive, ["p/a"], name="n")


def test_archives_with_very_many_members(monkeypatch):
    monkeypatch.setattr("experiments.datasets.tar.MAX_MEMBERS", 2)
    with pytest.raises(FileFormatError, match="more than 2 members"):
        fetch.extract_members(tar(*((f"p/{i}", b"") for i in range(3))), ["p/2"], name="n")


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
    with pytest.raises(FileFormatError, match="n@1 must have at most 10 bytes"):
        fetch.npm_pack("n@1", ["p/a"], limit=10)
    with pytest.raises(FileFormatError, match="unpack to at most 2000 bytes"):
        fetch.npm_pack("n@1", ["p/a"], limit=2000)


def test_npm_that_fails(monkeypatch):
    def fail(folder):
        raise subprocess.CalledProcessError(7, "npm")

    fake_npm(monkeypatch, fail)
    with pytest.raises(DownloadError, match="npm ended with exit status 7"):
        fetch.npm_pack("n@1", ["p/a"], limit=LIMIT)
    fake_npm(monkeypatch, lambda folder: None)
    with pytest.raises(DownloadError, match="one archive for n@1; got 0"):
        fetch.npm_pack("n@1", ["p/a"], limit=LIMIT)
    monkeypatch.setattr(fetch.shutil, "which", lambda name: None)
    with pytest.raises(DownloadError, match="npm is not installed"):
        fetch.npm_pack("n@1", ["p/a"], limit=LIMIT)


def test_check_sha256_names_file_expected_and_got():
    with pytest.raises(ChecksumError, match=r"f must have SHA-256 00; got e3b0c4.*an empty file"):
        fetch.check_sha256(b"", "00", "f")


def test_data_root(monkeypatch, tmp_path):
    monkeypatch.delenv("COLLIDE_DATA", raising=False)
    assert fetch.data_root().parts[-2:] == (".cache", "collision-polytopes")
    monkeypatch.setenv("COLLIDE_DATA", str(tmp_path))
    assert fetch.data_root() == tmp_path
    assert fetch.data_root("x") == Path("x")
