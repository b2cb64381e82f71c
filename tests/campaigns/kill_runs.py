"""Does a run survive being killed?  Kills real runs at random moments, resumes and compares them.

    python -m tests.campaigns.kill_runs --kills 100 --interrupts 20 --seed 0

starts commands of `collide` (small forms: tests/campaigns/kill_scenarios.py), sends SIGKILL or
SIGINT at a random moment of their whole life, looks at every file, resumes, kills again, until they
end; then every file must equal an unbroken run's, byte for byte.  Not compared, since it is time:
the field "timings" of record.json and of the rows in *.jsonl.  Exit code 0 if nothing was wrong.
"""

import argparse
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import matplotlib.backends.backend_agg  # noqa: F401 - before the fork, as it takes long

from experiments.cli import main as cli
from experiments.mnist import output  # noqa: F401 - the same
from experiments.own import compare, find  # noqa: F401 - the same
from tests.campaigns.kill_scenarios import LOG, SCENARIOS, Scenario
from tests.examples.run_folders import contents, damaged, differing, scratch_of

EARLY = 0.05  # seconds: before, there is no run yet
ORPHANS = 40.0  # seconds after which nothing may be left of a killed run; a worker imports first
#: Python drops what is raised within the callback of a weak reference; the run goes on then.
_IGNORED = re.compile(r"Exception ignored in: .*?\nKeyboardInterrupt: *\n", re.DOTALL)
LIMIT = 120.0  # seconds for one start of a command


@dataclass
class Tally:
    """What came of the kills of one scenario."""

    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def note(self, kind: str, details: list[str]) -> None:
        """Counts things that may not be, and keeps their words."""
        self.counts[kind] += len(details)
        self.wrong += [f"{kind}: {text}" for text in details]


class Victim:
    """One start of a command in a forked process, which leads a process group of its own."""

    def __init__(self, scenario: Scenario, place: Path) -> None:
        self.place, self.folder, self.log = place, place / "run", place / "log"
        words = [word.format(place) for word in scenario.words]
        words += ["--out", str(self.folder)] + ["--resume"] * self.folder.is_dir()
        self.pid = os.fork()
        if self.pid == 0:
            self._run(scenario, words)

    def _run(self, scenario: Scenario, words: list[str]) -> None:
        code = 130  # where an interrupt comes before the command
        try:
            os.setsid()
            for name, number in (("out", 1), ("err", 2)):
                stream = os.open(self.place / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
                os.dup2(stream, number)
            os.environ[LOG] = str(self.log)
            scenario.install()
            code = cli.main(words)
        except SystemExit as problem:
            code = int(problem.code or 0)
        except BaseException as problem:
            print(f"LEFT BEHIND: {type(problem).__name__}: {problem}", file=sys.stderr)
        finally:
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
            os._exit(code)

    def wait(self, seconds: float) -> int | None:
        """The exit code (negative: the signal), or None where it still runs after so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            done, status = os.waitpid(self.pid, os.WNOHANG)
            if done:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.002)
        return None

    def is_alone(self) -> bool:
        """Whether every process that the command started goes as well."""
        end = time.monotonic() + ORPHANS
        while time.monotonic() < end:
            try:
                os.killpg(self.pid, 0)
            except ProcessLookupError:
                return True
            time.sleep(0.01)
        os.killpg(self.pid, signal.SIGKILL)
        return False

    def said(self) -> str:
        """What it wrote on stderr."""
        return (self.place / "err").read_text()


class Hunt:
    """Kills of one scenario, over as many lives of its run as they take."""

    def __init__(self, name: str, place: Path, rng: random.Random) -> None:
        self.name, self.scenario, self.place, self.rng = name, SCENARIOS[name], place, rng
        self.tally, self.proved = Tally(), set[str]()
        place.mkdir()
        self.scenario.prepare(place)
        began = time.monotonic()
        code = Victim(self.scenario, place).wait(LIMIT)
        self.seconds = time.monotonic() - began
        self.tally.note("failed", self._damage())
        if code != self.scenario.ends:
            self.tally.note("failed", [f"unbroken: exit {code}"])
        self.unbroken = contents(place / "run")
        events = [line.partition("\t")[::2] for line in self._log()]
        begun, kept = ({key for event, key in events if event == e} for e in ("begin", "kept"))
        # Else a unit that is done twice could not be told from a new one.
        self.tally.note("failed", [f"{key}: begun or kept, not both" for key in begun ^ kept])
        self.units = len(begun)
        self._clear()

    def _clear(self) -> None:
        shutil.rmtree(self.place / "run", ignore_errors=True)
        (self.place / "log").unlink(missing_ok=True)

    def _log(self) -> list[str]:
        path = self.place / "log"
        return path.read_text().splitlines() if path.exists() else []

    def _damage(self) -> list[str]:
        return damaged(self.place / "run", self.proved)

    def _is_whole(self) -> bool:
        return contents(self.place / "run") == self.unbroken

    def _moment(self) -> float:
        """Any moment of the run's life; every second time an early one, for many kills a life."""
        most = self.seconds if self.rng.random() < 0.5 else self.seconds / 4
        return self.rng.uniform(EARLY, most)

    def go(self, signals: list[signal.Signals]) -> None:
        """Sends the signals, one a start; the last start is left to end."""
        hits = 0
        for number in signals:
            victim = Victim(self.scenario, self.place)
            code = victim.wait(self._moment())
            if code is None:
                # Ctrl-C goes to the children too; SIGKILL does not
                (os.killpg if number == signal.SIGINT else os.kill)(victim.pid, number)
                if number == signal.SIGINT:
                    self._interrupted(victim)
                else:
                    victim.wait(LIMIT)
                    self.tally.counts["kills"] += 1
                hits += 1
                if not victim.is_alone():
                    self.tally.note("orphans", [f"after {number.name}"])
                self.tally.note("corrupt", self._damage())
            else:  # it was faster than the signal, which is sent to the next life
                self._ended(victim, code, hits)
                hits = 0
                signals.append(number)
        victim = Victim(self.scenario, self.place)
        self._ended(victim, victim.wait(LIMIT), hits)

    def _interrupted(self, victim: Victim) -> None:
        """SIGINT: exit 130 and the command that goes on, unless the run was at its very end."""
        code = victim.wait(LIMIT)
        self.tally.counts["interrupts"] += 1
        said = _IGNORED.sub("", victim.said())
        kept = any(line.startswith("kept") for line in self._log())
        if code != 130 and not (code == self.scenario.ends and self._is_whole()):
            self.tally.note("failed", [f"SIGINT: exit {code}: {said[-300:]}"])
        elif code == 130 and kept and f"--resume --out {victim.folder}" not in said:
            self.tally.note("failed", [f"SIGINT: no command to resume: {said[-300:]}"])
        if "Traceback" in said or "LEFT BEHIND" in said:
            self.tally.note("failed", [f"SIGINT: {said[-600:]}"])

    def _ended(self, victim: Victim, code: int | None, hits: int) -> None:
        """The run ended: everything must be as in an unbroken one."""
        self.tally.counts["lives"] += 1
        if code != self.scenario.ends:
            self.tally.note("failed", [f"exit {code}: {victim.said()[-300:]}"])
        self.tally.note("corrupt", self._damage())
        names = differing(contents(victim.folder), self.unbroken)
        self.tally.note("differing", [f"{name} after {hits} signals" for name in names])
        self.tally.note("scratch left", scratch_of(victim.folder))
        self._count(hits)
        self._clear()

    def _count(self, hits: int) -> None:
        """Units begun again after they were kept, and units lost in flight."""
        begun, kept, repeated = Counter[str](), set[str](), []
        for line in self._log():
            event, _, key = line.partition("\t")
            if event == "kept":
                kept.add(key)
            else:
                begun[key] += 1
                repeated += [key] if key in kept else []
        lost = begun.total() - len(begun) - len(repeated)
        self.tally.counts["lost in flight"] += lost
        self.tally.note("repeated", repeated)
        if lost > hits * self.scenario.in_flight:
            self.tally.note("failed", [f"{lost} units lost by {hits} signals"])


COLUMNS = ("lives", "kills", "interrupts", "corrupt", "differing", "repeated", "lost in flight")
MORE = ("orphans", "scratch left", "failed")


def report(hunts: list[Hunt]) -> str:
    """One line a scenario, the sum, and every thing that was wrong."""
    total = Counter[str]()
    lines = ["  ".join(["scenario", "units", *COLUMNS, *MORE])]
    for hunt in hunts:
        total += hunt.tally.counts
        numbers = [str(hunt.tally.counts[name]) for name in (*COLUMNS, *MORE)]
        lines.append("  ".join([f"{hunt.name:8}", f"{hunt.units:5}", *_under(numbers)]))
    sums = _under([str(total[name]) for name in (*COLUMNS, *MORE)])
    lines.append("  ".join([f"{'all':8}", " " * 5, *sums]))
    wrong = [f"{h.name}: {re.sub(chr(10), ' | ', w)}" for h in hunts for w in h.tally.wrong]
    return "\n".join([*lines, *wrong])


def _under(numbers: list[str]) -> list[str]:
    names = (*COLUMNS, *MORE)
    return [number.rjust(len(name)) for number, name in zip(numbers, names, strict=True)]


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Kill runs, resume them, compare.")
    parser.add_argument("--kills", type=int, default=100, help="SIGKILLs in all")
    parser.add_argument("--interrupts", type=int, default=20, help="SIGINTs in all")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--only", choices=tuple(SCENARIOS), nargs="+", help="scenarios (all)")
    options = parser.parse_args(argv)
    rng = random.Random(options.seed)
    signals = [signal.SIGKILL] * options.kills + [signal.SIGINT] * options.interrupts
    rng.shuffle(signals)
    names = options.only or list(SCENARIOS)
    hunts = []
    with tempfile.TemporaryDirectory(prefix="kill-runs-") as place:
        for number, name in enumerate(names):
            hunts.append(Hunt(name, Path(place) / name, rng))
            hunts[-1].go(signals[number :: len(names)])
    print(report(hunts))
    return 1 if any(hunt.tally.wrong for hunt in hunts) else 0


if __name__ == "__main__":
    sys.exit(main())
