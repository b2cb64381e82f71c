"""A command's options, stated once: parser, validation and record agree."""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from experiments.run.request import (
    Request,
    add_options,
    given,
    option,
    read_request,
    recorded,
)
from polytope.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Walk(Request):
    place: Path = option("where", positional=True)
    steps: int = option("how many (10)", default=10, metavar="N", least=1)
    pace: float | None = option("seconds a step", default=None, metavar="X", group="speed", least=0)
    gait: Literal["slow", "fast"] = option("how (slow)", default="slow", group="speed")
    stops: tuple[int, ...] = option("at", default=(), metavar="LIST")
    loud: bool = option("say so", default=False)
    source: Path | None = option(
        "copied", default=None, metavar="FOLDER", flag="--from", recorded=False
    )


def parsed(*words):
    parser = argparse.ArgumentParser(prog="walk", exit_on_error=False)
    add_options(parser, Walk)
    return parser.parse_args(words)


def test_defaults_are_the_fields_defaults_and_nothing_was_given():
    options = parsed("here")
    assert given(Walk, options) == {"place": Path("here")}
    assert read_request(Walk, options) == Walk(place=Path("here"))


def test_every_kind_of_value_is_read_by_its_annotation():
    words = "here --steps 3 --pace 0.5 --gait fast --stops 1,2 --loud --from there"
    assert read_request(Walk, parsed(*words.split())) == Walk(
        place=Path("here"),
        steps=3,
        pace=0.5,
        gait="fast",
        stops=(1, 2),
        loud=True,
        source=Path("there"),
    )


def test_the_record_keeps_what_determines_the_run():
    kept = recorded(read_request(Walk, parsed("here", "--from", "there")))
    assert set(kept) == {"place", "steps", "pace", "gait", "stops", "loud"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("here", "--steps", "0"), "steps: expected at least 1, got 0"),
        (("here", "--pace", "-1"), "pace: expected at least 0, got -1"),
    ],
)
def test_a_value_out_of_range_is_refused(words, message):
    with pytest.raises(InputError, match=message):
        read_request(Walk, parsed(*words))


def test_a_list_of_something_else_is_refused_by_its_name():
    with pytest.raises(argparse.ArgumentError, match="invalid list of whole numbers value: 'a,b'"):
        parsed("here", "--stops", "a,b")


def test_groups_and_words_stand_in_the_help():
    parser = argparse.ArgumentParser(prog="walk")
    add_options(parser, Walk)
    text = parser.format_help()
    assert "speed:\n  --pace X" in text
    assert "--from FOLDER" in text
