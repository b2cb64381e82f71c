"""Certificates that name the user's files: the numbers must be the layer's, the names plain."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from polytope import Box, CollisionPolytope, Source, checker, verify
from polytope.answers.sources import readable
from polytope.errors import CertificateError, FileFormatError, InputError

PIXELS = bytes(range(0, 240, 20))  # two images of 3 x 2


@pytest.fixture
def files(tmp_path):
    """A layer of three units on six pixels, in every format that the checker reads."""
    rng = np.random.default_rng(0)
    weight = rng.normal(size=(3, 6)).astype(np.float32)
    bias = rng.normal(size=3).astype(np.float32)
    np.savez_compressed(tmp_path / "net.npz", w=weight, b=bias)
    np.save(tmp_path / "w.npy", weight)
    np.save(tmp_path / "fortran.npy", np.asfortranarray(weight))
    save_file({"w": weight, "b": bias}, tmp_path / "net.safetensors")
    head = b"\0\0\x08\x03" + b"".join(n.to_bytes(4, "big") for n in (2, 3, 2))
    (tmp_path / "images-ubyte").write_bytes(head + PIXELS)
    target = np.frombuffer(PIXELS[6:], np.uint8).astype(np.float32) / np.float32(255)
    return tmp_path, CollisionPolytope.from_layer(weight, bias, target, domain=Box(0, 1))


def saved(polytope, folder, **sources):
    out = folder / "out"
    out.mkdir(exist_ok=True)
    return polytope.dimension().certificate.save(out / "c.json", sources=sources)


@pytest.mark.parametrize(
    ("name", "tensor"), [("net.npz", "w"), ("w.npy", ""), ("net.safetensors", "w")]
)
def test_the_checker_reads_the_users_own_files(files, name, tensor):
    folder, polytope = files
    target = Source(folder / "images-ubyte", "1/255")
    path = saved(polytope, folder, weight=Source(folder / name, tensor), target=target)
    stated = json.loads(path.read_text())["problem"]
    assert stated["weight"] == {
        "file": name,
        "tensor": tensor,
        "sha256": Source(folder / name).sha256(),
    }
    assert {each.name for each in path.parent.iterdir()} == {"c.json", name, "images-ubyte"}
    command = [sys.executable, "-I", "-S", checker.__file__, path.name]
    done = subprocess.run(command, cwd=path.parent, capture_output=True, text=True, check=False)
    assert (done.returncode, verify(path) in done.stdout) == (0, True), done.stdout


def test_a_changed_file_is_noticed(files):
    folder, polytope = files
    path = saved(polytope, folder, weight=Source(folder / "w.npy"))
    copy = path.parent / "w.npy"
    data = bytearray(copy.read_bytes())
    data[-1] ^= 1
    copy.write_bytes(data)
    with pytest.raises(CertificateError, match=r"w\.npy has SHA-256 .*, not the one stated"):
        verify(path)


def test_a_link_is_followed_and_the_copy_keeps_what_was_certified(files):
    folder, polytope = files
    (folder / "snapshot").mkdir()
    link = folder / "snapshot" / "w.npy"
    link.symlink_to(Path("..") / "w.npy")
    path = saved(polytope, folder, weight=Source(link))
    np.save(folder / "w.npy", np.zeros((3, 6), np.float32))  # the next training run
    verify(path)
    with pytest.raises(InputError, match=r"expected the numbers of the layer in w\.npy"):
        CollisionPolytope.from_layer(
            polytope.layer.weight.data, polytope.layer.bias.data, np.zeros(6, np.float32)
        ).dimension().certificate.save(path, sources={"weight": Source(folder / "w.npy")})


def test_other_numbers_other_roles_and_other_names_are_refused(files):
    folder, polytope = files
    other = Source(folder / "images-ubyte", "0/255")
    with pytest.raises(InputError, match="expected the numbers of the layer in images-ubyte 0/255"):
        saved(polytope, folder, target=other)
    with pytest.raises(FileFormatError, match=r"net\.npz b: .*shape"):
        saved(polytope, folder, weight=Source(folder / "net.npz", "b"))
    with pytest.raises(InputError, match="some of weight, bias, target, got 'activation'"):
        saved(polytope, folder, activation=other)
    with pytest.raises(FileFormatError, match=r"none\.npy cannot be read: No such file"):
        saved(polytope, folder, weight=Source(folder / "none.npy"))
    with pytest.raises(InputError, match="expected a Source for weight, got str"):
        saved(polytope, folder, weight="w.npy")
    odd = folder / "two words.npy"
    odd.write_bytes((folder / "w.npy").read_bytes())
    with pytest.raises(InputError, match="file name of letters"):
        saved(polytope, folder, weight=Source(odd))
    assert list((folder / "out").iterdir()) == []


def test_files_of_one_name_are_kept_apart(files):
    folder, polytope = files
    (folder / "a").mkdir()
    twin = folder / "a" / "w.npy"
    np.save(twin, polytope.layer.bias.data)
    path = saved(polytope, folder, weight=Source(folder / "w.npy"), bias=Source(twin))
    names = {stated["file"] for stated in _files(path)}
    assert "w.npy" in names
    assert len(names) == 2
    verify(path)


def _files(path: Path):
    stated = json.loads(path.read_text())["problem"]
    return [part for part in stated.values() if isinstance(part, dict) and "file" in part]


def test_what_the_checker_does_not_read_is_stated_instead(files):
    folder, polytope = files
    chosen = {
        "weight": Source(folder / "fortran.npy"),
        "bias": Source(folder / "net.npz", "b"),
    }
    assert set(readable(polytope.layer, chosen)) == {"bias"}
