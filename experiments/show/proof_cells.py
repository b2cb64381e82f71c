"""Which certificates prove a row of a table?  Their names, short, or the word "uncertified"."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import PurePosixPath
from typing import Any

from experiments.run.proofs import Proof

UNCERTIFIED = "uncertified"
#: Names in braces up to so many; beyond, what they begin with and a star.
_MOST = 6


def uncertified(rows: Sequence[Any]) -> tuple[str, ...]:
    """Returns the word for each row of a table whose numbers have no certificate."""
    return (UNCERTIFIED,) * len(rows)


def proof_cell(*found: Any) -> str:
    """Returns the certificates within entries of a record, as a shell would expand them.

    Names are those of the files in the run's folder `certificates`, without ".json".

    Args:
        found: entries of a record, at any depth: certificates are each `Proof`, and in mappings
            what is under "certificate", "..._certificate" and "certificates".

    >>> a, b = (Proof(file=f"certificates/vertex-{i}.json", claim="") for i in (4, 5))
    >>> proof_cell([a], {"certificate": b})
    'vertex-{4,5}'
    >>> proof_cell({"distance_certificate": None})
    'uncertified'
    """
    names = []
    for file in _files(list(found)):
        name = None if file is None else PurePosixPath(file).name.removesuffix(".json")
        if name is not None and name not in names:
            names.append(name)
    return _short(names) if names else UNCERTIFIED


def _files(found: Any) -> Iterator[str | None]:
    """Yields the files of certificates, in the order of the record."""
    if isinstance(found, Proof):
        yield found.file
    elif isinstance(found, list | tuple):
        for each in found:
            yield from _files(each)
    elif is_dataclass(found):
        yield from _files([getattr(found, each.name) for each in fields(found)])
    elif isinstance(found, Mapping):
        for name, value in found.items():
            if name == "certificates" and isinstance(value, Mapping):
                yield from map(_file, value.values())
            elif name == "certificate" or name.endswith("_certificate"):
                yield _file(value)
            else:
                yield from _files(value)


def _file(entry: Proof | Mapping[str, Any] | None) -> str | None:
    if isinstance(entry, Proof):
        return entry.file
    return None if entry is None else entry.get("file")


def _short(names: list[str]) -> str:
    """One name, names with braces around what differs, or their beginning and a star.

    >>> _short(["a-1-x", "a-2-x"]), _short(["one", "two"])
    ('a-{1,2}-x', 'one, two')
    """
    if len(names) == 1:
        return names[0]
    head = _beginning(names)
    tails = [name[len(head) :] for name in names]
    if len(names) > _MOST:
        return f"{head}* ({len(names)})"
    if not head:
        return ", ".join(names)
    end = _beginning([tail[::-1] for tail in tails])[::-1]
    middles = [tail[: len(tail) - len(end)] for tail in tails]
    return f"{head}{{{','.join(middles)}}}{end}" if all(middles) else ", ".join(names)


def _beginning(names: list[str]) -> str:
    """What all begin with, up to its last hyphen or dot."""
    alike = 0
    for letters in zip(*names, strict=False):
        if len(set(letters)) > 1:
            break
        alike += 1
    text = names[0][:alike]
    return text[: max(text.rfind("-"), text.rfind(".")) + 1]
