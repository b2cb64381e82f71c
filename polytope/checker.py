"""May I believe this certificate?  One file, nothing but the Python standard library.

    python -I -S checker.py FILE...        (or: python -m polytope.checker FILE...)

prints each claim in words, or the reason for refusal.  Exit code: 0 every claim is proved, 3 a
claim is refused, 2 a file is no certificate, 4 a limit of this checker was hit.

A layer y = max(0, W x + b) of N units and d inputs, weights taken exactly as stored, a target x_t
and a domain define the collision polytope C (Li, Zhang & Malik 2019, Proposition 1; tolerance e:
ours): all x of the domain with |max(0, W x + b) - y| <= e, where y = max(0, W x_t + b).  Nothing is
solved here: the rows of C are rebuilt from the stored numbers, multiplied and compared in integers
(stored floats are converted exactly).  In each method _claim_KIND a comment proves that what it
accepts is true; docs/certificates.md has the format.  Rows of C, with z = W x_t + b:
    e = 0:  ["equality", i]  w_i x = z_i - b_i  where z_i > 0 (active);
            ["upper", i]  w_i x <= -b_i  for the other units.
    e > 0:  ["upper", i]  w_i x <= y_i + e - b_i  for all units;
            ["lower", i]  -w_i x <= -(y_i - e - b_i)  where y_i > e (else max(0, .) >= y_i - e).
The domain adds lo_j <= x_j <= up_j, where either bound may be missing.
"""

from __future__ import annotations

import hashlib
import json
import re
import struct
import sys
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from math import isfinite, lcm, prod
from operator import mul
from pathlib import Path
from typing import TypeVar

SCHEMA = "collision-polytopes/certificate/1"

# What a file may ask for.  VGG-16's fc6 fits: 4,096 x 25,088 weights (411 MB), a 1,113-row minor.
MAX_CERTIFICATE_BYTES, MAX_TENSOR_FILE_BYTES = 1 << 28, 1 << 31
MAX_ELEMENTS, MAX_BITS = 1 << 28, 1 << 18  # of one array; of one number or common denominator
MAX_WORK = 1 << 38  # multiplications of 64-bit words: some ten minutes
MAX_CACHED = 1 << 22  # weights kept as integers; a larger matrix is decoded again row by row

MALFORMED, REFUSED, LIMIT = 2, 3, 4  # why a certificate is not accepted: the exit codes

Row = tuple[str, int]  # (kind, unit)
Rows = Collection[Row]
Bound = tuple["Fraction | None", "Vector", Rows]
Fields = dict[str, object]
Folder = str | Path | None
_T = TypeVar("_T")


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


# ---- Reading: strict JSON, exact numbers; nothing is guessed -------------------------------------

_HEX_LIST = re.compile(r"(?:-?[0-9a-f]+,)*")
_HEX_BYTES = re.compile(r"(?:[0-9a-f]{2})*")
_FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\.safetensors")


def _unique(pairs: list[tuple[str, object]]) -> Fields:
    _need(len(dict(pairs)) == len(pairs), "a JSON object has the same key twice")
    return dict(pairs)


def _load_json(data: bytes, name: str) -> object:
    try:  # a float or NaN gets through, and is refused where an exact number is due
        return json.loads(data.decode("utf-8"), object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:  # also an integer of thousands of digits
        raise CheckError(f"{name} is not JSON: {error!a:.90}") from None


def _read_file(path: Path, most: int, name: str) -> bytes:
    try:
        _need(path.is_file() or not path.exists(), f"{name} is not a regular file")
        _limit(path.stat().st_size, most, f"bytes of {name}")
        with path.open("rb") as stream:
            return stream.read(most)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise CheckError(f"{name} cannot be read: {error!a:.90}") from None


def _typed(value: object, kind: type[_T], name: str) -> _T:
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
    number = _typed(value, int, name)
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
    _need(_HEX_LIST.fullmatch(joined) and joined.count(",") == length, f"{name} is not all hex")
    return [int(item, 16) for item in items]


def _rational(value: object, name: str) -> Fraction:
    num, den = _integers(value, name, 2)
    _need(den > 0, f"{name} has a denominator that is not positive")
    return Fraction(num, den)


@dataclass(frozen=True)
class Vector:
    """The vector num / den, den > 0."""

    num: list[int]
    den: int

    def dot(self, other: Vector) -> Fraction:
        """Return the inner product."""
        return Fraction(sum(map(mul, self.num, other.num)), self.den * other.den)


def _vector(value: object, length: int, name: str) -> Vector:
    """Return a VEC of the given length, dense or sparse."""
    parts = _fields(value, name, "den num|length index den num")
    (den,) = _integers([parts["den"]], f"{name}.den", 1)
    _need(den > 0, f"{name}.den is not positive")
    if "index" not in parts:
        return Vector(_integers(parts["num"], f"{name}.num", length), den)
    _number(parts["length"], f"{name}.length", length, length + 1)
    index = _indices(parts["index"], length, f"{name}.index")
    _need(index == sorted(index), f"{name}.index must increase")
    num = [0] * length
    for j, entry in zip(index, _integers(parts["num"], f"{name}.num", len(index)), strict=True):
        num[j] = entry
    return Vector(num, den)


def _common(denominators: Iterable[int]) -> int:
    result = 1
    for den in denominators:
        result = lcm(result, den)
        _limit(result.bit_length(), MAX_BITS, "bits of a common denominator")
    return result


def _scaled(values: Iterable[float | Fraction]) -> Vector:
    """Return the values over their least common denominator; exact, as floats are dyadic."""
    ratios = [value.as_integer_ratio() for value in values]
    dens = {den for _, den in ratios}
    common = _common(dens)
    factor = {den: common // den for den in dens}
    return Vector([num * factor[den] for num, den in ratios], common)


# ---- The problem: arrays, domain, rows -----------------------------------------------------------

_CODES = {"F16": "e", "F32": "f", "F64": "d", "BF16": "H", "I8": "b", "I16": "h"}
_CODES |= {"I32": "i", "I64": "q", "U8": "B", "U16": "H", "U32": "I", "U64": "Q"}


@dataclass(frozen=True)
class Array:
    """An array as stored, row-major: little-endian bytes of a dtype, or rationals (dtype Q)."""

    shape: tuple[int, ...]
    dtype: str
    data: memoryview | list[Fraction]
    name: str
    cache: dict[int, Vector] = field(default_factory=dict)

    def values(self, start: int = 0, stop: int | None = None) -> Sequence[float | Fraction]:
        """Return the entries start..stop-1 (default: all) exactly; NaN and infinity are refused."""
        stop = prod(self.shape) if stop is None else stop
        if isinstance(self.data, list):
            return self.data[start:stop]
        code, count = _CODES[self.dtype], stop - start
        offset = start * struct.calcsize("<" + code)
        values = struct.unpack_from(f"<{count}{code}", self.data, offset)
        if self.dtype == "BF16":  # the upper half of a float32
            longs = struct.pack(f"<{count}I", *[half << 16 for half in values])
            values = struct.unpack(f"<{count}f", longs)
        _need(all(map(isfinite, values)), f"{self.name}: NaN or infinity in {start}..{stop - 1}")
        return values

    def row(self, unit: int, columns: list[int] | None = None) -> Vector:
        """Return w_i over its least common denominator D_i, or its entries at some columns."""
        n, d = self.shape
        if n * d > MAX_CACHED:
            values = self.values(unit * d, (unit + 1) * d)
            return _scaled(values if columns is None else [values[j] for j in columns])
        if unit not in self.cache:
            self.cache[unit] = _scaled(self.values(unit * d, (unit + 1) * d))
        row = self.cache[unit]
        return row if columns is None else Vector([row.num[j] for j in columns], row.den)

    def products(self, x: Vector) -> list[tuple[int, int]]:
        """Return, for every unit, integers (p, s) with w_i x = p / s and s > 0."""
        n, d = self.shape
        columns = [j for j, entry in enumerate(x.num) if entry]
        factors = [x.num[j] for j in columns]
        words = 1 + max(map(int.bit_length, x.num)) // 64
        _limit(n * (d + len(columns) * words), MAX_WORK, "work for W times a vector")
        rows = (self.row(unit, columns) for unit in range(n))
        return [(sum(map(mul, row.num, factors)), row.den * x.den) for row in rows]

    def combination(self, units: Iterable[int], factors: Vector) -> Vector:
        """Return the sum of factors_k w_(units_k)."""
        used = [(u, factor) for u, factor in zip(units, factors.num, strict=True) if factor]
        den = _common(self.row(unit).den for unit, _ in used)
        words = 1 + (max(map(int.bit_length, factors.num), default=0) + den.bit_length()) // 64
        total = [0] * self.shape[1]
        _limit(len(used) * len(total) * words, MAX_WORK, "work for a combination of rows")
        for unit, factor in used:
            row = self.row(unit)
            scale = factor * (den // row.den)
            total = [t + scale * a for t, a in zip(total, row.num, strict=True)]
        return Vector(total, den * factors.den)


def _tensor(spec: Fields, name: str, folder: Folder) -> tuple[Fields, memoryview]:
    """Return the header entry and the bytes of the tensor {"file", "tensor", "sha256"} names."""
    file, tensor = _typed(spec["file"], str, name), _typed(spec["tensor"], str, name)
    _need(_FILE_NAME.fullmatch(file) and ".." not in file, f"{name}.file is not a plain name")
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


def _array(value: object, name: str, folder: Folder, *shape: int) -> Array:
    """Return an ARRAY of the given shape; -1 stands for any length."""
    spec = _fields(value, name, "dtype shape data|dtype shape num den|file tensor sha256")
    raw = None
    if "file" in spec:
        spec, raw = _tensor(spec, name, folder)
    elif "data" in spec:
        text = _typed(spec["data"], str, f"{name}.data")
        _need(_HEX_BYTES.fullmatch(text), f"{name}.data must be bytes in lower-case hex")
        raw = memoryview(bytes.fromhex(text))
    found = tuple(_number(n, f"{name}.shape", 0) for n in _typed(spec["shape"], list, name))
    same = len(found) == len(shape) and all(map(lambda n, m: n in (-1, m), shape, found))
    _need(same, f"{name} must have shape {shape} (-1: any), got {found[:4]}")
    count, dtype = prod(found), _typed(spec["dtype"], str, f"{name}.dtype")
    _limit(max(count, *found), MAX_ELEMENTS, f"entries of {name}")
    if raw is None:
        _need(dtype == "Q", f"{name}: num and den go with dtype Q")
        num = _integers(spec["num"], f"{name}.num", count)
        den = _integers(spec["den"], f"{name}.den", count)
        _need(min(den, default=1) > 0, f"{name}.den has an entry that is not positive")
        return Array(found, dtype, list(map(Fraction, num, den)), name)
    _need(dtype in _CODES, f"{name} has the unknown dtype {dtype!a:.20}")
    size = count * struct.calcsize("<" + _CODES[dtype])
    _need(len(raw) == size, f"{name} needs {size} bytes by shape and dtype, got {len(raw)}")
    return Array(found, dtype, raw, name)


def _rows(value: object, allowed: Rows, name: str) -> list[Row]:
    rows, allowed = [], set(allowed)
    for item in _typed(value, list, name):
        _need(len(_typed(item, list, name)) == 2, f"{name} must hold pairs [kind, unit]")
        row = _typed(item[0], str, name), _number(item[1], name)
        _prove(row in allowed, f"{name}: [{row[0]!a:.20}, {row[1]}] is not a row to use here")
        rows.append(row)
    _need(len(set(rows)) == len(rows), f"{name} has a repeated row")
    return rows


@dataclass(frozen=True)
class Problem:
    """The collision polytope C of a certificate, and the claims one can make about it."""

    weights: Array
    bias: list[Fraction]
    domain: str
    lower: Vector | None  # None: no coordinate has a lower bound
    upper: Vector | None
    tolerance: Fraction
    target: Vector | None  # None: stated by an activation
    z: list[Fraction]  # W x_t + b, or the activation; active where > 0
    rows: dict[Row, Fraction]  # the system: row -> right-hand side
    plus: list[Row]  # W+, under its tolerance-0 names whatever the tolerance
    minus: list[Row]  # W-
    n: int
    d: int
    digest: str

    def gaps(self, x: Vector) -> list[list[int]]:
        """Return for each j those of x_j - lo_j, up_j - x_j that exist, times positive numbers."""
        ends = [(b, sign) for b, sign in ((self.lower, 1), (self.upper, -1)) if b is not None]
        size = range(self.d)
        return [[s * (x.num[j] * b.den - b.num[j] * x.den) for b, s in ends] for j in size]

    def _member(self, value: object) -> tuple[Vector, set[Row], set[int]]:
        """Return a point of C (by substitution), its tight rows, its coordinates at a bound."""
        x = _vector(value, self.d, "point")
        gaps, tight = self.gaps(x), set()
        _prove(all(min(gap, default=0) >= 0 for gap in gaps), "the point is outside of the domain")
        products = self.weights.products(x)
        for (kind, unit), right in self.rows.items():
            p, s = products[unit]
            slack = right.numerator * s - (-p if kind == "lower" else p) * right.denominator
            holds = slack == 0 or (slack > 0 and kind != "equality")
            _prove(holds, f"the point violates the row [{kind}, {unit}]")
            if slack == 0:
                tight.add((kind, unit))
        return x, tight, {j for j, gap in enumerate(gaps) if 0 in gap}

    def _ray(self, value: object) -> Vector:
        """Return a ray r with x + t r in C for all x in C and all t >= 0."""
        # Adding t r keeps a row if w_i r is = 0, <= 0, >= 0 for equality, upper, lower, and the
        # bounds if r_j >= 0 where there is a lower one and r_j <= 0 where there is an upper one.
        ray = _vector(value, self.d, "ray")
        _prove(not self.lower or min(ray.num) >= 0, "the ray falls below a lower bound")
        _prove(not self.upper or max(ray.num) <= 0, "the ray rises above an upper bound")
        products = self.weights.products(ray)
        for kind, unit in self.rows:
            p = products[unit][0]
            keeps = p == 0 or (p < 0 and kind == "upper") or (p > 0 and kind == "lower")
            _prove(keeps, f"the ray leaves the row [{kind}, {unit}]")
        return ray

    def _bound(self, value: object, c: Vector | None = None) -> Bound:
        """Return a lower bound of c x over C (None: none), g, and rows with u_i > 0 or v_i > 0."""
        # Multipliers l (equality rows, any sign), u >= 0 (upper rows), v >= 0 (lower rows); c is 0
        # by default.  Let g = c + sum l_i w_i + sum u_i w_i - sum v_i w_i, and s the multipliers
        # times the right-hand sides.  As l_i, u_i, v_i times the left-hand sides w_i x, w_i x,
        # -w_i x are =, <=, <= the same times the right-hand sides, every x in C has c x >= g x - s;
        # and g x >= sum_j min of g_j x_j over [lo_j, up_j].  g_j against a missing bound: no bound.
        parts = _fields(value, "multipliers", "equality upper lower")
        vectors = {kind: _vector(parts[kind], self.n, f"multipliers.{kind}") for kind in parts}
        den = _common(vector.den for vector in vectors.values())
        net, bound, used = [0] * self.n, Fraction(0), []
        for kind, vector in vectors.items():
            for unit in [unit for unit, entry in enumerate(vector.num) if entry]:
                _prove((kind, unit) in self.rows, f"there is no row [{kind}, {unit}] to multiply")
                factor = vector.num[unit] * (den // vector.den)
                if kind != "equality":
                    _prove(factor > 0, f"the multiplier of [{kind}, {unit}] is negative")
                    used.append((kind, unit))
                net[unit] += -factor if kind == "lower" else factor
                bound -= factor * self.rows[kind, unit]
        bound /= den
        g = self.weights.combination(range(self.n), Vector(net, den))
        if c is not None:
            den = _common((g.den, c.den))
            a, b = den // g.den, den // c.den
            g = Vector([a * p + b * q for p, q in zip(g.num, c.num, strict=True)], den)
        rising, falling = [max(p, 0) for p in g.num], [min(p, 0) for p in g.num]
        for limits, push in ((self.lower, rising), (self.upper, falling)):
            if limits is not None:
                bound += Vector(push, g.den).dot(limits)
            elif any(push):
                return None, g, used
        return bound, g, used

    def _minor(self, value: object, allowed: Rows) -> tuple[Rows, set[int]]:
        """Return r rows, and r columns on which these rows w_i are proved independent."""
        # Checked: A B = identity mod q, where A has the integer rows D_i w_i on these columns.  So
        # det A det B = 1 mod q: det A is a unit mod q, and 0 is none as q >= 2 (q = 1 would prove
        # everything; q need not be prime).  So det A != 0, and D_i > 0.  A unit named twice, as
        # upper and lower, makes two equal rows of A, so there is no B.  r = 0: the empty matrix.
        parts = _fields(value, "minor", "rows columns modulus inverse")
        rows = _rows(parts["rows"], allowed, "minor.rows")
        columns = _indices(parts["columns"], self.d, "minor.columns")
        (q,) = _integers([parts["modulus"]], "minor.modulus", 1)
        r, inverse = len(rows), _typed(parts["inverse"], list, "minor.inverse")
        _need(len(columns) == r == len(inverse), "minor must have as many rows as columns")
        _prove(q >= 2, "minor.modulus is below 2")
        # A row of B is one big integer with a slot of `width` bytes a column, wide enough for a
        # sum of r products of residues: r^2 products of a residue with a row, not r^3 small ones.
        width = (2 * q.bit_length() + r.bit_length() + 7) // 8
        _limit(r * r * (r * width // 8 + 1) * (width // 8 + 1), MAX_WORK, "work for a minor")
        packed = []
        for line in inverse:
            entries = [entry % q for entry in _integers(line, "minor.inverse", r)]
            slots = b"".join([entry.to_bytes(width, "little") for entry in entries])
            packed.append(int.from_bytes(slots, "little"))
        for k, (_, unit) in enumerate(rows):
            row = self.weights.row(unit).num
            total = sum(map(mul, [row[j] % q for j in columns], packed))
            slots = total.to_bytes(r * width, "little")
            for j in range(r):
                entry = int.from_bytes(slots[j * width : (j + 1) * width], "little") % q
                _prove(entry == (j == k), "minor.inverse is not the inverse of the submatrix")
        return rows, set(columns)

    def _span(self, value: object, allowed: Rows, covered: Rows, ignored: Iterable[int]) -> Rows:
        """Return basis rows, among `allowed`, whose span has the `covered` rows."""
        # Each covered row outside of the basis comes with coefficients, and is checked to equal
        # that combination of the basis exactly, on every column that is not `ignored`.
        parts = _fields(value, "span", "basis combination")
        basis = _rows(parts["basis"], allowed, "span.basis")
        left = set(covered) - set(basis)
        columns = sorted(set(range(self.d)) - set(ignored))
        for item in _typed(parts["combination"], list, "span.combination"):
            entry = _fields(item, "span.combination", "row coefficients")
            (row,) = _rows([entry["row"]], left, "span.combination")
            left.remove(row)
            factors = _vector(entry["coefficients"], len(basis), "coefficients")
            a = self.weights.combination([unit for _, unit in basis], factors)
            b = self.weights.row(row[1])
            equal = all(a.num[j] * b.den == b.num[j] * a.den for j in columns)
            _prove(equal, f"the row [{row[0]}, {row[1]}] is not the stated combination")
        _prove(not left, f"the span leaves out {len(left)} rows")
        return basis

    def _rank(self, parts: Fields, matrix: Rows, ignored: Collection[int] = ()) -> int:
        """Return the rank r of the rows `matrix` on the columns that are not `ignored`."""
        # At least r by a minor within those rows and columns; at most r as there are only r rows,
        # or as r of them span the others.
        rows, columns = self._minor(parts["minor"], matrix)
        _prove(columns.isdisjoint(ignored), "the minor uses a coordinate fixed on the whole set")
        upper = parts["span"]
        basis = matrix if upper is None else self._span(upper, matrix, matrix, ignored)
        _prove(len(basis) == len(rows), f"rank {len(rows)} shown, at most {len(basis)} shown")
        return len(rows)

    def _objective(self, claim: Fields) -> tuple[Vector, Fraction, str]:
        if "unit" in claim:
            unit = _number(claim["unit"], "claim.unit", 0, self.n)
            return self.weights.row(unit), self.bias[unit], f"the pre-activation of unit {unit}"
        c = _vector(claim["objective"], self.d, "claim.objective")
        return c, _rational(claim["constant"], "claim.constant"), "the stated objective"

    # The claims: each method returns its claim in words, or raises CheckError.

    def _claim_contains(self, _: Fields, witness: Fields) -> str:
        self._member(witness["point"])
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
        x, tight, held = self._member(witness["point"])
        _prove(c.dot(x) + constant == value, "the point does not have the stated value")
        bound = self._bound(witness["multipliers"], c)[0]
        _prove(bound is not None and bound + constant == value, "the multipliers prove less")
        if vertex:
            self._vertex(tight, held, witness["vertex"])
        where = "vertex" if vertex else "point"
        return f"the minimum of {name} over C is {_words(value)}, attained at a {where} of C"

    def _vertex(self, tight: Rows, held: set[int], value: object) -> None:
        # A point of C at which d independent rows are tight is a vertex.  Tight are the minor's
        # rows, and x_j = its bound for each j outside of the minor's columns; in this order they
        # are block triangular, with the invertible minor and an identity on the diagonal.
        loose = set(range(self.d)) - held - self._minor(value, tight)[1]
        _prove(not loose, f"{len(loose)} coordinates are neither at a bound nor in the minor")

    def _claim_vertex(self, claim: Fields, witness: Fields) -> str:
        _, tight, held = self._member(claim["point"])
        self._vertex(tight, held, witness["vertex"])
        return "the stated point is a vertex of C"

    def _claim_unbounded_objective(self, claim: Fields, witness: Fields) -> str:
        # x + t r is in C for every t >= 0, and c (x + t r) falls without end.
        c, _, name = self._objective(claim)
        self._member(witness["point"])
        _prove(c.dot(self._ray(witness["ray"])) < 0, "the objective does not fall along the ray")
        return f"{name} is unbounded below on C"

    def _claim_rank_positive(self, claim: Fields, witness: Fields) -> str:
        rank = self._rank(witness, self.plus)
        _prove(rank == _number(claim["rank"], "claim.rank"), f"the witness proves rank {rank}")
        return f"the {len(self.plus)} active rows W+ have rank {rank}"

    def _claim_kernel(self, claim: Fields, witness: Fields) -> str:
        # ker W+ lies in ker W- if each inactive row is a combination of active rows.  It does not
        # if W+ r = 0 and w_i r != 0 for a ray r and an inactive unit i; nor if w_i is independent
        # (minor) of active rows that are all of W+ or span it: w_i is then not in the row space of
        # W+, which is the orthogonal complement of ker W+.
        holds = _typed(claim["holds"], bool, "claim.holds")
        _need(("unit" in witness) != holds, "the witness is one for the opposite claim")
        if holds:
            self._span(witness["span"], self.plus, self.minus, ())
            return "the kernel condition holds: ker W+ lies in ker W-"
        unit = _number(witness["unit"], "witness.unit", 0, self.n)
        _prove(("upper", unit) in self.minus, f"unit {unit} is active: its row is not in W-")
        if "ray" in witness:
            products = self.weights.products(_vector(witness["ray"], self.d, "ray"))
            _prove(not any(products[i][0] for _, i in self.plus), "the ray is not in ker W+")
            _prove(products[unit][0] != 0, f"the ray does not change unit {unit}")
        else:
            rows, _ = self._minor(witness["minor"], [*self.plus, ("upper", unit)])
            basis: Rows = self.plus
            if witness["span"] is not None:
                basis = self._span(witness["span"], self.plus, self.plus, ())
            _prove(set(rows) == {*basis, ("upper", unit)}, "the minor is not of W+ and the unit")
        return f"the kernel condition fails: a direction in ker W+ changes the inactive unit {unit}"

    def _interior(self, value: object, implicit: Rows | None, fixed: set[int]) -> int | None:
        """Show a point of C strict in every row and bound but implicit rows, fixed coordinates."""
        # Given, or near the target: x_t is in C as e = 0, all inactive z_i are < 0, and W+ is
        # invertible on columns K strictly inside their bounds.  Let t_j be 1 where x_t is at its
        # lower bound, -1 at its upper bound, 0 if fixed or elsewhere outside of K, and solve W+ t
        # = 0 for t on K: x_t + h t with a small h > 0 is the point.  Returned is N+, the rank of W+
        # outside of the fixed coordinates, which the minor shows too: no column of K is fixed.
        parts = _fields(value, "interior", "point|target")
        if "point" in parts:
            _, tight, held = self._member(parts["point"])
            loose = {row for row in tight if row[0] != "equality"} - set(implicit or ())
            _prove(not loose, f"the interior point is tight in {len(loose)} rows not implicit")
            _prove(held <= fixed, "the interior point is at a bound not proved to be fixed")
            return None
        strict = self.tolerance == 0 and implicit is None and all(z != 0 for z in self.z)
        if self.target is None or not strict:
            raise CheckError("the target is not shown to be near an interior point", REFUSED)
        rows, columns = self._minor(parts["target"], self.plus)
        _prove(len(rows) == len(self.plus), "interior.target must have every active row")
        held = {j for j, gap in enumerate(self.gaps(self.target)) if 0 in gap}
        _prove(held.isdisjoint(columns), "interior.target uses a coordinate at a bound")
        return len(rows)

    def _claim_dimension(self, claim: Fields, witness: Fields) -> str:
        # bound(0, implicit) = 0 makes the inequalities in `_bound` equations for every x in C: rows
        # with a positive multiplier (I) are tight on all of C, coordinates with g_j != 0 stay at
        # one bound.  With those where lo = up they are J.  So C lies in F = {equalities, I tight,
        # x_J fixed}, of dimension d - |J| - rank(equalities and I, on the columns outside of J).
        # The interior point is strict in everything else: near it, F lies in C.
        found, paper = -1, self.d - len(self.plus)
        if "empty" in witness:
            self._claim_empty(claim, {"multipliers": witness["empty"]})
        else:
            gaps = self.gaps(self.lower) if self.lower else []
            fixed = {j for j, gap in enumerate(gaps) if gap == [0, 0]}
            matrix, implicit = [row for row in self.rows if row[0] == "equality"], None
            if witness["implicit"] is not None:
                bound, g, implicit = self._bound(witness["implicit"])
                _prove(bound == 0, "the implicit multipliers do not give the bound 0")
                fixed |= {j for j, entry in enumerate(g.num) if entry}
                matrix += implicit
            rank = self._interior(witness["interior"], implicit, fixed)
            if rank is None or witness["minor"] is not None or witness["span"] is not None:
                rank = self._rank(witness, matrix, fixed)
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
        # sum v_i w_i has g r <= 0, as its terms are = 0, <= 0, <= 0 there, and g r >= 0, as g >= 0
        # and r >= 0 (nonnegative domain) or g = 0 (free).  So all terms are 0: w_i r = 0 in rows
        # with a positive multiplier and in equalities, r_j = 0 where g_j > 0.  The columns of the
        # minor, of such rows, include all other j, so the minor times r on its columns is 0.
        if "box" in witness:
            _prove(witness["box"] is True and self.domain == "box", "the domain is not a box")
        elif "empty" in witness:
            self._claim_empty(claim, {"multipliers": witness["empty"]})
            return "C is bounded, being empty"
        else:
            _prove(self.domain != "box", "in a box the witness is the box")
            _, g, used = self._bound(witness["multipliers"])
            _prove(min(g.num) >= 0, "the combination of rows has a negative entry")
            _prove(self.lower is not None or not any(g.num), "the combination of rows is not 0")
            equalities = [row for row in self.rows if row[0] == "equality"]
            _, columns = self._minor(witness["minor"], [*equalities, *used])
            loose = {j for j, entry in enumerate(g.num) if entry == 0} - columns
            _prove(not loose, f"{len(loose)} coordinates are neither held by g nor in the minor")
        return "C is bounded"

    def _claim_unbounded(self, _: Fields, witness: Fields) -> str:
        # A point and a ray r != 0; `wide`: no bounds and N < d, so ker W has such a ray.
        self._member(witness["point"])
        if "wide" in witness:
            wide = witness["wide"] is True and self.domain == "free" and self.n < self.d
            _prove(wide, "'wide' needs the free domain and N < d")
        else:
            _prove(any(self._ray(witness["ray"]).num), "the ray is zero")
        return "C is unbounded"

    def _claim_nearest(self, claim: Fields, witness: Fields) -> str:
        # The given point of C is at the upper distance.  For every x in C, |x - f| >= g (x - f) >=
        # bound(g) - g f, as the dual norm of g (l1, linf, l2 for linf, l1, l2) is at most 1.
        norm = _typed(claim["norm"], str, "claim.norm")
        known = norm in ("linf", "l1") if "distance" in claim else norm == "l2"
        _need(known, "claim.norm must be linf or l1 (with distance) or l2 (with squared bounds)")
        f, g = _vector(claim["from"], self.d, "from"), _vector(witness["functional"], self.d, "g")
        x = self._member(witness["point"])[0]
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
        proved = low == 0 or (lower >= 0 and lower * lower >= low > 0)
        _prove(proved, "the functional does not prove the lower bound")
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


def parse_problem(spec: object, folder: Folder = None) -> Problem:
    """Rebuild C from document["problem"]; `folder` holds the safetensors files it names, if any."""
    keys = "form weight bias domain tolerance "
    parts = _fields(spec, "problem", f"{keys} target|{keys} activation")
    digest = _digest(spec)
    _need(parts["form"] == "layer", "problem.form must be 'layer'")
    matrix = _array(parts["weight"], "weight", folder, -1, -1)
    n, d = matrix.shape
    _need(d > 0, "weight has no columns: a layer without inputs")
    bias = [Fraction(value) for value in _array(parts["bias"], "bias", folder, n).values()]
    spec = _fields(parts["domain"], "domain", "kind|kind lower upper")
    domain = _typed(spec["kind"], str, "domain.kind")
    known = domain == "box" if "lower" in spec else domain in ("free", "nonnegative")
    _need(known, "domain must be free, nonnegative, or box with lower and upper")
    lower, upper = Vector([0] * d, 1) if domain == "nonnegative" else None, None
    if domain == "box":
        arrays = (_array(spec[key], key, folder, d) for key in ("lower", "upper"))
        lower, upper = (_scaled(array.values()) for array in arrays)
    tolerance = _rational(parts["tolerance"], "tolerance")
    _need(tolerance >= 0, "tolerance is negative")
    target = None
    if "target" in parts:
        target = _scaled(_array(parts["target"], "target", folder, d).values())
        reached = matrix.products(target)  # decodes every weight, so refuses every NaN
        z = [Fraction(*product) + b for product, b in zip(reached, bias, strict=True)]
    else:
        matrix.products(Vector([0] * d, 1))  # to the same end
        z = [Fraction(y) for y in _array(parts["activation"], "activation", folder, n).values()]
        _need(min(z, default=0) >= 0, "activation has a negative entry")
    rows: dict[Row, Fraction] = {}
    for unit, b in enumerate(bias):
        y = max(z[unit], Fraction(0))
        rows["equality" if y > 0 and tolerance == 0 else "upper", unit] = y + tolerance - b
        if y > tolerance > 0:
            rows["lower", unit] = -(y - tolerance - b)
    plus = [("equality", unit) for unit in range(n) if z[unit] > 0]
    minus = [("upper", unit) for unit in range(n) if z[unit] <= 0]
    ends = (domain, lower, upper, tolerance)
    problem = Problem(matrix, bias, *ends, target, z, rows, plus, minus, n, d, digest)
    for name, x in (("domain.lower", problem.lower), ("the target", target)):
        inside = x is None or all(min(gap, default=0) >= 0 for gap in problem.gaps(x))
        _need(inside, f"{name} is outside of the domain")
    return problem


# Kind of claim: the keys of the claim beside `kind`, and of the witness ("|" between the forms).
_FORMS = {
    "contains": ("", "point"),
    "empty": ("", "multipliers"),
    "optimum": (
        "unit value vertex|objective constant value vertex",
        "point multipliers|point multipliers vertex",
    ),
    "vertex": ("point", "vertex"),
    "unbounded_objective": ("unit|objective constant", "point ray"),
    "rank_positive": ("rank", "minor span"),
    "kernel": ("holds", "span|unit minor span|unit ray"),
    "dimension": ("value paper_bound", "empty|interior implicit minor span"),
    "lineality": ("dimension", "|minor span"),
    "bounded": ("", "box|empty|multipliers minor"),
    "unbounded": ("", "point ray|point wide"),
    "nearest": (
        "from norm distance|from norm lower_squared upper_squared",
        "point functional multipliers",
    ),
}


def check(document: object, *, folder: Folder = None, problem: Problem | None = None) -> str:
    """Return the claim of a certificate as one sentence; raise CheckError unless it is proved.

    A caller who has parse_problem(document["problem"], folder) already hands it over as `problem`.
    """
    parts = _fields(document, "the certificate", "schema claim problem witness")
    _need(parts["schema"] == SCHEMA, f"schema must be {SCHEMA}")
    kind = _typed(_typed(parts["claim"], dict, "claim").get("kind"), str, "claim.kind")
    _need(kind in _FORMS, f"claim.kind must be one of {', '.join(_FORMS)}")
    claim_forms, witness_forms = _FORMS[kind]
    claim = _fields(parts["claim"], "claim", "|".join(f"kind {f}" for f in claim_forms.split("|")))
    witness = _fields(parts["witness"], "witness", witness_forms)
    if problem is None:
        problem = parse_problem(parts["problem"], folder)
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
