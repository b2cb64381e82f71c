"""Damaged files of every format: a sample of `python -m tests.campaigns.fuzz_readers`."""

import random
import warnings
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.datasets.idx import parse_idx
from experiments.datasets.tar import plain_files
from experiments.models.squeezenet_codec import decode
from polytope.errors import FileFormatError
from polytope.formats import cdd, native, normaliz, polymake
from tests.campaigns.fuzz_child import judge
from tests.campaigns.fuzz_faults import FAULTS
from tests.campaigns.fuzz_readers import BAD, fuzz, table
from tests.campaigns.fuzz_targets import FAULTY, NAMES, target

SAMPLE = 40


def outcome(of, path):
    """What the fuzzer would note, but for time and memory."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            value = of.read(path)
        except Exception as error:
            return judge(of, error)
        return {"accepted": 1, "wrong": of.compare(path, value) if of.compare else ""}


@pytest.mark.parametrize("name", NAMES)
def test_damaged_files_are_answered_in_one_line(name, tmp_path):
    if name == "onnx":
        pytest.importorskip("onnx", reason="needs the extra onnx")
    of = target(name)
    path = tmp_path / f"file{of.suffix}"
    for sample in of.samples:
        path.write_bytes(sample)
        assert outcome(of, path) == {"accepted": 1, "wrong": ""}
    answered = 0
    for number in range(SAMPLE):
        path.write_bytes(of.input(random.Random(f"{name} {number}"), number, SAMPLE))
        found = outcome(of, path)
        assert not {kind: found[kind] for kind in BAD if found.get(kind)}, number
        answered += "error" in found
    assert answered > SAMPLE // 10


def test_the_fuzzer_sees_every_fault():
    row = fuzz(FAULTY, count=24, seed=1)
    assert row.inputs == 24
    assert row.failed
    for kind in set(BAD) - {"hang"}:
        assert row.counts[kind] >= 1, kind
    assert row.counts["memory"] >= 2  # touched or not
    assert row.errors["FileFormatError"] >= 1
    assert row.counts["accepted"] >= 1
    assert f"{FAULTY}  24" in table([row])
    assert len(FAULTS) == len(set(FAULTS))


@given(st.binary(max_size=200))
@settings(max_examples=150, deadline=None)
def test_bytes_of_no_format(data):
    readers = [
        lambda: parse_idx(data, axes=3),
        lambda: parse_idx(bytes([0, 0, 8, 1]) + data, axes=1),
        lambda: decode(data),
        lambda: list(plain_files(data, name="f")),
    ]
    for read in readers:
        with suppress(FileFormatError):  # a few bytes may be a file; nothing else may come
            read()


@given(st.text(st.sampled_from('0123456789/-+.eE *\n{}[]":,abcdefnumrow'), max_size=80))
@settings(max_examples=150, deadline=None)
def test_texts_of_no_format(text):
    readers = [
        lambda: cdd.parse(f"begin\n1 2 rational\n{text}\nend\n", "f"),
        lambda: normaliz.parse_halfspaces(f"amb_space 1\n{text}", "f"),
        lambda: polymake.parse_halfspaces(f"INEQUALITIES\n{text}", "f"),
        lambda: native.parse_halfspaces(text, "f"),
    ]
    for read in readers:
        with suppress(FileFormatError):
            read()
