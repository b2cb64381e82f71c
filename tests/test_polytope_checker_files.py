"""The checker as a program: files beside the certificate, exit codes, standard library only."""

import ast
import copy
import hashlib
import json
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.numpy import save

from polytope import checker
from tests.examples.certificate_maker import optimum_certificate, seeded_layer
from tests.examples.certificates import EXAMPLES, changed

CHECKER = Path(checker.__file__)


def refusal(bad, **options):
    with pytest.raises(checker.CheckError) as caught:
        checker.check(bad, **options)
    return caught.value.code, str(caught.value)


@pytest.fixture(scope="module")
def made():
    weight, bias, target = seeded_layer(16, 48, seed=1)
    return weight, bias, target, optimum_certificate(weight, bias, target, unit=5)


def in_file(made, folder):
    """The certificate with its arrays in a safetensors file beside it."""
    weight, bias, target, example = made
    data = save({"weight": weight, "bias": bias, "x": target}, {"format": "np"})
    (folder / "layer.safetensors").write_bytes(data)
    found = copy.deepcopy(example)
    for name, tensor in (("weight", "weight"), ("bias", "bias"), ("target", "x")):
        digest = hashlib.sha256(data).hexdigest()
        source = {"file": "layer.safetensors", "tensor": tensor, "sha256": digest}
        found["problem"][name] = source
    return found, data


def test_a_certificate_found_by_a_solver(made, monkeypatch):
    example = made[3]
    sentence = checker.check(example)
    assert "to double precision, attained at a vertex of C" in sentence
    monkeypatch.setattr(checker, "MAX_CACHED", 0)  # rows decoded again each time
    assert checker.check(example) == sentence
    # One unit in the last place of one weight of the unit itself: another minimum.
    raw = bytearray.fromhex(example["problem"]["weight"]["data"])
    raw[4 * (5 * 48 + example["witness"]["vertex"]["columns"][0])] ^= 1
    bad = copy.deepcopy(example)
    bad["problem"]["weight"]["data"] = raw.hex()
    code, reason = refusal(bad)
    assert code == 3
    # Which of the two depends on the vertex that the solver's release comes to.
    assert reason in ("the multipliers prove less", "the point does not have the stated value")


def test_arrays_in_a_safetensors_file(made, tmp_path):
    example, data = in_file(made, tmp_path)
    path = tmp_path / "certificate.json"
    path.write_text(json.dumps(example))
    assert "attained at a vertex" in checker.check_file(path)
    assert "no folder is known" in refusal(example)[1]
    for key, value, reason in [
        ("file", "../layer.safetensors", "not a plain name"),
        ("file", "/etc/passwd", "not a plain name"),
        ("file", "a..safetensors", "not a plain name"),
        ("file", "missing.safetensors", "cannot be read"),
        ("tensor", "__metadata__", "exactly the keys"),
        ("tensor", "w", "must be of type dict, got NoneType"),
        ("sha256", "0" * 64, "has SHA-256"),
    ]:
        bad = copy.deepcopy(example)
        bad["problem"]["weight"][key] = value
        code, message = refusal(bad, folder=tmp_path)
        assert (code, reason in message) == (checker.MALFORMED, True), message
    size = struct.unpack("<Q", data[:8])[0]
    header = data[8 : 8 + size]
    for broken in [
        data[:4],
        data[:100],
        data[:-1],
        struct.pack("<Q", 1 << 62) + data[8:],
        data[:8] + header.replace(b"[16,48]", b"[48,16]") + data[8 + size :],
        data[:8] + header.replace(b'"F32"', b'"F64"') + data[8 + size :],
        data[:8] + b"x" + data[9:],
    ]:
        (tmp_path / "layer.safetensors").write_bytes(broken)
        bad = copy.deepcopy(example)
        for name in ("weight", "bias", "target"):
            bad["problem"][name]["sha256"] = hashlib.sha256(broken).hexdigest()
        assert refusal(bad, folder=tmp_path)[0] == checker.MALFORMED


def run(*arguments, cwd):
    command = [sys.executable, "-I", "-S", str(CHECKER), *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60)


def test_the_file_runs_alone(made, tmp_path):
    """Under python -I -S: no site-packages, no other module of this project."""
    example, _ = in_file(made, tmp_path)
    (tmp_path / "certificate.json").write_text(json.dumps(example))
    for number, document_ in enumerate(EXAMPLES.values()):
        (tmp_path / f"{number:02}.json").write_text(json.dumps(document_))
    names = sorted(path.name for path in tmp_path.glob("*.json"))
    done = run(*names, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count(": proved. For ") == len(names) == len(EXAMPLES) + 1


def test_exit_codes(tmp_path):
    huge = changed("contains", "witness", "point", "den", to="1" * (1 << 20))
    files = {
        "good": EXAMPLES["vertex"],
        "refused": changed("vertex", "witness", "vertex", "modulus", to="1"),
        "malformed": {},
        "limit": huge,
    }
    for name, document_ in files.items():
        (tmp_path / name).write_text(json.dumps(document_))
    for names, code in [
        (["good"], 0),
        (["malformed"], 2),
        (["refused"], 3),
        (["limit"], 4),
        (["absent"], 2),
        (["."], 2),
        ([], 2),
        (["--help"], 0),
        (["good", "limit", "malformed", "refused"], 3),
        (["limit", "malformed", "good"], 2),
    ]:
        done = run(*names, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (code, ""), names
        assert done.stdout.isascii()
        assert len(done.stdout.splitlines()) >= len(names)


def test_the_file_is_short_and_imports_the_standard_library_only():
    text = CHECKER.read_text(encoding="utf-8")
    assert text.count("\n") <= 2000
    imported = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            imported.add(str(node.module).split(".")[0])
    assert imported <= set(sys.stdlib_module_names)
