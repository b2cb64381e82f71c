"""May I believe this certificate?  One file, nothing but the Python standard library.

    python -I -S checker.py FILE...        (or: python -m polytope.checker FILE...)

prints each claim in words, or the reason for refusal.  Exit code: 0 every claim is proved, 3 a
claim is refused, 2 a file is no certificate, 4 a limit of this checker was hit.

A layer y = max(0, W x + b) of N units and d inputs, weights taken exactly as stored, a target x_t
and a domain define the collision polytope C (Li, Zhang & Malik 2019, Proposition 1; tolerance e:
ours): all x of the domain with |max(0, W x + b) - y| <= e, where y = max(0, W x_t + b).  Nothing is
solved here: C is rebuilt from the stored numbers, integers are multiplied and compared; comments
prove that what is accepted is true (format: docs/certificates.md).  With z = W x_t + b, C has
    e = 0:  ["equality", i]  w_i x = z_i - b_i  where z_i > 0 (active);
            ["upper", i]  w_i x <= -b_i  for the other units;
    e > 0:  ["upper", i]  w_i x <= y_i + e - b_i  for all units;
            ["lower", i]  -w_i x <= -(y_i - e - b_i)  where y_i > e (else max(0, .) >= y_i - e);
    the bounds ["floor", j]  -x_j <= -lo_j  and  ["ceiling", j]  x_j <= up_j  that there are.
"""

from __future__ import annotations

import hashlib
import json
import re
import struct
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from fractions import Fraction
from functools import partial, reduce
from math import isfinite, lcm, prod
from operator import and_, mul
from pathlib import Path
from typing import Any, NamedTuple

SCHEMA = "collision-polytopes/certificate/1"

# What a file may ask for.  VGG-16's fc6 fits: 4,096 x 25,088 weights (411 MB), a 1,113-row minor.
MAX_CERTIFICATE_BYTES, MAX_TENSOR_FILE_BYTES = 1 << 28, 1 << 31
MAX_ELEMENTS, MAX_BITS = 1 << 28, 1 << 18  # of one array; of one number or common denominator
MAX_WORK = 1 << 38  # multiplications of 64-bit words: some ten minutes
MAX_CACHED = 1 << 22  # weights kept as integers; a larger matrix is decoded again row by row

_CODES = {"F16": "e", "F32": "f", "F64": "d", "BF16": "H", "I8": "b", "I16": "h"}
_CODES |= {"I32": "i", "I64": "q", "U8": "B", "U16": "H", "U32": "I", "U64": "Q"}

# Kind of claim: keys of the claim beside `kind`: keys of the witness ("|" between the forms).
_KINDS = """\
contains:: point
empty:: multipliers
optimum:unit value vertex|objective constant value vertex:point multipliers|point multipliers vertex
vertex: point: vertex
unbounded_objective: unit|objective constant: point ray
rank_positive: rank: minor span
kernel: holds: span|minor|unit minor span|unit ray
dimension: value paper_bound: empty|interior implicit minor span
lineality: dimension: |minor span
bounded:: box|empty|multipliers minor
unbounded:: point ray|point wide
nearest: from norm distance|from norm lower_squared upper_squared: point functional multipliers
generators: points rays lines: implicit minor pivots perturbation bases
redundant: inequality: multipliers
irredundant: inequality: point"""
_FORMS = {kind: forms for kind, *forms in (re.split(": *", line) for line in _KINDS.splitlines())}

MALFORMED, REFUSED, LIMIT = 2, 3, 4  # why a certificate is not accepted: the exit codes

Row = tuple[str, int]  # (kind, unit), or (side, coordinate) for a bound
Rows = Collection[Row]
_SIDES = ("floor", "ceiling")  # the kinds of bounds
Bound = tuple["Fraction | None", "Vector", set[Row]]
Fields = dict[str, Any]
Folder = str | Path | None


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


def _load_json(data: bytes, name: str) -> object:
    def unique(pairs: list[tuple[str, object]]) -> Fields:
        _need(len(dict(pairs)) == len(pairs), "a JSON object has the same key twice")
        return dict(pairs)

    try:  # a float or NaN gets through, and is refused where an exact number is due
        return json.loads(data.decode("utf-8"), object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:  # also an integer of thousands of digits
        raise CheckError(f"{name} is not JSON: {error!a:.90}") from None


def _read_file(path: Path, most: int, name: str) -> bytes:
    try:
        _need(path.is_file() or not path.exists(), f"{name} is not a regular file")
        _limit(path.stat().st_size, most, f"bytes of {name}")
        return path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise CheckError(f"{name} cannot be read: {error!a:.90}") from None


def _typed(value: object, kind: type, name: str) -> Any:
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise CheckError(f"{name} must be of type {kind.__name__}, got {type(value).__name__}")
    return value


def _fields(value: object, name: str, forms: str) -> Fields:
    """Return an object that has exactly the keys of one of the forms ("a b|a c": two forms)."""
    fields: Fields = _typed(value, dict, name)
    known = any(fields.keys() == set(form.split()) for form in forms.split("|"))
    _need(known, f"{name} must have exactly the keys {forms.replace('|', ' or ') or 'of {}'}")
    return fields


def _number(value: object, name: str, low: int = -(10**15), high: int = 10**15) -> int:
    number: int = _typed(value, int, name)
    _need(low <= number < high, f"{name} must lie in {low}..{high - 1}")
    return number


def _indices(value: object, size: int, name: str) -> list[int]:
    numbers = [_number(item, name, 0, size) for item in _typed(value, list, name)]
    _need(len(set(numbers)) == len(numbers), f"{name} has a repeated index")
    return numbers


def _integers(value: object, name: str, length: int) -> list[int]:
    """Return `length` integers, each written as INT: -?[0-9a-f]+."""
    items: list[str] = _typed(value, list, name)
    _need(len(items) == length, f"{name} must have {length} entries, got {len(items)}")
    _need(all(isinstance(item, str) for item in items), f"{name} must hold hex strings only")
    _limit(4 * max(map(len, items), default=0), MAX_BITS, f"bits of a number in {name}")
    joined = "".join([item + "," for item in items])  # one match: a minor has a million entries
    hexes = re.fullmatch(r"(?:-?[0-9a-f]+,)*", joined)
    _need(hexes and joined.count(",") == length, f"{name} is not all hex")
    return [int(item, 16) for item in items]


def _rational(value: object, name: str) -> Fraction:
    num, den = _integers(value, name, 2)
    _need(den > 0, f"{name} has a denominator that is not positive")
    return Fraction(num, den)


class Vector(NamedTuple):
    """The vector num / den, den > 0."""

    num: list[int]
    den: int

    def dot(self, other: Vector) -> Fraction:
        """Return the inner product."""
        return Fraction(sum(map(mul, self.num, other.num)), self.den * other.den)


def _vector(value: object, length: int, name: str) -> Vector:
    """Return a VEC of the given length, dense or sparse."""
    parts = _fields(value, name, "den num|length index den num")
    den = _rational(["1", parts["den"]], f"{name}.den").denominator
    if "index" not in parts:
        return Vector(_integers(parts["num"], f"{name}.num", length), den)
    _number(parts["length"], f"{name}.length", length, length + 1)
    index = _indices(parts["index"], length, f"{name}.index")
    _need(index == sorted(index), f"{name}.index must increase")
    entries = dict(zip(index, _integers(parts["num"], f"{name}.num", len(index)), strict=True))
    return Vector([entries.get(j, 0) for j in range(length)], den)


def _common(denominators: Iterable[int]) -> int:
    result = 1
    for den in denominators:
        result = lcm(result, den)
        _limit(result.bit_length(), MAX_BITS, "bits of a common denominator")
    return result


def _scaled(values: Iterable[float | Fraction]) -> Vector:
    """Return the values over their least common denominator; exact, as floats are dyadic."""
    ratios = [value.as_integer_ratio() for value in values]
    common = _common({den for _, den in ratios})
    factor = {den: common // den for den in {den for _, den in ratios}}
    return Vector([num * factor[den] for num, den in ratios], common)


def _tensor(spec: Fields, name: str, folder: Folder) -> tuple[Fields, memoryview]:
    """Return the header entry and the bytes of the tensor {"file", "tensor", "sha256"} names."""
    file, tensor = _typed(spec["file"], str, name), _typed(spec["tensor"], str, name)
    plain = re.fullmatch(r"(?!.*\.\.)\w[\w.-]*\.safetensors", file, re.ASCII)
    _need(plain, f"{name}.file is not a plain name")
    _need(folder is not None, f"{name} is in the file {file}, but no folder is known")
    data = _read_file(Path(folder or "") / file, MAX_TENSOR_FILE_BYTES, file)
    digest = hashlib.sha256(data).hexdigest()
    _need(spec["sha256"] == digest, f"{file} has SHA-256 {digest}, not the one stated for {name}")
    start = 8 + int.from_bytes(data[:8], "little")
    _need(8 <= start <= len(data), f"{file} is not a safetensors file")
    header: Fields = _typed(_load_json(data[8:start], f"header of {file}"), dict, file)
    entry = _fields(header.get(tensor), f"{tensor!a:.60} in {file}", "dtype shape data_offsets")
    ends = [_number(end, "data_offsets", 0) for end in _typed(entry["data_offsets"], list, file)]
    inside = len(ends) == 2 and ends[0] <= ends[1] <= len(data) - start
    _need(inside, f"data_offsets in {file} lie outside of the file")
    return entry, memoryview(data)[start + ends[0] : start + ends[1]]


class Array:
    """An array as stored, row-major: bytes of a dtype, or rationals; want -1: any shape."""

    def __init__(self, value: object, name: str, folder: Folder, *want: int) -> None:
        spec = _fields(value, name, "dtype shape data|dtype shape num den|file tensor sha256")
        raw, self.name, self.cache = None, name, dict[int, Vector]()
        if "file" in spec:
            spec, raw = _tensor(spec, name, folder)
        elif "data" in spec:
            text = _typed(spec["data"], str, f"{name}.data")
            _need(re.fullmatch("(?:[0-9a-f]{2})*", text), f"{name}.data is not lower-case hex")
            raw = memoryview(bytes.fromhex(text))
        self.shape = tuple(_number(n, name, 0) for n in _typed(spec["shape"], list, name))
        same = len(self.shape) == len(want) and (-1 in want or self.shape == want)
        _need(same, f"{name} must have shape {want} (-1: any), got {self.shape[:4]}")
        self.dtype, count = _typed(spec["dtype"], str, f"{name}.dtype"), prod(self.shape)
        _limit(max(count, *self.shape), MAX_ELEMENTS, f"entries of {name}")
        if raw is None:
            _need(self.dtype == "Q", f"{name}: num and den go with dtype Q")
            num, den = (_integers(spec[key], f"{name}.{key}", count) for key in ("num", "den"))
            _need(min(den, default=1) > 0, f"{name}.den has an entry that is not positive")
            self.data: memoryview | list[Fraction] = list(map(Fraction, num, den))
        else:
            _need(self.dtype in _CODES, f"{name} has the unknown dtype {self.dtype!a:.20}")
            size = count * struct.calcsize("<" + _CODES[self.dtype])
            _need(len(raw) == size, f"{name} needs {size} bytes by shape and dtype, got {len(raw)}")
            self.data = raw

    def values(self, start: int = 0, stop: int | None = None) -> Sequence[float | Fraction]:
        """Return the entries start..stop-1 (default: all) exactly; NaN and infinity are refused."""
        stop = prod(self.shape) if stop is None else stop
        if isinstance(self.data, list):
            return self.data[start:stop]
        code, n = _CODES[self.dtype], stop - start
        values = struct.unpack_from(f"<{n}{code}", self.data, start * struct.calcsize("<" + code))
        if self.dtype == "BF16":  # the upper half of a float32
            longs = struct.pack(f"<{n}I", *[half << 16 for half in values])
            values = struct.unpack(f"<{n}f", longs)
        _need(all(map(isfinite, values)), f"{self.name}: NaN or infinity in {start}..{stop - 1}")
        return values

    def row(self, unit: int) -> Vector:
        """Return w_i over its least common denominator D_i."""
        row, d = self.cache.get(unit), self.shape[1]
        if row is None:
            row = _scaled(self.values(unit * d, (unit + 1) * d))
            if prod(self.shape) <= MAX_CACHED:
                self.cache[unit] = row
        return row

    def products(self, x: Vector) -> list[tuple[int, int]]:
        """Return, for every unit, integers (p, s) with w_i x = p / s and s > 0."""
        n, d = self.shape
        words = 1 + max(map(int.bit_length, x.num)) // 64
        _limit(n * (d + (d - x.num.count(0)) * words), MAX_WORK, "work for W times a vector")
        rows = map(self.row, range(n))
        return [(sum(map(mul, row.num, x.num)), row.den * x.den) for row in rows]

    def combination(self, terms: Iterable[tuple[int, Fraction]], c: Vector) -> Vector:
        """Return c + the sum of factor w_unit over the terms (unit, factor)."""
        used = [(unit, factor) for unit, factor in terms if factor]
        den = _common((c.den, *(self.row(unit).den * f.denominator for unit, f in used)))
        bits = den.bit_length() + max((f.numerator.bit_length() for _, f in used), default=0)
        _limit(len(used) * len(c.num) * (1 + bits // 64), MAX_WORK, "work to combine rows")
        total = [v * (den // c.den) for v in c.num]
        for unit, f in used:
            row = self.row(unit)
            scale = f.numerator * (den // (row.den * f.denominator))
            total = [t + scale * a for t, a in zip(total, row.num, strict=True)]
        return Vector(total, den)


def _rows(value: object, allowed: Rows, name: str) -> list[Row]:
    rows, allowed = [], set(allowed)
    for item in _typed(value, list, name):
        _need(len(_typed(item, list, name)) == 2, f"{name} must hold pairs [kind, unit]")
        row = _typed(item[0], str, name), _number(item[1], name)
        _prove(row in allowed, f"{name}: [{row[0]!a:.20}, {row[1]}] is not a row to use here")
        rows.append(row)
    _need(len(set(rows)) == len(rows), f"{name} has a repeated row")
    return rows


class Problem:
    """The collision polytope C of document["problem"] (its files lie in `folder`), and claims."""

    def __init__(self, spec: object, folder: Folder = None) -> None:
        keys = "form weight bias domain tolerance "
        parts = _fields(spec, "problem", f"{keys} target|{keys} activation")
        self.digest = _digest(spec)
        _need(parts["form"] == "layer", "problem.form must be 'layer'")
        self.weights = Array(parts["weight"], "weight", folder, -1, -1)
        self.n, self.d = n, d = self.weights.shape
        self.zero = Vector([0] * d, 1)
        _need(d > 0, "weight has no columns: a layer without inputs")
        self.bias = [Fraction(b) for b in Array(parts["bias"], "bias", folder, n).values()]
        limits = _fields(parts["domain"], "domain", "kind|kind lower upper")
        self.domain = domain = _typed(limits["kind"], str, "domain.kind")
        known = domain == "box" if "lower" in limits else domain in ("free", "nonnegative")
        _need(known, "domain must be free, nonnegative, or box with lower and upper")
        zeros = range(d if domain == "nonnegative" else 0)
        self.bounds = bounds = {("floor", j): Fraction(0) for j in zeros}  # and right-hand sides
        for key, side, sign in (("lower", "floor", -1), ("upper", "ceiling", 1)):
            if domain == "box":
                ends = enumerate(Array(limits[key], key, folder, d).values())
                bounds |= {(side, j): sign * Fraction(end) for j, end in ends}
        widths = {j: b + bounds["floor", j] for (end, j), b in bounds.items() if end == "ceiling"}
        _need(min(widths.values(), default=0) >= 0, "domain.lower is above domain.upper")
        self.flat = {j for j, width in widths.items() if width == 0}
        self.tolerance = e = _rational(parts["tolerance"], "tolerance")
        _need(e >= 0, "tolerance is negative")
        self.target = None  # where the activation is stated
        if "target" in parts:
            self.target = _scaled(Array(parts["target"], "target", folder, d).values())
            inside = min(self.slacks(self.target, bounds).values(), default=0) >= 0
            _need(inside, "the target is outside of the domain")
            reached = self.weights.products(self.target)  # decodes all weights: refuses every NaN
            self.z = [Fraction(*wx) + b for wx, b in zip(reached, self.bias, strict=True)]
        else:
            self.weights.products(self.zero)  # to the same end
            activation = Array(parts["activation"], "activation", folder, n)
            self.z = [Fraction(y) for y in activation.values()]
            _need(min(self.z, default=0) >= 0, "activation has a negative entry")
        self.rows: dict[Row, Fraction] = {}  # and right-hand sides
        for unit, (z, b) in enumerate(zip(self.z, self.bias, strict=True)):
            y = max(z, Fraction(0))
            self.rows["equality" if y > e == 0 else "upper", unit] = y + e - b
            if y > e > 0:
                self.rows["lower", unit] = -(y - e - b)
        self.plus = [("equality", unit) for unit, z in enumerate(self.z) if z > 0]  # W+ as if e = 0
        self.minus = [("upper", unit) for unit, z in enumerate(self.z) if z <= 0]  # W- as if e = 0

    def slacks(self, x: Vector, right: Mapping[Row, Fraction]) -> dict[Row, int]:
        """Return b - a x, times a positive number, for constraints a x <= b (or =), b = right."""
        products = self.weights.products(x) if right.keys() - self.bounds.keys() else []
        slacks = {}
        for (kind, i), b in right.items():
            p, s = (x.num[i], x.den) if kind in _SIDES else products[i]
            p = -p if kind in ("lower", "floor") else p
            slacks[kind, i] = b.numerator * s - p * b.denominator
        return slacks

    def _point(self, x: Any, what: str = "point", but: Row = ("", 0)) -> tuple[Vector, set[Row]]:
        """Return a point of C, or one that violates only `but`, and all that is tight there."""
        # A ray: x + t r is in C for all x in C, t >= 0, if no slack falls along r and those of
        # equalities stay.  A line: for all t, if all stay.
        x = x if isinstance(x, Vector) else _vector(x, self.d, what)
        right = self.rows | self.bounds
        slacks = self.slacks(x, right if what == "point" else dict.fromkeys(right, Fraction(0)))
        for (kind, i), slack in slacks.items():
            kept = slack == 0 or (slack > 0 and kind != "equality" and what != "line")
            if kept == ((kind, i) == but):
                words = f"{'keeps' if kept else 'violates'} [{kind}, {i}]"
                raise CheckError(f"the {what} {words}", REFUSED)
        return x, {name for name, slack in slacks.items() if slack == 0}

    def _bound(self, value: object, c: Vector | None = None) -> Bound:
        """Return a lower bound of c x over C (None: none), g, and the inequalities used."""
        # Multipliers l (equality rows, any sign), u >= 0 (upper), v >= 0 (lower rows); c is 0 by
        # default.  Let g = c + sum l_i w_i + sum u_i w_i - sum v_i w_i, and s the multipliers times
        # the right-hand sides.  Each x in C has c x >= g x - s, as the multipliers times the rows
        # add up to at most s; and g x >= sum_j min of g_j x_j over [lo_j, up_j] (no bound where g_j
        # pushes against none).  Used: rows multiplied, floors where g_j > 0, ceilings where < 0.
        parts, bound = _fields(value, "multipliers", "equality upper lower"), Fraction(0)
        used, terms = set[Row](), list[tuple[int, Fraction]]()
        for kind in parts:
            vector = _vector(parts[kind], self.n, f"multipliers.{kind}")
            for unit in [unit for unit, entry in enumerate(vector.num) if entry]:
                factor = Fraction(vector.num[unit], vector.den)
                _prove((kind, unit) in self.rows, f"there is no row [{kind}, {unit}] to multiply")
                _prove(factor > 0 or kind == "equality", f"negative multiplier: [{kind}, {unit}]")
                bound -= factor * self.rows[kind, unit]
                terms.append((unit, -factor if kind == "lower" else factor))
                used.add((kind, unit))
        g = self.weights.combination(terms, c or self.zero)
        ends = [(_SIDES[entry < 0], j) for j, entry in enumerate(g.num) if entry]
        if not self.bounds.keys() >= set(ends):
            return None, g, used
        size = Vector([abs(entry) for entry in g.num if entry], g.den)
        return bound - size.dot(_scaled(self.bounds[end] for end in ends)), g, used.union(ends)

    def _minor(self, value: object, of: Rows, but: Collection[int] = ()) -> tuple[Rows, set[int]]:
        """Return r rows, and r columns (not in `but`) on which they are proved independent."""
        # Checked: A B = identity mod q, where A has the integer rows D_i w_i on these columns.  So
        # det A is a unit mod q, and 0 is none as q >= 2 (q need not be prime): det A != 0, and D_i
        # > 0.  A unit named twice, as upper and lower, makes two equal rows: there is no B.
        parts = _fields(value, "minor", "rows columns modulus inverse")
        rows = _rows(parts["rows"], [row for row in of if row[0] not in _SIDES], "minor.rows")
        columns = _indices(parts["columns"], self.d, "minor.columns")
        (q,) = _integers([parts["modulus"]], "minor.modulus", 1)
        _prove(not set(columns) & {*but}, "the minor uses a coordinate fixed on the whole set")
        r, inverse = len(rows), _typed(parts["inverse"], list, "minor.inverse")
        _need(len(columns) == r == len(inverse), "minor must have as many rows as columns")
        _prove(q >= 2, "minor.modulus is below 2")
        # A row of B is one big integer with a slot of `width` bytes a column, wide enough for a
        # sum of r products of residues: r^2 products of a residue with a row, not r^3 small ones.
        width = (2 * q.bit_length() + r.bit_length() + 7) // 8
        _limit(r * r * (r * width // 8 + 1) * (width // 8 + 1), MAX_WORK, "work for a minor")
        lines = (_integers(line, "minor.inverse", r) for line in inverse)
        slots = (b"".join([(v % q).to_bytes(width, "little") for v in line]) for line in lines)
        packed = [int.from_bytes(line, "little") for line in slots]
        for k, (_, unit) in enumerate(rows):
            row = self.weights.row(unit).num
            total = sum(map(mul, [row[j] % q for j in columns], packed))
            line = total.to_bytes(r * width, "little")
            for j in range(r):
                entry = int.from_bytes(line[j * width : (j + 1) * width], "little") % q
                _prove(entry == (j == k), "minor.inverse is not the inverse of the submatrix")
        return rows, set(columns)

    def _span(self, value: object, allowed: Rows, covered: Rows, but: Collection[int] = ()) -> Rows:
        """Return basis rows, among `allowed`, whose span has the `covered` rows."""
        # A covered row not in the basis equals a stated combination of it, on columns not in `but`.
        parts = _fields(value, "span", "basis combination")
        basis = _rows(parts["basis"], allowed, "span.basis")
        left = set(covered) - set(basis)
        for item in _typed(parts["combination"], list, "span.combination"):
            entry = _fields(item, "span.combination", "row coefficients")
            (row,) = _rows([entry["row"]], left, "span.combination")
            left.remove(row)
            x = _vector(entry["coefficients"], len(basis), "coefficients")
            terms = [(unit, Fraction(v, x.den)) for (_, unit), v in zip(basis, x.num, strict=True)]
            rest = self.weights.combination([*terms, (row[1], Fraction(-1))], self.zero).num
            equal = not any(v for j, v in enumerate(rest) if j not in but)
            _prove(equal, f"the row [{row[0]}, {row[1]}] is not the stated combination")
        _prove(not left, f"the span leaves out {len(left)} rows")
        return basis

    def _rank(self, parts: Fields, matrix: Rows, but: Collection[int] = ()) -> int:
        """Return the rank r outside of `but`: a minor; no more rows or columns, or r span all."""
        r, span = len(self._minor(parts["minor"], matrix, but)[0]), parts["span"]
        most = len(matrix if span is None else self._span(span, matrix, matrix, but))
        _prove(r in (most, self.d - len({*but})), f"rank {r} shown, at most {most} shown")
        return r

    def _objective(self, claim: Fields) -> tuple[Vector, Fraction, str]:
        if "unit" in claim:
            unit = _number(claim["unit"], "claim.unit", 0, self.n)
            return self.weights.row(unit), self.bias[unit], f"the pre-activation of unit {unit}"
        c = _vector(claim["objective"], self.d, "claim.objective")
        return c, _rational(claim["constant"], "claim.constant"), "the stated objective"

    def _claim_contains(self, _: Fields, witness: Fields) -> str:
        self._point(witness["point"])
        return "the stated point lies in C"

    def _claim_empty(self, _: Fields, witness: Fields) -> str:
        # A positive lower bound of 0 x over C says that C has no x.
        bound = self._bound(witness["multipliers"])[0]
        _prove(bound is not None and bound > 0, "the multipliers do not give a contradiction")
        return "C is empty"

    def _claim_optimum(self, claim: Fields, witness: Fields) -> str:
        # A point of C attains the value, and the bound is no lower.
        vertex = _typed(claim["vertex"], bool, "claim.vertex")
        _need(("vertex" in witness) == vertex, "witness.vertex goes with claim.vertex = true")
        c, constant, name = self._objective(claim)
        value = _rational(claim["value"], "claim.value")
        x, tight = self._point(witness["point"])
        _prove(c.dot(x) + constant == value, "the point does not have the stated value")
        bound = self._bound(witness["multipliers"], c)[0]
        _prove(bound is not None and bound + constant == value, "the multipliers prove less")
        where = "point" if not vertex else self._vertex(tight, witness["vertex"])
        return f"the minimum of {name} over C is {_words(value)}, attained at a {where} of C"

    def _vertex(self, tight: Rows, value: object) -> str:
        # Tight are the minor's rows, and x_j = its bound for each j that is no column of the minor:
        # ordered so, a block triangular matrix of rank d, with the minor and 1s on the diagonal.
        held = {j for side, j in tight if side in _SIDES}
        loose = set(range(self.d)) - held - self._minor(value, tight)[1]
        _prove(not loose, f"{len(loose)} coordinates are neither at a bound nor in the minor")
        return "vertex"

    def _claim_vertex(self, claim: Fields, witness: Fields) -> str:
        vertex = self._vertex(self._point(claim["point"])[1], witness["vertex"])
        return f"the stated point is a {vertex} of C"

    def _claim_rank_positive(self, claim: Fields, witness: Fields) -> str:
        rank = self._rank(witness, self.plus)
        _prove(rank == _number(claim["rank"], "claim.rank"), f"the witness proves rank {rank}")
        return f"the {len(self.plus)} active rows W+ have rank {rank}"

    def _claim_kernel(self, claim: Fields, witness: Fields) -> str:
        # It holds if W+ has rank d or spans W-.  Not if W+ r = 0 and w_i r != 0 for an inactive i,
        # nor if w_i is independent (minor) of rows that are W+ or span it: outside its row space.
        holds = _typed(claim["holds"], bool, "claim.holds")
        _need(("unit" in witness) != holds, "the witness is one for the opposite claim")
        if holds:
            if "span" in witness:
                self._span(witness["span"], self.plus, self.minus)
            elif len(self._minor(witness["minor"], self.plus)[0]) < self.d:
                raise CheckError(f"the minor does not show W+ to have rank {self.d}", REFUSED)
            return "the kernel condition holds: ker W+ lies in ker W-"
        unit = _number(witness["unit"], "witness.unit", 0, self.n)
        _prove(("upper", unit) in self.minus, f"unit {unit} is active: its row is not in W-")
        if "ray" in witness:
            products = self.weights.products(_vector(witness["ray"], self.d, "ray"))
            _prove(not any(products[i][0] for _, i in self.plus), "the ray is not in ker W+")
            _prove(products[unit][0] != 0, f"the ray does not change unit {unit}")
        else:
            rows, span = [*self.plus, ("upper", unit)], witness["span"]
            basis: Rows = self.plus if span is None else self._span(span, self.plus, self.plus)
            same = {*self._minor(witness["minor"], rows)[0]} == {*basis, ("upper", unit)}
            _prove(same, "the minor is not of W+ and the unit")
        return f"the kernel condition fails: a direction in ker W+ changes the inactive unit {unit}"

    def _interior(self, witness: Fields, held: set[Row]) -> int | None:
        """Show a point of C strict in all constraints but those held."""
        # Given, or near the target: x_t is in C, all inactive z_i are < 0, and W+ is invertible on
        # columns K strictly inside their bounds.  Let t_j be 1 where x_t is at its lower bound, -1
        # at its upper one, 0 if fixed or elsewhere outside of K; solve W+ t = 0 for t on K: x_t + h
        # t with a small h > 0 is the point.  N+ is the rank of W+ then; no column of K is fixed.
        parts = _fields(witness["interior"], "interior", "point|target")
        if "point" in parts:
            loose = len(self._point(parts["point"])[1] - held)
            _prove(not loose, f"the interior point is tight in {loose} inequalities")
            return None
        if self.target is None or self.tolerance or witness["implicit"] is not None or 0 in self.z:
            raise CheckError("the target is not shown to be near an interior point", REFUSED)
        rows, columns = self._minor(parts["target"], self.plus)
        _prove(len(rows) == len(self.plus), "interior.target must have every active row")
        ends = {j for (_, j), gap in self.slacks(self.target, self.bounds).items() if gap == 0}
        _prove(columns.isdisjoint(ends), "interior.target uses a coordinate at a bound")
        return len(rows)

    def _hull(self, implicit: object) -> tuple[set[Row], set[int], set[Row]]:
        """Return rows tight on all of C (E), coordinates fixed there (J), both as constraints."""
        # x_j is fixed where lo_j = up_j.  bound(0, implicit) = 0 makes the inequalities in `_bound`
        # equations for every x in C: all that is used there is tight on all of C.
        equal, fixed = {row for row in self.rows if row[0] == "equality"}, self.flat
        if implicit is not None:
            bound, _, used = self._bound(implicit)
            _prove(bound == 0, "the implicit multipliers do not give the bound 0")
            fixed = fixed | {j for side, j in used if side in _SIDES}
            equal |= used & self.rows.keys()
        return equal, fixed, equal | {(side, j) for side, j in self.bounds if j in fixed}

    def _claim_dimension(self, claim: Fields, witness: Fields) -> str:
        # C lies in F = {E tight, x_J fixed}, of dimension d - |J| - rank of E on the columns
        # outside of J.  The interior point is strict in everything else: near it, F lies in C.
        found, paper = -1, self.d - len(self.plus)
        if "empty" in witness:
            self._claim_empty(claim, {"multipliers": witness["empty"]})
        else:
            equal, fixed, held = self._hull(witness["implicit"])
            rank = self._interior(witness, held)
            if rank is None or witness["minor"] is not None or witness["span"] is not None:
                rank = self._rank(witness, equal, fixed)
            found = self.d - len(fixed) - rank
        stated = _number(claim["value"], "value"), _number(claim["paper_bound"], "paper_bound")
        _prove(stated == (found, paper), f"shown are dimension {found}, paper_bound {paper}")
        words = f"has dimension {found}" if found >= 0 else "is empty: dimension -1"
        return f"C {words} (the paper's bound d - N+ is {paper})"

    def _claim_lineality(self, claim: Fields, witness: Fields) -> str:
        # A bound on every coordinate leaves no line.  On the free domain every unit has an equality
        # or upper row; r and -r both keep it iff w_i r = 0: the space is ker W, dim d - rank W.
        found, free = 0, self.domain == "free"
        _need(bool(witness) == free, "the witness is {} except on the free domain")
        if free:
            found = self.d - self._rank(witness, [row for row in self.rows if row[0] != "lower"])
        _prove(_number(claim["dimension"], "dimension") == found, f"the witness proves {found}")
        return f"the lineality space of C (where C is not empty) has dimension {found}"

    def _claim_bounded(self, claim: Fields, witness: Fields) -> str:
        # In a box; or empty; or each r in the recession cone is 0: g = sum l_i w_i + sum u_i w_i -
        # sum v_i w_i has g r <= 0, as all terms have, and g r >= 0, as g >= 0 and r >= 0 (or g = 0:
        # free).  So w_i r = 0 in equalities and rows multiplied, r_j = 0 where g_j > 0; the minor,
        # of such rows, has all other columns j, so the minor times r on its columns is 0.
        if "box" in witness:
            _prove(witness["box"] is True and self.domain == "box", "the domain is not a box")
        elif "empty" in witness:
            self._claim_empty(claim, {"multipliers": witness["empty"]})
        else:
            _, g, used = self._bound(witness["multipliers"])
            _prove(min(g.num) >= 0, "the combination of rows has a negative entry")
            _prove(self.bounds or not any(g.num), "the combination of rows is not 0")
            _, columns = self._minor(witness["minor"], self._hull(None)[0] | used)
            loose = {j for j, entry in enumerate(g.num) if entry == 0} - columns
            _prove(not loose, f"{len(loose)} coordinates are neither held by g nor in the minor")
        return "C is bounded"

    def _claim_unbounded(self, claim: Fields, witness: Fields) -> str:
        # A point and a ray r != 0, on which the objective falls; `wide`: ker W has one, as N < d.
        self._point(witness["point"])
        if "wide" in witness:
            wide = witness["wide"] is True and self.domain == "free" and self.n < self.d
            _prove(wide, "'wide' needs the free domain and N < d")
            return "C is unbounded"
        ray, _ = self._point(witness["ray"], "ray")
        _prove(any(ray.num), "the ray is zero")
        c, _, name = self._objective(claim) if len(claim) > 1 else (self.zero, 0, "")
        _prove(not name or c.dot(ray) < 0, "the objective does not fall along the ray")
        return f"{name} is unbounded below on C" if name else "C is unbounded"

    _claim_unbounded_objective = _claim_unbounded

    def _claim_redundant(self, claim: Fields, witness: Fields) -> str:
        # Others that show -a x >= -b imply a x <= b; a point that violates it alone refutes that.
        allowed = [name for name in self.rows | self.bounds if name[0] != "equality"]
        ((kind, i),) = _rows([claim["inequality"]], allowed, "claim.inequality")
        if "point" in witness:
            self._point(witness["point"], but=(kind, i))
            return f"[{kind}, {i}] does not follow from the other constraints of C"
        a = Vector([int(i == j) for j in range(self.d)], 1)
        a = a if kind in _SIDES else self.weights.row(i)
        minus = Vector([v if kind in ("lower", "floor") else -v for v in a.num], a.den)
        bound, _, used = self._bound(witness["multipliers"], minus)
        _prove((kind, i) not in used, "the multipliers use the inequality itself")
        right = (self.rows | self.bounds)[kind, i]
        _prove(bound is not None and bound >= -right, "the multipliers prove less")
        return f"[{kind}, {i}] follows from the other constraints of C"

    _claim_irredundant = _claim_redundant

    def _claim_generators(self, claim: Fields, witness: Fields) -> str:
        # With shifts 0: C lies in F = {E tight, x_J fixed}, of dimension at most k = d - |J| - r,
        # r the size of the minor.  Lines keep all slacks and are diagonal on the pivots, so they
        # are independent: C = C' + lines, where C' is 0 at the pivots and lies in F', of dimension
        # at most n = k - #lines.  Sides: the inequalities outside of E and J.  A listed v has n
        # tight sides T, as no other.  For each i in T a listed point or ray gives a direction of F'
        # that keeps T but i tight, and makes i slack.  These n are independent: dim F' = n, T is
        # independent on F', v is a vertex of C', and its n edges lead along them to listed vertices
        # or to infinity.  C' has a vertex, so no line: its graph is connected.  So all vertices are
        # listed, and all infinite edges: all extreme rays, each once.
        # With shifts, for each small e > 0, the v + e shift are thus the vertices of C_e, with b +
        # e delta for b at the sides, delta >= 0: slacks are (slack at v) + e (delta - a shift).  It
        # has the rays of C.  Each v is a vertex of C': in it, and n independent sides are tight.
        # Each vertex v of C' is listed: it is the only minimum over C' of some c.  As C_e contains
        # C', some listed v' has c (v' + e shift) <= c v; as e -> 0, c v' <= c v.
        equal, fixed, held = self._hull(witness["implicit"])
        rank = len(self._minor(witness["minor"], equal, fixed)[0])
        pivots = _indices(witness["pivots"], self.d, "pivots")
        lines = self._listed(claim["lines"], "lines")
        for i, line in enumerate(lines):
            diagonal = [bool(line.num[j]) for j in pivots] == [i == k for k in range(len(lines))]
            _prove(diagonal, "the lines are not diagonal on the pivots")
            self._point(line, "line")
        points, rays = (self._listed(claim[name], name, pivots) for name in ("points", "rays"))
        n, m = self.d - len(fixed) - rank - len(lines), len(self.rows) + len(self.bounds)
        _limit(m * (m + 2 * len(rays)) // 16, MAX_CERTIFICATE_BYTES, "bytes to mark tight sides")
        bits = {name: 1 << k for k, name in enumerate({*self.rows, *self.bounds} - held)}
        at = [self._point(x)[1] for x in points]
        _prove(len(set(map(frozenset, at))) == len(at) > 0, "no point, or one is listed twice")
        tight = [[bits[name] for name in names - held] for names in at]
        if witness["perturbation"] is not None or witness["bases"] is not None:
            tight = self._shifted(witness, at, bits)
        along = dict.fromkeys(bits.values(), 0)  # side: the rays along it, a bit each
        for k, ray in enumerate(rays):
            for name in self._point(ray, "ray")[1] - held:
                along[bits[name]] |= 1 << k
        _prove(all(len(sides) == n for sides in tight), f"a point or basis has not {n} tight sides")
        _limit(len(tight) * n * n * (1 + (len(rays) + len(bits)) // 64), MAX_WORK, "work for edges")
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
        kind = "points, one on each minimal face" if lines else "vertices"
        words = f"{len(points)} {kind}, {len(rays)} extreme rays and {len(lines)} lines"
        return f"the stated lists are complete: C has exactly these {words}"

    def _listed(self, value: object, name: str, zero: Collection[int] = ()) -> list[Vector]:
        items = _typed(value, list, name)
        work = len(items) * self.d * max(self.n, MAX_WORK >> 25)  # so at most 2^25 coordinates
        _limit(work, MAX_WORK, f"work to substitute {name}")
        vectors = [_vector(item, self.d, name) for item in items]
        _prove(not any(x.num[j] for x in vectors for j in zero), f"{name} are not 0 at the pivots")
        return vectors

    def _shifted(self, witness: Fields, at: list[set[Row]], bit: dict[Row, int]) -> list[list[int]]:
        """Return the tight sides of each basis, a bit each."""
        parts = _fields(witness["perturbation"], "perturbation", "upper lower floor ceiling")
        delta = {k: _vector(v, self.d if k in _SIDES else self.n, k) for k, v in parts.items()}
        push = {(kind, i): Fraction(delta[kind].num[i], delta[kind].den) for kind, i in bit}
        _prove(min(push.values(), default=0) >= 0, "the perturbation is negative somewhere")
        base = [_fields(v, "basis", "point shift") for v in _typed(witness["bases"], list, "bases")]
        owners = [_number(basis["point"], "basis.point", 0, len(at)) for basis in base]
        _prove(len(set(owners)) == len(at), "a point is in no basis")
        shifts = self._listed([basis["shift"] for basis in base], "shifts", witness["pivots"])
        tight = []
        for owner, shift in zip(owners, shifts, strict=True):
            rates = self.slacks(shift, {name: push.get(name, Fraction(0)) for name in at[owner]})
            kept = all(rate == 0 or (rate > 0 and name in bit) for name, rate in rates.items())
            _prove(kept, "a shift leaves the perturbed set")
            tight.append([bit[name] for name in rates if name in bit and rates[name] == 0])
        return tight

    def _claim_nearest(self, claim: Fields, witness: Fields) -> str:
        # The given point of C is at the upper distance.  For every x in C, |x - f| >= g (x - f) >=
        # bound(g) - g f, as the dual norm of g (l1, linf, l2 for linf, l1, l2) is at most 1.
        norm = _typed(claim["norm"], str, "claim.norm")
        known = norm in ("linf", "l1") if "distance" in claim else norm == "l2"
        _need(known, "claim.norm must be linf or l1 (with distance) or l2 (with squared bounds)")
        f, g = _vector(claim["from"], self.d, "from"), _vector(witness["functional"], self.d, "g")
        x = self._point(witness["point"])[0]
        steps = [abs(a * f.den - b * x.den) for a, b in zip(x.num, f.num, strict=True)]
        step, size = Vector(steps, x.den * f.den), [abs(entry) for entry in g.num]
        dual = sum(size) if norm == "linf" else max(size)
        _prove(g.dot(g) <= 1 if norm == "l2" else dual <= g.den, "the functional is too long")
        bound = self._bound(witness["multipliers"], g)[0]
        lower = Fraction(-1) if bound is None else bound - g.dot(f)
        if norm != "l2":
            distance = _rational(claim["distance"], "claim.distance")
            reached = Fraction(sum(steps) if norm == "l1" else max(steps), step.den)
            _prove(reached == distance, "the point is not at the stated distance")
            _prove(lower >= distance, "the functional does not prove the stated distance")
            return f"the {norm} distance from the stated point to C is {_words(distance)}"
        low, high = (_rational(claim[f"{end}_squared"], end) for end in ("lower", "upper"))
        _prove(step.dot(step) <= high, "the point is farther away than the stated upper bound")
        _prove(low == 0 or (lower > 0 and lower**2 >= low > 0), "the lower bound is not proved")
        return f"the squared l2 distance to C lies between {_words(low)} and {_words(high)}"


def _words(value: Fraction) -> str:
    num, den = value.as_integer_ratio()
    if max(num.bit_length(), den.bit_length()) <= 64:
        return str(value)
    fits = abs(num.bit_length() - den.bit_length()) < 1000
    return f"{num / den!r} to double precision" if fits else "exactly as stated"


def _digest(spec: object) -> str:
    """Return the SHA-256 of the problem as canonical JSON (files count by their own SHA-256)."""
    try:
        text = json.dumps(spec, sort_keys=True, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError):
        raise CheckError("the problem is not JSON") from None
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def check(document: object, *, folder: Folder = None, problem: Problem | None = None) -> str:
    """Return a certificate's claim in words, or raise CheckError; its problem may come parsed."""
    parts = _fields(document, "the certificate", "schema claim problem witness")
    _need(parts["schema"] == SCHEMA, f"schema must be {SCHEMA}")
    kind = _typed(_typed(parts["claim"], dict, "claim").get("kind"), str, "claim.kind")
    _need(kind in _FORMS, f"claim.kind must be one of {', '.join(_FORMS)}")
    forms = _FORMS[kind]
    claim = _fields(parts["claim"], "claim", f"kind {forms[0].replace('|', '|kind ')}")
    witness = _fields(parts["witness"], "witness", forms[1])
    problem = problem or Problem(parts["problem"], folder)
    _need(problem.digest == _digest(parts["problem"]), "the problem handed over is another one")
    fact: str = getattr(problem, f"_claim_{kind}")(claim, witness)
    return (
        "For the real-arithmetic layer with the stored weights, not its float execution "
        f"({problem.n} units, {len(problem.plus)} of them active, {problem.d} inputs, "
        f"{problem.domain} domain, tolerance {_words(problem.tolerance)}, problem sha256 "
        f"{problem.digest[:16]}), and C its collision polytope: {fact}."
    )


def check_file(path: str | Path) -> str:
    """Check a certificate file; the files it names must lie beside it."""
    data = _read_file(Path(path), MAX_CERTIFICATE_BYTES, "the certificate")
    return check(_load_json(data, "the certificate"), folder=Path(path).parent)


def main(argv: Sequence[str] | None = None) -> int:
    """Check each file, print a line for each, return the exit code (3 before 2 before 4)."""
    paths = list(sys.argv[1:] if argv is None else argv)
    if not paths or paths[0] in ("-h", "--help"):
        print(__doc__)
        return 0 if paths else MALFORMED
    codes = {0}
    for path in paths:
        try:
            print(f"{path!a}: proved. {check_file(path)}", flush=True)
        except (CheckError, MemoryError) as error:
            codes.add(getattr(error, "code", LIMIT))
            print(f"{path!a}: not accepted: {error or 'out of memory'}", flush=True)
        except KeyboardInterrupt:
            return 130
    return next(code for code in (REFUSED, MALFORMED, LIMIT, 0) if code in codes)


if __name__ == "__main__":
    sys.exit(main())
