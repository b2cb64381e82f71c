"""Many certificates of one layer: its files are read once, and nothing false gets by that way."""

import copy
import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from polytope import Box, CollisionPolytope, Source, checker, verify
from polytope.answers import certificates as certificates_module
from tests.examples.certificates import EXAMPLES


@pytest.fixture
def kept(tmp_path):
    """Nine certificates of a layer in one npz file, in a folder of their own."""
    rng = np.random.default_rng(5)
    arrays = {
        "weight": rng.standard_normal((12, 20)).astype(np.float32),
        "bias": rng.standard_normal(12).astype(np.float32),
        "target": rng.random(20).astype(np.float32),
    }
    np.savez(tmp_path / "layer.npz", **arrays)
    P = CollisionPolytope.from_layer(*arrays.values(), domain=Box(0, 1))
    sources = {name: Source(tmp_path / "layer.npz", name) for name in arrays}
    unit = P.inactive_units[0]
    rank = P.rank_positive()
    proofs = [
        *(P.dimension(), P.lineality(), rank, P.kernel_condition(), P.boundedness()),
        *(P.feasibility(), P.active_set(), P.unit_vertex(unit)),
    ]
    found = [each.certificate for each in proofs] + [rank.at_least]
    (tmp_path / "proofs").mkdir()
    return [
        certificate.save(tmp_path / "proofs" / f"{k}.json", sources=sources)
        for k, certificate in enumerate(found)
    ]


def count_reads(monkeypatch):
    read, names = checker._read_file, []

    def counted(path, most, name):
        names.append(name)
        return read(path, most, name)

    monkeypatch.setattr(checker, "_read_file", counted)
    return names


def tensor_reads(names):
    return [name for name in names if name != "the certificate"]


def test_nine_certificates_read_the_files_of_their_layer_once(kept, monkeypatch, capsys):
    names = count_reads(monkeypatch)
    assert checker.main([str(path) for path in kept]) == 0
    assert capsys.readouterr().out.count(": proved. ") == len(kept) == 9
    assert tensor_reads(names) == ["layer.npz"] * 3  # weight, bias and target
    names.clear()
    apart = [checker.check_file(path) for path in kept]
    assert tensor_reads(names) == ["layer.npz"] * 27
    known = {}
    assert [verify(path, known=known) for path in kept] == apart
    assert len(known) == 1


def test_what_is_kept_is_the_last_problem_alone(kept, tmp_path):
    known = {}
    checker.check_file(kept[0], known)
    (first,) = known.values()
    (tmp_path / "proofs" / "other.json").write_text(json.dumps(EXAMPLES["vertex"]))
    checker.check_file(tmp_path / "proofs" / "other.json", known)
    assert len(known) == 1
    assert first not in known.values()


def test_a_file_that_changed_in_between(kept):
    """A claim is about the bytes with the stated SHA-256, which were read; others are refused."""
    known, file = {}, kept[0].parent / "layer.npz"
    sentence = checker.check_file(kept[0], known)
    whole = file.read_bytes()
    file.write_bytes(whole[:-1])
    assert checker.check_file(kept[0], known) == sentence
    with pytest.raises(checker.CheckError, match="has SHA-256"):
        checker.check_file(kept[0])
    changed = json.loads(kept[1].read_text())
    changed["problem"]["weight"]["sha256"] = hashlib.sha256(whole[:-1]).hexdigest()
    kept[1].write_text(json.dumps(changed))
    with pytest.raises(checker.CheckError, match=r"cannot be read|has SHA-256"):
        checker.check_file(kept[1], known)
    assert known == {}
    with pytest.raises(checker.CheckError, match="has SHA-256"):  # it is read again
        checker.check_file(kept[0], known)


def test_the_same_words_in_another_folder_are_another_problem(kept, tmp_path):
    known = {}
    checker.check_file(kept[0], known)
    (tmp_path / "elsewhere").mkdir()
    moved = tmp_path / "elsewhere" / kept[0].name
    moved.write_bytes(kept[0].read_bytes())
    with pytest.raises(checker.CheckError, match="cannot be read"):
        checker.check_file(moved, known)


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_a_forged_second_document_is_judged_by_its_own_words(name, tmp_path):
    """Whatever number of the problem is changed after a true certificate was read: as if alone."""
    path, known = tmp_path / "certificate.json", {}
    for place, changed in list(changes(EXAMPLES[name]["problem"]))[::11]:
        path.write_text(json.dumps(EXAMPLES[name]))
        assert verdict(path, known)[0] == 0
        path.write_text(json.dumps({**EXAMPLES[name], "problem": changed}))
        assert verdict(path, known) == verdict(path, {}), place


def verdict(path, known):
    try:
        return 0, checker.check_file(path, known)
    except checker.CheckError as error:
        return error.code, str(error)


def changes(value, place=()):
    """Copies of a document, each with one number or text changed; 1 also to true and 1.0."""
    if isinstance(value, dict | list):
        keys = value if isinstance(value, dict) else range(len(value))
        for key in keys:
            for where, changed in changes(value[key], (*place, key)):
                other = copy.copy(value)
                other[key] = changed
                yield where, other
    elif isinstance(value, str):
        yield place, value + "0"
        yield place, ""
    elif isinstance(value, int):
        yield place, value + 1
        yield place, float(value)
        if value in (0, 1):
            yield place, bool(value)


@pytest.mark.parametrize("equal", [True, 1.0])
def test_what_python_takes_for_equal_is_not(equal, tmp_path):
    path, known = tmp_path / "certificate.json", {}
    one = CollisionPolytope.from_layer([[1, 2]], [0], [1, 1]).feasibility().certificate
    document = one.document()
    path.write_text(json.dumps(document))
    checker.check_file(path, known)
    document["problem"]["bias"]["shape"] = [equal]
    path.write_text(json.dumps(document))
    with pytest.raises(checker.CheckError, match="must be of type int, got"):
        checker.check_file(path, known)


def test_a_document_as_deep_as_can_be_read(tmp_path):
    """What can be read can be compared: no depth makes the checker fail otherwise than by words."""
    path, known = tmp_path / "certificate.json", {}
    codes = set()
    for depth in range(sys.getrecursionlimit() - 120, sys.getrecursionlimit() + 20):
        problem = "[" * depth + "]" * depth
        head = f'"schema": "{checker.SCHEMA}", "claim": {{}}, "witness": {{}}'
        path.write_text(f'{{{head}, "problem": {problem}}}')
        codes.add(verdict(path, known)[0])
    assert codes == {checker.MALFORMED}


def test_a_large_array_is_written_and_hashed_once(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    weight = rng.standard_normal((40, 500)).astype(np.float32)
    P = CollisionPolytope.from_layer(weight, np.zeros(40), rng.random(500))
    written = []
    write = certificates_module.write_bytes
    monkeypatch.setattr(
        certificates_module,
        "write_bytes",
        lambda path, content: written.append(path.suffix) or write(path, content),
    )
    made = []
    tensor = certificates_module._tensor
    monkeypatch.setattr(
        certificates_module, "_tensor", lambda array: made.append(array.shape) or tensor(array)
    )
    paths = [P.lineality().certificate.save(tmp_path / f"{k}.json") for k in range(3)]
    assert written == [".safetensors"]
    assert made.count((40, 500)) == 1
    (stored,) = tmp_path.glob("*.safetensors")
    stored.write_bytes(save({"weight": weight[:3]}))  # another file of that name is put right
    paths.append(P.lineality().certificate.save(tmp_path / "again.json"))
    known = {}
    assert len({verify(Path(path), known=known) for path in paths}) == 1
