"""`collide verify`: the checker's verdict on certificates."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.run.checks import refused
from experiments.run.desk import Desk
from experiments.run.request import Request, option
from experiments.run.terminal import complain

_SCHEMA = re.compile(rb'"schema": ?"(collision-polytopes/[\w./-]{1,60})"')
SUMMARY = "check certificates, without any solver"


@dataclass(frozen=True, kw_only=True)
class VerifyRequest(Request):
    """Which certificates."""

    files: tuple[Path, ...] = option(
        "certificates, or folders of runs", positional=True, metavar="FILE"
    )


REQUESTS = (VerifyRequest,)


def run(request: VerifyRequest, desk: Desk) -> int:
    """The checker's verdict on each file; its exit code is the command's."""
    files = _certificates(request.files)
    if not desk.json:
        from polytope import checker

        code = checker.main([str(path) for path in files])
        for path in files if code else ():
            if named := other_schema(path):
                complain(f"{path}: {named}")
        return code
    return _verify_json(files)


def _certificates(paths: Sequence[Path]) -> list[Path]:
    """The files named, and all certificates of a folder named, or of the run in it."""
    from experiments.run.proofs import FOLDER

    found: list[Path] = []
    for path in paths:
        inside = [path]
        if path.is_dir():
            place = path / FOLDER if (path / FOLDER).is_dir() else path
            inside = sorted(place.glob("*.json"))
        if not inside:
            raise refused(f"files: expected certificates, or a folder of some; {path} has none")
        found += inside
    return found


def other_schema(path: Path) -> str:
    """Returns, in words, of which other schema of ours a file is; "" where its start names none."""
    from polytope import checker

    try:
        with path.open("rb") as stream:
            named = _SCHEMA.search(stream.read(4096))
    except OSError:
        return ""
    if named is None or named[1].decode() in checker.FORMS:
        return ""
    known = " or ".join(checker.FORMS)
    return f"expected a certificate of schema {known}, got {named[1].decode()}"


def _verify_json(files: list[Path]) -> int:
    """The same verdicts and exit code, as JSON."""
    from polytope import checker

    entries: list[dict[str, Any]] = []
    known: dict[str, checker.Problem] = {}
    codes = {0}
    for path in files:
        try:
            claim = checker.check_file(path, known)
            entries.append({"file": str(path), "proved": True, "claim": claim})
        except (checker.CheckError, MemoryError) as problem:
            codes.add(getattr(problem, "code", checker.LIMIT))
            named = other_schema(path)
            reason = (str(problem) or "out of memory") + (f" ({named})" if named else "")
            entries.append({"file": str(path), "proved": False, "reason": reason})
    print(json.dumps(entries, indent=1))
    order = (checker.REFUSED, checker.MALFORMED, checker.LIMIT, 0)
    return next(code for code in order if code in codes)
