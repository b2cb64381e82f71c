"""What is written for contributors is what is done: the picture, the gate, the releases."""

import re
import sys
import tomllib
from itertools import chain, pairwise
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import constraints  # noqa: E402
import draw_rooms  # noqa: E402
import room_layout  # noqa: E402

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
MAKEFILE = (ROOT / "Makefile").read_text()
CONTINUOUS = (ROOT / ".github" / "workflows" / "ci.yml").read_text()


def recipe(target):
    """The commands of a target of the Makefile, as a shell would have them."""
    body = re.search(rf"^{target}:.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)[1]
    body = body.replace("\\\n", "").replace("$(CAMPAIGN)", "$(BIN)/python -m tests.campaigns")
    return [" ".join(line.split()) for line in body.splitlines()]


# --- the picture -----------------------------------------------------------------------------


def test_the_picture_is_that_of_the_imports():
    assert draw_rooms.PICTURE.read_text() == draw_rooms.picture(), "run `make docs-images`"


def test_an_arrow_that_longer_ways_imply_is_left_out():
    graph = {"a": {"b", "c"}, "b": {"c"}, "c": set(), "d": {"c"}}
    assert draw_rooms.needed(graph) == [("a", "b"), ("b", "c"), ("d", "c")]


def test_no_box_of_the_picture_lies_on_another_and_no_arrow_runs_over_one():
    rows = [["top"], ["left", "right"], ["low", "other", "third"], ["end"]]
    arrows = [("top", "left"), ("top", "third"), ("top", "end"), ("left", "low"), ("right", "end")]
    found = room_layout.arranged(rows, arrows, box=100, gap=10, left=0, right=500)
    for row in found.rows:
        width = {spot.name: 100 if spot.is_box else 0 for spot in row}
        for one, other in pairwise(row):
            apart = found.middle[other.name] - found.middle[one.name]
            assert apart >= (width[one.name] + width[other.name]) / 2 + 10 - 1e-9
        boxes = [spot.name for spot in row if spot.is_box]
        assert all(50 - 1e-9 <= found.middle[name] <= 450 + 1e-9 for name in boxes)
    assert [len(found.ways[arrow]) for arrow in arrows] == [2, 3, 4, 2, 3]
    with pytest.raises(ValueError, match="a row needs 20 more than there is"):
        room_layout.arranged(
            rows, arrows, box=100, gap=10, left=0, right=3 * 100 + 2 * 6 + 4 * 10 - 20
        )


# --- the gate --------------------------------------------------------------------------------


def test_the_gate_before_a_commit_is_that_of_make_check():
    hooks = (ROOT / ".pre-commit-config.yaml").read_text()
    entries = re.findall(r"entry: \.venv/bin/(.*)", hooks)
    tools = [line.removeprefix("$(BIN)/").removesuffix(" .") for line in recipe("check")[:3]]
    assert [entry.removesuffix(" --force-exclude") for entry in entries[:3]] == tools
    assert tools == ["ruff check", "ruff format --check", "mypy"]
    for path in re.findall(r"tests/\S+", hooks):
        assert (ROOT / path).is_file()


def test_the_public_gate_is_that_at_home():
    at_home = re.findall(r"^make .*", (ROOT / ".ci" / "run").read_text(), re.MULTILINE)
    assert at_home == ["make check", "make test"]
    assert re.findall(r"- run: (make (?:check|test).*)", CONTINUOUS) == at_home
    pythons = re.search(r"python: \[(.*)\]", CONTINUOUS)[1]
    named = [entry.rpartition(" ")[2] for entry in PROJECT["classifiers"] if "3." in entry]
    assert re.findall(r"3\.\d+", pythons) == named
    extras = re.findall(r"^extras=\$\{EXTRAS-(.*)\}", install(), re.MULTILINE)
    assert f'extras: ["{extras[0]}", ""]' in CONTINUOUS
    assert set(extras[0].split()) == set(PROJECT["optional-dependencies"]) - {"dev"}


def install():
    return (ROOT / "tools" / "install.sh").read_text()


def test_every_campaign_runs_at_the_size_that_is_documented():
    documents = [
        (ROOT / "docs" / name).read_text() for name in ("reliability.md", "enumeration.md")
    ]
    table = re.findall(r"^\| [^|]+ \| `(python -m tests\.campaigns[^`]*)`", documents[0], re.M)
    indented = re.findall(
        r"^ {4,}(python -m tests\.campaigns\S*(?: --count \d+)?)$", documents[1], re.M
    )
    run = [line.removeprefix("$(BIN)/") for line in recipe("campaigns")]
    assert sorted(run) == sorted({*table, *indented})
    for line in run:
        module = line.split()[2]
        assert (ROOT / f"{module.replace('.', '/')}.py").is_file()


def test_every_target_has_a_line_of_help():
    phony = set(re.search(r"^\.PHONY: (.*)", MAKEFILE, re.MULTILINE)[1].split()) - {"help"}
    assert phony == set(re.findall(r'@echo "make ([a-z-]+)', MAKEFILE))
    assert phony < set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))


# --- the releases that were tested -----------------------------------------------------------


def test_constraints_are_written_as_they_are_read():
    text = constraints.FILE.read_text()
    stated = constraints.read(text)
    assert constraints.written(stated) == text
    assert "3.11" in stated
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    release = r"[\w.-]+==\d[\w.]*(?: ; python_version == .*)?"  # no address, path or local build
    assert [line for line in lines if not re.fullmatch(release, line)] == []


def test_pythons_that_need_other_releases_have_lines_of_their_own():
    stated = {
        "3.9": {"a": "1", "b": "1", "c": "1"},
        "3.11": {"a": "1", "b": "2"},
        "3.12": {"a": "1", "b": "2", "d": "4"},
    }
    text = constraints.written(stated)
    assert [line for line in text.splitlines() if not line.startswith("#")] == [
        "a==1",
        'b==1 ; python_version == "3.9"',
        'b==2 ; python_version == "3.11" or python_version == "3.12"',
        'c==1 ; python_version == "3.9"',
        'd==4 ; python_version == "3.12"',
    ]
    assert constraints.read(text) == stated
    alone = constraints.written({"3.11": {"a": "1"}})  # says nothing of other Pythons
    assert alone.endswith('a==1 ; python_version == "3.11"\n')
    assert constraints.read(alone) == {"3.11": {"a": "1"}}
    assert Marker(text.splitlines()[4].partition(" ; ")[2]).evaluate({"python_version": "3.12"})


def test_what_differs_is_named():
    now, then = {"a": "1", "b": "2", "C": "1"}, {"a": "1", "b": "1", "d": "1"}
    assert constraints.differing(now, then) == [
        "b: tested 1, here 2",
        "C: tested none, here 1",
        "d: tested 1, here none",
    ]
    assert constraints.differing(now, now) == []


def test_the_tested_releases_are_among_those_allowed():
    wanted = [*PROJECT["dependencies"], *chain(*PROJECT["optional-dependencies"].values())]
    for python, releases in constraints.read(constraints.FILE.read_text()).items():
        plain = {name.lower().replace("_", "-"): release for name, release in releases.items()}
        for requirement in map(Requirement, wanted):
            release = plain[requirement.name.lower().replace("_", "-")]
            assert requirement.specifier.contains(release, prereleases=True), (python, requirement)


def test_the_installation_keeps_to_them():
    assert "constraints=${CONSTRAINTS-constraints.txt}" in install()
    assert re.findall(r"pip install.*", install())[0].endswith('--constraint "$constraints"})')
    stamp = re.search(r"^\$\(STAMP\): (.*)", MAKEFILE, re.MULTILINE)[1].split()
    assert stamp == ["pyproject.toml", "constraints.txt", "tools/install.sh"]
    assert "CONSTRAINTS='' bash tools/install.sh" in (ROOT / "tools" / "newest.sh").read_text()


def test_the_citation_is_of_this_version():
    text = (ROOT / "CITATION.cff").read_text()
    assert re.search(r"^version: (.*)", text, re.MULTILINE)[1] == PROJECT["version"]
    assert re.search(r"^license: (.*)", text, re.MULTILINE)[1] == PROJECT["license"]
