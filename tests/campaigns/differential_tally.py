"""What came of comparing our answers with exact engines: counts, and each answer that differs."""

from __future__ import annotations

import json
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from polytope import verify
from tests.oracles.exact_engines import Engine

#: How long an answer may be in a line of the report.
_SHOWN = 300


@dataclass
class Tally:
    """What came of the comparisons so far.

    Attributes:
        compared: answers by question.
        agreed: answers of an engine's that were ours, by its name.
        twice: answers that two engines or more gave as we did, by question.
        undecided: what we left open, each with its reason.
        wrong: what two engines deny, or one does where no other is left; a bad certificate.
        crashes: exceptions of ours.
        engine_errors: an engine that failed, or is alone against us and the referee.
        loose: certified l2 bounds that are far apart.
    """

    compared: Counter[str] = field(default_factory=Counter)
    agreed: Counter[str] = field(default_factory=Counter)
    twice: Counter[str] = field(default_factory=Counter)
    undecided: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    crashes: list[str] = field(default_factory=list)
    engine_errors: list[str] = field(default_factory=list)
    loose: list[str] = field(default_factory=list)
    name: str = ""

    def equal(self, question: str, ours: Any, theirs: Any) -> None:
        """An answer that follows from the definition alone, by substitution of Fractions."""
        self.compared[question] += 1
        if ours != theirs:
            self.wrong.append(_short(f"{self.name}: {question}: {ours} here, {theirs} expected"))

    def agree(
        self,
        question: str,
        ours: Any,
        ask: Callable[[Engine], Any],
        engines: Sequence[Engine],
        referee: Callable[[], Engine],
    ) -> None:
        """A verdict: two engines must give it; where one does not, the referee is asked, too."""
        self.compared[question] += 1
        equal, others = [], []
        for engine in engines:
            found = _answer(ask, engine)
            (equal if found == ours else others).append((engine.name, found))
        if others:
            third = referee()
            found = _answer(ask, third)
            if found == ours:
                equal.append((third.name, found))
            denied = any(not isinstance(answer, _Failed) for _, answer in others)
            if len(equal) < 2 and (denied or isinstance(found, _Failed)):
                words = "; ".join(f"{name}: {answer}" for name, answer in others)
                self.wrong.append(_short(f"{self.name}: {question}: {ours} here; {words}"))
            for name, answer in others:
                self.engine_errors.append(_short(f"{self.name}: {question}: {name}: {answer}"))
        self.agreed.update(name for name, _ in equal)
        self.twice[question] += len(equal) >= 2

    def open(self, question: str, reason: str) -> None:
        """An answer we do not give."""
        self.compared[question] += 1
        self.undecided.append(f"{self.name}: {question}: {reason or 'NO REASON GIVEN'}")

    def crash(self, question: str, error: BaseException) -> None:
        """An exception where an answer was due."""
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(where.filename).name}:{where.lineno}"
        self.crashes.append(_short(f"{self.name}: {question}: {error!r} at {place}"))

    def certificate(self, question: str, certificate: Any) -> None:
        """The certificate must verify; every third also as JSON, every thirtieth as a file."""
        self.compared["certificates"] += 1
        try:
            words = verify(certificate)
            if self.compared["certificates"] % 3:
                return
            again = json.loads(json.dumps(certificate.document()))
            self.equal("certificates from JSON", verify(again), words)
            if self.compared["certificates"] % 30 == 0:
                with tempfile.TemporaryDirectory() as folder:
                    path = certificate.save(Path(folder) / "certificate.json")
                    self.equal("certificates from a file", verify(path), words)
        except Exception as error:
            self.wrong.append(_short(f"{self.name}: certificate of {question}: {error!r}"))

    @property
    def n_compared(self) -> int:
        """All answers, undecided ones included."""
        return sum(self.compared.values())

    @property
    def is_clean(self) -> bool:
        """Whether nothing was wrong and nothing crashed."""
        return not self.wrong and not self.crashes

    def report(self) -> str:
        """Counts by question (and how many of them two engines confirm), then what is wrong."""
        decided = 1 - len(self.undecided) / max(1, self.n_compared)
        lines = [f"{'answers':>9s} {'by two engines':>15s}"]
        for question, count in sorted(self.compared.items()):
            both = str(self.twice[question]) if question in self.twice else "substitution"
            lines.append(f"{count:9d} {both:>15s}  {question}")
        lines += [f"{name}: {count} answers agree" for name, count in sorted(self.agreed.items())]
        lines += [f"undecided: {line}" for line in self.undecided]
        lines += [f"loose: {line}" for line in self.loose]
        lines += [f"an engine failed or is refuted: {line}" for line in self.engine_errors]
        lines += [f"CRASH: {line}" for line in self.crashes]
        lines += [f"WRONG: {line}" for line in self.wrong]
        lines.append(
            f"{self.n_compared} answers compared, {len(self.wrong)} wrong, {len(self.crashes)} "
            f"crashes, {len(self.undecided)} undecided ({100 * decided:.3f} % decided), "
            f"{len(self.loose)} loose l2 bounds, {len(self.engine_errors)} engine failures"
        )
        return "\n".join(lines)


@dataclass(frozen=True)
class _Failed:
    """An engine that gave no answer."""

    reason: str


def _answer(ask: Callable[[Engine], Any], engine: Engine) -> Any:
    try:
        return ask(engine)
    except Exception as error:  # whatever an engine raises is its own failure
        return _Failed(f"{type(error).__name__}: {error}")


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]} ..."
