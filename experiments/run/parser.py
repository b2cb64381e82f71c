"""How is a request typed?  The options of a parser, made from the fields of requests."""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from experiments.run.request import Option, Request, options_of


def add_options(
    parser: argparse.ArgumentParser, *kinds: type[Request], command: str = "COMMAND"
) -> None:
    """Adds the options of requests to a parser; one that is not given leaves no trace there.

    An option of several requests is added once.  What has a place is the first request's; a later
    one may have more places behind, which are then not required.

    Args:
        parser: of the command.
        kinds: its requests.
        command: its name, for the words that mention it.
    """
    groups: dict[str | None, Any] = {group.title: group for group in parser._action_groups}
    groups[None] = parser
    places = 0
    for kind in kinds:
        taken, seen = places, 0
        for each in options_of(kind):
            title = each.said.group
            if each.flag in parser._option_string_actions:
                continue
            if title not in groups:
                groups[title] = parser.add_argument_group(title)
            words = _words(each) | {"help": each.said.help.replace("COMMAND", command)}
            if each.said.positional:
                seen += 1
                if seen > taken:
                    more = {"nargs": "?", "default": argparse.SUPPRESS} if taken else {}
                    groups[title].add_argument(each.field, **words, **more)
                    places += 1
                continue
            needed = each.required and each.said.missing is None
            words |= {"dest": each.name, "default": argparse.SUPPRESS, "required": needed}
            groups[title].add_argument(each.flag, **words)


def _words(asked: Option) -> dict[str, Any]:
    """How argparse reads a value of an annotated type, and which there are."""
    said, hint = asked.said, asked.hint
    if hint is bool:
        return {"action": "store_false" if asked.default is True else "store_true"}
    words: dict[str, Any] = {}
    if said.metavar is not None:
        words["metavar"] = said.metavar
    inner = get_args(hint)[0] if get_origin(hint) is tuple and not said.positional else None
    if get_origin(inner) is Literal:  # the option is given once for each
        return words | {"action": "append", "choices": get_args(inner)}
    if get_origin(inner) is tuple:
        names = tuple((said.metavar or "").split())
        kinds = get_args(inner)
        return {"action": "append", "nargs": len(kinds), "type": kinds[0], "metavar": names}
    if said.choices is not None or get_origin(hint) is Literal:
        words["choices"] = tuple(said.choices or get_args(hint))
    elif said.positional and get_origin(hint) is tuple:
        words |= {"nargs": "+", "type": get_args(hint)[0]}
    elif said.read is None and get_origin(hint) is tuple:
        words["type"] = _list_of(get_args(hint)[0])
    elif said.read is None and hint in (int, float, Path):
        words["type"] = hint
    return words


def _list_of(kind: Callable[[str], Any]) -> Callable[[str], tuple[Any, ...]]:
    """Reads values between commas."""

    def read(text: str) -> tuple[Any, ...]:
        return tuple(kind(part.strip()) for part in text.split(",") if part.strip())

    names: Mapping[Any, str] = {int: "list of whole numbers", float: "list of numbers"}
    read.__name__ = names.get(kind, "list of names")  # for argparse's errors
    return read
