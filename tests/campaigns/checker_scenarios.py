"""What is asked of a checker that may have lost a condition?  Documents, files, limits, `main`.

A scenario is a question with an answer that can be compared: the exit code and the words, or what
was printed.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterable, Iterator
from fractions import Fraction as F
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from polytope import checker
from tests.campaigns.checker_files import arrays, crafted, named
from tests.campaigns.checker_functions import functions
from tests.campaigns.checker_program import handed_over, program
from tests.campaigns.checker_questions import Outcome, Scenario, outcome
from tests.campaigns.completeness import spoiled
from tests.campaigns.mutation_documents import mutants_of
from tests.campaigns.mutation_seeds import hand_made, in_files, pictures
from tests.examples.certificate_forged import EXACT, FORGED
from tests.examples.certificate_forger import Forger
from tests.examples.certificate_forms import document, problem, vec
from tests.examples.certificate_functions import function_document
from tests.examples.certificate_generators import GENERATORS
from tests.examples.certificate_layers import STORED
from tests.examples.certificate_refusals import MALFORMED, TAMPERED
from tests.examples.certificates import EXAMPLES, changed

PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23)
_LIMITS = [*(name for name in vars(checker) if name.startswith("MAX_")), "MOST_BITS"]


def _document(name: str, stated: Any, **options: Any) -> Scenario:
    return Scenario(name, lambda m, _: outcome(m, lambda: m.check(stated, **options)), files=False)


def _file(name: str, data: bytes, files: dict[str, bytes]) -> Scenario:
    """A certificate as a file, others beside it."""

    def ask(module: ModuleType, folder: Path) -> Outcome:
        for other, content in {**files, "certificate.json": data}.items():
            (folder / other).write_bytes(content)
        code, words = outcome(module, lambda: module.check_file(folder / "certificate.json"))
        return code, words.replace(str(folder), "FOLDER")

    return Scenario(name, ask)


def hand_written() -> Iterator[Scenario]:
    """Valid ones, those that the tests make of them, and such as pass all conditions but one."""
    for name, example in EXAMPLES.items():
        yield _document(name, example)
    for name, forged in {**EXACT, **FORGED}.items():
        yield _document(f"forged: {name}", forged)
    for name, path, value, _ in TAMPERED:
        yield _document(f"tampered {name}: {path}", changed(name, *path, to=value))
    for path, value, _ in MALFORMED:
        spoiled = changed("optimum of a unit", *path, to=value)
        yield _document(f"malformed {path}: {str(value)[:40]}", spoiled)
    for value in (np.nan, np.inf, -np.inf):
        for code, size in (("F16", "<f2"), ("F32", "<f4"), ("F64", "<f8")):
            data = np.array([0, value], size).tobytes().hex()
            stored = {"dtype": code, "shape": [2], "data": data}
            yield _document(f"{value} as {code}", changed("contains", "problem", "bias", to=stored))


def stored() -> Iterator[Scenario]:
    """Arrays in the document: every type, one rule broken each."""
    for dtype, data in (
        *(
            ("U8", "00ff"),
            ("U8", "000"),
            ("U8", "0"),
            ("U8", "00FF"),
            ("U8", "00 f"),
            ("I8", "7f80"),
        ),
        *(("BF16", "803fc0bf"), ("F16", "003c00bc"), ("U16", "ffff0100"), ("I16", "ffff0100")),
        *(("F32", "0000803f000080bf"), ("F8", "0000"), ("Q", "0000"), ("u8", "0000"), ("U8", "00")),
    ):
        array = {"dtype": dtype, "shape": [2], "data": data}
        for shape in ((2,), (-1,)):
            yield _array(f"{dtype} {data}", array, *shape)
    for sizes in (
        [],
        [2, 1],
        [1, 1, 1, 2],
        [1, 1, 1, 1, 2],
        [3],
        [-2],
        [True],
        [2.0],
        "2",
        [1 << 60],
    ):
        plain = {"dtype": "U8", "shape": sizes, "data": "0001"}
        for shape in ((), (2,), (-1, 1), (3, -1), (2, 1), (-1, -1, -1, 1), (1, 1, 1, 1, -1)):
            yield _array(f"{sizes} as {shape}", plain, *shape)
    for num, den in ((["1", "2"], ["1", "1"]), (["1", "2"], ["1", "0"]), (["1", "2"], ["-1", "1"])):
        array = {"dtype": "Q", "shape": [2], "num": num, "den": den}
        yield _array(f"{num} over {den}", array, 2)
        yield _array(f"{num} over {den} as F32", {**array, "dtype": "F32"}, 2)
    yield _array("nothing over nothing", {"dtype": "Q", "shape": [0], "num": [], "den": []}, 0)
    late = {"dtype": "F32", "shape": [2, 2], "data": "0000c07f".rjust(32, "0")}
    yield _document("NaN in the last row", changed("contains", "problem", "weight", to=late))
    no_folder = {"file": "w.npy", "tensor": "", "sha256": ""}
    yield _document("no folder", changed("contains", "problem", "weight", to=no_folder))


def _array(name: str, array: object, *shape: int) -> Scenario:
    def ask(module: ModuleType, folder: Path) -> Outcome:
        return outcome(module, lambda: module.read_array(array, folder, shape).fractions())

    return Scenario(name, ask, files=False)


def other_types() -> Iterator[Scenario]:
    """Each field of each example replaced by two things of another type."""
    others = (None, 0, True, "1", [], [0], {}, 1.0, ["0", "1"], -1)
    number = 0
    for name, example in EXAMPLES.items():
        for part in ("claim", "problem", "witness"):
            for key in example[part]:
                for other in (others[number % 10], others[(3 * number + 1) % 10]):
                    spoiled = changed(name, part, key, to=other)
                    yield _document(f"{name}: {part}.{key} is {other!r}", spoiled)
                number += 1


def off_by_one() -> Iterator[Scenario]:
    """Each number of the claims and witnesses of the examples, one more or one less."""
    for name, example in EXAMPLES.items():
        for place, value in _numbers(example, ("claim", "witness")):
            step = (-1, 1)[len(place) % 2] if value else 1
            other = value + step if isinstance(value, int) else format(int(value, 16) + step, "x")
            yield _document(f"{name}: {place} is {other}", changed(name, *place, to=other))


def _numbers(value: Any, keys: Iterable[Any], place: tuple[Any, ...] = ()) -> Iterator[Any]:
    for key in keys:
        one = value[key]
        if isinstance(one, dict | list):
            inner = one if isinstance(one, dict) else range(len(one))
            yield from _numbers(one, inner, (*place, key))
        elif not isinstance(one, bool) and (isinstance(one, int) or _is_hex(one)):
            yield (*place, key), one


def _is_hex(text: Any) -> bool:
    return isinstance(text, str) and set(text) <= set("-0123456789abcdef")


def lists() -> Iterator[Scenario]:
    """Each entry of the lists of the examples dropped and doubled."""
    for name, example in GENERATORS.items():
        for what, bad in spoiled(example):
            yield _document(f"{name}: {what}", bad)


def exchanged() -> Iterator[Scenario]:
    """Claims with the problem or witness of another certificate."""
    examples = list(EXAMPLES.items())
    for number, (name, one) in enumerate(examples):
        for other_name, other in examples[number % 9 :: 9]:
            for part in ("problem", "witness", "claim"):
                yield _document(f"{name}, {part} of {other_name}", {**one, part: other[part]})


def words() -> Iterator[Scenario]:
    """Numbers, said: short and long, large and small."""
    power, largest = F(2) ** 1024, F(sys.float_info.max)
    values = [F(0), F(-1, 3), F(2**64 - 1), F(2**64), F(1, 2**64 - 1), F(1, 2**64), F(3**50, 2)]
    values += [largest, largest + 1, power, F(1, 2**1022), F(1, 2**1023), 1 / power, 1 + 1 / power]
    for value in values:
        for sign in (1, -1):
            yield Scenario(
                f"words {float(value) if value < power else value.numerator.bit_length()} {sign}",
                lambda m, _, v=sign * value: outcome(m, lambda: m.in_words(v)),  # type: ignore[misc]
                files=False,
            )


def limits() -> Iterator[Scenario]:
    """Each limit set to what an example needs, and to one less."""
    coprime = problem([[F(1, p) for p in PRIMES]], [0], target=[0] * 9, domain="nonnegative")
    named = {
        **EXAMPLES,
        "coprime": document("contains", coprime, {}, {"point": vec([0] * 9)}),
        "function": function_document("sigmoid"),
        "stored": document("contains", STORED, {}, {"point": vec([F(1, 4), F(1, 2)])}),
    }
    for limit in _LIMITS:
        for name, example in named.items():
            need = _needed(limit, example)
            for most in (need, need - 1) if need else ():
                yield _limited(f"{limit} = {most}: {name}", {limit: most}, example)


def later() -> Iterator[Scenario]:
    """Of a schema of later years, beside a problem that is nothing here."""
    stated = {"schema": "collision-polytopes/certificate/9", "claim": {}, "problem": 1}
    yield _file("a later schema", json.dumps(stated | {"witness": {}}).encode(), {})


def decoded_again() -> Iterator[Scenario]:
    """As if the matrix of each example were too large to be kept."""
    for name, example in EXAMPLES.items():
        yield _limited(f"nothing kept: {name}", {"MAX_CACHED": 0}, example)


def _needed(limit: str, example: Any) -> int:
    """The least value of a limit at which a certificate is accepted; 0 if it does not matter."""
    low, high = 0, int(getattr(checker, limit))
    if _with(checker, {limit: 0}, example)[0] == 0:
        return 0
    while high - low > 1:
        middle = (low + high) // 2
        if _with(checker, {limit: middle}, example)[0] == 0:
            high = middle
        else:
            low = middle
    return high


def _with(module: ModuleType, values: dict[str, int], example: Any) -> Outcome:
    """Checks with other limits."""
    before = {name: getattr(module, name) for name in values}
    vars(module).update(values)
    try:
        text = json.dumps(example).encode()
        return outcome(module, lambda: module.check(module.Value.read(text, "certificate").it))
    finally:
        vars(module).update(before)


def _limited(name: str, values: dict[str, int], example: Any) -> Scenario:
    return Scenario(name, lambda m, _: _with(m, values, example), files=False)


def forgeries(tries: int) -> Iterator[Scenario]:
    """Random small problems, claims and witnesses, so many of each kind."""
    for kind in checker.CLAIMS:
        rng = random.Random(f"conditions {kind}")
        for k in range(tries):
            yield _document(f"forgery {k} of {kind}", Forger(rng, kind).document())


def mutants(times: int) -> Iterator[Scenario]:
    """Hand-made certificates, some in files, by every operator; so many times by chance."""
    found = [*hand_made(), *pictures()]
    found += in_files(found)
    rng = random.Random("conditions")
    for seed in found:
        maker = mutants_of(seed, found, rng)
        made = list(maker.every_whole())
        made += [mutant for _ in range(times) if (mutant := maker.any()) is not None]
        yield _file(seed.name, json.dumps(seed.document).encode(), seed.files)
        for k, mutant in enumerate(made):
            files = {**seed.files, **(mutant.files or {})}
            yield _file(f"mutant {k} of {seed.name}: {mutant.operator}", mutant.data, files)


def scenarios(scale: int) -> Iterable[Scenario]:
    """All of them, those first that are likely to differ; `scale` times as many by chance."""
    yield from hand_written()
    yield from words()
    yield from stored()
    yield from program()
    yield from handed_over()
    yield from crafted()
    yield from named()
    yield from arrays(60 * scale)
    yield from functions()
    yield from later()
    yield from decoded_again()
    yield from limits()
    yield from lists()
    yield from off_by_one()
    yield from forgeries(50 * scale)
    yield from exchanged()
    yield from other_types()
    yield from mutants(10 * scale)
