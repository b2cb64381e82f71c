"""Which releases were tested?  Writes constraints.txt from what this environment holds.

    .venv/bin/python tools/constraints.py             # states this Python's releases anew
    .venv/bin/python tools/constraints.py --compare   # prints what differs from the file

Run it in an environment that `tools/install.sh` made and in which the tests passed.  Lines of other
Pythons stay as they are: where two Pythons need different releases, each line says for which.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

FILE = Path(__file__).resolve().parent.parent / "constraints.txt"
HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
_HEAD = """\
# Releases with which the tests passed.  Written by tools/constraints.py; used by tools/install.sh.
# Python {}.  A line without a Python is that of all of these.
"""
#: What a build of torch for one card brings along; torch itself says which.
_OF_ONE_MACHINE = re.compile(r"(nvidia|cuda)[-_]|triton$")

#: Python, e.g. "3.11" -> package -> release.
Releases = dict[str, dict[str, str]]


def installed() -> dict[str, str]:
    """Returns the releases of this environment, without the words of one build ("+cpu")."""
    freeze = [sys.executable, "-m", "pip", "freeze", "--exclude-editable"]
    done = subprocess.run(freeze, check=True, capture_output=True, text=True)
    lines = [line.partition("==") for line in done.stdout.splitlines() if "==" in line]
    return {
        name: release.partition("+")[0]
        for name, _, release in lines
        if not _OF_ONE_MACHINE.match(name)
    }


def read(text: str) -> Releases:
    """Returns what a file of constraints states for each Python."""
    head = re.search(r"^# Python ([\d., ]+)\.", text, re.MULTILINE)
    stated: Releases = {python: {} for python in re.findall(r"3\.\d+", head[1] if head else "")}
    for name, release, marker in re.findall(r"^([\w.-]+)==([^\s;]+)(.*)", text, re.MULTILINE):
        for python in re.findall(r"\"(3\.\d+)\"", marker) or stated:
            stated[python][name] = release
    return stated


def written(stated: Releases) -> str:
    """Returns the file that states these releases."""
    pythons = sorted(stated, key=lambda python: int(python.partition(".")[2]))
    lines = [_HEAD.format(", ".join(pythons))]
    for name in sorted({name for releases in stated.values() for name in releases}, key=str.lower):
        for release in dict.fromkeys(stated[p][name] for p in pythons if name in stated[p]):
            mine = [python for python in pythons if stated[python].get(name) == release]
            marker = " or ".join(f'python_version == "{python}"' for python in mine)
            plain = mine == pythons and len(pythons) > 1  # one Python says nothing of the others
            lines.append(f"{name}=={release}{'' if plain else f' ; {marker}'}\n")
    return "".join(lines)


def differing(now: Mapping[str, str], then: Mapping[str, str]) -> list[str]:
    """Returns a line for each package whose release is another one now."""
    return [
        f"{name}: tested {then.get(name, 'none')}, here {now.get(name, 'none')}"
        for name in sorted({**now, **then}, key=str.lower)
        if now.get(name) != then.get(name)
    ]


def main() -> None:
    """Writes the file, or compares with it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--compare", action="store_true", help="change nothing, print what differs")
    options = parser.parse_args()
    stated = read(FILE.read_text()) if FILE.exists() else {}
    if options.compare:
        lines = differing(installed(), stated.get(HERE, {}))
        print("\n".join(lines) or f"all releases are those of {FILE.name}")
    else:
        FILE.write_text(written({**stated, HERE: installed()}))


if __name__ == "__main__":
    main()
