"""What a forger tries beside false claims: time, memory, files, and what is kept between calls."""

import copy
import hashlib
import io
import json
import os
import time
import tracemalloc
import zipfile
from fractions import Fraction as F
from pathlib import Path
from random import Random

import numpy as np
import pytest

from polytope import checker
from tests.campaigns.mutation_seeds import pictures
from tests.examples.certificate_forms import EMPTY_MINOR, array, box, document, mult, problem, vec
from tests.examples.certificate_layers import SQUARE
from tests.examples.certificates import EXAMPLES, changed

NONE = {"dtype": "F64", "shape": [0], "data": ""}


def refusal(bad, **options):
    with pytest.raises(checker.CheckError) as caught:
        checker.check(bad, **options)
    return caught.value.code, str(caught.value)


def cost(action):
    """The refusal, seconds of work, and bytes of memory beyond those held before."""
    tracemalloc.start()
    began = time.process_time()
    try:
        with pytest.raises(checker.CheckError) as caught:
            action()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    return caught.value, time.process_time() - began, peak


def repeated(units, bias, **stated):
    """A layer of one input and many units with the weight 3."""
    weight = {"dtype": "U8", "shape": [units, 1], "data": "03" * units}
    fixed = {"form": "layer", "domain": {"kind": "free"}, "tolerance": ["0", "1"]}
    return {**fixed, "weight": weight, "bias": bias, **stated}


def zeros(units):
    return {"dtype": "U8", "shape": [units], "data": "00" * units}


def primes(count, start):
    sieve = bytearray([1]) * 400_000
    for i in range(2, 633):
        if sieve[i]:
            sieve[i * i :: i] = bytes(len(sieve[i * i :: i]))
    return [i for i in range(start, len(sieve)) if sieve[i]][:count]


def wide(domain):
    """A certificate of 400 bytes about 2^28 inputs."""
    weight = {"dtype": "F64", "shape": [0, 1 << 28], "data": ""}
    stated = {"form": "layer", "weight": weight, "bias": NONE, "domain": {"kind": domain}}
    stated |= {"tolerance": ["0", "1"], "activation": NONE}
    return document("bounded", stated, {}, {"box": True})


def long_target():
    """100,000 units and a target of 260,000 bits: a greatest common divisor for each."""
    rng, units = Random(1), 100_000
    den = rng.getrandbits(260_000) | 1
    target = array([F(1)]) | {"num": [format(rng.getrandbits(259_000), "x")]}
    target["den"] = [format(den, "x")]
    stated = repeated(units, zeros(units), target=target)
    return document("contains", stated, {}, {"point": vec([0])})


def many_denominators():
    """A row whose least common denominator is long, for 65,536 entries."""
    row = array([[F(1, p) for p in primes(14_000, 100_000)] + [F(1)] * (65_536 - 14_000)])
    stated = {**repeated(1, zeros(1), activation=zeros(1)), "weight": row}
    return document("bounded", stated, {}, {"box": True})


def long_sum():
    """Right-hand sides over 200 coprime denominators of 30,000 bits."""
    rng, units = Random(2), 200
    bias = array([F(1, rng.getrandbits(30_000) | 1) for _ in range(units)])
    stated = repeated(units, bias, activation=zeros(units))
    stated["weight"]["data"] = "00" * units
    ones = {"den": "1", "num": ["1"] * units}
    return document("empty", stated, {}, {"multipliers": mult(units) | {"upper": ones}})


@pytest.mark.parametrize(
    "bomb",
    [lambda: wide("free"), lambda: wide("nonnegative"), long_target, many_denominators, long_sum],
)
def test_what_would_take_long_or_much_is_a_limit(bomb):
    bad = bomb()
    error, seconds, peak = cost(lambda: checker.check(bad))
    assert (error.code, "above the limit" in str(error)) == (checker.LIMIT, True), error
    assert seconds < 30
    assert peak < 1 << 28


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"[" + b"[]," * 10_000_000 + b"[]]", checker.LIMIT),
        (b"\xff" * 50_000_000, checker.MALFORMED),
        (b'"' + b"0" * 50_000_000 + b'"', checker.MALFORMED),
    ],
)
def test_large_texts(tmp_path, text, code):
    path = tmp_path / "certificate.json"
    path.write_bytes(text)
    error, _, peak = cost(lambda: checker.check_file(path))
    assert (error.code, len(str(error)) < 300) == (code, True)
    assert peak < 3 * len(text) + (1 << 20)


def test_long_lists_of_digits_need_no_memory_beside_themselves():
    """A regular expression that repeats a group keeps a frame for each repetition."""
    count = 1_000_000
    digits = {"dtype": "U8", "shape": [2, 2], "data": "00" * count}
    ones = {"dtype": "Q", "shape": [1, count], "num": ["1"] * count}
    ones["den"] = [*ones["num"][1:], "0"]
    for weight in (digits, ones):
        bad = changed("contains", "problem", "weight", to=weight)
        error, _, peak = cost(lambda bad=bad: checker.check(bad))
        assert error.code == checker.MALFORMED
        assert peak < 100 * count


def test_a_span_of_many_rows_is_not_quadratic():
    units = 20_000
    stated = repeated(units, zeros(units), activation=zeros(units) | {"data": "01" * units})
    stated["weight"]["data"] = "00" * units
    rows = [{"row": ["equality", i], "coefficients": {"den": "1", "num": []}} for i in range(units)]
    spanned = {"basis": [], "combination": rows}
    example = document(
        "rank_positive", stated, {"rank": 0}, {"minor": EMPTY_MINOR, "span": spanned}
    )
    began = time.process_time()
    checker.check(example)
    assert time.process_time() - began < 20


def test_limits_are_those_of_one_claim(monkeypatch):
    """A parsed problem serves many claims, and the work for them is not added up."""
    example = EXAMPLES["optimum of a unit"]
    parsed = checker.Problem(example["problem"])
    checker.check(example, problem=parsed)
    monkeypatch.setattr(checker, "MAX_WORK", 2 * parsed.weights.work)
    for _ in range(10):
        checker.check(example, problem=parsed)
    monkeypatch.setattr(checker, "MAX_WORK", 0)  # of a claim that limit is one
    assert refusal(example, problem=parsed)[0] == checker.LIMIT


def test_a_problem_that_was_changed_after_it_was_parsed():
    example = copy.deepcopy(EXAMPLES["contains"])
    parsed = checker.Problem(example["problem"])
    example["problem"]["bias"] = array([0, -5])
    assert refusal(example, problem=parsed)[0] == checker.MALFORMED


def test_both_bounds_of_a_fixed_coordinate_are_not_both_tight():
    """x = 0 on all of C, by a unit and the floor: the ceiling x <= 1 is not tight anywhere."""
    stated = problem([[1, 0]], [0], target=[0, F(1, 2)], domain=box([0, 0], [1, 1]))
    witness = {"multipliers": mult(1, upper={0: 1}), "point": vec([0, F(1, 2)])}
    for name, code in ((["floor", 0], 0), (["upper", 0], 0), (["ceiling", 0], 3)):
        claim = {"inequality": name, "holds": True}
        example = document("implicit_equality", stated, claim, witness)
        if code:
            assert refusal(example)[0] == code
        else:
            checker.check(example)


@pytest.mark.parametrize("span", [False, 0, "", [], {}])
@pytest.mark.parametrize("name", ["rank", "kernel fails by a minor"])
def test_null_is_written_in_one_way(name, span):
    assert refusal(changed(name, "witness", "span", to=span))[0] == checker.MALFORMED


def in_file(folder, name, data, tensor, part="weight"):
    """SQUARE with one part in a file."""
    (folder / name).write_bytes(data)
    source = {"file": name, "tensor": tensor, "sha256": hashlib.sha256(data).hexdigest()}
    return document("contains", {**SQUARE, part: source}, {}, {"point": vec([F(1, 4), F(1, 2)])})


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_member_that_unpacks_to_more_than_it_says(tmp_path, method):
    out, plain = io.BytesIO(), io.BytesIO()
    np.save(plain, np.array([[1, 1], [1, -1]], np.int8))
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.writestr("w.npy", plain.getvalue() + bytes(100_000_000))
    data, stated = bytearray(out.getvalue()), len(plain.getvalue()).to_bytes(4, "little")
    for mark, offset in ((b"PK\3\4", 22), (b"PK\1\2", 24)):
        at = data.index(mark) + offset
        data[at : at + 4] = stated
    bad = in_file(tmp_path, "layer.npz", bytes(data), "w")
    error, _, peak = cost(lambda: checker.check(bad, folder=tmp_path))
    assert error.code == checker.MALFORMED
    assert peak < 1 << 24


def test_an_idx_file_needs_its_mark(tmp_path):
    data = b"XXXX" + (1).to_bytes(4, "big") * 256 + b"\7"
    bad = in_file(tmp_path, "pictures", data, "0", part="bias")
    code, message = refusal(bad, folder=tmp_path)
    assert (code, "not an idx file" in message) == (checker.MALFORMED, True)


def test_links_pipes_and_folders(tmp_path):
    """A link is read as what it leads to, which the hash must be of; nothing else is opened."""
    seed = next(pictures())
    example, (name, data) = seed.document, *seed.files.items()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "kept").write_bytes(data)
    (tmp_path / name).symlink_to(tmp_path / "elsewhere" / "kept")
    checker.check(example, folder=tmp_path)
    for make in (
        lambda place: place.symlink_to("/etc/hostname"),
        lambda place: place.symlink_to(place),
        lambda place: place.symlink_to("/dev/zero"),
        lambda place: place.symlink_to(tmp_path / "nowhere"),
        lambda place: place.mkdir(),
        lambda place: os.mkfifo(place),
    ):
        place = tmp_path / name
        place.unlink()
        make(place)
        assert refusal(example, folder=tmp_path)[0] == checker.MALFORMED
        if place.is_dir():
            place.rmdir()
            place.touch()


def test_a_thread_that_takes_subnormals_for_0_decodes_other_numbers():
    torch = pytest.importorskip("torch")
    if not torch.set_flush_denormal(True):
        pytest.skip("this processor keeps them")
    try:
        found = refusal(EXAMPLES["contains"])
    finally:
        torch.set_flush_denormal(False)
    assert found == (checker.LIMIT, "this thread was told to take subnormal numbers for 0")


def test_nothing_from_a_certificate_reaches_the_terminal_as_it_is(tmp_path, capsys):
    names = ["a\nb: proved.", "\x1b[2J", "\u202eevil", "x" * 200, "caf\u00e9"]
    spoiled = [EXAMPLES["contains"]]
    for text in names:
        spoiled.append(changed("contains", "claim", "kind", to=text))
        spoiled.append(changed("contains", "problem", "weight", "dtype", to=text))
        spoiled.append(changed("redundant row", "claim", "inequality", to=[text, 0]))
        source = {"file": "layer.npz", "tensor": text, "sha256": text}
        spoiled.append(changed("contains", "problem", "bias", to=source))
    paths = []
    for k, example in enumerate(spoiled):
        paths.append(str(tmp_path / f"{names[k % len(names)].replace('/', '')}{k}"))
        Path(paths[-1]).write_text(json.dumps(example))
    checker.main(paths)
    printed = capsys.readouterr().out
    assert len(printed.splitlines()) == len(paths)
    assert all(line.isascii() and line.isprintable() for line in printed.splitlines())


@pytest.mark.parametrize("shape", ["(2,02)", "(2 2)", "(,2, 2)", "(2, 2,)", "(2,2)"])
def test_an_npy_file_has_the_header_that_numpy_writes(tmp_path, shape):
    out = io.BytesIO()
    np.save(out, np.array([[1, 1], [1, -1]], np.int8))
    checker.check(in_file(tmp_path, "weight.npy", out.getvalue(), ""), folder=tmp_path)
    other = f"'shape': {shape}, }}".encode()
    data = out.getvalue().replace(b"'shape': (2, 2), }", other)
    data = data.replace(b" \n", b" " * (1 + len("(2, 2)") - len(shape)) + b"\n")
    assert len(data) == len(out.getvalue())
    bad = in_file(tmp_path, "weight.npy", data, "")
    assert refusal(bad, folder=tmp_path)[0] == checker.MALFORMED
