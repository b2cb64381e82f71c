"""What the documents tell the reader to type can be typed, and what they point to is there."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest

from experiments.cli import bench, main
from experiments.cli.doctor import ENGINES
from experiments.models.architectures import MLPS

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [
    *(ROOT / "README.md", ROOT / "SECURITY.md"),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / ".github").rglob("*.md")),
]
INSTALL = (ROOT / "tools" / "install.sh").read_text()
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
PLACES = {
    "N": "1",
    "M": "1",
    "INDEX": "1",
    "TABLE": "2",
    "NAME": "lp",
    "COMMAND": "mnist",
    "LIST": "1",
}


def commands(text):
    """Yields every command of ours in the code of a Markdown text, as words."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    prose = re.sub(r"^```\w*\n.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    indented = re.findall(r"^(?: {4}|\t)(.*)", prose, re.MULTILINE)
    lines = [line for block in blocks for line in block.splitlines()] + indented
    spans = re.findall(r"(?<!`)`([^`]+)`(?!`)", re.sub(r"^(?: {4}|\t).*", "", prose, flags=re.M))
    for code in [*lines, *spans]:
        for part in re.split(r"&&|;|\|", " ".join(code.split())):
            command = re.match(r"(?:\$ )?(?:[A-Z_]+=\S+ )*((?:collide|make)( .*)?$)", part.strip())
            if command:
                yield shlex.split(command[1], comments=True)


def known(words):
    """Whether the parser, or the Makefile, takes the command; wrong ones raise SystemExit(2)."""
    if words[0] == "make":
        given = {word.partition("=")[0]: word.partition("=")[2] for word in words[1:]}
        for name in given.keys() - TARGETS:
            assert name == "ARGS", f"{shlex.join(words)}: no target {name}"
        if "mnist" in given and "ARGS" in given:
            return known(["collide", "mnist", *shlex.split(given["ARGS"])])
        return True
    filled = [PLACES.get(word, word) for word in words[1:] if word != "..."]
    try:
        if filled[:1] == ["bench"]:
            bench._parser().parse_args(filled[1:])
        else:
            main.parser().parse_args(filled)
    except SystemExit as ended:
        return ended.code == 0  # --help
    return True


FOUND = [(path, words) for path in DOCUMENTS for words in commands(path.read_text())]


def test_commands_are_found_in_every_form():
    text = "`collide doctor`, `x`\n\n    make check  # all\n\n```sh\n$ collide verify A B\n```\n"
    text += '`make mnist ARGS="--seeds 5"`, `A=1 collide fetch && make test`, ``collide no``\n'
    assert sorted(commands(text)) == [
        ["collide", "doctor"],
        ["collide", "fetch"],
        ["collide", "verify", "A", "B"],
        ["make", "check"],
        ["make", "mnist", "ARGS=--seeds 5"],
        ["make", "test"],
    ]
    assert {tuple(words[:2]) for _, words in FOUND} >= {("make", "mnist"), ("make", "test")}


def test_a_wrong_command_is_seen(capsys):
    assert known(["collide", "mnist", "--targets", "N"])
    assert known(["collide", "bench", "NAME", "--help"])
    assert not known(["collide", "mnist", "--target-count", "5"])
    assert not known(["collide", "bench", "nothing"])
    assert not known(["make", "mnist", "ARGS=--nothing"])
    with pytest.raises(AssertionError, match="no target mnits"):
        known(["make", "mnits"])


@pytest.mark.parametrize(
    ("path", "words"), FOUND, ids=[f"{path.name}: {' '.join(words)}" for path, words in FOUND]
)
def test_a_documented_command_can_be_typed(path, words, capsys):
    assert known(words), capsys.readouterr().err


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_relative_link_points_to_a_file(path):
    links = re.findall(r"\]\(([^)\s]+)\)", path.read_text())
    local = [link.partition("#")[0] for link in links if not re.match(r"[a-z]+:|#", link)]
    assert [link for link in local if not (path.parent / link).is_file()] == []


@pytest.mark.parametrize("index", ["index.md", "decisions/index.md"])
def test_an_index_links_every_page_beside_it(index):
    path = ROOT / "docs" / index
    pages = {page.name for page in path.parent.glob("*.md")} - {path.name}
    assert pages <= set(re.findall(r"\]\(([^)\s]+)\)", path.read_text()))


#: Names that stand for any.
ANY = ("NAME", "KIND", "...")
ROOTS = ("polytope/", "optimize/", "experiments/", "tests/", "tools/", "docs/")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_file_that_is_named_is_there(path):
    spans = re.findall(r"(?<!`)`([^`\n]+)`(?!`)", path.read_text())
    named = {span for span in spans if span.startswith(ROOTS) and re.fullmatch(r"[\w./*-]+", span)}
    absent = [n for n in named if not any(w in n for w in ANY) and not any(ROOT.glob(n))]
    assert absent == []


def test_training_is_described_as_it_is_done():
    text = (ROOT / "docs" / "deviations.md").read_text()
    for name, network in MLPS.items():
        trained = network.options
        images = f"{trained.held_out:,} held-out training images (`{name}`)"
        assert f"{100 * trained.threshold:.1f} % on {images}" in text


def test_extras_that_are_named_exist():
    named = set(re.findall(r"extras? `(\w+)`", INSTALL + (ROOT / "README.md").read_text()))
    named |= set(re.findall(r"the extra `(\w+)`", " ".join(ENGINES.values())))
    installed = set(re.findall(r"optional (\w+); then|'\.\[(\w+)\]'", INSTALL))
    assert named | {name for pair in installed for name in pair if name} == set(EXTRAS)
