"""Is a false claim ever accepted?  Mutants of certificates of every kind, changed in every field.

    python -m tests.campaigns.mutants --count 20000 --seed 0 [--kind dimension]

Each mutant is checked as a file, as a stranger would check it.  What the checker accepts is judged
by an exact engine that shares no code with it (tests/oracles/certificate_labels.py): a mutant may
still be a valid proof, and those are counted apart.  Exit code 0 if no false claim was accepted,
nothing but a refusal was raised, every field of every certificate was hit, and every operator
occurred.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from time import perf_counter

from polytope import checker
from tests.campaigns.mutation_documents import FILES, WHOLE, Mutant, mutants_of
from tests.campaigns.mutation_operators import KEEP_FORM, OPERATORS
from tests.campaigns.mutation_seeds import Seed, seeds
from tests.oracles.certificate_labels import label

#: Of each kind, at least.
LEAST = 200
_CODES = {checker.MALFORMED: "malformed", checker.REFUSED: "unproved", checker.LIMIT: "limit"}
COLUMNS = (*_CODES.values(), "true", "FALSE", "crash", "UNREAD")


@dataclass
class Tally:
    """What became of the mutants."""

    certificates: Counter[str] = field(default_factory=Counter)
    kinds: dict[str, Counter[str]] = field(default_factory=dict)
    operators: dict[str, Counter[str]] = field(default_factory=dict)
    labels: Counter[str] = field(default_factory=Counter)
    slowest: dict[str, tuple[float, str]] = field(default_factory=dict)
    missed: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def add(self, mutant: Mutant, outcome: str, seconds: float) -> None:
        for table, row in ((self.kinds, mutant.kind), (self.operators, mutant.operator)):
            table.setdefault(row, Counter())[outcome] += 1
        longest = self.slowest.get(mutant.kind, (0.0, ""))
        self.slowest[mutant.kind] = max(longest, (seconds, f"{mutant.operator} at {mutant.field}"))

    def report(self) -> str:
        head = f"{'claim':20}{'seeds':>6}{'mutants':>9}" + "".join(f"{c:>11}" for c in COLUMNS)
        lines = [head + "  slowest check"]
        for kind, row in sorted(self.kinds.items()):
            seconds, where = self.slowest[kind]
            counts = _line(f"{kind:20}{self.certificates[kind]:6}", row)
            lines.append(f"{counts}  {seconds:.2f} s {where}")
        total = sum(self.kinds.values(), Counter[str]())
        lines += [_line(f"{'all':20}{self.certificates.total():6}", total), "", "operator"]
        lines += [_line(f"{name:38}", row) for name, row in sorted(self.operators.items())]
        lines += ["", *(f"{n} accepted mutants judged by {by}" for by, n in self.labels.items())]
        lines += [f"NEVER HIT: {line}" for line in self.missed]
        lines += [f"WRONG: {line}" for line in self.wrong]
        lines.append(
            f"{total.total()} mutants of {self.certificates.total()} certificates of "
            f"{len(self.kinds)} kinds: {total['FALSE']} false claims accepted, {total['crash']} "
            f"crashes, {total['UNREAD']} that another reader refuses, {total['true']} accepted and "
            f"true, {len(self.missed)} fields or operators "
            "never hit"
        )
        return "\n".join(lines)

    @property
    def sound(self) -> bool:
        return not self.wrong and not self.missed


def _line(name: str, row: Counter[str]) -> str:
    return f"{name}{row.total():9}" + "".join(f"{row[column]:11}" for column in COLUMNS)


def attack(
    tally: Tally, mutant: Mutant, seed: Seed, folder: Path, known: dict[str, checker.Problem]
) -> None:
    """Check one mutant behind others of its folder, and judge it if it is accepted."""
    path = folder / "certificate.json"
    path.write_bytes(mutant.data)
    write(folder, mutant.files or {})
    began = perf_counter()
    try:
        words = checker.check_file(path, {} if mutant.files else known)
        if words != checker.check_file(path):
            raise AssertionError("accepted behind others only")
    except checker.CheckError as error:
        outcome, words = _CODES.get(error.code, "crash"), str(error)
    except Exception as error:  # whatever it is, the checker let it through
        outcome, words = "crash", repr(error)
    else:
        outcome = ""
    seconds = perf_counter() - began
    if not words.isascii() or not words.isprintable():
        outcome = "crash"  # it would reach the terminal
    if not outcome:
        try:
            true, by = label(json.loads(mutant.data), folder, seed.document)
        except Exception as error:  # the second reader does not take what the checker took
            outcome, words = "UNREAD", repr(error)
        else:
            outcome = "true" if true else "FALSE"
            tally.labels[by] += 1
    if mutant.files:
        write(folder, seed.files)
    if outcome in ("FALSE", "crash", "UNREAD"):
        what = f"{mutant.operator} at {mutant.field} of {seed.name}"
        tally.wrong.append(f"{outcome}: {what}: {words[:200]!a}: {mutant.data[:3000]!r}")
    tally.add(mutant, outcome, seconds)


def write(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, data in files.items():
        (folder / name).write_bytes(data)


def run(count: int, *, start: int, sources: list[Seed], kinds: list[str] | None = None) -> Tally:
    """Make and check at least ``count`` mutants, and at least `LEAST` of each kind."""
    tally = Tally()
    wanted = list(checker.CLAIMS) if kinds is None else kinds
    for kind in wanted:
        own = [seed for seed in sources if seed.kind == kind]
        tally.certificates[kind] = len(own)
        quota = max(LEAST, -(-count // len(wanted)))
        _attack_kind(tally, kind, own, sources, quota, Random(f"{kind} {start}"))
    if kinds is None:
        names = [operator.name for operator in OPERATORS] + list(WHOLE) + list(FILES)
        tally.missed += [name for name in names if name not in tally.operators]
    return tally


def _attack_kind(
    tally: Tally, kind: str, own: list[Seed], sources: list[Seed], quota: int, rng: Random
) -> None:
    if not own:
        tally.missed.append(f"{kind}: no certificate")
        return
    with tempfile.TemporaryDirectory() as name:
        folders, known = {}, dict[str, checker.Problem]()
        for number, seed in enumerate(own):
            folders[seed.name] = folder = Path(name) / str(number)
            folder.mkdir()
            write(folder, seed.files)
            if not label(seed.document, folder)[0]:
                tally.wrong.append(f"{seed.name}: a false claim to begin with")
        for seed, mutant in _drawn(own, sources, quota, rng, tally):
            attack(tally, mutant, seed, folders[seed.name], known)


def _drawn(
    own: list[Seed], sources: list[Seed], quota: int, rng: Random, tally: Tally
) -> Iterator[tuple[Seed, Mutant]]:
    """First every field of every seed, then every operator, then what chance says."""
    made = 0
    makers = [(seed, mutants_of(seed, sources, rng)) for seed in own]
    for seed, maker in makers:
        for mutant in maker.every_field():
            made += 1
            yield seed, mutant
        tally.missed += [f"{seed.name}: {place}" for place in maker.missed()]
    for operator in OPERATORS:  # those that spoil the form once for each kind of claim
        for seed, maker in rng.sample(makers, len(makers)):
            found = list(maker.every_operator([operator]))
            made += len(found)
            yield from ((seed, mutant) for mutant in found)
            if found and operator.name not in KEEP_FORM:
                break
    for seed, maker in makers:
        for mutant in maker.every_whole():
            made += 1
            yield seed, mutant
    while made < quota:
        seed, maker = rng.choice(makers)
        mutant = maker.any()
        if mutant is not None:
            made += 1
            yield seed, mutant


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kind", action="append", choices=list(checker.CLAIMS))
    args = parser.parse_args()
    began = perf_counter()
    tally = run(args.count, start=args.seed, sources=seeds(args.seed), kinds=args.kind)
    print(tally.report(), f"({perf_counter() - began:.0f} s)")
    return 0 if tally.sound else 1


if __name__ == "__main__":
    sys.exit(main())
