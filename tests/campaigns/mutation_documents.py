"""How is a mutant of one certificate made?  At every field, by every operator, or by chance."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from tests.campaigns.mutation_operators import KEEP_FORM, OPERATORS, Operator
from tests.campaigns.mutation_places import Path, dumped, field, places, replaced
from tests.campaigns.mutation_seeds import Seed

#: By so many draws a place and an operator that change something are found, or there are none.
_TRIES = 20


@dataclass(frozen=True)
class Mutant:
    """A changed certificate, as the bytes of its file."""

    kind: str  # of the certificate it was made from
    operator: str
    field: str
    data: bytes
    files: dict[str, bytes] | None = None  # those that were changed as well


Change = Callable[[Random, Any, list[Seed]], Any]


def _part_of_another(part: str, *, same_kind: bool | None = None) -> Change:
    def change(rng: Random, document: Any, sources: list[Seed]) -> Any:
        kind = document["claim"]["kind"]
        fits = [s for s in sources if same_kind is None or (s.kind == kind) == same_kind]
        if rng.random() < 0.7:  # a layer of the same shape is more like it
            shape = _shape(document)
            fits = [s for s in fits if _shape(s.document) == shape] or fits
        return {**document, part: rng.choice(fits).document[part]}

    return change


def _shape(document: Any) -> Any:
    return document["problem"]["weight"].get("shape")


def _renamed_kind(rng: Random, document: Any, sources: list[Seed]) -> Any:
    kinds = sorted({seed.kind for seed in sources} - {document["claim"]["kind"]})
    return {**document, "claim": {**document["claim"], "kind": rng.choice(kinds)}}


def _flipped(rng: Random, text: bytes) -> bytes:
    i = rng.randrange(len(text))
    return text[:i] + bytes([text[i] ^ (1 << rng.randrange(8))]) + text[i + 1 :]


def _byte_dropped(rng: Random, text: bytes) -> bytes:
    i = rng.randrange(len(text))
    return text[:i] + text[i + 1 :]


def _byte_put_in(rng: Random, text: bytes) -> bytes:
    i = rng.randrange(len(text) + 1)
    return text[:i] + bytes([rng.choice(b'09-af",:[]{}\\ \0\xff\n')]) + text[i:]


def _text_cut(rng: Random, text: bytes) -> bytes:
    return text[: rng.randrange(len(text))]


def _around(rng: Random, text: bytes) -> bytes:
    extra = rng.choice([b"\xef\xbb\xbf", b" {}", b",", b"\0", b"//", b"[", b"\n" + text])
    return rng.choice([extra + text, text + extra])


#: Changes of the whole document, and of its text.
WHOLE: dict[str, Change] = {
    "other kind, same fields": _renamed_kind,
    "claim of another kind": _part_of_another("claim", same_kind=False),
    "claim of another certificate": _part_of_another("claim", same_kind=True),
    "problem of another certificate": _part_of_another("problem"),
    "witness of another certificate": _part_of_another("witness"),
    "bit of the text flipped": lambda rng, d, _: _flipped(rng, _text(d)),
    "byte of the text dropped": lambda rng, d, _: _byte_dropped(rng, _text(d)),
    "byte put into the text": lambda rng, d, _: _byte_put_in(rng, _text(d)),
    "text of the file cut": lambda rng, d, _: _text_cut(rng, _text(d)),
    "text before or behind": lambda rng, d, _: _around(rng, _text(d)),
}


def _spoiled_file(rng: Random, data: bytes) -> bytes:
    """A change of the bytes of a file, half of the time at its beginning, where its header is."""
    change = rng.choice([_flipped, _flipped, _flipped, _byte_dropped, _byte_put_in, _text_cut])
    head = data[: rng.choice([160, len(data)])]
    return change(rng, head) + data[len(head) :]


#: Changes of a file beside the certificate.
FILES = ("file changed, hash as it was", "file changed, its hash stated")


def _text(document: Any) -> bytes:
    return dumped(document).encode()


class Maker:
    """Mutants of one certificate."""

    def __init__(self, seed: Seed, sources: list[Seed], rng: Random) -> None:
        self.seed, self.sources, self.rng = seed, sources, rng
        self.original = _text(seed.document)
        self.places: dict[str, list[tuple[Path, Any]]] = defaultdict(list)
        for path, value in places(seed.document):
            if path:
                self.places[field(path)].append((path, value))
        self.hit: set[str] = set()

    def missed(self) -> list[str]:
        """Fields at which no mutant was made."""
        return sorted(set(self.places) - self.hit)

    def every_field(self) -> Iterator[Mutant]:
        for name, found in self.places.items():
            for attempt in range(_TRIES):
                path, value = self.rng.choice(found)
                operator = self._operator(path, value, formal=attempt < 3)
                mutant = self._at(path, value, operator)
                if mutant is not None:
                    self.hit.add(name)
                    yield mutant
                    break

    def every_operator(self, operators: Iterable[Operator] = OPERATORS) -> Iterator[Mutant]:
        for operator in operators:
            found = [place for of in self.places.values() for place in of if operator.fits(*place)]
            for _ in range(_TRIES if found else 0):
                mutant = self._at(*self.rng.choice(found), operator)
                if mutant is not None:
                    yield mutant
                    break

    def every_whole(self) -> Iterator[Mutant]:
        for name in FILES if self.seed.files else ():
            yield from (self.file(name) for _ in range(5))
        for name, change in WHOLE.items():
            mutant = self._whole(name, change)
            if mutant is not None:
                yield mutant

    def file(self, operator: str) -> Mutant:
        """A file spoiled; with its hash restated, so that it is read, the layer may be another."""
        name = self.rng.choice(sorted(self.seed.files))
        document, new = self.seed.document, _spoiled_file(self.rng, self.seed.files[name])
        if operator == FILES[1]:
            digest = hashlib.sha256(new).hexdigest()
            for path, value in places(document):
                if path[-1:] == ("file",) and value == name:
                    document = replaced(document, (*path[:-1], "sha256"), digest)
        data = _text(document)
        return Mutant(self.seed.kind, operator, "(file)", data, {name: new})

    def any(self) -> Mutant | None:
        """One change, now and then of the whole, or several."""
        if self.seed.files and self.rng.random() < 0.4:
            return self.file(self.rng.choice(FILES))
        dice = self.rng.random()
        if dice < 0.2:
            return self._whole(*self.rng.choice(list(WHOLE.items())))
        if dice < 0.35:
            return self._several(self.rng.choice([2, 2, 3]))
        place = self._place(self.seed.document)
        return self._at(*place, self._operator(*place))

    def _operator(self, path: Path, value: Any, *, formal: bool = True) -> Operator:
        """One that leaves the form of a certificate, if any does and as a rule."""
        fitting = [operator for operator in OPERATORS if operator.fits(path, value)]
        kept = [operator for operator in fitting if operator.name in KEEP_FORM and formal]
        return self.rng.choice(kept if kept and self.rng.random() < 0.85 else fitting)

    def _place(self, document: Any) -> tuple[Path, Any]:
        """A place of a part chosen first: claim and witness are small beside the problem."""
        found: dict[str, list[tuple[Path, Any]]] = defaultdict(list)
        for path, value in places(document):
            if path:
                found[str(path[0])].append((path, value))
        parts = [part for part in ("claim", "problem", "witness", "witness") if part in found]
        return self.rng.choice(found[self.rng.choice(parts or list(found))])

    def _several(self, number: int) -> Mutant | None:
        document = self.seed.document
        for _ in range(number):
            try:
                path, value = self._place(document)
                document = self._changed(document, path, value, self._operator(path, value))
            except (AttributeError, IndexError, KeyError, TypeError, ValueError):
                break  # the first change left nothing that the second could change
        return self._mutant("several changes at once", "(several)", _text(document))

    def _changed(self, document: Any, path: Path, value: Any, operator: Operator) -> Any:
        return replaced(document, path, operator.change(self.rng, path, value))

    def _at(self, path: Path, value: Any, operator: Operator) -> Mutant | None:
        text = _text(self._changed(self.seed.document, path, value, operator))
        return self._mutant(operator.name, field(path), text)

    def _whole(self, name: str, change: Change) -> Mutant | None:
        new = change(self.rng, self.seed.document, self.sources)
        return self._mutant(name, "(all)", new if isinstance(new, bytes) else _text(new))

    def _mutant(self, operator: str, place: str, text: bytes) -> Mutant | None:
        if text == self.original:
            return None
        return Mutant(self.seed.kind, operator, place, text)


def mutants_of(seed: Seed, sources: list[Seed], rng: Random) -> Maker:
    return Maker(seed, sources, rng)
