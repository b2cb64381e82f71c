"""May I believe this certificate?  One file, nothing but the Python standard library.

    python -I -S checker.py FILE...        (or: python -m polytope.checker FILE...)

prints each claim in words, or the reason for refusal.  Exit code: 0 every claim is proved, 3 a
claim is refused, 2 a file is no certificate, 4 a limit of this checker was hit.

A layer y = max(0, W x + b) of N units and d inputs, weights taken exactly as stored, a target x_t
and a domain define the collision polytope C (Li, Zhang & Malik 2019, Proposition 1; tolerance e:
ours): all x of the domain with |max(0, W x + b) - y| <= e, where y = max(0, W x_t + b).  Nothing is
solved here: C is rebuilt, integers are multiplied and compared.  All of it: docs/certificates.md.
"""

import hashlib
import io
import json
import re
import struct
import sys
import zipfile
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from fractions import Fraction
from functools import partial, reduce
from math import isfinite, lcm, prod
from operator import and_, le, mul
from pathlib import Path
from typing import Any, NamedTuple

SCHEMA = "collision-polytopes/certificate/2"
MALFORMED, REFUSED, LIMIT = 2, 3, 4  # why a certificate is not accepted: the exit codes
# What a file may ask for.  VGG-16's fc6 fits: 4,096 x 25,088 weights (411 MB), a 1,113-row minor.
MAX_CERTIFICATE_BYTES, MAX_TENSOR_FILE_BYTES, MAX_VALUES = 1 << 28, 1 << 31, 1 << 23
MAX_ELEMENTS, MAX_SIDE = 1 << 28, 1 << 20  # of an array; of units and inputs together
MAX_BITS, MAX_VECTOR_BITS = 1 << 18, 1 << 31  # of a number or common denominator; of a vector
MAX_CACHED = 1 << 30  # bits of weights kept as integers; a larger matrix is decoded row by row
MAX_WORK = 1 << 38  # multiplications of 64-bit words for one claim: some ten minutes

_CODES = {"F16": "e", "F32": "f", "F64": "d", "BF16": "H", "I8": "b", "I16": "h"}
_CODES |= {"I32": "i", "I64": "q", "U8": "B", "U16": "H", "U32": "I", "U64": "Q"}
# Kind of claim: keys of the claim beside `kind`: keys of the witness ("|" between the forms).
_KINDS = """\
contains:: point; empty:: multipliers; vertex: point: vertex; unique: point: implicit minor
active_set: active zero:; redundant: inequality: multipliers; irredundant: inequality: point
implicit_equality: inequality holds: point multipliers|point; unbounded:: point ray|point wide
optimum:unit value vertex|objective constant value vertex:point multipliers|point multipliers vertex
bounds: unit lower upper|objective constant lower upper: point multipliers
unbounded_objective: unit|objective constant: point ray; bounded:: box|empty|multipliers minor
rank_at_least: rank: minor; rank_at_most: rank: span; rank_positive: rank: minor span
kernel: holds: span|minor|unit minor span|unit ray; lineality: dimension: |minor span
dimension: value paper_bound: empty|target|interior implicit minor span
nearest: from norm distance|from norm lower_squared upper_squared: point functional multipliers
generators: points rays lines: implicit minor pivots perturbation bases"""
_FORMS = {kind: forms for kind, *forms in (re.split(": *", k) for k in re.split("; |\n", _KINDS))}

Row = tuple[str, int]  # (kind, unit), or (side, coordinate) for a bound
Rows = Collection[Row]
_SIDES = ("floor", "ceiling")  # the kinds of bounds
Bound = tuple["Fraction | None", "_Vector", set[Row]]
Fields = dict[str, "_Value"]


class CheckError(Exception):
    """Not accepted: `str()` is the reason (ASCII), `code` is MALFORMED, REFUSED or LIMIT."""

    def __init__(self, reason: str, code: int = MALFORMED) -> None:
        super().__init__(reason)
        self.code = code


def _need(holds: object, reason: str, code: int = MALFORMED) -> None:
    if not holds:
        raise CheckError(reason, code)


_prove = partial(_need, code=REFUSED)


def _limit(amount: int, most: int, what: str) -> None:
    _need(amount <= most, f"{what}: needs {amount:#x}, above the limit {most:#x} here", LIMIT)


def _read_file(path: Path, most: int, name: str) -> bytes:
    try:
        _need(path.is_file() or not path.exists(), f"{name} is not a regular file")
        _limit(path.stat().st_size, most, f"bytes of {name}")
        return path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise CheckError(f"{name} cannot be read: {str(error)!a:.90}") from None


class _Vector(NamedTuple):  # num / den, with den > 0
    num: list[int]
    den: int

    @staticmethod
    def scaled(values: Iterable[float | Fraction]) -> "_Vector":
        ratios = [value.as_integer_ratio() for value in values]
        den = _common({den for _, den in ratios}, len(ratios))
        factor = {part: den // part for part in {part for _, part in ratios}}
        return _Vector([num * factor[part] for num, part in ratios], den)

    def dot(self, other: "_Vector") -> Fraction:
        return Fraction(sum(map(mul, self.num, other.num)), self.den * other.den)

    def gaps(self, other: "_Vector") -> "_Vector":
        pairs = zip(self.num, other.num, strict=True)
        return _Vector([abs(a * other.den - b * self.den) for a, b in pairs], self.den * other.den)

    @property
    def words(self) -> int:  # 64-bit ones of the longest number, and 16 that any operation costs
        return 16 + max(map(int.bit_length, (self.den, *self.num))) // 64


def _common(denominators: Iterable[int], length: int) -> int:
    result = 1  # at last the least common multiple, for a vector of that length over it
    for den in denominators:
        result = lcm(result, den)
        _limit(result.bit_length(), MAX_BITS, "bits of a common denominator")
    _limit(result.bit_length() * length, MAX_VECTOR_BITS, "bits of a vector")
    return result


class _Value(NamedTuple):  # a value of a JSON document, as Python has it, and its name there
    it: Any
    name: str

    @staticmethod
    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        _need(len(dict(pairs)) == len(pairs), "a JSON object has the same key twice")
        return dict(pairs)

    @staticmethod
    def read(data: bytes, name: str) -> "_Value":
        _limit(len(data), MAX_CERTIFICATE_BYTES, f"bytes of {name}")
        _limit(sum(map(data.count, (b",", b"[", b"{"))), MAX_VALUES, f"values in {name}")
        try:  # floats and NaN get through, and are refused where a number is due
            return _Value(json.loads(data.decode("utf-8"), object_pairs_hook=_Value.once), name)
        except (ValueError, RecursionError) as error:  # also an integer of thousands of digits
            raise CheckError(f"{name} is not JSON: {str(error)!a:.90}") from None

    def of(self, kind: type) -> Any:
        same = isinstance(self.it, kind) and not (kind is int and isinstance(self.it, bool))
        _need(same, f"{self.name} must be of type {kind.__name__}, got {type(self.it).__name__}")
        return self.it

    def fields(self, forms: str) -> Fields:
        known = any(self.of(dict).keys() == set(form.split()) for form in forms.split("|"))
        _need(known, f"{self.name} needs exactly the keys {forms.replace('|', ' or ') or '(none)'}")
        return {key: _Value(value, f"{self.name}.{key}") for key, value in self.it.items()}

    def items(self) -> list["_Value"]:
        return [_Value(item, self.name) for item in self.of(list)]

    def number(self, low: int = -(10**15), high: int = 10**15) -> int:
        _need(low <= self.of(int) < high, f"{self.name} must lie in {low}..{high - 1}")
        return int(self.it)

    def indices(self, size: int) -> list[int]:
        numbers = [item.number(0, size) for item in self.items()]
        _need(len(set(numbers)) == len(numbers), f"{self.name} has a repeated index")
        return numbers

    def rows(self, allowed: Rows) -> list[Row]:
        rows = []
        for item in self.items():
            kind, unit = item.items() if len(item.of(list)) == 2 else (item, item)
            row = kind.of(str), unit.number()
            _prove(row in allowed, f"{self.name}: {row!a:.40} is not a row to use here")
            rows.append(row)
        _need(len(set(rows)) == len(rows), f"{self.name} has a repeated row")
        return rows

    def row(self, allowed: Rows) -> Row:
        return _Value([self.it], self.name).rows(allowed)[0]

    def integers(self, length: int) -> list[int]:
        items: list[str] = self.of(list)
        _need(len(items) == length, f"{self.name} must have {length} entries, got {len(items)}")
        _need(all(isinstance(v, str) for v in items), f"{self.name} must hold hex strings only")
        _limit(4 * max(map(len, items), default=0), MAX_BITS, f"bits of a number in {self.name}")
        joined = "".join([v + "," for v in items])  # one match: a minor has a million entries
        hexes = re.fullmatch(r"(?:-?[0-9a-f]++,)*+", joined) and joined.count(",") == length
        _need(hexes, f"{self.name} is not all hex")
        return [int(v, 16) for v in items]

    def rational(self) -> Fraction:
        num, den = self.integers(2)
        _need(den > 0, f"{self.name} has a denominator that is not positive")
        return Fraction(num, den)

    def vector(self, length: int) -> _Vector:
        parts = self.fields("den num|length index den num")
        den = _Value(["1", parts["den"].it], parts["den"].name).rational().denominator
        _limit(length * den.bit_length(), MAX_VECTOR_BITS, f"bits of {self.name}")
        if "index" not in parts:
            return _Vector(parts["num"].integers(length), den)
        parts["length"].number(length, length + 1)
        index = parts["index"].indices(length)
        entries = dict(zip(index, parts["num"].integers(len(index)), strict=True))
        return _Vector([entries.get(j, 0) for j in range(length)], den)


class _Array:  # as stored, row-major: bytes of a dtype, or rationals
    def __init__(self, value: _Value, folder: Path | None, *want: int) -> None:  # -1: any shape
        parts = value.fields("dtype shape data|dtype shape num den|file tensor sha256")
        self.name, self.work, self.cache = value.name, 0, dict[int, _Vector]()
        self.data: memoryview | list[Fraction] = []
        stored = self._load(parts, folder) if "file" in parts else parts
        self.dtype = stored["dtype"].of(str)
        self.shape = tuple(size.number(0) for size in stored["shape"].items())
        same = len(self.shape) == len(want) and (-1 in want or self.shape == want)
        _need(same, f"{self.name} must have shape {want} (-1: any), got {self.shape[:4]}")
        count = prod(self.shape)
        _limit(max(count, *self.shape), MAX_ELEMENTS, f"entries of {self.name}")
        if "num" in parts:
            _need(self.dtype == "Q", f"{self.name}: num and den go with dtype Q")
            num, den = (parts[key].integers(count) for key in ("num", "den"))
            _need(min(den, default=1) > 0, f"{self.name}.den has an entry that is not positive")
            self.data = list(map(Fraction, num, den))
            return
        if "data" in parts:
            plain = re.fullmatch("(?:[0-9a-f]{2})*+", parts["data"].of(str))
            _need(plain, f"{self.name}.data is not lower-case hex")
            self.data = memoryview(bytes.fromhex(parts["data"].it))
        _need(self.dtype in _CODES, f"{self.name} has the unknown dtype {self.dtype!a:.20}")
        size, got = count * struct.calcsize("<" + _CODES[self.dtype]), len(self.data)
        _need(got == size, f"{self.name} needs {size} bytes by shape and dtype, got {got}")

    def _load(self, parts: Fields, folder: Path | None) -> Fields:
        file, tensor, digest = (parts[key].of(str) for key in ("file", "tensor", "sha256"))
        _need(re.fullmatch(r"(?!.*\.\.)\w[\w.-]*", file, re.A), f"{file!a:.60} is not a plain name")
        _need(folder is not None, f"{self.name} is in the file {file}, but no folder is known")
        data = _read_file(Path(folder or "") / file, MAX_TENSOR_FILE_BYTES, file)
        found = hashlib.sha256(data).hexdigest()
        _need(found == digest, f"{file} has SHA-256 {found}, not the one stated for {self.name}")
        readers = {".safetensors": self._safetensors, ".npy": self._npy, ".npz": self._npz}
        return readers.get(Path(file).suffix, self._idx)(data, tensor, file)

    def _safetensors(self, data: bytes, tensor: str, file: str) -> Fields:
        start = 8 + int.from_bytes(data[:8], "little")
        _need(8 <= start <= len(data), f"{file} is not a safetensors file")
        header = _Value.read(data[8:start], f"header of {file}").of(dict)
        parts = _Value(header.get(tensor), f"{tensor!a:.60}").fields("dtype shape data_offsets")
        ends = [start + end.number(0) for end in parts["data_offsets"].items()]
        _need(len(ends) == 2 and ends[0] <= ends[1] <= len(data), f"wrong data_offsets in {file}")
        self.data = memoryview(data)[ends[0] : ends[1]]
        return parts

    def _npy(self, data: bytes, _: str, file: str) -> Fields:
        text = data[: 10 + int.from_bytes(data[8:10], "little")]
        form = rb"\x93NUMPY\x01\x00..\{'descr': '[<|]([fiu])(\d)', 'fortran_order': False, "
        head = re.fullmatch(form + rb"'shape': \(([\d, ]{0,99})\), \} *\n", text, re.DOTALL)
        shape = [*map(int, re.findall(rb"\d+", head[3]))] if head else []
        if head is None or f"({head[3].decode()})" != str((*shape,)):
            raise CheckError(f"{file} is not an npy file of little-endian numbers in C order")
        self.data, kind = memoryview(data)[len(text) :], head[1].decode().upper()
        return {"dtype": _Value(f"{kind}{8 * int(head[2])}", file), "shape": _Value(shape, file)}

    def _npz(self, data: bytes, tensor: str, file: str) -> Fields:
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                member = archive.getinfo(f"{tensor}.npy")
                _limit(member.file_size, min(200 * len(data), 1 << 31), f"bytes unpacked of {file}")
                names = [name.removesuffix(".npy") for name in archive.namelist()]
                plain = data[:2] == b"PK" and member.compress_type in (0, 8)  # as numpy's are
                _need(plain and len({*names}) == len(names), f"{file} is not a plain npz file")
                return self._npy(archive.open(member).read(member.file_size), tensor, file)
        except (CheckError, MemoryError):
            raise
        except Exception as error:  # zipfile raises many kinds where an archive is damaged
            raise CheckError(f"{tensor!a:.60} cannot be read: {str(error)!a:.60}") from None

    def _idx(self, data: bytes, tensor: str, file: str) -> Fields:
        # "7": item 7 along the first axis; "7/255": each byte v as the float32 nearest to v / 255.
        axes = data[3] if data[:3] == b"\0\0\x08" and len(data) > 3 else 0
        shape = struct.unpack_from(f">{axes}I", data, 4) if len(data) >= 4 + 4 * axes else (0,)
        head, size = 4 + 4 * axes, prod(shape[1:])
        _need(shape and head + prod(shape) == len(data), f"{file} is not an idx file of bytes")
        name = re.fullmatch(r"(\d{1,9})(?:/([1-9]\d{0,5}))?", tensor, re.ASCII)
        if name is None or int(name[1]) >= shape[0]:
            raise CheckError(f"{file} has no item {tensor!a:.60}")
        item, dtype = data[head + int(name[1]) * size :][:size], "U8"
        if name[2]:
            item, dtype = struct.pack(f"<{size}f", *[v / int(name[2]) for v in item]), "F32"
        self.data = memoryview(item)
        return {"dtype": _Value(dtype, file), "shape": _Value([size], file)}

    def values(self, start: int = 0, stop: int | None = None) -> Sequence[float | Fraction]:
        stop = prod(self.shape) if stop is None else stop  # entries start..stop-1, exactly
        if isinstance(self.data, list):
            return self.data[start:stop]
        code, n = _CODES[self.dtype], stop - start
        values = struct.unpack_from(f"<{n}{code}", self.data, start * struct.calcsize("<" + code))
        if self.dtype == "BF16":  # the upper half of a float32
            values = struct.unpack(f"<{n}f", struct.pack(f"<{n}I", *[v << 16 for v in values]))
        _need(all(map(isfinite, values)), f"{self.name}: NaN or infinity in {start}..{stop - 1}")
        return values

    def fractions(self) -> list[Fraction]:
        return [Fraction(v) for v in self.values()]

    def part(self, unit: int, columns: Iterable[int]) -> _Vector:
        values = self.values(unit * self.shape[1], (unit + 1) * self.shape[1])
        return _Vector.scaled([values[j] for j in columns])

    def row(self, unit: int) -> _Vector:
        row = self.cache.get(unit) or self.part(unit, range(self.shape[1]))
        if prod(self.shape) * (row.words - 15) * 64 <= MAX_CACHED:
            self.cache[unit] = row
        return row

    def spend(self, words: int, what: str) -> None:
        self.work += words
        _limit(self.work, MAX_WORK, f"work, up to {what}")

    def products(self, x: _Vector) -> list[tuple[int, int]]:
        small = prod(self.shape) <= MAX_CACHED >> 8
        live = [j for j, v in enumerate(x.num) if v or small]
        nums, words, products = [x.num[j] for j in live], x.words, []
        _limit(self.shape[0] * words * 64, MAX_VECTOR_BITS, "bits of W times a vector")
        for unit in range(self.shape[0]):
            row = self.row(unit) if small else self.part(unit, live)
            more = len(live) * words * (1 + row.den.bit_length() // 64)
            self.spend(len(x.num) + more + words**2, "W times a vector")
            products.append((sum(map(mul, row.num, nums)), row.den * x.den))
        return products

    def combination(self, terms: Iterable[tuple[int, Fraction]], c: _Vector) -> _Vector:
        used = [(unit, factor) for unit, factor in terms if factor]
        den = _common([c.den, *(self.row(i).den * f.denominator for i, f in used)], len(c.num))
        words = _Vector([den, *[f.numerator for _, f in used]], 1).words
        self.spend(len(used) * len(c.num) * words, "combining rows")
        _limit(len(c.num) * words * 64, MAX_VECTOR_BITS, "bits of a combination of rows")
        total = [v * (den // c.den) for v in c.num]
        for unit, f in used:
            row = self.row(unit)
            scale = f.numerator * (den // (row.den * f.denominator))
            total = [t + scale * a for t, a in zip(total, row.num, strict=True)]
        return _Vector(total, den)


class Problem:
    """The collision polytope C of document["problem"] (its files lie in `folder`), and claims."""

    def __init__(self, spec: object, folder: Path | None = None) -> None:
        keys = "form weight bias domain tolerance"
        parts = _Value(spec, "problem").fields(f"{keys} target|{keys} activation")
        _need(parts["form"].it == "layer", "problem.form must be 'layer'")
        self.weights = _Array(parts["weight"], folder, -1, -1)
        self.n, self.d = n, d = self.weights.shape
        _need(d > 0, "weight has no columns: a layer without inputs")
        _limit(n + d, MAX_SIDE, "units and inputs")
        self.zero, self.bias = _Vector([0] * d, 1), _Array(parts["bias"], folder, n).fractions()
        limits = parts["domain"].fields("kind|kind lower upper")
        self.domain = domain = limits["kind"].of(str)
        known = domain == "box" if "lower" in limits else domain in ("free", "nonnegative")
        _need(known, "domain must be free, nonnegative, or box with lower and upper")
        low, high = [Fraction(0)] * (d if domain == "nonnegative" else 0), list[Fraction]()
        if domain == "box":
            low, high = (_Array(limits[k], folder, d).fractions() for k in ("lower", "upper"))
            _need(all(map(le, low, high)), "domain.lower is above domain.upper")
        self.flat = {j for j, end in enumerate(high) if end == low[j]}
        self.bounds = {("floor", j): -end for j, end in enumerate(low)}  # and right-hand sides
        self.bounds |= {("ceiling", j): end for j, end in enumerate(high)}
        self.tolerance = e = parts["tolerance"].rational()
        _need(e >= 0, "tolerance is negative")
        target = parts.get("target")
        self.target = _Vector.scaled(_Array(target, folder, d).values()) if target else None
        reached = self.weights.products(self.target or self.zero)  # decodes all: refuses every NaN
        if self.target:
            inside = min(self._slacks(self.target, self.bounds).values(), default=0) >= 0
            _need(inside, "the target is outside of the domain")
            self.z = [Fraction(*wx) + b for wx, b in zip(reached, self.bias, strict=True)]
        else:
            self.z = _Array(parts["activation"], folder, n).fractions()
            _need(min(self.z, default=0) >= 0, "activation has a negative entry")
        self.rows: dict[Row, Fraction] = {}  # and right-hand sides
        for unit, (z, b) in enumerate(zip(self.z, self.bias, strict=True)):
            y = max(z, Fraction(0))
            self.rows["equality" if y > e == 0 else "upper", unit] = y + e - b
            if y > e > 0:
                self.rows["lower", unit] = -(y - e - b)
        self.right = self.rows | self.bounds
        self.equal = {row for row in self.rows if row[0] == "equality"}
        self.plus = {("equality", unit) for unit, z in enumerate(self.z) if z > 0}  # W+ as if e = 0
        self.minus = {("upper", unit) for unit, z in enumerate(self.z) if z <= 0}  # W- as if e = 0
        text = json.dumps(spec, sort_keys=True, separators=(",", ":"))  # with the SHA-256 of files
        self.spec, self.digest = json.loads(text), hashlib.sha256(text.encode()).hexdigest()

    def _slacks(self, x: _Vector, right: Mapping[Row, Fraction]) -> dict[Row, int]:
        # b - a x, times a positive number, for a x <= b or a x = b, b = right
        products = self.weights.products(x) if right.keys() - self.bounds.keys() else []
        slacks = {}
        for row, b in right.items():
            p, s = (x.num[row[1]], x.den) if row[0] in _SIDES else products[row[1]]
            p = -p if row[0] in ("lower", "floor") else p
            slacks[row] = b.numerator * s - p * b.denominator
        return slacks

    def _point(self, at: Any, what: str = "point", but: Row = ("", 0)) -> tuple[_Vector, set[Row]]:
        """Return a point of C, or one that violates only `but`, and what is tight there."""
        x, zero = at.vector(self.d) if isinstance(at, _Value) else at, Fraction(0)
        right = self.right if what == "point" else dict.fromkeys(self.right, zero)
        slacks = self._slacks(x, right)  # of a ray or line, with right-hand sides 0
        equal = self.right.keys() if what == "line" else self.equal  # may not change
        broken = {row for row, slack in slacks.items() if slack < 0 or (slack and row in equal)}
        wrong = sorted(broken ^ ({but} & slacks.keys()))
        _prove(not wrong, f"the {what} {'keeps' if wrong == [but] else 'violates'} {wrong[:3]}")
        return x, {row for row, slack in slacks.items() if slack == 0}

    def _bound(self, value: _Value, c: _Vector | None = None) -> Bound:
        """Return a lower bound of c x over C (None: none), g, and the inequalities used."""
        # The rows times multipliers add up to at most s, their right-hand sides times them: c x >=
        # g x - s, g = c + sum l_i w_i + sum u_i w_i - sum v_i w_i, and g_j x_j is least at a bound.
        used, bound, terms = set[Row](), Fraction(0), list[tuple[int, Fraction]]()
        for kind, part in value.fields("equality upper lower").items():
            factors = part.vector(self.n)
            some = [(kind, unit) for unit, factor in enumerate(factors.num) if factor]
            for row in some:
                _prove(row in self.rows, f"there is no row [{kind}, {row[1]}] to multiply")
                free = kind == "equality" or factors.num[row[1]] > 0
                _prove(free, f"negative multiplier: [{kind}, {row[1]}]")
            self.weights.spend(len(some) * factors.words**2, "multipliers")
            sign = -factors.den if kind == "lower" else factors.den
            terms += [(unit, Fraction(factors.num[unit], sign)) for _, unit in some]
            sides = _Vector.scaled(self.rows[row] for row in some)
            bound -= _Vector([factors.num[unit] for _, unit in some], factors.den).dot(sides)
            used.update(some)
        g = self.weights.combination(terms, c or self.zero)
        ends = [(_SIDES[entry < 0], j) for j, entry in enumerate(g.num) if entry]
        if not self.bounds.keys() >= set(ends):
            return None, g, used
        size = _Vector([abs(entry) for entry in g.num if entry], g.den)
        return bound - size.dot(_Vector.scaled(self.bounds[e] for e in ends)), g, used | {*ends}

    def _minor(self, value: _Value, of: Rows, but: Collection[int] = ()) -> tuple[Rows, set[int]]:
        """Return r rows, and r columns (not in `but`) on which they are proved independent."""
        # A B = identity mod q >= 2, A: the rows on these columns, each over its least common
        # denominator there, which is left out.  So det A is a unit mod q, and not 0.
        parts = value.fields("rows columns modulus inverse")
        rows = parts["rows"].rows({row for row in of if row[0] not in _SIDES})
        cols, inverse = parts["columns"].indices(self.d), parts["inverse"].items()
        q, r = _Value([parts["modulus"].it], parts["modulus"].name).integers(1)[0], len(rows)
        _prove(not set(cols) & {*but}, "the minor uses a coordinate fixed on the whole set")
        _need(len(cols) == r == len(inverse), "minor must have as many rows as columns")
        _prove(q >= 2, "minor.modulus is below 2")
        width = (2 * q.bit_length() + r.bit_length() + 7) // 8
        self.weights.spend(r * r * (r * width // 8 + 16) * (width // 8 + 1), "a minor")
        lines = (line.integers(r) for line in inverse)
        slots = (b"".join([(v % q).to_bytes(width, "little") for v in line]) for line in lines)
        packed = [int.from_bytes(line, "little") for line in slots]
        for k, (_, unit) in enumerate(rows):
            row = [v % q for v in self.weights.part(unit, cols).num]
            line = sum(map(mul, row, packed)).to_bytes(r * width, "little")
            for j in range(r):
                entry = int.from_bytes(line[j * width : (j + 1) * width], "little") % q
                _prove(entry == (j == k), "minor.inverse is not the inverse of the submatrix")
        return rows, set(cols)

    def _span(self, value: _Value, allowed: Rows, covered: Rows, but: Collection[int] = ()) -> Rows:
        parts = value.fields("basis combination")
        basis = parts["basis"].rows(allowed)
        left = set(covered) - set(basis)
        for item in parts["combination"].items():
            entry = item.fields("row coefficients")
            row, x = entry["row"].row(left), entry["coefficients"].vector(len(basis))
            left.remove(row)
            self.weights.spend(len(basis) * x.words**2, "coefficients")
            terms = [(unit, Fraction(v, x.den)) for (_, unit), v in zip(basis, x.num, strict=True)]
            rest = self.weights.combination([*terms, (row[1], Fraction(-1))], self.zero).num
            equal = not any(v for j, v in enumerate(rest) if j not in but)
            _prove(equal, f"the row [{row[0]}, {row[1]}] is not the stated combination")
        _prove(not left, f"the span leaves out {len(left)} rows")
        return basis

    def _rank(self, parts: Fields, rows: Rows, but: Collection[int] = ()) -> tuple[int, int]:
        least = len(self._minor(parts["minor"], rows, but)[0]) if "minor" in parts else 0
        most, span = self.d - len({*but}), parts.get("span")
        if span:
            most = min(most, len(rows if span.it is None else self._span(span, rows, rows, but)))
            _prove(least == most or "minor" not in parts, f"rank {least} shown, {most} at most")
        return least, most

    def _objective(self, claim: Fields) -> tuple[_Vector, Fraction, str]:
        if "unit" in claim:
            unit = claim["unit"].number(0, self.n)
            return self.weights.row(unit), self.bias[unit], f"the pre-activation of unit {unit}"
        return claim["objective"].vector(self.d), claim["constant"].rational(), "the objective"

    def _claim_contains(self, _: Fields, witness: Fields) -> str:
        x = self._point(witness["point"])[0]
        gaps = x.gaps(self.target or x)
        far = f", {_words(Fraction(max(gaps.num), gaps.den))} from the target in linf"
        return f"the stated point lies in C{far if self.target else ''}"

    def _claim_active(self, claim: Fields, _: Fields) -> str:
        stated = [set(claim[name].indices(self.n)) for name in ("active", "zero")]
        found = [{i for _, i in self.plus}, {i for i, z in enumerate(self.z) if z == 0}]
        _prove(self.target and stated == found, "these are not a target's active units and ties")
        return f"just the {len(found[0])} units stated are active, {len(found[1])} are exactly 0"

    def _claim_empty(self, _: Fields, witness: Fields) -> str:
        bound = self._bound(witness["multipliers"])[0]
        _prove(bound is not None and bound > 0, "the multipliers do not give a contradiction")
        return "C is empty"

    def _claim_optimum(self, claim: Fields, witness: Fields) -> str:
        # Nothing in C is below the bound, and a point of C is not above the upper end.
        vertex = "vertex" in claim and claim["vertex"].of(bool)
        _need(("vertex" in witness) == vertex, "witness.vertex goes with claim.vertex = true")
        c, constant, name = self._objective(claim)
        ends = [claim[end].rational() for end in ("value", "lower", "upper") if end in claim]
        x, tight = self._point(witness["point"])
        _prove(c.dot(x) + constant <= ends[-1], "the point does not have the stated value")
        bound = self._bound(witness["multipliers"], c)[0]
        _prove(bound is not None and bound + constant >= ends[0], "the multipliers prove less")
        if "lower" in claim:
            return f"the minimum of {name} over C lies between {' and '.join(map(_words, ends))}"
        where = self._vertex(tight, witness["vertex"]) if vertex else "point"
        return f"the minimum of {name} over C is {_words(ends[0])}, attained at a {where} of C"

    def _vertex(self, tight: Rows, minor: _Value, at: str = "at a bound") -> str:
        # Block triangular: the minor's rows are tight, and every other coordinate is at a bound.
        held = {j for side, j in tight if side in _SIDES}
        loose = set(range(self.d)) - held - self._minor(minor, tight)[1]
        _prove(not loose, f"{len(loose)} coordinates are neither {at} nor in the minor")
        return "vertex"

    def _claim_vertex(self, claim: Fields, witness: Fields) -> str:
        # What is tight at the point, or (unique) on all of C, leaves no other.
        unique, tight = "implicit" in witness, self._point(claim["point"])[1]
        rows = self._hull(witness["implicit"])[2] if unique else tight
        self._vertex(rows, witness["minor" if unique else "vertex"])
        return f"the stated point is {'the only point' if unique else 'a vertex'} of C"

    def _claim_implicit(self, claim: Fields, witness: Fields) -> str:
        row = claim["inequality"].row(self.right.keys() - self.equal)
        holds = claim["holds"].of(bool)
        _need(("multipliers" in witness) == holds, "the witness is one for the opposite claim")
        tight = self._point(witness["point"])[1]
        held = self._hull(witness["multipliers"])[2] & tight if holds else tight
        _prove((row in held) == holds, f"the witness does not show it of [{row[0]}, {row[1]}]")
        return f"[{row[0]}, {row[1]}] is {'' if holds else 'not '}tight on all of C"

    def _claim_rank(self, claim: Fields, witness: Fields) -> str:
        rank, (least, most) = claim["rank"].number(), self._rank(witness, self.plus)
        low, high = rank <= least or "minor" not in witness, rank >= most or "span" not in witness
        _prove(low and high, f"the witness proves rank {least} at least, {most} at most")
        words = "" if len(witness) > 1 else " at least" if "minor" in witness else " at most"
        return f"the {len(self.plus)} active rows W+ have rank {rank}{words}"

    def _claim_kernel(self, claim: Fields, witness: Fields) -> str:
        # W+ spans W- or has rank d; or a ray of ker W+ changes w_i, or w_i is outside of the span.
        holds = claim["holds"].of(bool)
        _need(("unit" in witness) != holds, "the witness is one for the opposite claim")
        if holds:
            if "span" in witness:
                self._span(witness["span"], self.plus, self.minus)
            elif self._rank(witness, self.plus)[0] < self.d:
                raise CheckError(f"the minor does not show W+ to have rank {self.d}", REFUSED)
            return "the kernel condition holds: ker W+ lies in ker W-"
        unit = witness["unit"].number(0, self.n)
        _prove(("upper", unit) in self.minus, f"unit {unit} is active: its row is not in W-")
        if "ray" in witness:
            products = self.weights.products(witness["ray"].vector(self.d))
            _prove(not any(products[i][0] for _, i in self.plus), "the ray is not in ker W+")
            _prove(products[unit][0] != 0, f"the ray does not change unit {unit}")
        else:
            more = len(self._minor(witness["minor"], self.plus | {("upper", unit)})[0])
            rank = self._rank({"span": witness["span"]}, self.plus)[1]  # of W+, at most
            _prove(more > rank, "the minor is not of W+ and the unit")
        return f"the kernel condition fails: a direction in ker W+ changes the inactive unit {unit}"

    def _hull(self, implicit: _Value) -> tuple[set[Row], set[int], set[Row]]:
        """Return rows tight on all of C (E), coordinates fixed there (J), both as constraints."""
        # bound(0, implicit) = 0: each inequality that it uses is an equation for every x of C.
        equal, fixed = self.equal, self.flat
        if implicit.it is not None:
            bound, _, used = self._bound(implicit)
            _prove(bound == 0, "the implicit multipliers do not give the bound 0")
            fixed = fixed | {j for side, j in used if side in _SIDES}
            equal = equal | (used & self.rows.keys())
        return equal, fixed, equal | {(side, j) for side, j in self.bounds if j in fixed}

    def _claim_dimension(self, claim: Fields, witness: Fields) -> str:
        # C lies in {E tight, x_J fixed}, and is all of it near a point strict in all else.
        found, paper = -1, self.d - len(self.plus)
        if "empty" in witness:
            self._claim_empty(claim, {"multipliers": witness["empty"]})
        elif "target" in witness:
            rows, columns = self._minor(witness["target"], self.plus)
            gaps = self._slacks(self.target or self.zero, self.bounds)
            inner = columns.isdisjoint(j for (_, j), gap in gaps.items() if gap == 0)
            near = inner and self.target and not self.tolerance and 0 not in self.z
            _prove(near and len(rows) == len(self.plus), "no interior point is near the target")
            found = self.d - len(self.flat) - len(rows)
        else:
            equal, fixed, held = self._hull(witness["implicit"])
            loose = len(self._point(witness["interior"])[1] - held)
            _prove(not loose, f"the interior point is tight in {loose} inequalities")
            found = self.d - len(fixed) - self._rank(witness, equal, fixed)[0]
        stated = claim["value"].number(), claim["paper_bound"].number()
        _prove(stated == (found, paper), f"shown are dimension {found}, paper_bound {paper}")
        bound = f"is {paper}" if paper > 0 else "does not apply, as N+ >= d"
        return f"C has dimension {found} (-1: it is empty; the paper's bound d - N+ {bound})"

    def _claim_lineality(self, claim: Fields, witness: Fields) -> str:
        # Bounds leave no line.  On the free domain the space is ker W.
        free, rows = self.domain == "free", {row for row in self.rows if row[0] != "lower"}
        _need(bool(witness) == free, "the witness is {} except on the free domain")
        found = self.d - self._rank(witness, rows)[0] if free else 0
        _prove(claim["dimension"].number() == found, f"the witness proves {found}")
        return f"the lineality space of C (where C is not empty) has dimension {found}"

    def _claim_bounded(self, claim: Fields, witness: Fields) -> str:
        # A ray r has 0 <= g r <= 0: r_j = 0 where g_j > 0, and the minor leaves no other.
        if "box" in witness:
            _prove(witness["box"].it is True and self.domain == "box", "the domain is not a box")
        elif "empty" in witness:
            self._claim_empty(claim, {"multipliers": witness["empty"]})
        else:
            _, g, used = self._bound(witness["multipliers"])
            _prove(min(g.num) >= 0, "the combination of rows has a negative entry")
            _prove(self.bounds or not any(g.num), "the combination of rows is not 0")
            self._vertex(self.equal | used, witness["minor"], "held by g")
        return "C is bounded"

    def _claim_unbounded(self, claim: Fields, witness: Fields) -> str:
        # A point and a ray r != 0, on which the objective falls; `wide`: ker W has one, as N < d.
        self._point(witness["point"])
        c, _, name = self._objective(claim) if len(claim) > 1 else (None, 0, "C")
        if "wide" in witness:
            wide = witness["wide"].it is True and self.domain == "free" and self.n < self.d
            _prove(wide, "'wide' needs the free domain and N < d")
            return "C is unbounded"
        ray, _ = self._point(witness["ray"], "ray")
        _prove(any(ray.num), "the ray is zero")
        _prove(c is None or c.dot(ray) < 0, "the objective does not fall along the ray")
        return f"{name} is unbounded{' below on C' if c else ''}"

    def _claim_redundant(self, claim: Fields, witness: Fields) -> str:
        # Others that show -a x >= -b imply a x <= b; a point that violates it alone refutes that.
        kind, i = row = claim["inequality"].row(self.right.keys() - self.equal)
        if "point" in witness:
            self._point(witness["point"], but=row)
            return f"[{kind}, {i}] does not follow from the other constraints of C"
        a = _Vector([int(i == j) for j in range(self.d)], 1)
        a = a if kind in _SIDES else self.weights.row(i)
        minus = _Vector([v if kind in ("lower", "floor") else -v for v in a.num], a.den)
        bound, _, used = self._bound(witness["multipliers"], minus)
        _prove(row not in used, "the multipliers use the inequality itself")
        _prove(bound is not None and bound >= -self.right[row], "the multipliers prove less")
        return f"[{kind}, {i}] follows from the other constraints of C"

    def _claim_generators(self, claim: Fields, witness: Fields) -> str:
        # Cut C by x = 0 at the pivots.  n edges lead from each listed point to listed points, or
        # along rays: so it is a vertex; as their graph is connected, nothing is missing.
        equal, fixed, held = self._hull(witness["implicit"])
        rank = len(self._minor(witness["minor"], equal, fixed)[0])
        pivots, lines = witness["pivots"].indices(self.d), self._listed(claim["lines"])
        for i, line in enumerate(lines):
            diagonal = [bool(line.num[j]) for j in pivots] == [i == k for k in range(len(lines))]
            _prove(diagonal, "the lines are not diagonal on the pivots")
            self._point(line, "line")
        points, rays = (self._listed(claim[name], pivots) for name in ("points", "rays"))
        n, m = self.d - len(fixed) - rank - len(lines), len(self.right)
        _limit(m * (m + 2 * len(rays) + 256 * len(points)) // 16, 1 << 28, "bytes of tight sides")
        bits = {name: 1 << k for k, name in enumerate({*self.rows, *self.bounds} - held)}
        at = [self._point(x)[1] for x in points]
        _prove(len(set(map(frozenset, at))) == len(at) > 0, "no point, or one is listed twice")
        tight = [[bits[name] for name in names - held] for names in at]
        if witness["perturbation"].it is not None or witness["bases"].it is not None:
            tight = self._shifted(witness, at, bits)
        along = dict.fromkeys(bits.values(), 0)  # side: the rays along it, a bit each
        for k, ray in enumerate(rays):
            for name in self._point(ray, "ray")[1] - held:
                along[bits[name]] |= 1 << k
        _prove(all(len(sides) == n for sides in tight), f"a point or basis has not {n} tight sides")
        words = 16 + (len(rays) + len(bits)) // 64
        _limit(len(tight) * n * words, MAX_CERTIFICATE_BYTES, "words for edges")
        self.weights.spend(len(tight) * n * n * words, "edges")
        _prove(len(set(map(sum, tight))) == len(tight), "two tight sets of sides are the same")
        ends = Counter(sum(sides) - side for sides in tight for side in sides)
        used, every = 0, (1 << len(rays)) - 1
        for sides in tight:
            for side in sides:
                found = reduce(and_, (along[v] ^ (v == side) * every for v in sides), every)
                used |= found
                both = ends[sum(sides) - side] + found.bit_count() == 2
                _prove(both, "an edge does not end at two listed points, or at one and a ray")
        _prove(used == every, "a ray is not along an edge")
        kind = "points, one on each minimal face" if lines else ("vertex", "vertices")[len(at) > 1]
        counts = f"{len(points)} {kind}, {len(rays)} extreme rays and {len(lines)} lines"
        return f"the stated lists are complete: C has exactly these {counts}"

    def _listed(self, value: _Value, zero: Collection[int] = ()) -> list[_Vector]:
        _limit(len(value.of(list)) * self.d, 1 << 25, f"coordinates of {value.name}")
        vectors = [item.vector(self.d) for item in value.items()]
        _prove(not any(x.num[j] for x in vectors for j in zero), f"{value.name}: not 0 at a pivot")
        return vectors

    def _shifted(self, witness: Fields, at: list[set[Row]], bit: dict[Row, int]) -> list[list[int]]:
        parts = witness["perturbation"].fields("upper lower floor ceiling")
        delta = {k: v.vector(self.d if k in _SIDES else self.n) for k, v in parts.items()}
        push = {(kind, i): Fraction(delta[kind].num[i], delta[kind].den) for kind, i in bit}
        _prove(min(push.values(), default=0) >= 0, "the perturbation is negative somewhere")
        bases = [basis.fields("point shift") for basis in witness["bases"].items()]
        owners = [basis["point"].number(0, len(at)) for basis in bases]
        _prove(len(set(owners)) == len(at), "a point is in no basis")
        listed, tight = _Value([basis["shift"].it for basis in bases], "shifts"), []
        shifts = self._listed(listed, witness["pivots"].indices(self.d))
        for owner, shift in zip(owners, shifts, strict=True):
            rates = self._slacks(shift, {name: push.get(name, Fraction(0)) for name in at[owner]})
            kept = all(rate == 0 or (rate > 0 and name in bit) for name, rate in rates.items())
            _prove(kept, "a shift leaves the perturbed set")
            tight.append([bit[name] for name in rates if name in bit and rates[name] == 0])
        return tight

    def _claim_nearest(self, claim: Fields, witness: Fields) -> str:
        # |x - f| >= g (x - f) >= bound(g) - g f for x in C, as the dual norm of g is at most 1.
        norm, squared = claim["norm"].of(str), "distance" not in claim
        _need(norm in (["l2"] if squared else ["linf", "l1"]), "claim.norm goes not with the keys")
        f, g = claim["from"].vector(self.d), witness["functional"].vector(self.d)
        step, size = self._point(witness["point"])[0].gaps(f), [abs(entry) for entry in g.num]
        dual = sum(size) if norm == "linf" else max(size)
        _prove(g.dot(g) <= 1 if squared else dual <= g.den, "the functional is too long")
        bound = self._bound(witness["multipliers"], g)[0]
        least = Fraction(0) if bound is None else max(Fraction(0), bound - g.dot(f))
        reached = Fraction(sum(step.num) if norm == "l1" else max(step.num), step.den)
        keys = ("distance", "lower_squared", "upper_squared")
        ends = [claim[key].rational() for key in keys if key in claim]
        _prove((step.dot(step) if squared else reached) <= ends[-1], "the point is farther away")
        _prove(least ** (1 + squared) >= ends[0], "the functional does not prove the distance")
        shown = " to ".join(map(_words, ends))
        return f"the {'squared ' * squared}{norm} distance of the stated point from C is {shown}"


def _words(value: Fraction) -> str:
    num, den = value.as_integer_ratio()
    a, b = num.bit_length(), den.bit_length()
    long = f"{num / den!r} to double precision" if abs(a - b) < 1000 else "beyond all doubles"
    return str(value) if max(a, b) <= 64 else long


def check(document: object, *, folder: Path | None = None, problem: Problem | None = None) -> str:
    """Return a certificate's claim in words, or raise CheckError; its problem may come parsed."""
    _need(min(5e-324, 1) > 0, "this thread was told to take subnormal numbers for 0", LIMIT)
    parts = _Value(document, "certificate").fields("schema claim problem witness")
    _need(parts["schema"].it == SCHEMA, f"schema must be {SCHEMA}")
    kind = _Value(parts["claim"].of(dict).get("kind"), "claim.kind").of(str)
    _need(kind in _FORMS, f"claim.kind must be one of {', '.join(_FORMS)}")
    claim = parts["claim"].fields(f"kind {_FORMS[kind][0].replace('|', '|kind ')}")
    witness = parts["witness"].fields(_FORMS[kind][1])
    problem = problem or Problem(parts["problem"].it, folder)
    _need(problem.spec == parts["problem"].it, "the problem handed over is another one")
    problem.weights.work = 0
    same = {"bounds": "optimum", "unique": "vertex", "irredundant": "redundant"}  # one function
    fact = getattr(problem, f"_claim_{same.get(kind, kind.partition('_')[0])}")(claim, witness)
    text = (
        "For the real-arithmetic layer with the stored weights, not its float execution "
        f"({problem.n} units, {len(problem.plus)} of them active, {problem.d} inputs, "
        f"{problem.domain} domain, tolerance {_words(problem.tolerance)}, problem sha256 "
        f"{problem.digest}), and C its collision polytope: {fact}."
    )
    return re.sub(r"\b1 (unit|input|point|extreme ray|line)s(?=[,.]| and)", r"1 \1", text)


def check_file(path: str | Path, known: dict[str, Problem] | None = None) -> str:
    """Check a certificate file, beside the files it names; `known` holds the last one's problem."""
    data = _read_file(Path(path), MAX_CERTIFICATE_BYTES, "the certificate")
    document, folder = _Value.read(data, "the certificate"), Path(path).parent
    spec = document.fields("schema claim problem witness")["problem"].it
    known, text = {} if known is None else known, f"{folder}\0{json.dumps(spec, sort_keys=True)}"
    if text not in known:
        known.clear()  # its memory goes first
        known[text] = Problem(spec, folder)
    return check(document.it, problem=known[text])


def main(argv: Sequence[str] | None = None) -> int:
    """Check each file, print a line for each, return the exit code (3 before 2 before 4)."""
    paths = list(sys.argv[1:] if argv is None else argv)
    if not paths or paths[0] in ("-h", "--help"):
        print(__doc__)
        return 0 if paths else MALFORMED
    codes, known = {0}, dict[str, Problem]()
    for path in paths:
        try:
            print(f"{path!a}: proved. {check_file(path, known)}", flush=True)
        except (CheckError, MemoryError) as error:
            codes.add(getattr(error, "code", LIMIT))
            print(f"{path!a}: not accepted: {str(error) or 'out of memory'}", flush=True)
        except KeyboardInterrupt:
            return 130
    return next(code for code in (REFUSED, MALFORMED, LIMIT, 0) if code in codes)


if __name__ == "__main__":
    sys.exit(main())
