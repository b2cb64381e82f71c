"""Which public networks are read, and rightly?  Each file of a folder against onnxruntime.

    python -m tests.campaigns.public_networks FOLDER --out docs/coverage.md

Walks a folder, whose subfolders are collections, for .onnx and .onnx.gz.  Files are read by one
process after another, each with limits on memory and time, so that no file stops the rest.  Prints
a line a file, and writes the table.  Exit code 0 if no layer differs and nothing is a fault.
"""

from __future__ import annotations

import argparse
import json
import select
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.campaigns.public_network_page import page

#: Relative to the largest number of a tensor: float32 on both sides, sums in other orders.
MOST = 1e-4


class Child:
    """A process that reads files, started again where one ended it."""

    def __init__(self, memory: int, seconds: float) -> None:
        self.memory, self.seconds = memory, seconds
        self.process: subprocess.Popen[str] | None = None

    def ask(self, path: Path) -> dict[str, Any]:
        """What the process says of a file, or that it did not live to say it."""
        if self.process is None:
            command = [sys.executable, "-m", "tests.campaigns.public_network_child"]
            self.process = subprocess.Popen(
                [*command, str(self.memory)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with suppress(BrokenPipeError):  # it has ended, which reading will tell
            self.process.stdin.write(json.dumps({"path": str(path)}) + "\n")
            self.process.stdin.flush()
        ready, _, _ = select.select([self.process.stdout], [], [], self.seconds)
        line = self.process.stdout.readline() if ready else ""
        if line:
            found: dict[str, Any] = json.loads(line)
            return found
        reason = f"more than {self.memory >> 20:,} MiB" if ready else f"more than {self.seconds} s"
        self.stop()
        return {"path": str(path), "verdict": "beyond the limits", "reason": reason}

    def stop(self) -> None:
        """Ends the process."""
        if self.process is not None:
            self.process.kill()
            with suppress(BrokenPipeError):
                self.process.communicate()
            self.process = None


def run(folder: Path, *, memory: int, seconds: float) -> list[dict[str, Any]]:
    """What is said of each file of a folder; paths are relative to it."""
    files = sorted(each for end in ("*.onnx", "*.onnx.gz") for each in folder.rglob(end))
    child = Child(memory, seconds)
    answers = []
    try:
        for path in files:
            answer = child.ask(path)
            answer["path"] = str(path.relative_to(folder))
            if answer.get("difference", 0.0) > MOST:
                answer["verdict"] = "differs"
            answers.append(answer)
            words = f"{answer.get('offered', 0)} of {answer.get('weighted', 0)} layers"
            reason = answer.get("reason", "")
            far, all_ = answer.get("difference", 0.0), answer.get("outputs")
            words += f", {far:.1e}, outputs {'-' if all_ is None else f'{all_:.1e}'}"
            reason = reason or answer.get("not_compared", "")
            print(f"{answer['path']}: {answer['verdict']}, {words} {reason}", flush=True)
    finally:
        child.stop()
    return answers


def main(argv: list[str] | None = None) -> int:
    """Runs the campaign."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, help="write the table there")
    parser.add_argument("--json", type=Path, help="write every answer there")
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--memory", type=int, default=6000, help="MiB")
    options = parser.parse_args(argv)
    answers = run(options.folder, memory=options.memory << 20, seconds=options.seconds)
    if options.json:
        options.json.write_text(json.dumps(answers, indent=1))
    if options.out:
        options.out.write_text(page(answers, MOST))
    wrong = [each for each in answers if each["verdict"] in ("differs", "fault")]
    print(f"{len(wrong)} differences and faults in {len(answers):,} files")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
