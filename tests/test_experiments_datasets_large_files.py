import pytest

from experiments.datasets.large_files import download_file
from polytope.errors import ChecksumError, DownloadError
from tests.examples import loopback
from tests.examples.loopback import serving

LIMIT = 5_000_000
SIZE = 3_000_000  # several blocks


class Handler(loopback.Handler):
    def do_GET(self):
        if self.path == "/absent":
            self.send_error(404)
            return
        body = b"x" * (LIMIT + 1 if self.path == "/long" else SIZE)
        self.answer(body)


@pytest.fixture(scope="module")
def server():
    with serving(Handler) as address:
        yield address


def test_a_file_comes_whole_and_is_checked_under_a_temporary_name(server, tmp_path):
    path, seen = tmp_path / "new" / "file.pth", []

    def check(place):
        seen.append((place.name != path.name, place.suffix, place.stat().st_size, path.exists()))

    assert download_file(server, path, limit=LIMIT, check=check) == path
    assert seen == [(True, ".pth", SIZE, False)]
    assert path.read_bytes() == b"x" * SIZE
    assert [each.name for each in path.parent.iterdir()] == ["file.pth"]


@pytest.mark.parametrize(
    ("where", "match"),
    [
        ("/long", "at most 5000000 bytes; got more"),
        ("/absent", r"could not be downloaded: .*404"),
        ("/torn", "broke off|IncompleteRead"),
    ],
)
def test_downloads_that_fail_leave_nothing(server, tmp_path, where, match):
    path = tmp_path / "file.npz"
    with pytest.raises(DownloadError, match=match):
        download_file(server + where, path, limit=LIMIT, check=lambda place: None)
    assert list(tmp_path.iterdir()) == []


def test_a_refused_file_is_not_kept_and_the_old_one_stays(server, tmp_path):
    path = tmp_path / "file.npz"
    path.write_bytes(b"old")

    def refuse(place):
        raise ChecksumError("another file")

    with pytest.raises(ChecksumError, match="another file"):
        download_file(server, path, limit=LIMIT, check=refuse)
    assert path.read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_no_server_and_no_address(tmp_path):
    for url in ("http://127.0.0.1:9/x", "no-address"):
        with pytest.raises(DownloadError, match="could not be downloaded"):
            download_file(url, tmp_path / "x", limit=LIMIT, check=lambda place: None)
