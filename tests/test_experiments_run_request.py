"""A command's options, stated once: parser, validation and record agree."""

import argparse
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest

from experiments.run.parser import add_options
from experiments.run.request import (
    Request,
    again,
    option,
    options_of,
    read_request,
    recorded,
    refuse,
)
from polytope.errors import InputError


def refuse_thirteen(value, name):
    if value == 13:
        raise InputError(f"{name}: expected another number, got 13")


@dataclass(frozen=True, kw_only=True)
class Shoes(Request):
    size: int = option("of the shoes (40)", default=40, metavar="N", recorded=False)
    laces: bool = option("without laces", default=True)


@dataclass(frozen=True, kw_only=True)
class Boots(Shoes):
    size: int = again(Shoes, "size", "of the boots (44)", default=44, flag="--boots")


@dataclass(frozen=True, kw_only=True)
class Walk(Request):
    place: Path = option("where", positional=True)
    steps: int = option("how many (10)", default=10, metavar="N", least=1, check=refuse_thirteen)
    pace: float | None = option("seconds a step", default=None, metavar="X", group="speed", above=0)
    gait: Literal["slow", "fast"] = option("how (slow)", default="slow", group="speed")
    stops: tuple[int, ...] = option("at", default=(), metavar="LIST")
    loud: bool = option("say so", default=False)
    source: Path | None = option(
        "of COMMAND", default=None, metavar="FOLDER", flag="--from", recorded=False
    )
    legs: tuple[str, ...] = option(
        "which", default=("left",), choices={"one": ("left",), "both": ("left", "right")}
    )
    metres: int | None = option("how far", default=None, read=lambda text: int(text) * 1000)
    shoes: Boots = field(default_factory=Boots)


@dataclass(frozen=True, kw_only=True)
class Ride(Request):
    steps: int = option("how many (0)", default=0)
    horse: str = option("its name", missing="; a stable has some")


def parsed(*words, kinds=(Walk,)):
    parser = argparse.ArgumentParser(prog="walk", exit_on_error=False)
    add_options(parser, *kinds)
    return vars(parser.parse_args(words))


def test_defaults_are_the_fields_defaults_and_nothing_was_given():
    given = parsed("here")
    assert given == {"place": Path("here")}
    assert read_request(Walk, given) == Walk(place=Path("here"))


def test_every_kind_of_value_is_read_by_its_annotation():
    words = "here --steps 3 --pace 0.5 --gait fast --stops 1,2 --loud --from there --legs both"
    words += " --metres 2 --boots 45 --no-laces"
    assert read_request(Walk, parsed(*words.split())) == Walk(
        place=Path("here"),
        steps=3,
        pace=0.5,
        gait="fast",
        stops=(1, 2),
        loud=True,
        source=Path("there"),
        legs=("left", "right"),
        metres=2000,
        shoes=Boots(size=45, laces=False),
    )


def test_the_record_keeps_what_determines_the_run():
    kept = recorded(read_request(Walk, parsed("here", "--from", "there", "--no-laces")))
    known = {"place", "steps", "pace", "gait", "stops", "loud", "legs", "metres", "laces"}
    assert set(kept) == known
    assert kept["laces"] is False
    assert recorded(Boots(), Shoes) == {"laces": True}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("here", "--steps", "0"), "steps: expected at least 1, got 0"),
        (("here", "--steps", "13"), "steps: expected another number, got 13"),
        (("here", "--pace", "0"), "pace: expected a number > 0, got 0.0"),
        (("here", "--pace", "nan"), "pace: expected a number > 0, got nan"),
        (("here", "--pace", "inf"), "pace: expected a number > 0, got inf"),
    ],
)
def test_a_value_out_of_range_is_refused(words, message):
    with pytest.raises(InputError, match=message):
        read_request(Walk, parsed(*words))


def test_a_list_of_something_else_is_refused_by_its_name():
    with pytest.raises(argparse.ArgumentError, match="invalid list of whole numbers value: 'a,b'"):
        parsed("here", "--stops", "a,b")
    with pytest.raises(argparse.ArgumentError, match="invalid choice: 'none'"):
        parsed("here", "--legs", "none")


def test_what_is_missing_is_said_by_the_parser_or_in_words_of_ours(capsys):
    with pytest.raises((SystemExit, argparse.ArgumentError)) as raised:  # the latter from 3.13 on
        parsed()
    said = f"{capsys.readouterr().err}{raised.value}"
    assert "the following arguments are required: place" in said
    with pytest.raises(InputError, match="horse: expected --horse, got none; a stable has some"):
        read_request(Ride, parsed("here", kinds=(Walk, Ride)))


def test_an_option_of_two_requests_is_one():
    given = parsed("here", "--steps", "4", "--horse", "Ada", kinds=(Walk, Ride))
    assert read_request(Walk, given).steps == read_request(Ride, given).steps == 4
    refuse({"steps": 4}, Walk, beside=Ride, where="on a horse")
    with pytest.raises(InputError, match="place: expected none on a horse; got here"):
        refuse(given, Walk, beside=Ride, where="on a horse")


def test_groups_and_words_stand_in_the_help():
    parser = argparse.ArgumentParser(prog="walk")
    add_options(parser, Walk, command="walk")
    text = parser.format_help()
    assert "speed:\n  --pace X" in text
    assert "--from FOLDER" in text
    assert "of walk" in text
    assert "of the boots (44)" in text
    assert [each.flag for each in options_of(Boots)] == ["--boots", "--no-laces"]
