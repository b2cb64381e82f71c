"""Files that are not what they should be: one line, exit code 2, and no code is run."""

import gzip
import html
import io
import os
import pickle
import resource
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save

from experiments.cli import main
from experiments.datasets import fetch, mnist
from experiments.datasets.idx import parse_idx
from experiments.datasets.images import decode_image
from experiments.mnist.figures import write_mnist_figures
from experiments.models.weights import as_tensor
from experiments.readers.arrays import read_arrays
from experiments.readers.foreign_files import check_version
from experiments.run.record import Record
from experiments.show.page import Page, Section, write_page
from experiments.show.tables import Table
from polytope.errors import FileFormatError, InputError
from tests.campaigns.fuzz_arrays import archive, npy
from tests.campaigns.fuzz_torch import laughs, named, repacked, torch_file, view

LAYER = {
    "weight": np.eye(2, 3, dtype=np.float32),
    "bias": np.zeros(2, dtype=np.float32),
    "target": np.ones(3, dtype=np.float32),
}
TENSORS = {name: torch.from_numpy(value) for name, value in LAYER.items()}
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 5\n"
PAGE = b"\n <!DOCTYPE html><html><body>not found</body></html>"


def packed():
    stream = io.BytesIO()
    np.savez(stream, **LAYER)
    return stream.getvalue()


WHOLE = {
    "npz": packed(),
    "npy": npy(LAYER["target"]),
    "safetensors": save(LAYER),
    "pt": torch_file(TENSORS),
    "pth": torch_file(TENSORS, zipped=False),
}


def refused(capsys, path, *words):
    """The one line of an error of the command line; exit code 2 and nothing on standard output."""
    code = main.main(["certify", str(path), *words])
    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    line, hint = err.splitlines()
    assert line.startswith("error: ")
    assert hint.startswith("hint: ")
    assert "fault of ours" not in err
    assert not path.with_name("runs").exists()
    return line


@pytest.mark.parametrize("kind", WHOLE)
def test_what_stands_in_the_place_of_a_file_is_named_with_its_size(capsys, tmp_path, kind):
    path = tmp_path / f"layer.{kind}"
    for data, words in [
        (b"", "got an empty one (0 bytes)"),
        (POINTER, f"got a Git LFS pointer to it ({len(POINTER)} bytes)"),
        (PAGE, f"got a web page ({len(PAGE)} bytes of HTML or XML)"),
        (b"plain words, no arrays", "22 bytes"),
        (WHOLE["npz" if kind == "safetensors" else "safetensors"], "bytes"),
    ]:
        path.write_bytes(data)
        line = refused(capsys, path)
        assert str(path) in line
        assert words in line


@pytest.mark.parametrize("kind", WHOLE)
def test_a_file_cut_anywhere_is_refused(tmp_path, kind):
    path, whole = tmp_path / f"layer.{kind}", WHOLE[kind]
    path.write_bytes(whole)
    assert read_arrays(path)
    for size in range(0, len(whole), max(1, len(whole) // 150)):
        path.write_bytes(whole[:size])
        with pytest.raises(FileFormatError, match=r"bytes|[Ee]xpected|must be"):
            read_arrays(path)


@pytest.mark.parametrize("kind", ["npz", "safetensors", "pt"])
def test_a_bit_that_flipped_does_not_give_other_weights(tmp_path, kind):
    """Archives carry checksums (torch does not compare them); safetensors has none to compare."""
    path, whole = tmp_path / f"layer.{kind}", WHOLE[kind]
    place = whole.index(LAYER["weight"].tobytes())
    path.write_bytes(whole[:place] + b"\x01" + whole[place + 1 :])
    if kind == "safetensors":
        assert read_arrays(path)["weight"].numpy().tobytes() != LAYER["weight"].tobytes()
        return
    with pytest.raises(FileFormatError, match="Bad CRC-32"):
        read_arrays(path)


class Code:
    def __reduce__(self):
        return os.mkdir, ("/tmp/collide-code-of-a-file-ran",)


def test_code_in_a_pickle_never_runs_and_the_way_out_is_named(capsys, tmp_path):
    path = tmp_path / "net.pt"
    for data in (
        torch_file({"weight": Code()}),
        torch_file({"weight": Code()}, zipped=False),
        pickle.dumps(Code(), protocol=2),
        repacked(pickle.dumps(Code(), protocol=2)),
    ):
        path.write_bytes(data)
        line = refused(capsys, path)
        assert "got a pickle that names code" in line
        assert "mkdir" in line
        assert "safetensors.torch.save_file" in line
        assert "weights_only" not in line  # torch advises to switch it off
    for name in ("net.npy", "net.npz"):
        path = tmp_path / name
        path.write_bytes(npy(np.array([Code()], dtype=object)))
        if name == "net.npz":
            path.write_bytes(archive([("weight.npy", path.read_bytes())]))
        assert "got Python objects (a pickle, which is never loaded)" in refused(capsys, path)
    assert not os.path.exists("/tmp/collide-code-of-a-file-ran")  # noqa: PTH110
    with pytest.raises(SystemExit):  # and no option switches it on
        main.main(["certify", str(path), "--weights-only", "false"])


def claiming(shape):
    head = repr({"descr": "<f8", "fortran_order": False, "shape": shape}).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head


HUGE = {
    "npy": claiming((1 << 40,)) + bytes(64),
    "third version": b"\x93NUMPY\x03\x00" + struct.pack("<I", 80) + claiming((1 << 40,))[10:],
    "minus one": claiming((-1,)) + bytes(64),
    "product": claiming((1 << 32, 1 << 32)),
    "no rows": claiming((0, 1 << 62)) + bytes(8),
    "behind": npy(LAYER["target"]) + bytes(8),
    "nesting": b"\x93NUMPY\x01\x00" + struct.pack("<H", 9000) + b"-" * 9000,
    "member": archive([("weight.npy", claiming((1 << 40,)))]),
    "bomb": archive([("weight.npy", npy(np.zeros(1 << 20)))], zipfile.ZIP_DEFLATED),
    "twice": WHOLE["npz"].replace(b"bias.npy", b"weight.npy"[2:]),
    "names": archive([("weight", WHOLE["npy"]), ("weight.npy", WHOLE["npy"])]),
    "method": archive([("weight.npy", WHOLE["npy"])], zipfile.ZIP_LZMA),
    "no array": archive([("weight.npy", b"plain words")]),
    "axes": npy(np.zeros((1,) * 40)),
    "text": npy(np.array(["a"])),
    "fields": npy(np.zeros(2, dtype=[("a", "<f4")])),
}


@pytest.mark.parametrize("name", HUGE)
def test_headers_are_compared_with_what_is_there(capsys, tmp_path, name):
    path = tmp_path / f"layer.{'npz' if HUGE[name].startswith(b'PK') else 'npy'}"
    path.write_bytes(HUGE[name])
    line = refused(capsys, path)
    assert "layer.np" in line
    assert "expected" in line or "must be" in line


def test_an_encrypted_member_is_refused(capsys, tmp_path):
    data = bytearray(WHOLE["npz"])
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + place] |= 1
    path = tmp_path / "layer.npz"
    path.write_bytes(bytes(data))
    assert "expected no password, got 'weight.npy' encrypted" in refused(capsys, path)


PICKLES = {
    "holds itself": (b"\x80\x02}q\x00X\x04\x00\x00\x00selfh\x00s.", "that holds itself"),
    "many times": (laughs(30, 2), "held many times"),
    "view": (named(view(2, offset=0, size=(1 << 40,), stride=(0,))), "a view that repeats 8 bytes"),
    "memory": (b"\x80\x02cbuiltins\nbytearray\n\x8a\x05\0\0\0\0\1\x85R.", "more memory than"),
    "beyond": (named(view(9, offset=0, size=(9,), stride=(1,))), "got something else"),
    "nothing": (b"\x80\x02K\x07.", "expected tensors by name, got int"),
}


@pytest.mark.parametrize("name", PICKLES)
def test_a_pickle_without_code_cannot_take_the_machine_either(capsys, tmp_path, name):
    body, words = PICKLES[name]
    path = tmp_path / "net.pt"
    path.write_bytes(repacked(body))
    assert words in refused(capsys, path)


def test_names_of_tensors_that_collide(capsys, tmp_path):
    path = tmp_path / "net.pt"
    torch.save({"a": {"b": torch.ones(1)}, "a.b": torch.zeros(1)}, path)
    assert "expected each tensor once, got 'a.b' twice" in refused(capsys, path)


def test_a_name_with_line_breaks_and_escapes_stays_in_one_line(capsys, tmp_path):
    path = tmp_path / "layer.npz"
    path.write_bytes(archive([("a\nb\x1b[2J.npy", WHOLE["npy"])]))
    assert r"a\nb\x1b[2J" in refused(capsys, path)
    many = {f"{number:05}": LAYER["bias"] for number in range(3000)}
    np.savez(path, **many)
    assert len(refused(capsys, path)) < 1500


def test_big_endian_and_fortran_order_are_read_as_they_are_meant(tmp_path):
    path = tmp_path / "layer.npz"
    weight = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    np.savez(path, weight=weight.astype(">f8"), bias=np.array([1, -2], dtype=">i4"))
    found = read_arrays(path)
    assert as_tensor(found["weight"], "weight").tolist() == weight.tolist()
    assert as_tensor(found["bias"], "bias").tolist() == [1, -2]


def test_floats_of_eight_bits_are_numbers(tmp_path):
    path = tmp_path / "net.pt"
    torch.save({"weight": torch.tensor([1.5, -2.0]).to(torch.float8_e4m3fn)}, path)
    assert as_tensor(read_arrays(path)["weight"], "weight").float().tolist() == [1.5, -2.0]


def test_pipes_folders_and_links_to_nowhere(capsys, tmp_path):
    os.mkfifo(tmp_path / "pipe.npz")
    (tmp_path / "folder.pt").mkdir()
    (tmp_path / "link.npy").symlink_to(tmp_path / "nowhere")
    assert "got a device or a pipe" in refused(capsys, tmp_path / "pipe.npz")
    assert "got a folder" in refused(capsys, tmp_path / "folder.pt")
    assert "No such file" in refused(capsys, tmp_path / "link.npy")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "got an empty file"),
        (PAGE, "got an HTML page"),
        (POINTER, "got a git-LFS pointer"),
        (gzip.compress(b"x", mtime=0), "got a gzip file"),
        (bytes([0, 0, 8, 3]) + b"\xff" * 12, "at most 2147483648 bytes, got shape"),
        (
            bytes([0, 0, 8, 3]) + b"\xff" * 8 + bytes(4),
            "at most 2147483648 bytes, got shape",
        ),
        (bytes([0, 0, 8, 3, 0, 0, 0, 2]), "header of 16 bytes, got 8"),
    ],
)
def test_idx_files(data, words):
    with pytest.raises(FileFormatError, match=words):
        parse_idx(data, axes=3, name="images")


def test_gzip_files():
    for data in (b"", PAGE, gzip.compress(bytes(9))[:-3], gzip.compress(bytes(1 << 20))):
        with pytest.raises(FileFormatError, match=r"f: expected (one whole|a|at most)"):
            fetch.gunzip(data, limit=1000, name="f")


def test_an_image_that_is_none(tmp_path):
    for name, data in (("a.png", PAGE), ("b.jpg", POINTER), ("c.png", b"")):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(FileFormatError, match="expected a whole JPEG or PNG file"):
            decode_image(tmp_path / name)


def test_torch_that_is_too_old_reads_no_weights(monkeypatch, capsys, tmp_path):
    for version in ("2.9.1+cu121", "1.13.0", "2.5", "nightly"):
        with pytest.raises(FileFormatError, match=r"net.pt: expected torch 2.10 or later, .*got"):
            check_version("torch", version, (2, 10), path="net.pt")
    check_version("torch", "2.10.0+cpu", (2, 10), path="net.pt")
    check_version("torch", "3.0.0a0", (2, 10), path="net.pt")
    path = tmp_path / "net.pt"
    path.write_bytes(WHOLE["pt"])
    monkeypatch.setattr(torch, "__version__", "2.9.0")
    assert "expected torch 2.10 or later" in refused(capsys, path)


def test_names_are_text_in_the_report(tmp_path):
    evil = "<script>alert('x')</script>"
    record = Record(
        experiment="mnist",
        options={evil: evil},
        seed=0,
        data={evil: "00"},
        results={"proof": {"file": f"certificates/{evil}.json", "claim": f"c: {evil}"}},
        timings={},
        versions={"python": evil},
    )
    table = Table(
        name="t", title=evil, columns=(evil,), rows=((evil,),), notes=(evil,), proofs=(evil,)
    )
    part = Section(name="s", title=evil, tables=("t",), proofs=("",))
    page = Page(
        title=evil,
        heading=evil,
        lead=evil,
        conclusion=evil,
        headline=[evil],
        sections=[part],
        points=evil,
    )
    text = write_page(tmp_path, record, page=page, tables=[table]).read_text()
    assert "<script" not in text
    assert text.count(html.escape(evil).replace("&#x27;", "&#39;")) >= 8


def test_an_input_error_is_cut_and_printable():
    text = str(InputError("name\n\x1b[31m \ud800 " + "x" * 5000 + "end"))
    assert text.isprintable()
    assert len(text) < 1300
    assert text.endswith("end")


def fetched(capsys, *words):
    code = main.main(["fetch", "--only", "mnist", *map(str, words)])
    _, err = capsys.readouterr()
    (line,) = [each for each in err.splitlines() if each.startswith("error: ")]
    assert code == 2
    return line


def test_without_a_network_the_place_of_each_file_is_named(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(mnist, "URL", "http://127.0.0.1:9/")
    monkeypatch.setattr(fetch.shutil, "which", lambda name: None)
    line = fetched(capsys, "--data", tmp_path)
    assert f"place the unpacked files {', '.join(mnist.SHA256)} into {tmp_path / 'mnist'}" in line


def test_another_file_than_the_pinned_one_is_refused_and_not_kept(capsys, tmp_path):
    source, cache = tmp_path / "source", tmp_path / "cache"
    source.mkdir()
    for name in mnist.SHA256:
        (source / name).write_bytes(PAGE)
    line = fetched(capsys, "--from", source, "--data", cache)
    first = next(iter(mnist.SHA256))
    assert f"{first}: expected SHA-256 {mnist.SHA256[first]}, got " in line
    assert f"(an HTML page, {len(PAGE)} bytes)" in line
    assert not list((cache / "mnist").iterdir())


def test_a_damaged_file_of_a_run_of_ours_is_named(tmp_path):
    (tmp_path / "vertices.npz").write_bytes(WHOLE["npz"][:-30])
    with pytest.raises(FileFormatError, match=r"vertices\.npz: expected a readable"):
        write_mnist_figures(tmp_path, {})


def test_a_machine_without_memory_is_no_fault_of_the_file(monkeypatch, tmp_path):
    for kind in ("pt", "npz"):
        path = tmp_path / f"layer.{kind}"
        path.write_bytes(WHOLE[kind])

        def full(*arguments, **options):
            raise MemoryError

        monkeypatch.setattr(torch, "load", full)
        monkeypatch.setattr(np, "load", full)
        soft, hard = resource.getrlimit(resource.RLIMIT_AS)
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        below = pages * resource.getpagesize() + (100 << 20)  # as --max-memory sets it
        resource.setrlimit(resource.RLIMIT_AS, (below, hard))
        try:
            with pytest.raises(MemoryError):
                read_arrays(path)
        finally:
            resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
