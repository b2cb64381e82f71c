"""What is asked of a checker's `main`, and of problems that are kept from one claim to the next?"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch

from tests.campaigns.checker_questions import Outcome, Scenario, outcome
from tests.examples.certificate_forms import document, vec
from tests.examples.certificate_layers import SQUARE
from tests.examples.certificates import EXAMPLES, changed


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
    yield Scenario("subnormal numbers are 0", _flushed, files=False)
    for error in (KeyboardInterrupt(), MemoryError(), MemoryError("words")):
        yield _main(["good"], files, error)


def _flushed(module: ModuleType, _: Path) -> Outcome:
    """On a thread that was told to take them for 0."""
    torch.set_flush_denormal(True)
    try:
        return outcome(module, lambda: module.check(EXAMPLES["vertex"]))
    finally:
        torch.set_flush_denormal(False)


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
