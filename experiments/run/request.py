"""What was asked for?  One frozen dataclass states a command's options once.

A field's annotation is the option's type, its default the option's; :func:`option` adds the words
of `--help` and the range.  Parser, validation and record all come from these fields, so that a new
option is one new field.

>>> @dataclass(frozen=True, kw_only=True)
... class Walk(Request):
...     steps: int = option("how many (10)", default=10, metavar="N", least=1)
...     out: Path | None = option("folder", default=None, metavar="FOLDER", recorded=False)
>>> parser = argparse.ArgumentParser()
>>> add_options(parser, Walk)
>>> walk = read_request(Walk, parser.parse_args(["--steps", "3", "--out", "x"]))
>>> walk.steps, recorded(walk)
(3, {'steps': 3})
"""

import argparse
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from experiments.run.checks import at_least

Kind = TypeVar("Kind", bound="Request")
_OPTION = "option"


@dataclass(frozen=True, kw_only=True)
class _Option:
    """What a field says beside its type and default."""

    help: str
    metavar: str | None
    group: str | None
    flag: str | None
    positional: bool
    least: float | None
    recorded: bool
    read: Callable[[str], Any] | None
    choices: tuple[Any, ...] | None


def option(
    words: str,
    *,
    default: Any = MISSING,
    metavar: str | None = None,
    group: str | None = None,
    flag: str | None = None,
    positional: bool = False,
    least: float | None = None,
    recorded: bool = True,
    read: Callable[[str], Any] | None = None,
    choices: tuple[Any, ...] | None = None,
) -> Any:
    """Returns the field of an option.

    Args:
        words: of `--help`, the default in brackets at the end.
        default: where the option is not given; without one it is required.
        metavar: what stands for the value in `--help`.
        group: title of the group it is listed in; None for the parser's own.
        flag: on the command line, where it is not the field's name, e.g. "--from".
        positional: given by its place.
        least: the smallest value (None is let through).
        recorded: whether it determines what a run finds; folders, devices and words do not.
        read: the value of a text, where the annotation does not say it.
        choices: the values there are, where the annotation is no Literal.
    """
    said = _Option(
        help=words,
        metavar=metavar,
        group=group,
        flag=flag,
        positional=positional,
        least=least,
        recorded=recorded,
        read=read,
        choices=choices,
    )
    return field(default=default, metadata={_OPTION: said})


@dataclass(frozen=True, kw_only=True)
class Request:
    """Base of every command's options; a subclass may check more in `__post_init__`."""

    def __post_init__(self) -> None:
        """Checks every field's range.

        Raises:
            InputError: a value is too small, named as the option is.
        """
        for name, said in _options(type(self)).items():
            if said.least is not None and getattr(self, name) is not None:
                at_least(self, said.least, name)


def _options(kind: type[Request]) -> dict[str, _Option]:
    return {f.name: f.metadata[_OPTION] for f in fields(kind) if _OPTION in f.metadata}


def add_options(parser: argparse.ArgumentParser, kind: type[Request]) -> None:
    """Adds the options of a request to a parser; one that is not given leaves no trace there."""
    hints = get_type_hints(kind)
    groups: dict[str | None, Any] = {None: parser}
    for group in parser._action_groups:
        groups.setdefault(group.title, group)
    defaults = {f.name: f.default for f in fields(kind)}
    for name, said in _options(kind).items():
        if said.group not in groups:
            groups[said.group] = parser.add_argument_group(said.group)
        words: dict[str, Any] = {"help": said.help}
        if said.metavar is not None:
            words["metavar"] = said.metavar
        if hints[name] is bool:
            words["action"] = "store_true"
        else:
            words |= _read(hints[name], said)
        if said.positional:
            groups[said.group].add_argument(name, **words)
            continue
        words |= {"dest": name, "default": argparse.SUPPRESS}
        if defaults[name] is MISSING:
            words["required"] = True
        flag = said.flag or f"--{name.replace('_', '-')}"
        groups[said.group].add_argument(flag, **words)


def _read(hint: Any, said: _Option) -> dict[str, Any]:
    """How argparse reads a value of an annotated type, and which there are."""
    if get_origin(hint) in (Union, UnionType):
        (hint,) = (each for each in get_args(hint) if each is not NoneType)
    words: dict[str, Any] = {}
    if said.choices is not None or get_origin(hint) is Literal:
        words["choices"] = said.choices or get_args(hint)
    if said.read is not None:
        words["type"] = said.read
    elif get_origin(hint) is tuple:
        words["type"] = _list_of(get_args(hint)[0])
    elif hint in (int, float, Path):
        words["type"] = hint
    return words


def _list_of(kind: Callable[[str], Any]) -> Callable[[str], tuple[Any, ...]]:
    """Reads values between commas."""

    def read(text: str) -> tuple[Any, ...]:
        return tuple(kind(part.strip()) for part in text.split(",") if part.strip())

    names: Mapping[Any, str] = {int: "list of whole numbers", float: "list of numbers"}
    read.__name__ = names.get(kind, "list of names")  # for argparse's errors
    return read


def given(kind: type[Request], options: argparse.Namespace) -> dict[str, Any]:
    """Returns the options of a request that were given on the command line, by field name."""
    return {name: getattr(options, name) for name in _options(kind) if hasattr(options, name)}


def read_request(kind: type[Kind], options: argparse.Namespace) -> Kind:
    """Returns the request that a command line makes.

    Raises:
        InputError: a value is out of its range.
    """
    return kind(**given(kind, options))


def recorded(request: Request) -> dict[str, Any]:
    """Returns what determines the run, by field name: a record keeps it, resuming compares it."""
    known = _options(type(request))
    return {name: getattr(request, name) for name, said in known.items() if said.recorded}
