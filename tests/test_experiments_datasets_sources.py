import gzip
import io
import json
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from experiments.cli import main
from experiments.datasets import imagenet, mnist, sources
from polytope.errors import ChecksumError, DownloadError, FileFormatError, InputError
from polytope.files import sha256_bytes

IMAGES = {f"n{i:08d}_{word}.JPEG": word.encode() for i, word in enumerate(("ab", "cd", "ef"))}
NET = b"weights"


def archive(members):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(f"imagenet-sample-images-{sources.IMAGES_COMMIT}/{name}")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return gzip.compress(stream.getvalue())


@pytest.fixture
def server(monkeypatch):
    """The three addresses, answered on this machine; tests change what it has and see the asked."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            httpd.asked.append(self.path)
            body = httpd.files.get(self.path)
            self.send_response(200 if body is not None else 404)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *args):
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever)
    thread.start()
    at = f"http://127.0.0.1:{httpd.server_port}"
    httpd.asked = []
    images, net = sources.IMAGES_COMMIT, sources.SQUEEZENET_COMMIT
    httpd.files = {f"/archive/{images}": archive(IMAGES)}
    httpd.files |= {f"/raw/{images}/{name}": content for name, content in IMAGES.items()}
    httpd.files |= {f"/net/{net}/{sources.SQUEEZENET_FILE}": NET}
    monkeypatch.setattr(sources, "IMAGES_ARCHIVE", f"{at}/archive/")
    monkeypatch.setattr(sources, "IMAGES_RAW", f"{at}/raw/")
    monkeypatch.setattr(sources, "SQUEEZENET_RAW", f"{at}/net/")
    monkeypatch.setattr(sources, "FEW", 2)
    monkeypatch.setattr(sources.time, "sleep", lambda seconds: None)
    pinned = {name: sha256_bytes(content) for name, content in IMAGES.items()}
    monkeypatch.setattr(sources, "samples_sha256", lambda: pinned)
    monkeypatch.setattr(sources, "SQUEEZENET_SHA256", sha256_bytes(NET))
    yield httpd
    httpd.shutdown()
    thread.join()
    httpd.server_close()


def held(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_many_images_come_in_one_archive_and_only_once(server, tmp_path):
    folder = sources.fetch_images(tmp_path, report=[].append)
    assert folder == tmp_path / "imagenet-samples"
    assert held(folder) == IMAGES
    sources.fetch_images(tmp_path, report=[].append)
    assert server.asked == [f"/archive/{sources.IMAGES_COMMIT}"]


def test_a_damaged_image_is_fetched_alone(server, tmp_path):
    folder = sources.fetch_images(tmp_path, report=[].append)
    name = sorted(IMAGES)[1]
    (folder / name).write_bytes(b"torn")
    sources.fetch_images(tmp_path, report=[].append)
    assert held(folder) == IMAGES
    assert server.asked[1:] == [f"/raw/{sources.IMAGES_COMMIT}/{name}"]


def test_tampered_images_are_refused_and_not_kept(server, tmp_path):
    name = sorted(IMAGES)[0]
    server.files[f"/archive/{sources.IMAGES_COMMIT}"] = archive(IMAGES | {name: b"other"})
    with pytest.raises(ChecksumError, match=f"{name}: expected SHA-256"):
        sources.fetch_images(tmp_path, report=[].append)
    assert not (tmp_path / "imagenet-samples" / name).exists()


def test_archives_that_lack_an_image(server, tmp_path):
    few = dict(list(IMAGES.items())[:2])
    server.files[f"/archive/{sources.IMAGES_COMMIT}"] = archive(few)
    with pytest.raises(FileFormatError, match=r"the plain file .*_ef.JPEG, got an archive without"):
        sources.fetch_images(tmp_path, report=[].append)


def test_no_server_that_answers(server, tmp_path):
    server.files.clear()
    with pytest.raises(DownloadError, match=r"could not be downloaded: .*404"):
        sources.fetch_images(tmp_path, report=[].append)
    lines = []
    with pytest.raises(DownloadError, match=r"compressed_SqueezeNet.net could not be downloaded"):
        sources.fetch_squeezenet(tmp_path, report=lines.append)
    assert any("trying once more" in line for line in lines)


def test_squeezenet(server, tmp_path):
    path = sources.fetch_squeezenet(tmp_path, report=[].append)
    assert path.read_bytes() == NET
    assert path == sources.squeezenet_file(tmp_path)
    sources.fetch_squeezenet(tmp_path, report=[].append)
    assert len(server.asked) == 1


def test_local_copies_are_checked_too(server, tmp_path):
    mine = tmp_path / "mine"
    mine.mkdir()
    with pytest.raises(DownloadError, match=r"_ab.JPEG and 2 more in "):
        sources.fetch_images(tmp_path, source=mine, report=[].append)
    for name, content in IMAGES.items():
        (mine / name).write_bytes(content)
    assert held(sources.fetch_images(tmp_path, source=mine, report=[].append)) == IMAGES
    (mine / sources.SQUEEZENET_FILE).write_bytes(b"other")
    with pytest.raises(ChecksumError, match=r"compressed_SqueezeNet.net: expected SHA-256"):
        sources.fetch_squeezenet(tmp_path, source=mine, report=[].append)
    with pytest.raises(InputError, match=r"from: expected a folder, got .*nowhere"):
        sources.fetch_squeezenet(tmp_path, source=tmp_path / "nowhere", report=[].append)
    assert server.asked == []


def test_mnist_from_a_folder(tmp_path, monkeypatch):
    files = {name: name.encode() for name in mnist.SHA256}
    pinned = {name: sha256_bytes(content) for name, content in files.items()}
    monkeypatch.setattr(mnist, "SHA256", pinned)
    mine = tmp_path / "mine"
    mine.mkdir()
    for name, content in files.items():
        (mine / name).write_bytes(content)
    sources.copy_mnist(mine, tmp_path / "cache", report=[].append)
    assert held(tmp_path / "cache" / "mnist") == files


def test_the_command(server, tmp_path, capsys):
    assert main.main(["fetch", "--only", "images", "--data", str(tmp_path), "--quiet"]) == 0
    assert "imagenet-samples" in capsys.readouterr().out
    words = ["fetch", "--only", "squeezenet", "--data", str(tmp_path), "--quiet", "--json"]
    assert main.main(words) == 0
    found = json.loads(capsys.readouterr().out)
    assert found == {"squeezenet": str(sources.squeezenet_file(tmp_path))}
    assert main.main([*words, "--seeds", "1"]) == 2
    assert "seeds: expected none with --only squeezenet" in capsys.readouterr().err


def test_what_is_pinned():
    assert len(imagenet.samples_sha256()) == 1000
    digest = imagenet.samples_sha256()["n01443537_goldfish.JPEG"]
    assert digest.startswith("61ff9f1e0c4ed590")


@pytest.mark.network
def test_the_real_sources_still_hold_the_pinned_files(tmp_path):
    assert sources.fetch_squeezenet(tmp_path).stat().st_size == sources.SQUEEZENET_BYTES
    assert len(list(sources.fetch_images(tmp_path).iterdir())) == 1000
