"""The page on networks of one's own: its example is run, and prints what the page says."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import torch

from experiments.cli import main

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "networks.md").read_text()
NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?")


def blocks():
    """Returns the two files that the page shows."""
    found = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return [block for block in found if not block.startswith(">>>")]


def shown():
    """Yields each command of the page with the table that follows it, as lines."""
    lines = PAGE.splitlines()
    for i, line in enumerate(lines):
        if line.startswith("    collide "):
            rest = lines[i + 1 :]
            end = next((k for k, each in enumerate(rest) if each.startswith("    collide ")), None)
            yield shlex.split(line)[1:], [each.strip() for each in rest[:end] if "    | " in each]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """The folder in which the page's example was made."""
    folder = tmp_path_factory.mktemp("page")
    net, make = blocks()
    (folder / "net.py").write_text(net)
    names = {}
    exec(net, names)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        with torch.random.fork_rng():
            exec(make.replace("from net import Net\n", ""), {**names, "np": np})
    return folder


def cells(line):
    return [cell.strip() for cell in line.strip("| ").split("|")]


def is_number(text):
    return NUMBER.fullmatch(text) is not None


def agree(shown_line, printed_line):
    """Whether two rows say the same; searched numbers may differ in their last digits."""
    one, other = cells(shown_line), cells(printed_line)
    return len(one) == len(other) and all(
        is_number(b) if is_number(a) else NUMBER.sub("#", a) == NUMBER.sub("#", b)
        for a, b in zip(one, other, strict=True)
    )


def same_start(shown_line, printed_line):
    """Whether two rows begin alike; a search that a limit ended differs between processors."""
    (name, value), (other, found) = cells(shown_line)[:2], cells(printed_line)[:2]
    if not is_number(value):
        return (name, value) == (other, found)
    shown, printed = (float(each.replace(",", "")) for each in (value, found))
    return name == other and abs(shown - printed) <= 0.02 * abs(shown)


def test_the_page_prints_what_it_says(place, capsys, monkeypatch):
    monkeypatch.chdir(place)
    compared = 0
    for words, table in shown():
        code = main.main(
            [*words, "--quiet", *(["--device", "cpu"] if words[0] != "layers" else [])]
        )
        assert code == (4 if words[0] == "find" else 0)
        out = capsys.readouterr().out.splitlines()
        for line in table:
            if set(line) <= set("|- "):
                continue
            found = [each for each in out if each.startswith("|") and agree(line, each)]
            assert found, f"{' '.join(words)} does not print {line}"
            assert any(same_start(line, each) for each in found), f"{line} is not among {found}"
            compared += 1
    assert compared >= 20


def test_rows_that_do_not_agree_are_seen():
    assert agree("| 4 | no: 5.74e-04 | yes |", "| 4 | no: 5.1e-4 | yes |")
    assert not agree("| 4 | no: 5.74e-04 | yes |", "| 4 | no: 5.74e-04 | no |")
    assert not agree("| 4 | 1.0 |", "| 4 | unbounded |")
    assert not agree("| 4 |", "| 4 | 5 |")
