"""What is asked of a checker that may have lost a condition?  Documents, files, limits, `main`.

A scenario is a question with an answer that can be compared: the exit code and the words, or what
was printed.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import random
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction as F
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from polytope import checker
from tests.campaigns.fuzz_checker_files import reference, targets
from tests.campaigns.mutation_documents import mutants_of
from tests.campaigns.mutation_seeds import hand_made, in_files, pictures
from tests.examples.certificate_forged import FORGED
from tests.examples.certificate_forger import Forger
from tests.examples.certificate_forms import document, problem, vec
from tests.examples.certificate_layers import SQUARE, STORED
from tests.examples.certificate_refusals import MALFORMED, TAMPERED
from tests.examples.certificates import EXAMPLES, changed

#: Exit code and words.
Outcome = tuple[object, str]
PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23)
_LIMITS = [name for name in vars(checker) if name.startswith("MAX_")]


@dataclass(frozen=True)
class Scenario:
    """A question to a checker, in an empty folder if there are files."""

    name: str
    ask: Callable[[ModuleType, Path], Outcome]
    files: bool = True


def outcome(module: ModuleType, action: Callable[[], object]) -> Outcome:
    """What it returns, or why not; what no checker may raise is told by its type."""
    try:
        return 0, str(action())
    except module.CheckError as error:
        return error.code, str(error)
    except MemoryError:
        return "out of memory", ""
    except Exception as error:
        return type(error).__name__, ""


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
    for name, forged in FORGED.items():
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
        "stored": document("contains", STORED, {}, {"point": vec([F(1, 4), F(1, 2)])}),
    }
    for limit in _LIMITS:
        for name, example in named.items():
            need = _needed(limit, example)
            for most in (need, need - 1) if need else ():
                yield _limited(f"{limit} = {most}: {name}", {limit: most}, example)


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


def arrays(times: int) -> Iterator[Scenario]:
    """Damaged files, read as the library does."""
    for kind in ("safetensors", "npz", "npy", "idx"):
        target = targets(f"checker-{kind}")
        rng = random.Random(f"conditions {kind}")
        for k in range(times):
            sample = rng.choice(target.samples)
            data = target.mutate(sample, rng) if k > 3 else sample
            yield _array(
                f"{kind} {k}", data, f"stored{target.suffix}", rng.choice(["weight", "bias"])
            )


def _array(name: str, data: bytes, file: str, tensor: str) -> Scenario:
    def ask(module: ModuleType, folder: Path) -> Outcome:
        (folder / file).write_bytes(data)
        stated = reference(folder / file, tensor)
        shape = (-1, -1) if tensor == "weight" and file.endswith(("npz", "safetensors")) else (-1,)
        return outcome(module, lambda: module.read_array(stated, folder, shape, tensor).fractions())

    return Scenario(name, ask)


def program() -> Iterator[Scenario]:
    """`main`: its words, its order of exit codes; what is kept between files."""
    good, other = json.dumps(EXAMPLES["vertex"]), json.dumps(EXAMPLES["optimum of a unit"])
    bad = json.dumps(changed("vertex", "witness", "vertex", "modulus", to="1"))
    huge = json.dumps(changed("contains", "witness", "point", "den", to="1" * (1 << 20)))
    true = json.dumps(changed("vertex", "problem", "bias", "shape", to=[True]))
    files = {"good": good, "other": other, "bad": bad, "malformed": "{}", "huge": huge}
    files |= {"true": true, "twice": '{"a": 1, "a": 1}', "deep": "[" * 100_000}
    for names in (
        *([name] for name in files),
        *(["good", "huge", "malformed", "bad"], ["huge", "malformed", "good"], ["huge", "good"]),
        *(["good", "good", "other", "good", "true"], ["absent"], ["."], ["a\0b"], ["-h"], []),
    ):
        yield _main(names, files)
    for error in (KeyboardInterrupt(), MemoryError(), MemoryError("words")):
        yield _main(["good"], files, error)


def _main(names: list[str], files: dict[str, str], error: BaseException | None = None) -> Scenario:
    def ask(module: ModuleType, folder: Path) -> Outcome:
        for name, text in files.items():
            (folder / name).write_text(text)
        printed, before, check_file = io.StringIO(), sys.argv, module.check_file
        if error is not None:
            vars(module)["check_file"] = _raising(error)
        sys.argv = ["checker.py", *(str(folder / name) for name in names)]
        given = [n if n.startswith("-") else str(folder / n) for n in names]
        try:
            with contextlib.redirect_stdout(printed):
                codes = [module.main(given), module.main()]
        except Exception as problem:
            codes = [type(problem).__name__]
        finally:
            sys.argv, vars(module)["check_file"] = before, check_file
        return str(codes), printed.getvalue().replace(str(folder), "FOLDER")

    return Scenario(f"main {names} {error!r}", ask)


def _raising(error: BaseException) -> Callable[..., str]:
    def check_file(*_: object) -> str:
        raise error

    return check_file


def handed_over() -> Iterator[Scenario]:
    """Problems parsed before, and by the folder and text of the last file."""

    def ask(module: ModuleType, folder: Path) -> Outcome:
        first, second = EXAMPLES["optimum of a unit"], EXAMPLES["empty"]
        parsed = module.Problem(first["problem"])
        found = [outcome(module, lambda: module.check(first, problem=parsed))]
        found.append(outcome(module, lambda: module.check(second, problem=parsed)))
        most = module.MAX_WORK
        vars(module)["MAX_WORK"] = 2 * parsed.weights.work
        found += [outcome(module, lambda: module.check(first, problem=parsed)) for _ in range(4)]
        vars(module)["MAX_WORK"] = most
        return str([code for code, _ in found]), str(found[1])

    def known(module: ModuleType, folder: Path) -> Outcome:
        kept: dict[str, Any] = {}
        sizes, codes = [], []
        data = np.array([0, 0], np.float32).tobytes()
        source = {"file": "b", "tensor": "0", "sha256": hashlib.sha256(_idx(data)).hexdigest()}
        example = document("contains", {**SQUARE, "bias": source}, {}, {"point": vec([0, 0])})
        for place, name in (("one", EXAMPLES["vertex"]), ("one", example), ("two", example)):
            (folder / place).mkdir(exist_ok=True)
            (folder / place / "c").write_text(json.dumps(name))
            action = lambda place=place: module.check_file(folder / place / "c", kept)  # noqa: E731
            codes.append(outcome(module, action)[0])
            sizes.append(len(kept))
        return str(codes), str(sizes)

    yield Scenario("a problem handed over", ask)
    yield Scenario("problems known", known)


def _idx(data: bytes) -> bytes:
    return b"\0\0\x08\2" + (1).to_bytes(4, "big") + len(data).to_bytes(4, "big") + data


def scenarios(scale: int) -> Iterable[Scenario]:
    """All of them, those first that are likely to differ; `scale` times as many by chance."""
    yield from hand_written()
    yield from words()
    yield from program()
    yield from handed_over()
    yield from arrays(60 * scale)
    yield from limits()
    yield from forgeries(50 * scale)
    yield from exchanged()
    yield from other_types()
    yield from mutants(10 * scale)
