"""What was asked for?  One frozen dataclass states a command's options once.

A field's annotation is the option's type, its default the option's; :func:`option` adds the words
of `--help` and the range.  Parser (`experiments/run/parser.py`), checks and record all come from
these fields, so that a new option is one new field.

>>> from pathlib import Path
>>> @dataclass(frozen=True, kw_only=True)
... class Walk(Request):
...     steps: int = option("how many (10)", default=10, metavar="N", least=1)
...     out: Path | None = option("folder", default=None, metavar="FOLDER", recorded=False)
>>> recorded(Walk(steps=3, out=Path("x")))
{'steps': 3}
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, replace
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from experiments.run.checks import refused

Kind = TypeVar("Kind", bound="Request")
_SAID = "option"


@dataclass(frozen=True, kw_only=True)
class Said:
    """What a field says of its option beside type and default.

    Attributes:
        help: its words, the default in brackets at the end; COMMAND stands for the command's name.
        metavar: what stands for the value in `--help`.
        group: title of the group it is listed in; None for the parser's own.
        flag: on the command line, where it is not the field's name, e.g. "--from".
        positional: given by its place.
        least: the smallest value (None, the value, is let through).
        above: a bound that the value exceeds, likewise.
        check: refuses a value; takes it and the option's name.
        recorded: whether it determines what a run finds; folders and workers do not.
        read: the value of a text, where the annotation does not say it.
        choices: text -> value, where the annotation is no Literal.
        missing: ends the error where a required option was not given; None leaves that to the
            parser, for which "required" has no exception.
    """

    help: str
    metavar: str | None = None
    group: str | None = None
    flag: str | None = None
    positional: bool = False
    least: float | None = None
    above: float | None = None
    check: Callable[[Any, str], object] | None = None
    recorded: bool = True
    read: Callable[[str], Any] | None = None
    choices: Mapping[str, Any] | None = None
    missing: str | None = None


def option(
    words: str,
    *,
    default: Any = MISSING,
    factory: Callable[[], Any] | None = None,
    **said: Any,
) -> Any:
    """Returns the field of an option.

    Args:
        words: of `--help`.
        default: where the option is not given; without one it is required.
        factory: makes the default where it depends on the machine.
        said: see :class:`Said`.
    """
    metadata = {_SAID: Said(help=words, **said)}
    if factory is not None:
        return field(default_factory=factory, metadata=metadata)
    return field(default=default, metadata=metadata)


def again(kind: "type[Request]", name: str, words: str, **changes: Any) -> Any:
    """Returns the field of an option that a request has from its base, said in other words.

    Args:
        kind: the base.
        name: of the field.
        words: of `--help`.
        changes: `default`, and what :class:`Said` holds.
    """
    known = next(f for f in fields(kind) if f.name == name)
    default = changes.pop("default", known.default)
    said = replace(known.metadata[_SAID], help=words, **changes)
    return field(default=default, metadata={_SAID: said})


@dataclass(frozen=True)
class Option:
    """One option of a request.

    Attributes:
        field: its name in the request.
        hint: its annotation, without None.
        default: its default; MISSING where there is none, or where a factory makes it.
        said: what the field says.
        required: whether there is no default.
    """

    field: str
    hint: Any
    default: Any
    said: Said
    required: bool

    @property
    def flag(self) -> str:
        """As on the command line, e.g. "--max-steps", or "--no-exact" of `exact: bool = True`."""
        negated = "no-" if self.hint is bool and self.default is True else ""
        return self.said.flag or f"--{negated}{self.field.replace('_', '-')}"

    @property
    def title(self) -> str:
        """As errors name it: the flag without its dashes in front."""
        return self.flag.lstrip("-")

    @property
    def name(self) -> str:
        """As a parser keeps it."""
        return self.title.replace("-", "_")


@dataclass(frozen=True, kw_only=True)
class Request:
    """Base of every command's options; a subclass may check more in `__post_init__`.

    A field that is a request itself is a part: its options are the command's as well.
    """

    def __post_init__(self) -> None:
        """Checks every field's range.

        Raises:
            InputError: a value is out of it, named as the option is.
        """
        for each in own_options(type(self)):
            value = getattr(self, each.field)
            if value is not None:
                _check(value, each)


def _check(value: Any, asked: Option) -> None:
    said, least, above = asked.said, asked.said.least, asked.said.above
    fits = not isinstance(value, float) or math.isfinite(value)
    wanted = "a finite number" if asked.hint is float else "a number"
    if least is not None:
        fits = fits and value >= least
        wanted = f"{wanted} >= {least:g}" if asked.hint is float else f"at least {least:g}"
    if above is not None:
        fits, wanted = fits and value > above, f"a number > {above:g}"
    if not fits:
        raise refused(f"{asked.title}: expected {wanted}, got {value}")
    if said.check is not None:
        said.check(value, asked.title)


def _hints(kind: type[Request]) -> dict[str, Any]:
    return get_type_hints(kind)


def parts_of(kind: type[Request]) -> dict[str, type[Request]]:
    """Returns the fields that are requests themselves, by name."""
    hints = _hints(kind)
    return {
        f.name: hints[f.name]
        for f in fields(kind)
        if isinstance(hints[f.name], type) and issubclass(hints[f.name], Request)
    }


def own_options(kind: type[Request]) -> tuple[Option, ...]:
    """Returns the options of a request, those of its parts left out."""
    return tuple(_option(kind, f) for f in fields(kind) if _SAID in f.metadata)


def _option(kind: type[Request], stated: "Field[Any]") -> Option:
    hint = _hints(kind)[stated.name]
    if get_origin(hint) in (Union, UnionType):
        known = [each for each in get_args(hint) if each is not NoneType]
        hint = known[0] if len(known) == 1 else hint
    return Option(
        field=stated.name,
        hint=hint,
        default=stated.default,
        said=stated.metadata[_SAID],
        required=stated.default is MISSING and stated.default_factory is MISSING,
    )


def options_of(kind: type[Request]) -> tuple[Option, ...]:
    """Returns the options of a request and of its parts, in the order of the fields."""
    own = {each.field: each for each in own_options(kind)}
    parts, found = parts_of(kind), list[Option]()
    for f in fields(kind):
        if f.name in parts:
            found += options_of(parts[f.name])
        elif f.name in own:
            found.append(own[f.name])
    return tuple(found)


def read_request(kind: type[Kind], given: Mapping[str, Any]) -> Kind:
    """Returns the request that a command line makes.

    Args:
        kind: of the request.
        given: option, as a parser keeps it -> text or value; others' options are passed over.

    Raises:
        InputError: a value is out of its range.
    """
    values = {
        each.field: _read(given[each.name], each)
        for each in own_options(kind)
        if each.name in given
    }
    for each in own_options(kind):
        if each.required and each.field not in values:
            more = each.said.missing or ""
            raise refused(f"{each.title}: expected {each.flag}, got none{more}")
    made = {name: read_request(part, given) for name, part in parts_of(kind).items()}
    return kind(**values, **made)


def _read(value: Any, asked: Option) -> Any:
    said = asked.said
    if said.choices is not None:
        return said.choices.get(value, value)
    if said.read is not None and isinstance(value, str):
        return said.read(value)
    return tuple(value) if isinstance(value, list) else value


def recorded(request: Request, kind: type[Request] | None = None) -> dict[str, Any]:
    """Returns what determines the run, by field name: a record keeps it, resuming compares it.

    Args:
        request: any.
        kind: a base of the request, to whose options this is restricted.
    """
    kind = kind or type(request)
    known = own_options(kind)
    found = {each.field: getattr(request, each.field) for each in known if each.said.recorded}
    for name in parts_of(kind):
        found |= recorded(getattr(request, name))
    return found


def refuse(
    given: Mapping[str, Any], kind: type[Request], *, beside: type[Request], where: str
) -> None:
    """Refuses the options of a request that another one, which is made instead, does not have.

    Args:
        given: option, as a parser keeps it -> value.
        kind: whose options are refused.
        beside: the one that is made.
        where: ends the sentence, e.g. "with --targets".

    Raises:
        InputError: one of them was given.
    """
    known = {each.name for each in options_of(beside)}
    for each in options_of(kind):
        if each.name in given and each.name not in known:
            raise refused(f"{each.title}: expected none {where}; got {given[each.name]}")
