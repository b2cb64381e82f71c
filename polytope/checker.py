"""May I believe this certificate?  One file, nothing but the Python standard library.

    python -I -S checker.py FILE...        (or: python -m polytope.checker FILE...)

prints each claim in words, or the reason for refusal.  Exit code: 0 every claim is proved, 3 a
claim is refused, 2 a file is no certificate, 4 a limit of this checker was hit.

What it is about.  A layer y = max(0, W x + b) of n units and d inputs, weights taken exactly as
stored, a target x_t and a domain define the collision polytope C (Li, Zhang & Malik 2019,
Proposition 1; tolerance e: ours): all x of the domain with |max(0, W x + b) - y| <= e, where
y = max(0, W x_t + b).  Another monotone function may stand in the place of max(0, .); or rows are
stated as they are, each with a floor and a ceiling.

How it works.  Nothing is solved here.  C is written out as linear constraints, and the witness that
comes with a claim is multiplied out and compared, in integers of any length.  A number is a float
in three places only, and in none does one decide: stored floats are decoded by `struct`, each to
the very value that its bits stand for; bytes of pictures are divided as numpy divides them, which
`_idx` says; and a long number is printed to double precision.

How to read it.  From top to bottom, in eight parts:

    1  limits and refusals      how a check ends, and what it may cost
    2  numbers                  vectors over a common denominator, numbers in words
    3  files                    JSON documents; arrays in safetensors, npy, npz and idx files
    4  functions                what stands behind the weights, between rational bounds
    5  the set                  the matrix W, the constraints of C, points and rays
    6  linear claims            what sums of constraints and single points prove
    7  rank claims              what minors and spans prove
    8  lists                    complete lists of vertices, rays and lines
       the program              the table of all claims, `check`, `check_file`, `main`

Each function of parts 6 to 8 without a leading underscore is a claim or a tool of several claims.
Its docstring says what it takes for granted, what it compares, and why that is enough; (M5) is
statement M5 of docs/mathematics.md, where the proof is.  docs/certificates.md has the format.
"""

import hashlib
import io
import json
import re
import struct
import sys
import zipfile
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from math import isfinite, lcm, prod
from operator import mul
from pathlib import Path
from typing import Any, NamedTuple

#: Schemas of the documents about a layer, and of those about a problem of any other form.
SCHEMA, LATER_SCHEMA = "collision-polytopes/certificate/2", "collision-polytopes/certificate/3"
#: Schema -> forms of the problem that a document of it may have.
FORMS = {SCHEMA: ("layer",), LATER_SCHEMA: ("rows", "function")}


# == 1. Limits and refusals =======================================================================
#
# A certificate comes from a stranger: a short file must not be able to ask for hours or for all of
# the memory.  Each limit is compared before the work that it bounds.  VGG-16's fc6 fits into all of
# them: 4,096 x 25,088 weights (411 MB), and a minor of 1,113 rows (some 10 MB of JSON).

#: Bytes of a certificate, and of the header of a safetensors file.  Python holds the bytes, the
#: text and its values at the same time: some gigabytes at the most.
MAX_CERTIFICATE_BYTES = 1 << 28
#: Commas and opening brackets of a JSON text.  A list becomes an object of 56 bytes or more and may
#: take three bytes of text, so that the limit on bytes would not do.
MAX_VALUES = 1 << 23
#: Bytes of a file with arrays: five times fc6, read into memory as a whole.
MAX_TENSOR_FILE_BYTES = 1 << 31
#: Bytes that one member of an npz file may unpack to: no more than a file that is not packed, nor
#: than so many times the archive.  Deflate reaches 1:1032; weights that are not all alike do not
#: come near.
MAX_UNPACKED_BYTES, MAX_UNPACKED_RATIO = 1 << 31, 200
#: Entries of an array: 2.6 times fc6.
MAX_ELEMENTS = 1 << 28
#: Units and inputs together.  Each has an entry in some dictionaries, even in a layer without units
#: whose file is a few hundred bytes long.
MAX_SIDE = 1 << 20
#: Bits of a number, and of a common denominator.  Exact rays at fc6 have some 40,000.
MAX_BITS = 1 << 18
#: Bits of a vector over one denominator, which each entry is multiplied up to: 256 MiB.
MAX_VECTOR_BITS = 1 << 31
#: Bits of weights that are kept as integers, 128 MiB beside what Python adds to each; a larger
#: matrix is decoded again, row by row, each time.
MAX_CACHED = 1 << 30
#: Work for one claim, in multiplications of two 64-bit words: some ten minutes.
MAX_WORK = 1 << 38
#: Each operation on Python's integers costs about as much as this many such multiplications more.
OPERATION = 15
#: Bits behind the point of the bounds of a function: doubled from the one to the other, until it is
#: clear on which side of a number they lie.  Ends with 64 bits take 128 bits, or 256.
FEWEST_BITS, MOST_BITS = 1 << 7, 1 << 13
#: Coordinates of a list of points, rays, lines or shifts: 2^25 short integers are a gigabyte.
MAX_LISTED = 1 << 25
#: Bytes for the record of which inequality is tight where.
MAX_TIGHT_BYTES = 1 << 28
#: Words of 64 bits for the edges of a list, as they are followed one after the other.
MAX_EDGE_WORDS = 1 << 28

#: Why a certificate is not accepted; these are the exit codes of the program.
MALFORMED, REFUSED, LIMIT = 2, 3, 4


class CheckError(Exception):
    """Not accepted: `str()` is the reason (ASCII), `code` is MALFORMED, REFUSED or LIMIT."""

    def __init__(self, reason: str, code: int = MALFORMED) -> None:
        super().__init__(reason)
        self.code = code


def _need(holds: object, reason: str, code: int = MALFORMED) -> None:
    """Go on only if the document has the form of a certificate."""
    if not holds:
        raise CheckError(reason, code)


def _prove(holds: object, reason: str) -> None:
    """Go on only if the witness shows this part of the claim, which may be true all the same."""
    if not holds:
        raise CheckError(reason, REFUSED)


def _limit(amount: int, most: int, what: str) -> None:
    """Go on only if what comes next is not too much."""
    if amount > most:
        raise CheckError(f"{what}: needs {amount:#x}, above the limit {most:#x} here", LIMIT)


# == 2. Numbers ===================================================================================


class Vector(NamedTuple):
    """Rational numbers over a common denominator: entry j is num[j] / den, and den > 0.

    Sums and products of whole vectors are then sums and products of integers, without a greatest
    common divisor for each entry.
    """

    num: list[int]
    den: int

    @staticmethod
    def of(values: Iterable[float | Fraction]) -> "Vector":
        """Return the same numbers over their least common denominator; a finite float is exact."""
        ratios = [value.as_integer_ratio() for value in values]
        denominators = {den for _, den in ratios}
        common = least_common(denominators, len(ratios))
        factors = {den: common // den for den in denominators}
        return Vector([num * factors[den] for num, den in ratios], common)

    def dot(self, other: "Vector") -> Fraction:
        """Return the sum of self[j] * other[j]."""
        return Fraction(sum(map(mul, self.num, other.num)), self.den * other.den)

    def distances(self, other: "Vector") -> "Vector":
        """Return |self[j] - other[j]| for every j."""
        pairs = zip(self.num, other.num, strict=True)
        gaps = [abs(a * other.den - b * self.den) for a, b in pairs]
        return Vector(gaps, self.den * other.den)

    @property
    def length(self) -> int:
        """64-bit words of the longest number."""
        return 1 + max(map(int.bit_length, (self.den, *self.num))) // 64

    @property
    def cost(self) -> int:
        """Work for one operation with the longest number."""
        return OPERATION + self.length


def least_common(denominators: Iterable[int], entries: int) -> int:
    """Return the least common multiple, for a vector of so many entries over it."""
    common = 1
    for den in denominators:
        common = lcm(common, den)
        _limit(common.bit_length(), MAX_BITS, "bits of a common denominator")
    _limit(common.bit_length() * entries, MAX_VECTOR_BITS, "bits of a vector")
    return common


#: What a double can hold with all of its 53 bits: from 2^-1022 to (2^53 - 1) 2^971.
_LEAST_DOUBLE, _LARGEST_DOUBLE = Fraction(1, 1 << 1022), Fraction(((1 << 53) - 1) << 971)


def in_words(value: Fraction) -> str:
    """Say a number exactly if it is short, else the double next to it, else its power of two.

    Python rounds the quotient of two integers correctly.  A number of a bits over one of b bits
    lies between 2^(a-b-1) and 2^(a-b+1): "about 2^k" is right up to a factor of two.
    """
    num, den = value.as_integer_ratio()
    if max(num.bit_length(), den.bit_length()) <= 64:
        return str(value)
    if _LEAST_DOUBLE <= abs(value) <= _LARGEST_DOUBLE:
        return f"{num / den!r} to double precision"
    power = f"{'-' if num < 0 else ''}2^{num.bit_length() - den.bit_length()}"
    where = "beyond all doubles" if abs(value) > 1 else "nearer to 0 than doubles are precise"
    return f"about {power} ({where})"


def counted(number: int, thing: str) -> str:
    """Say "1 unit", "2 units"."""
    return f"{number} {thing}{'' if number == 1 else 's'}"


# == 3. Files =====================================================================================
#
# First the JSON document: `Value` takes from it what the format allows and nothing else.  Then the
# arrays, which stand in the document or in files beside it.

#: A constraint of C: (kind, unit) of a row of the layer, "equality", "upper" or "lower"; or
#: ("floor" or "ceiling", coordinate) of a bound of the domain.
Row = tuple[str, int]
Rows = Collection[Row]
FLOOR, CEILING = "floor", "ceiling"
BOUNDS = (FLOOR, CEILING)
Fields = dict[str, "Value"]
_HEX = re.compile("-?[0-9a-f]+")


class Value(NamedTuple):
    """A value of a JSON document, as Python has it, and the name to call it by."""

    it: Any
    name: str

    @staticmethod
    def read(data: bytes, name: str) -> "Value":
        """Return the value of a JSON text in UTF-8.

        JSON's own reader lets floats, NaN and infinity through; they are refused where a number is
        due.  It refuses decimal integers of thousands of digits and very deep nesting.
        """
        _limit(len(data), MAX_CERTIFICATE_BYTES, f"bytes of {name}")
        values = data.count(b",") + data.count(b"[") + data.count(b"{")
        _limit(values, MAX_VALUES, f"values in {name}")
        try:
            it = json.loads(data.decode("utf-8"), object_pairs_hook=_without_repetition)
        except (ValueError, RecursionError) as error:
            raise CheckError(f"{name} is not JSON to be read here: {str(error)!a:.90}") from None
        return Value(it, name)

    def of(self, kind: type) -> Any:
        """Return the value, which must be of this type; true and false are no integers."""
        same = isinstance(self.it, kind) and not (kind is int and isinstance(self.it, bool))
        _need(same, f"{self.name} must be of type {kind.__name__}, got {type(self.it).__name__}")
        return self.it

    def fields(self, *forms: str) -> Fields:
        """Return the fields of an object, whose keys must be exactly those of one of the forms."""
        keys = self.of(dict).keys()
        known = any(keys == set(form.split()) for form in forms)
        wanted = " or ".join(form or "(none)" for form in forms)
        _need(known, f"{self.name} needs exactly the keys {wanted}")
        return {key: Value(value, f"{self.name}.{key}") for key, value in self.it.items()}

    def items(self) -> list["Value"]:
        """Return the entries of a list, each by the name of the list."""
        return [Value(item, self.name) for item in self.of(list)]

    def number(self, low: int = -(10**15), high: int = 10**15) -> int:
        """Return a JSON integer, low <= it < high: a size, an index, a rank."""
        _need(low <= self.of(int) < high, f"{self.name} must lie in {low}..{high - 1}")
        return int(self.it)

    def indices(self, size: int) -> list[int]:
        """Return a list of distinct indices, each below size."""
        numbers = [item.number(0, size) for item in self.items()]
        _need(len(set(numbers)) == len(numbers), f"{self.name} has a repeated index")
        return numbers

    def row(self, allowed: Rows) -> Row:
        """Return a constraint [kind, number], which must be one of those allowed here."""
        parts = self.items()
        _need(len(parts) == 2, f"{self.name}: a row is [kind, number], got {len(parts)} entries")
        row = parts[0].of(str), parts[1].number()
        _prove(row in allowed, f"{self.name}: {row!a:.40} is not a row to use here")
        return row

    def rows(self, allowed: Rows) -> list[Row]:
        """Return a list of distinct constraints."""
        rows = [item.row(allowed) for item in self.items()]
        _need(len(set(rows)) == len(rows), f"{self.name} has a repeated row")
        return rows

    def integers(self, length: int) -> list[int]:
        """Return a list of so many integers, written in lower-case hexadecimal.

        Hexadecimal, as Python reads a decimal number in quadratic time, and refuses long ones.
        """
        items: list[str] = self.of(list)
        _need(len(items) == length, f"{self.name} must have {length} entries, got {len(items)}")
        _need(all(isinstance(v, str) for v in items), f"{self.name} must hold hex strings only")
        _limit(4 * max(map(len, items), default=0), MAX_BITS, f"bits of a number in {self.name}")
        _need(all(map(_HEX.fullmatch, items)), f"{self.name} is not all lower-case hex")
        return [int(v, 16) for v in items]

    def integer(self) -> int:
        """Return one integer, written in lower-case hexadecimal."""
        return Value([self.it], self.name).integers(1)[0]

    def rational(self) -> Fraction:
        """Return a rational number [numerator, denominator > 0]."""
        num, den = self.integers(2)
        _need(den > 0, f"{self.name} has a denominator that is not positive")
        return Fraction(num, den)

    def vector(self, length: int) -> Vector:
        """Return a vector of so many entries: all of them, or those that are not 0 by their index.

        Entries are num / den; `index` has a number for each of `num`.
        """
        parts = self.fields("den num", "length index den num")
        den = parts["den"].integer()
        _need(den > 0, f"{parts['den'].name} has a denominator that is not positive")
        _limit(length * den.bit_length(), MAX_VECTOR_BITS, f"bits of {self.name}")
        if "index" not in parts:
            return Vector(parts["num"].integers(length), den)
        parts["length"].number(length, length + 1)
        index = parts["index"].indices(length)
        entries = dict(zip(index, parts["num"].integers(len(index)), strict=True))
        return Vector([entries.get(j, 0) for j in range(length)], den)


def _without_repetition(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Make a JSON object; Python's own way takes the last of two values of a key."""
    _need(len(dict(pairs)) == len(pairs), "a JSON object has the same key twice")
    return dict(pairs)


def _read_file(path: Path, most: int, name: str) -> bytes:
    """Return the bytes of a regular file: no pipe, no device, no folder."""
    try:
        _need(path.is_file() or not path.exists(), f"{name} is not a regular file")
        _limit(path.stat().st_size, most, f"bytes of {name}")
        return path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise CheckError(f"{name} cannot be read: {str(error)!a:.90}") from None


#: Stored type -> how `struct` decodes an entry.  BF16, the upper half of a float32, as an integer.
_CODES = {"F16": "e", "F32": "f", "F64": "d", "BF16": "H"}
_CODES |= {"I8": "b", "I16": "h", "I32": "i", "I64": "q"}
_CODES |= {"U8": "B", "U16": "H", "U32": "I", "U64": "Q"}


class Stored(NamedTuple):
    """What a file has under a name: type and shape, not looked at yet, and bytes."""

    dtype: Value
    shape: Value
    data: memoryview


class Array:
    """An array as stored, row after row: the bytes of a dtype, or rationals.

    Args:
        value: ARRAY of docs/certificates.md: the numbers, or the file that has them.
        folder: where that file lies.
        shape: the shape that the array must have; any number of entries where it has -1.
    """

    def __init__(self, value: Value, folder: Path | None, *shape: int) -> None:
        parts = value.fields("dtype shape data", "dtype shape num den", "file tensor sha256")
        self.name = value.name
        self.data: memoryview | list[Fraction] = []
        if "file" in parts:
            dtype, sizes, self.data = _in_file(parts, folder, self.name)
        else:
            dtype, sizes = parts["dtype"], parts["shape"]
        self.dtype: str = dtype.of(str)
        self.shape = tuple(size.number(0) for size in sizes.items())
        fits = len(self.shape) == len(shape) and all(
            wanted in (-1, size) for wanted, size in zip(shape, self.shape, strict=True)
        )
        _need(fits, f"{self.name} must have shape {shape} (-1: any), got {_shown(self.shape)}")
        count = prod(self.shape)
        _limit(max([count, *self.shape]), MAX_ELEMENTS, f"entries of {self.name}")
        if "num" in parts:
            _need(self.dtype == "Q", f"{self.name}: num and den go with dtype Q")
            num, den = parts["num"].integers(count), parts["den"].integers(count)
            _need(min(den, default=1) > 0, f"{self.name}.den has an entry that is not positive")
            self.data = [Fraction(a, b) for a, b in zip(num, den, strict=True)]
            return
        if "data" in parts:
            text = parts["data"].of(str)
            plain = re.fullmatch("[0-9a-f]*", text) and len(text) % 2 == 0
            _need(plain, f"{self.name}.data is not lower-case hex")
            self.data = memoryview(bytes.fromhex(text))
        _need(self.dtype in _CODES, f"{self.name} has the unknown dtype {self.dtype!a:.20}")
        size = count * struct.calcsize("<" + _CODES[self.dtype])
        got = len(self.data)
        _need(got == size, f"{self.name} needs {size} bytes by shape and dtype, got {got}")

    def values(self, start: int = 0, stop: int | None = None) -> Sequence[float | Fraction]:
        """Return the entries from start on, before stop, each exactly as stored."""
        stop = prod(self.shape) if stop is None else stop
        if isinstance(self.data, list):
            return self.data[start:stop]
        code, count = _CODES[self.dtype], stop - start
        first = start * struct.calcsize("<" + code)
        values = struct.unpack_from(f"<{count}{code}", self.data, first)
        if self.dtype == "BF16":
            whole = struct.pack(f"<{count}I", *[half << 16 for half in values])
            values = struct.unpack(f"<{count}f", whole)
        _need(all(map(isfinite, values)), f"{self.name}: NaN or infinity in {start}..{stop - 1}")
        return values

    def fractions(self) -> list[Fraction]:
        """Return all entries as fractions."""
        return [Fraction(v) for v in self.values()]


def _shown(shape: tuple[int, ...]) -> str:
    """Say a shape; a stranger's may have a million axes."""
    return f"{shape}" if len(shape) <= 4 else f"{len(shape)} axes"


def read_array(stated: object, folder: Path, shape: Sequence[int], name: str = "array") -> Array:
    """Read an array as this checker does, for whoever wants to know what a certificate will say.

    Args:
        stated: ARRAY of docs/certificates.md, mostly {"file": ..., "tensor": ..., "sha256": ...}.
        folder: where the file lies.
        shape: the shape that it must have, -1 for any number of entries.
        name: what it is called in errors.

    Raises:
        CheckError: it cannot be read, or is something else.
    """
    return Array(Value(stated, name), folder, *shape)


def _in_file(parts: Fields, folder: Path | None, name: str) -> Stored:
    """Read an array from a file beside the certificate, whose SHA-256 must be the one stated.

    The ending of the file says how it is read.
    """
    file, tensor, digest = (parts[key].of(str) for key in ("file", "tensor", "sha256"))
    plain = re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", file) and ".." not in file
    _need(plain, f"{file!a:.60} is not a plain name")  # so it lies in this folder, and in no other
    if folder is None:
        raise CheckError(f"{name} is in the file {file}, but no folder is known")
    data = _read_file(folder / file, MAX_TENSOR_FILE_BYTES, file)
    found = hashlib.sha256(data).hexdigest()
    _need(found == digest, f"{file} has SHA-256 {found}, not the one stated for {name}")
    readers = {".safetensors": _safetensors, ".npy": _npy, ".npz": _npz}
    return readers.get(Path(file).suffix, _idx)(data, tensor, file)


def _safetensors(data: bytes, tensor: str, file: str) -> Stored:
    """Read a tensor of a safetensors file: length of the header, header in JSON, all bytes."""
    start = 8 + int.from_bytes(data[:8], "little")
    _need(8 <= start <= len(data), f"{file} is not a safetensors file")
    header = Value.read(data[8:start], f"header of {file}").of(dict)
    entry = Value(header.get(tensor), f"{tensor!a:.60}")
    parts = entry.fields("dtype shape data_offsets")
    ends = [start + end.number(0) for end in parts["data_offsets"].items()]
    inside = len(ends) == 2 and ends[0] <= ends[1] <= len(data)
    _need(inside, f"wrong data_offsets in {file}")
    return Stored(parts["dtype"], parts["shape"], memoryview(data)[ends[0] : ends[1]])


#: The header of an npy file, version 1.0, exactly as numpy writes it for an array of numbers in C
#: order: two bytes of length, a Python dictionary, spaces, an end of line.
_NPY = re.compile(
    rb"\x93NUMPY\x01\x00..\{'descr': '[<|]([fiu])(\d)', 'fortran_order': False, "
    rb"'shape': \(([\d, ]{0,99})\), \} *\n",
    re.DOTALL,
)


def _npy(data: bytes, _: str, file: str) -> Stored:
    """Read an npy file: the header, then the bytes.  One array, so the tensor's name says nothing.

    The shape must be written as Python writes a tuple of integers: other readers then agree on it.
    """
    header = data[: 10 + int.from_bytes(data[8:10], "little")]
    found = _NPY.fullmatch(header)
    shape = [int(size) for size in re.findall(rb"\d+", found[3])] if found else []
    if found is None or f"({found[3].decode()})" != str(tuple(shape)):
        raise CheckError(f"{file} is not an npy file of little-endian numbers in C order")
    dtype = f"{found[1].decode().upper()}{8 * int(found[2])}"
    return Stored(Value(dtype, file), Value(shape, file), memoryview(data)[len(header) :])


def _npz(data: bytes, tensor: str, file: str) -> Stored:
    """Read an array of an npz file: a zip archive of npy files, stored or deflated."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            member = archive.getinfo(f"{tensor}.npy")
            most = min(MAX_UNPACKED_RATIO * len(data), MAX_UNPACKED_BYTES)
            _limit(member.file_size, most, f"bytes unpacked of {file}")
            names = [name.removesuffix(".npy") for name in archive.namelist()]
            # A zip archive may stand behind other bytes, and have two members of one name, of
            # which readers take different ones.
            alone = data.startswith(b"PK") and len(set(names)) == len(names)
            packed = member.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
            _need(alone and packed, f"{file} is not a plain npz file")
            # At most the stated size: a member may unpack to more than it says.
            unpacked = archive.open(member).read(member.file_size)
        return _npy(unpacked, tensor, file)
    except (CheckError, MemoryError):
        raise
    except Exception as error:  # zipfile raises many kinds where an archive is damaged
        raise CheckError(f"{tensor!a:.60} cannot be read: {str(error)!a:.60}") from None


def _idx(data: bytes, tensor: str, file: str) -> Stored:
    """Read one item of an idx file of bytes (MNIST's format), along its first axis, flattened.

    Tensor "7" is item 7 as bytes; "7/255" has each byte v as the float32 nearest to v / 255, which
    is what x.astype(float32) / float32(255) has: `struct` rounds the double next to v / 255, and
    as both v and the divisor are below 2^24, rounding twice is rounding once.
    """
    axes = data[3] if data.startswith(b"\0\0\x08") and len(data) > 3 else 0
    start = 4 + 4 * axes
    shape = struct.unpack_from(f">{axes}I", data, 4) if len(data) >= start else ()
    whole = len(shape) > 0 and start + prod(shape) == len(data)
    _need(whole, f"{file} is not an idx file of bytes")
    name = re.fullmatch(r"([0-9]{1,9})(?:/([1-9][0-9]{0,5}))?", tensor)
    if name is None or int(name[1]) >= shape[0]:
        raise CheckError(f"{file} has no item {tensor!a:.60}")
    size = prod(shape[1:])
    first = start + int(name[1]) * size
    item, dtype = data[first : first + size], "U8"
    if name[2]:
        item, dtype = struct.pack(f"<{size}f", *[v / int(name[2]) for v in item]), "F32"
    return Stored(Value(dtype, file), Value([size], file), memoryview(item))


# == 4. Functions =================================================================================
#
# Between which pre-activations a function stays near a value is irrational as a rule.  A
# certificate states rationals beside these ends, and what is shown here is that each lies on the
# side where it should (M25).  That takes bounds of the function at a rational: of exp(-t), t >= 0,
# and of log(1 + x), 0 <= x <= 1.


class Between(NamedTuple):
    """Two rationals; the real number in question is neither below `low` nor above `high`."""

    low: Fraction
    high: Fraction


def exp_of_minus(t: Fraction, bits: int) -> Between:
    """Return bounds of exp(-t), t >= 0, about 2^-bits apart.

    Beyond t = bits it is below 2^-bits.  Else let r = t / 2^k < 1/2.  The terms r^n / n! fall, and
    their signs alternate in exp(-r): a sum of the first ones is off by less than the next.  All is
    in multiples of 2^-p, rounded down for the low bound and up for the high one, with bits to
    spare for the k squarings that make exp(-t) of exp(-r).
    """
    if t > bits:
        return Between(Fraction(0), Fraction(1, 1 << bits))
    k = (t.numerator // t.denominator).bit_length() + 1
    p = bits + 2 * k + 8
    r_low = (t.numerator << (p - k)) // t.denominator
    r_high = -((-t.numerator << (p - k)) // t.denominator)
    low = high = least = most = 1 << p
    n = 0
    while most > 1:
        n += 1
        least = least * r_low // (n << p)
        most = -(-most * r_high // (n << p))
        low, high = (low - most, high - least) if n % 2 else (low + least, high + most)
    low, high = low - most, high + most
    for _ in range(k):
        low, high = low * low >> p, -(-high * high >> p)
    return Between(Fraction(low, 1 << p), Fraction(high, 1 << p))


def log_of_one_plus(x: Between, bits: int) -> Between:
    """Return bounds of log(1 + x), 0 <= x <= 1, about 2^-bits farther apart than those of x.

    With s = x / (2 + x) <= 1/3 it is twice the sum of s^n / n over odd n.  Each term is below 1/9
    of the one before: what follows a term is less than that term.
    """
    p = bits + 8
    s = [Fraction(end / (2 + end)) for end in x]
    s_low = (s[0].numerator << p) // s[0].denominator
    s_high = -((-s[1].numerator << p) // s[1].denominator)
    least, most, low, high, n = s_low, s_high, 0, 0, 1
    while most > 1:
        low, high = low + least // n, high - (-most // n)
        least, most = least * s_low**2 >> 2 * p, -(-most * s_high**2 >> 2 * p)
        n += 2
    return Between(Fraction(2 * low, 1 << p), Fraction(2 * (high + 2 * most), 1 << p))


#: Kind of function -> how many parameters it has.
_PARAMETERS = {"sigmoid": 0, "tanh": 0, "softplus": 0, "elu": 2, "leaky_relu": 1, "clip": 4}


class Function:
    """A monotone function f of one number; its parameters are rationals.

        sigmoid              1 / (1 + exp(-u))
        tanh                 the hyperbolic tangent, 2 / (1 + exp(-2 u)) - 1
        softplus             log(1 + exp(u))
        elu a, s             s u for u >= 0, s a (exp(u) - 1) below; a, s > 0
        leaky_relu s         u for u >= 0, s u below; s > 0
        clip s, c, low, high s u + c, but at least low and at most high; s > 0, low < high

    Attributes:
        low, high: infimum and supremum of its values, None where there is none; those of a clip
            are values, the others are not.
    """

    def __init__(self, stated: Value) -> None:
        parts = stated.fields("kind parameters")
        self.kind: str = parts["kind"].of(str)
        _need(self.kind in _PARAMETERS, f"the function {self.kind!a:.40} is not known here")
        self.parameters = p = [item.rational() for item in parts["parameters"].items()]
        many = counted(_PARAMETERS[self.kind], "parameter")
        _need(len(p) == _PARAMETERS[self.kind], f"{self.kind} has {many}, got {len(p)}")
        positive = p[:1] if self.kind == "clip" else p
        _need(all(v > 0 for v in positive), f"{self.kind}: a parameter must be positive")
        self.low: Fraction | None = None
        self.high: Fraction | None = None
        if self.kind in ("sigmoid", "softplus"):
            self.low = Fraction(0)
        if self.kind in ("sigmoid", "tanh"):
            self.high = Fraction(1)
        if self.kind == "tanh":
            self.low = Fraction(-1)
        if self.kind == "elu":
            self.low = -p[0] * p[1]
        if self.kind == "clip":
            self.low, self.high = p[2:]
            _need(p[2] < p[3], "clip: low must be below high")

    def bounds(self, u: Fraction, bits: int) -> Between:
        """Return bounds of f(u), the same number twice where that is f(u)."""
        p = self.parameters
        if self.kind in ("sigmoid", "tanh"):
            # The sigmoid is 1 / (1 + exp(-v)) for v >= 0, and 1 less that of -v for v < 0.
            twice = self.kind == "tanh"
            e = exp_of_minus(abs(2 * u if twice else u), bits)
            half = Between(1 / (1 + e.high), 1 / (1 + e.low))
            if u < 0:
                half = Between(1 - half.high, 1 - half.low)
            return Between(2 * half.low - 1, 2 * half.high - 1) if twice else half
        if self.kind == "softplus":
            # log(1 + exp(u)) = max(u, 0) + log(1 + exp(-|u|)).
            rest = log_of_one_plus(exp_of_minus(abs(u), bits), bits)
            return Between(max(u, Fraction(0)) + rest.low, max(u, Fraction(0)) + rest.high)
        if self.kind == "elu" and u < 0:
            e = exp_of_minus(-u, bits)
            return Between(p[0] * p[1] * (e.low - 1), p[0] * p[1] * (e.high - 1))
        if self.kind == "elu":
            exact = p[1] * u
        elif self.kind == "leaky_relu":
            exact = u if u >= 0 else p[0] * u
        else:
            exact = min(max(p[0] * u + p[1], p[2]), p[3])
        return Between(exact, exact)

    def rises(self, u: Fraction, side: int) -> bool:
        """Whether f changes at once as its argument leaves u to the right (side 1) or left (-1)."""
        if self.kind != "clip":
            return True
        slope, shift, low, high = self.parameters
        line = slope * u + shift
        return low <= line < high if side > 0 else low < line <= high


# == 5. The set ===================================================================================


class Weights:
    """The matrix W, a row for each unit, and the work done with it for the claim at hand.

    A row is handed out as integers over a common denominator: stored floats are dyadic, so this
    costs a shift for each.
    """

    def __init__(self, array: Array) -> None:
        self.array = array
        self.units, self.inputs = array.shape
        self.work = 0
        self.kept: dict[int, Vector] = {}

    def spend(self, words: int, what: str) -> None:
        """Add to the work, before it is done."""
        self.work += words
        _limit(self.work, MAX_WORK, f"work, up to {what}")

    def part(self, unit: int, columns: Iterable[int]) -> Vector:
        """Return w_unit on these columns, over the least common denominator of these entries."""
        values = self.array.values(unit * self.inputs, (unit + 1) * self.inputs)
        return Vector.of([values[j] for j in columns])

    def row(self, unit: int) -> Vector:
        """Return w_unit; it is kept if a matrix of such rows may be."""
        if unit in self.kept:
            return self.kept[unit]
        row = self.part(unit, range(self.inputs))
        if self.units * self.inputs * row.length * 64 <= MAX_CACHED:
            self.kept[unit] = row
        return row

    def products(self, x: Vector) -> list[tuple[int, int]]:
        """Return w_i x for every unit i, as numerator and denominator > 0.

        They are not reduced: for a long x, a greatest common divisor for each unit would take
        longer than all else.  The rows of a small matrix (256 bits for each entry may be kept) are
        decoded once; of a large one, only the columns where x is not 0 are.
        """
        small = self.units * self.inputs * 256 <= MAX_CACHED
        columns = [j for j, v in enumerate(x.num) if v or small]
        nums, cost, products = [x.num[j] for j in columns], x.cost, []
        _limit(self.units * cost * 64, MAX_VECTOR_BITS, "bits of W times a vector")
        for unit in range(self.units):
            row = self.row(unit) if small else self.part(unit, columns)
            multiplied = len(columns) * cost * (1 + row.den.bit_length() // 64)
            self.spend(len(x.num) + multiplied + cost**2, "W times a vector")
            products.append((sum(map(mul, row.num, nums)), row.den * x.den))
        return products

    def combination(self, terms: Iterable[tuple[int, Fraction]], start: Vector) -> Vector:
        """Return start + the sum of factor * w_unit over all (unit, factor) of the terms."""
        used = [(unit, factor) for unit, factor in terms if factor]
        dens = [start.den, *(self.row(unit).den * factor.denominator for unit, factor in used)]
        den = least_common(dens, len(start.num))
        cost = Vector([factor.numerator for _, factor in used], den).cost
        self.spend(len(used) * len(start.num) * cost, "combining rows")
        _limit(len(start.num) * cost * 64, MAX_VECTOR_BITS, "bits of a combination of rows")
        total = [v * (den // start.den) for v in start.num]
        for unit, factor in used:
            row = self.row(unit)
            scale = factor.numerator * (den // (row.den * factor.denominator))
            total = [t + scale * a for t, a in zip(total, row.num, strict=True)]
        return Vector(total, den)


class Sides(NamedTuple):
    """What a unit asks for: floor <= w_i x + b_i <= ceiling; None where there is no such side."""

    floor: Fraction | None
    ceiling: Fraction | None


class Problem:
    """The set C that a document states under `problem`: floor_i <= w_i x + b_i <= ceiling_i (M24).

    C is the set of all x of the domain that satisfy the rows

        equality i   w_i x  = ceiling_i - b_i      where floor_i = ceiling_i
        upper i      w_i x <= ceiling_i - b_i      where there is a ceiling, and not the same floor
        lower i     -w_i x <= -(floor_i - b_i)     where there is a floor, and not the same ceiling

    and, where the domain has such bounds, floor j: -x_j <= -low_j, and ceiling j: x_j <= high_j.

    In the form `rows` floors and ceilings are stated.  In the form `function` they are too, and are
    shown to be what they should be: `_prove_end`.  In the form `layer` C is the collision polytope
    of a target x_t (M1): z = W x_t + b exactly, y = max(0, z); or z = y = the stated activation.
    The ceiling is y_i + e, and y_i - e is the floor where that is above 0, or e = 0 and y_i > 0.
    These are the points of the domain with |max(0, w_i x + b_i) - y_i| <= e for every i: where
    y_i <= e, nothing is too low.

    Args:
        spec: PROBLEM of docs/certificates.md.
        folder: where the files lie that it names.

    Attributes:
        n, d: units and inputs.
        weights, bias: W and b.
        domain: "free", "nonnegative" or "box".
        form: "layer", "rows" or "function".
        tolerance: e; 0 in rows.
        target: x_t, or None where none is stated.
        z: the pre-activation of each unit at the target, or the activation; none in rows.
        function, rounding: in that form, what stands behind the weights; "inner" or "outer".
        rows: right-hand side of each equality, upper and lower row.
        bounds: right-hand side of each floor and ceiling.
        right: both.
        equal: the equality rows.
        flat: coordinates whose floor and ceiling are the same number.
        plus, minus: W+ and W- of the paper, rows of active (z_i > 0) and of inactive units, by
            their names at tolerance 0 whatever the tolerance is; in other forms than a layer, the
            equalities and the rows of all other units, by the same names.
        spec: a copy of the document's problem.
        digest: SHA-256 of that; where it names files, it has the SHA-256 of their bytes.
    """

    def __init__(self, spec: object, folder: Path | None = None) -> None:
        rows, sides = "form weight bias domain", "floors ceilings"
        layer, function = f"{rows} tolerance", f"{rows} tolerance {sides} function rounding"
        parts = Value(spec, "problem").fields(
            *(f"{form} {aim}" for form in (layer, function) for aim in ("target", "activation")),
            f"{rows} {sides}",
        )
        self.form = "function" if "function" in parts else "rows" if "floors" in parts else "layer"
        _need(parts["form"].it == self.form, f"problem.form must be {self.form!r} with these keys")
        array = Array(parts["weight"], folder, -1, -1)
        self.n, self.d = array.shape
        _need(self.d > 0, "weight has no columns: a layer without inputs")
        _limit(self.n + self.d, MAX_SIDE, "units and inputs")
        self.weights = Weights(array)
        self.zero = Vector([0] * self.d, 1)
        self.bias = Array(parts["bias"], folder, self.n).fractions()
        self._read_domain(parts["domain"], folder)
        self.tolerance = parts["tolerance"].rational() if "tolerance" in parts else Fraction(0)
        _need(self.tolerance >= 0, "tolerance is negative")
        self.target: Vector | None = None
        if "target" in parts:
            self.target = Vector.of(Array(parts["target"], folder, self.d).values())
        # Where there is no target, W times 0 decodes every row once, and so refuses every NaN.
        reached = self.weights.products(self.zero if self.target is None else self.target)
        if self.target is not None:
            inside = all(slack >= 0 for slack in self.slacks(self.target, self.bounds).values())
            _need(inside, "the target is outside of the domain")
        self.z = [Fraction(*wx) + b for wx, b in zip(reached, self.bias, strict=True)]
        if self.target is None:
            stated = parts.get("activation")
            self.z = [] if stated is None else Array(stated, folder, self.n).fractions()
        self._write_sides(parts)
        active = {unit for _, unit in self.plus}
        self.minus = {("upper", unit) for unit in range(self.n) if unit not in active}
        text = json.dumps(spec, sort_keys=True, separators=(",", ":"))
        self.spec, self.digest = json.loads(text), hashlib.sha256(text.encode()).hexdigest()

    def _read_domain(self, stated: Value, folder: Path | None) -> None:
        """Write `bounds` and `flat`."""
        limits = stated.fields("kind", "kind lower upper")
        self.domain: str = limits["kind"].of(str)
        fitting = ("box",) if "lower" in limits else ("free", "nonnegative")
        known = self.domain in fitting
        _need(known, "domain must be free, nonnegative, or box with lower and upper")
        low: list[Fraction] = []
        high: list[Fraction] = []
        if self.domain == "nonnegative":
            low = [Fraction(0)] * self.d
        if self.domain == "box":
            low = Array(limits["lower"], folder, self.d).fractions()
            high = Array(limits["upper"], folder, self.d).fractions()
            ordered = all(a <= b for a, b in zip(low, high, strict=True))
            _need(ordered, "domain.lower is above domain.upper")
        self.flat = {j for j, end in enumerate(high) if end == low[j]}
        self.bounds: dict[Row, Fraction] = {(FLOOR, j): -end for j, end in enumerate(low)}
        self.bounds |= {(CEILING, j): end for j, end in enumerate(high)}

    def _write_sides(self, parts: Fields) -> None:
        """Write the rows, and W+."""
        if self.form == "layer":
            self._write_rows(self._sides_of_layer())
            self.plus = {("equality", i) for i, z in enumerate(self.z) if z > 0}
            return
        sides = self._read_sides(parts)
        self._write_rows(sides)
        self.plus = set(self.equal)
        if self.form == "function":
            self.function = Function(parts["function"])
            self.rounding: str = parts["rounding"].of(str)
            _need(self.rounding in ("inner", "outer"), "rounding must be inner or outer")
            for unit, (floor, ceiling) in enumerate(sides):
                self._prove_end(unit, ceiling, 1)
                self._prove_end(unit, floor, -1)

    def _prove_end(self, unit: int, end: Fraction | None, side: int) -> None:
        """The ceiling (side 1) or floor (side -1) of a unit is one of its function f (M25).

        Let y = f(z), or the activation.  Rounded to "inner", every u from the floor to the ceiling
        has |f(u) - y| <= e: f rises, so it is enough that f(ceiling) <= y + e, or, without a
        ceiling, that no value of f is above y + e.  Rounded to "outer", no u beyond the ceiling has
        it: f(ceiling) > y + e, or f(ceiling) = y + e and f rises from there at once; a ceiling may
        always be left out.  Floors are the same, turned round.
        """
        f, what = self.function, f"{'ceiling' if side > 0 else 'floor'} of unit {unit}"
        limit = f.high if side > 0 else f.low
        if end is None:
            inner = limit is not None and self._sign(unit, limit, side, given=True) * side <= 0
            _prove(inner or self.rounding == "outer", f"the {what} is missing")
            return
        sign = side * self._sign(unit, end, side)
        beyond = sign > 0 or (sign == 0 and f.rises(end, side))
        right = beyond if self.rounding == "outer" else sign <= 0
        _prove(right, f"the {what} is not on the {self.rounding} side")

    def _sign(self, unit: int, at: Fraction, side: int, *, given: bool = False) -> int:
        """Return the sign of f(at) - (y + side e), or of at - (y + side e) if at is given."""
        f, z, shift, bits = self.function, self.z[unit], side * self.tolerance, FEWEST_BITS
        if self.target is not None and at == z and not given:
            return (shift < 0) - (shift > 0)  # both are the same number, rational or not
        while bits <= MOST_BITS:
            self.weights.spend(bits * (4 * OPERATION + (bits // 64) ** 2), "bounds of a function")
            value = Between(at, at) if given else f.bounds(at, bits)
            y = Between(z, z) if self.target is None else f.bounds(z, bits)
            low, high = value.low - y.high - shift, value.high - y.low - shift
            if low > 0 or high < 0 or low == high == 0:
                return (low > 0) - (high < 0)
            bits *= 2
        raise CheckError(f"unit {unit}: an end needs more than {MOST_BITS} bits of f", LIMIT)

    def _sides_of_layer(self) -> list[Sides]:
        """Return what y = max(0, z) and the tolerance ask for."""
        _need(self.target or min(self.z, default=0) >= 0, "activation has a negative entry")
        e, sides = self.tolerance, []
        for z in self.z:
            y = max(z, Fraction(0))
            sides.append(Sides(y - e if y > e else None, y + e))
        return sides

    def _read_sides(self, parts: Fields) -> list[Sides]:
        """Return the sides that are stated: for some units a floor, for some a ceiling."""
        stated: list[dict[int, Fraction]] = []
        for name in ("floors", "ceilings"):
            side = parts[name].fields("units num den")
            units = side["units"].indices(self.n)
            num, den = side["num"].integers(len(units)), side["den"].integers(len(units))
            _need(min(den, default=1) > 0, f"{name}.den has an entry that is not positive")
            stated.append(dict(zip(units, map(Fraction, num, den), strict=True)))
        sides = [Sides(stated[0].get(i), stated[1].get(i)) for i in range(self.n)]
        for floor, ceiling in sides:
            ordered = floor is None or ceiling is None or floor <= ceiling
            _need(ordered, "a floor is above its ceiling")
        return sides

    def _write_rows(self, sides: list[Sides]) -> None:
        """Write `rows` as the table of this class has them, and what follows from them."""
        self.rows: dict[Row, Fraction] = {}
        for unit, ((floor, ceiling), b) in enumerate(zip(sides, self.bias, strict=True)):
            if floor is not None and floor == ceiling:
                self.rows["equality", unit] = floor - b
                continue
            if ceiling is not None:
                self.rows["upper", unit] = ceiling - b
            if floor is not None:
                self.rows["lower", unit] = -(floor - b)
        self.right = self.rows | self.bounds
        self.equal = {row for row in self.rows if row[0] == "equality"}

    @property
    def inequalities(self) -> set[Row]:
        """The upper and lower rows, and the bounds."""
        return self.right.keys() - self.equal

    def slacks(self, x: Vector, right: Mapping[Row, Fraction]) -> dict[Row, int]:
        """Return b - a x, times a positive number, for each constraint a x <= b or a x = b.

        Args:
            x: d numbers.
            right: constraint -> b; the a of a constraint is the one that it has in C.
        """
        has_rows = any(kind not in BOUNDS for kind, _ in right)
        products = self.weights.products(x) if has_rows else []
        slacks = {}
        for (kind, number), b in right.items():
            num, den = (x.num[number], x.den) if kind in BOUNDS else products[number]
            ax = -num if kind in ("lower", FLOOR) else num
            slacks[kind, number] = b.numerator * den - ax * b.denominator
        return slacks


# Points, rays and lines.  The next three decide by substitution alone.  What holds with equality is
# called tight; the first two return which constraints are.


def tight_at_point(C: Problem, x: Vector, but: Row | None = None) -> set[Row]:
    """x lies in C: no slack is negative, and those of equalities are 0 (M1).

    With `but`, an inequality, x violates that one and no other constraint.
    """
    slacks = C.slacks(x, C.right)
    broken = {row for row, slack in slacks.items() if slack < 0 or (slack > 0 and row in C.equal)}
    if but is not None:
        _prove(but in broken, f"the point keeps {[but]}")
        broken.remove(but)
    _prove(not broken, f"the point violates {sorted(broken)[:3]}")
    return {row for row, slack in slacks.items() if slack == 0}


def tight_along_ray(C: Problem, r: Vector) -> set[Row]:
    """A r <= 0 in inequalities, = 0 in equalities: from a point of C, r never leaves C (M18).

    What is tight at the point stays tight along r where it is tight here.
    """
    slacks = C.slacks(r, dict.fromkeys(C.right, Fraction(0)))
    broken = {row for row, slack in slacks.items() if slack < 0 or (slack > 0 and row in C.equal)}
    _prove(not broken, f"the ray violates {sorted(broken)[:3]}")
    return {row for row, slack in slacks.items() if slack == 0}


def constant_along_line(C: Problem, v: Vector) -> None:
    """A v = 0 in every constraint: from a point of C, neither v nor -v leaves C (M2, M18)."""
    slacks = C.slacks(v, dict.fromkeys(C.right, Fraction(0)))
    broken = {row for row, slack in slacks.items() if slack != 0}
    _prove(not broken, f"the line violates {sorted(broken)[:3]}")


# == 6. Linear claims =============================================================================
#
# Two tools.  A bound of a linear function over C comes from a sum of constraints; a sum that is
# nothing but 0 <= 0 shows which of them are equations on C.


class Bound(NamedTuple):
    """What multipliers prove: see `lower_bound`."""

    least: Fraction | None
    g: Vector
    used: set[Row]


def lower_bound(C: Problem, multipliers: Value, c: Vector | None = None) -> Bound:
    """c x >= least for every x of C; `least` None: the multipliers prove no bound (M17).

    Given are numbers l_i at equality rows, u_i >= 0 at upper rows, v_i >= 0 at lower rows, and c (0
    if none is given).  Let s be these numbers times the right-hand sides, and

        g = c + sum l_i w_i + sum u_i w_i - sum v_i w_i.

    For x in C the rows, times their numbers and added up, say that (g - c) x <= s.  So

        c x >= g x - s >= sum over j of (g_j low_j if g_j > 0, g_j high_j if g_j < 0) - s = least.

    Where the bound is missing that a g_j pushes against, there is no least.  `used` are the rows
    with a number that is not 0, and the bounds of x_j where g_j is not 0.
    """
    used: set[Row] = set()
    terms: list[tuple[int, Fraction]] = []
    s = Fraction(0)
    for kind, part in multipliers.fields("equality upper lower").items():
        factors = part.vector(C.n)
        units = [unit for unit, factor in enumerate(factors.num) if factor != 0]
        for unit in units:
            _prove((kind, unit) in C.rows, f"there is no row [{kind}, {unit}] to multiply")
            signed = kind == "equality" or factors.num[unit] > 0
            _prove(signed, f"negative multiplier: [{kind}, {unit}]")
        C.weights.spend(len(units) * factors.cost**2, "multipliers")
        sides = Vector.of(C.rows[kind, unit] for unit in units)
        s += Vector([factors.num[unit] for unit in units], factors.den).dot(sides)
        sign = -1 if kind == "lower" else 1  # a lower row is the row -w_i
        terms += [(unit, Fraction(sign * factors.num[unit], factors.den)) for unit in units]
        used.update((kind, unit) for unit in units)
    g = C.weights.combination(terms, C.zero if c is None else c)
    pushed = [j for j, entry in enumerate(g.num) if entry != 0]
    ends = [(FLOOR if g.num[j] > 0 else CEILING, j) for j in pushed]
    if any(end not in C.bounds for end in ends):
        return Bound(None, g, used)
    # The right-hand side of a floor is -low_j: g_j low_j and g_j high_j are both -|g_j| times it.
    sizes = Vector([abs(g.num[j]) for j in pushed], g.den)
    least = -s - sizes.dot(Vector.of(C.bounds[end] for end in ends))
    return Bound(least, g, used | set(ends))


class Hull(NamedTuple):
    """What is shown to be constant on C: see `tight_everywhere`."""

    equal: set[Row]
    fixed: set[int]
    held: set[Row]


def tight_everywhere(C: Problem, implicit: Value) -> Hull:
    """Rows `equal` are tight and coordinates `fixed` are constant on all of C (M20).

    Given are multipliers, or null for none.  Their bound of the function 0 must be 0.  For x in C,
    0 - least is a sum of slacks, each >= 0, times numbers > 0: so the slack of each inequality that
    is used is 0, whatever x.  Beside these, equalities are tight, and a coordinate is constant if
    its floor is its ceiling.

    `held` has the rows, and both bounds of the coordinates: what can not vary on C.  A bound in it
    need not be tight: x_j = 0 on all of C says nothing of x_j <= 1 but that its slack is constant.
    """
    equal, fixed = set(C.equal), set(C.flat)
    if implicit.it is not None:
        bound = lower_bound(C, implicit)
        _prove(bound.least == 0, "the implicit multipliers do not give the bound 0")
        equal |= {row for row in bound.used if row[0] not in BOUNDS}
        fixed |= {j for kind, j in bound.used if kind in BOUNDS}
    return Hull(equal, fixed, equal | {(kind, j) for kind, j in C.bounds if j in fixed})


def _objective(C: Problem, claim: Fields) -> tuple[Vector, Fraction, str]:
    """Return c, a constant, and the words for c x + constant."""
    if "unit" in claim:
        unit = claim["unit"].number(0, C.n)
        return C.weights.row(unit), C.bias[unit], f"the pre-activation of unit {unit}"
    return claim["objective"].vector(C.d), claim["constant"].rational(), "the objective"


def contains(C: Problem, claim: Fields, witness: Fields) -> str:
    """Claim: a point lies in C.

    Witness: the point.
    Accepted if no constraint of C is violated at it.
    Enough, as C is the set of points that violate none (M1).
    Not said: that it collides with the target in the network as it is run, in floats.
    """
    x = witness["point"].vector(C.d)
    tight_at_point(C, x)
    if C.target is None:
        return "the stated point lies in C"
    far = x.distances(C.target)
    distance = in_words(Fraction(max(far.num), far.den))
    return f"the stated point lies in C, {distance} from the target in linf"


def active_set(C: Problem, claim: Fields, witness: Fields) -> str:
    """Claim: the units with z_i > 0 are those of `active`, those with z_i = 0 are those of `zero`.

    Witness: none.
    Accepted if there is a target of a layer, and both lists are the checker's own.
    Enough, as z = W x_t + b is computed exactly (M1).
    Not said: what a float forward pass finds, which may differ where z_i is tiny.
    """
    active = set(claim["active"].indices(C.n))
    zero = set(claim["zero"].indices(C.n))
    above = {i for i, z in enumerate(C.z) if z > 0}
    ties = {i for i, z in enumerate(C.z) if z == 0}
    same = C.form == "layer" and C.target is not None and active == above and zero == ties
    _prove(same, "these are not a target's active units and ties")
    return f"just the {len(above)} units stated are active, {len(ties)} are exactly 0"


def empty(C: Problem, claim: Fields, witness: Fields) -> str:
    """Claim: C has no point.

    Witness: multipliers.
    Accepted if they bound the function 0 from below by a positive number.
    Enough, as a point of C would have 0 >= that number (M17).
    """
    _prove_empty(C, witness["multipliers"])
    return "C is empty"


def _prove_empty(C: Problem, multipliers: Value) -> None:
    """See `empty`; a claim of dimension -1 and one of boundedness may rest on it too."""
    least = lower_bound(C, multipliers).least
    _prove(least is not None and least > 0, "the multipliers do not give a contradiction")


def optimum(C: Problem, claim: Fields, witness: Fields) -> str:
    """Claim: the minimum over C of an objective c x + constant is `value`.

    The objective is stated, or is the pre-activation w_i x + b_i of a unit.  With `vertex`: true,
    the minimum is attained at a vertex.
    Witness: a point, multipliers; a minor as well iff a vertex is claimed.
    Accepted if the point lies in C, its objective is at most the value, the multipliers bound the
    objective from below by at least the value, and the point is a vertex (see `vertex`).
    Enough, as value <= minimum <= objective at the point <= value (M5, M6).
    Not said: that no other point attains it.
    """
    at_vertex = claim["vertex"].of(bool)
    _need(("vertex" in witness) == at_vertex, "witness.vertex goes with claim.vertex = true")
    c, constant, name = _objective(C, claim)
    value = claim["value"].rational()
    tight = _prove_minimum(C, c, value - constant, value - constant, witness)
    if at_vertex:
        _prove_pinned(C, tight, witness["vertex"], "at a bound")
    where = "vertex" if at_vertex else "point"
    return f"the minimum of {name} over C is {in_words(value)}, attained at a {where} of C"


def bounds(C: Problem, claim: Fields, witness: Fields) -> str:
    """Claim: the minimum over C of an objective (as for `optimum`) lies from `lower` to `upper`.

    Witness: a point, multipliers.
    Accepted if the point lies in C, its objective is at most the upper number, and the multipliers
    bound the objective from below by at least the lower number.
    Enough, as lower <= minimum <= objective at the point <= upper (M5).
    Not said: where in between.  Rounded floats will do as multipliers.
    """
    c, constant, name = _objective(C, claim)
    low, high = claim["lower"].rational(), claim["upper"].rational()
    _prove_minimum(C, c, low - constant, high - constant, witness)
    return f"the minimum of {name} over C lies between {in_words(low)} and {in_words(high)}"


def _prove_minimum(
    C: Problem, c: Vector, low: Fraction, high: Fraction, witness: Fields
) -> set[Row]:
    """low <= minimum of c x over C <= high; return what is tight at the witness's point."""
    x = witness["point"].vector(C.d)
    tight = tight_at_point(C, x)
    _prove(c.dot(x) <= high, "the point does not have the stated value")
    least = lower_bound(C, witness["multipliers"], c).least
    _prove(least is not None and least >= low, "the multipliers prove less")
    return tight


def unbounded_objective(C: Problem, claim: Fields, witness: Fields) -> str:
    """Claim: an objective (as for `optimum`) has no lower bound on C.

    Witness: a point, a ray r.
    Accepted if the point lies in C, r keeps every constraint, r is not 0, and c r < 0.
    Enough, as the point + t r lies in C for every t >= 0, and c falls without end (M18).
    """
    tight_at_point(C, witness["point"].vector(C.d))
    c, _, name = _objective(C, claim)
    ray = _ray(C, witness["ray"])
    _prove(c.dot(ray) < 0, "the objective does not fall along the ray")
    return f"{name} is unbounded below on C"


def unbounded(C: Problem, claim: Fields, witness: Fields) -> str:
    """Claim: C is neither empty nor bounded.

    Witness: a point and a ray r; or a point and `wide`: true.
    Accepted if the point lies in C, and r is not 0 and keeps every constraint; or, for `wide`, the
    domain is free and there are fewer units than inputs.
    Enough, as the point + t r lies in C for every t >= 0 (M18).  Fewer equations than unknowns,
    W r = 0, have such an r, and on the free domain W r = 0 keeps every constraint (M2).
    """
    tight_at_point(C, witness["point"].vector(C.d))
    if "wide" in witness:
        wide = witness["wide"].it is True and C.domain == "free" and C.n < C.d
        _prove(wide, "'wide' needs the free domain and N < d")
    else:
        _ray(C, witness["ray"])
    return "C is unbounded"


def _ray(C: Problem, stated: Value) -> Vector:
    """Return a direction that is not 0 and keeps every constraint."""
    ray = stated.vector(C.d)
    tight_along_ray(C, ray)
    _prove(any(ray.num), "the ray is zero")
    return ray


def bounded(C: Problem, claim: Fields, witness: Fields) -> str:
    """Claim: C is bounded, or empty.

    Witness: `box`: true; or multipliers `empty`, as for that claim; or multipliers and a minor.
    Accepted if the domain is a box; or C is shown to be empty; or g = sum l_i w_i + sum u_i w_i -
    sum v_i w_i is >= 0 (and 0 on the free domain), and the minor has rows that are equalities or
    have a number that is not 0, and every column j with g_j = 0.
    Enough: a ray r of C has g r <= 0, by the rows, and g r >= 0, as r >= 0 or g = 0.  So each row
    that is used vanishes on r, and r_j = 0 where g_j > 0; the minor leaves r = 0 (M19).  A set of
    linear constraints without a ray is bounded.
    Not said: how large it is.
    """
    if "box" in witness:
        _prove(witness["box"].it is True and C.domain == "box", "the domain is not a box")
    elif "empty" in witness:
        _prove_empty(C, witness["empty"])
    else:
        _, g, used = lower_bound(C, witness["multipliers"])
        _prove(min(g.num) >= 0, "the combination of rows has a negative entry")
        _prove(C.domain != "free" or not any(g.num), "the combination of rows is not 0")
        _prove_pinned(C, C.equal | used, witness["minor"], "held by g")
    return "C is bounded"


def implicit_equality(C: Problem, claim: Fields, witness: Fields) -> str:
    """Claim: an inequality holds with equality at every point of C; or it does not (`holds`).

    Witness: a point; multipliers as well iff it holds, or null for none.
    Accepted if the point lies in C and the inequality is tight at it, and it is one that
    `tight_everywhere` holds; or, for the opposite, if it is not tight at the point.
    Enough: its slack is constant on C, and 0 at a point of C (M20).  For the opposite the point is
    the counterexample.
    Not said: that the other inequalities alone imply it.
    """
    row = claim["inequality"].row(C.inequalities)
    holds = claim["holds"].of(bool)
    _need(("multipliers" in witness) == holds, "the witness is one for the opposite claim")
    tight = row in tight_at_point(C, witness["point"].vector(C.d))
    if holds:
        constant = row in tight_everywhere(C, witness["multipliers"]).held
        _prove(tight and constant, f"the witness does not show it of {_named(row)}")
        return f"{_named(row)} is tight on all of C"
    _prove(not tight, f"the witness does not show it of {_named(row)}")
    return f"{_named(row)} is not tight on all of C"


def redundant(C: Problem, claim: Fields, witness: Fields) -> str:
    """Claim: whatever satisfies all other constraints of C satisfies this inequality a x <= b.

    Witness: multipliers.
    Accepted if they bound the function -a x from below by at least -b, and use neither the
    inequality itself nor (for a bound of x_j) a g_j that pushes against it.
    Enough, as the bound then rests on the other constraints alone: a x <= b (M17, M13).
    Not said: that two such inequalities can be left out together.  Of twins, each is redundant.
    """
    row = kind, number = claim["inequality"].row(C.inequalities)
    if kind in BOUNDS:
        minus_a = Vector([1 if j == number else 0 for j in range(C.d)], 1)
    else:
        minus_a = C.weights.row(number)
    if kind not in ("lower", FLOOR):  # in these two, a is -w_i, or minus the unit vector, already
        minus_a = Vector([-entry for entry in minus_a.num], minus_a.den)
    least, _, used = lower_bound(C, witness["multipliers"], minus_a)
    _prove(row not in used, "the multipliers use the inequality itself")
    _prove(least is not None and least >= -C.right[row], "the multipliers prove less")
    return f"{_named(row)} follows from the other constraints of C"


def irredundant(C: Problem, claim: Fields, witness: Fields) -> str:
    """Claim: an inequality does not follow from the other constraints of C.

    Witness: a point.
    Accepted if the point violates this inequality and no other constraint.
    Enough: the point is the counterexample (M13).
    """
    row = claim["inequality"].row(C.inequalities)
    tight_at_point(C, witness["point"].vector(C.d), but=row)
    return f"{_named(row)} does not follow from the other constraints of C"


def _named(row: Row) -> str:
    """Say a constraint, as the document writes it but for quotes."""
    return f"[{row[0]}, {row[1]}]"


def nearest(C: Problem, claim: Fields, witness: Fields) -> str:
    """Claim: the distance from a point f to C, in linf or l1; in l2 its square lies between two.

    Witness: a point x, a functional g, multipliers.
    Accepted if x lies in C, |x - f| is at most the (upper) distance, g has dual norm at most 1 (l1
    for linf, linf for l1, l2 for l2), and the multipliers bound g x over C so that its least, less
    g f, is at least the (lower) distance; all of it squared in l2.
    Enough, as |y - f| >= g (y - f) >= least - g f for every y of C (M9).
    Not said: that the nearest point is unique.
    """
    norm, squared = claim["norm"].of(str), "distance" not in claim
    fitting = ("l2",) if squared else ("linf", "l1")
    _need(norm in fitting, "claim.norm goes not with the keys")
    f, g = claim["from"].vector(C.d), witness["functional"].vector(C.d)
    x = witness["point"].vector(C.d)
    tight_at_point(C, x)
    step = x.distances(f)
    if norm == "l2":
        reached, short = step.dot(step), g.dot(g) <= 1
    elif norm == "l1":
        reached, short = Fraction(sum(step.num), step.den), max(map(abs, g.num)) <= g.den
    else:
        reached, short = Fraction(max(step.num), step.den), sum(map(abs, g.num)) <= g.den
    _prove(short, "the functional is too long")
    least = lower_bound(C, witness["multipliers"], g).least
    proved = Fraction(0) if least is None else max(Fraction(0), least - g.dot(f))
    if squared:
        proved = proved**2
        ends = [claim["lower_squared"].rational(), claim["upper_squared"].rational()]
    else:
        ends = [claim["distance"].rational()]
    _prove(reached <= ends[-1], "the point is farther away")
    _prove(proved >= ends[0], "the functional does not prove the distance")
    what = "squared l2" if squared else norm
    return f"the {what} distance of the stated point from C is {' to '.join(map(in_words, ends))}"


# == 7. Rank claims ===============================================================================
#
# Two tools.  A minor shows that rows are independent, so that a rank is at least their number; a
# span writes all rows by those of a basis, so that a rank is at most its size.


class Minor(NamedTuple):
    """Independent rows, and as many columns on which they are: see `independent`."""

    rows: list[Row]
    columns: set[int]


def independent(
    C: Problem, minor: Value, allowed: Rows, excluded: Collection[int] = frozenset()
) -> Minor:
    """Its r rows are linearly independent on its r columns (M4).

    Rows are some of those allowed (a lower row counts as w_i, which changes no rank), and no
    bounds; columns are none of those excluded.  Let A be the r x r matrix of these rows on these
    columns, each row over its least common denominator there, which is left out.  Given is a
    matrix B with A B = identity modulo q >= 2.  So det A det B = 1 modulo q, which 0 is not: det A
    is not 0.  Modulo 1 everything is equal; otherwise q may be any number, prime or not.
    """
    parts = minor.fields("rows columns modulus inverse")
    rows = parts["rows"].rows({row for row in allowed if row[0] not in BOUNDS})
    columns, lines = parts["columns"].indices(C.d), parts["inverse"].items()
    q, r = parts["modulus"].integer(), len(rows)
    fixed = not set(columns).isdisjoint(excluded)
    _prove(not fixed, "the minor uses a coordinate fixed on the whole set")
    _need(len(columns) == r == len(lines), "minor must have as many rows as columns")
    _prove(q >= 2, "minor.modulus is below 2")
    # A sum of r products of numbers below q has at most this many bytes.
    width = (2 * q.bit_length() + r.bit_length() + 7) // 8
    C.weights.spend(r * r * (r * width // 8 + 16) * (width // 8 + 1), "a minor")
    packed = [_packed([v % q for v in line.integers(r)], width) for line in lines]
    for i, (_, unit) in enumerate(rows):
        line = [v % q for v in C.weights.part(unit, columns).num]
        product = sum(map(mul, line, packed))
        for j, entry in enumerate(_unpacked(product, width, r)):
            identity = entry % q == (1 if i == j else 0)
            _prove(identity, "minor.inverse is not the inverse of the submatrix")
    return Minor(rows, set(columns))


def _packed(entries: Iterable[int], width: int) -> int:
    """Write a row of a matrix as one long integer, `width` bytes for each entry.

    Sums and multiples of such integers are those of rows, entry by entry, as long as no entry
    outgrows its bytes.  Python multiplies long integers much faster than it runs through a loop.
    """
    return int.from_bytes(
        b"".join([entry.to_bytes(width, "little") for entry in entries]), "little"
    )


def _unpacked(packed: int, width: int, entries: int) -> Iterator[int]:
    """Read the row back, entry by entry."""
    data = packed.to_bytes(entries * width, "little")
    for start in range(0, len(data), width):
        yield int.from_bytes(data[start : start + width], "little")


def spanned(
    C: Problem, span: Value, basis_of: Rows, covered: Rows, excluded: Collection[int] = frozenset()
) -> int:
    """Every covered row is a combination of a basis, on all columns but those excluded (M4).

    The basis is some of the rows `basis_of`; each covered row that is not in it is listed once,
    with coefficients that give it exactly.  (A lower row counts as w_i here too.)  Returns the size
    of the basis, which the rank of the covered rows does not exceed.
    """
    parts = span.fields("basis combination")
    basis = parts["basis"].rows(basis_of)
    left = set(covered) - set(basis)
    for item in parts["combination"].items():
        entry = item.fields("row coefficients")
        row, x = entry["row"].row(left), entry["coefficients"].vector(len(basis))
        left.remove(row)
        C.weights.spend(len(basis) * x.cost**2, "coefficients")
        terms = [(unit, Fraction(v, x.den)) for (_, unit), v in zip(basis, x.num, strict=True)]
        rest = C.weights.combination([*terms, (row[1], Fraction(-1))], C.zero).num
        equal = all(v == 0 for j, v in enumerate(rest) if j not in excluded)
        _prove(equal, f"the row {_named(row)} is not the stated combination")
    _prove(not left, f"the span leaves out {len(left)} rows")
    return len(basis)


def rank_is_at_most(
    C: Problem, span: Value, rows: Rows, excluded: Collection[int] = frozenset()
) -> int:
    """Return a number that the rank of these rows on the columns not excluded does not exceed (M4).

    It is the number of columns, or less: the size of the basis of a span; or, where the span is
    null, the number of rows.
    """
    size = len(rows) if span.it is None else spanned(C, span, rows, rows, excluded)
    return min(C.d - len(excluded), size)


def rank_is(C: Problem, parts: Fields, rows: Rows, excluded: Collection[int] = frozenset()) -> int:
    """Return the rank of these rows on the columns not excluded, by `minor` and `span` (M4)."""
    least = len(independent(C, parts["minor"], rows, excluded).rows)
    most = rank_is_at_most(C, parts["span"], rows, excluded)
    _prove(least == most, f"rank {least} shown, {most} at most")
    return least


def _prove_pinned(C: Problem, held: Rows, minor: Value, how: str) -> None:
    """One point at most has these constraints as equations: they have rank d (M6).

    The minor has rows of `held`; every coordinate that is not among its columns has a bound in
    `held`.  Order the coordinates so that those columns come last.  These bounds are then (I 0) and
    the minor's rows (* A), up to signs, with A invertible: so this square matrix is.
    """
    at_bound = {j for kind, j in held if kind in BOUNDS}
    loose = set(range(C.d)) - at_bound - independent(C, minor, held).columns
    _prove(not loose, f"{len(loose)} coordinates are neither {how} nor in the minor")


def vertex(C: Problem, claim: Fields, witness: Fields) -> str:
    """Claim: a point is a vertex of C.

    Witness: a minor, `vertex`.
    Accepted if the point lies in C, the rows of the minor are tight at it, and every coordinate
    that is not among its columns is at one of its bounds.
    Enough, as the point is then the only solution of d independent tight constraints (M6).
    """
    tight = tight_at_point(C, claim["point"].vector(C.d))
    _prove_pinned(C, tight, witness["vertex"], "at a bound")
    return "the stated point is a vertex of C"


def unique(C: Problem, claim: Fields, witness: Fields) -> str:
    """Claim: a point is the only one of C.

    Witness: multipliers `implicit` or null, a minor.
    Accepted if the point lies in C, the rows of the minor are tight on all of C, and every
    coordinate that is not among its columns is constant on C (see `tight_everywhere`).
    Enough, as every point of C solves the same d independent equations (M20, M21).
    """
    tight_at_point(C, claim["point"].vector(C.d))
    held = tight_everywhere(C, witness["implicit"]).held
    _prove_pinned(C, held, witness["minor"], "fixed on all of C")
    return "the stated point is the only point of C"


def rank_positive(C: Problem, claim: Fields, witness: Fields) -> str:
    """Claim: the matrix W+ of the active rows has rank `rank`.

    Witness: a minor of W+; a span of W+ or null.
    Accepted if the minor has this many rows, and the basis of the span too; null will do where W+
    has no more rows, or no more columns.
    Enough, as the rank is at least the one and at most the other (M4).
    """
    rank = claim["rank"].number()
    found = rank_is(C, witness, C.plus)
    return _rank_in_words(C, rank, found, found, "")


def rank_at_least(C: Problem, claim: Fields, witness: Fields) -> str:
    """Claim: W+ has at least rank `rank`.

    Witness: a minor of W+.
    Accepted if it has at least this many rows.
    Enough, as they are independent (M4).
    """
    rank = claim["rank"].number()
    least = len(independent(C, witness["minor"], C.plus).rows)
    return _rank_in_words(C, rank, least, C.d, " at least")


def rank_at_most(C: Problem, claim: Fields, witness: Fields) -> str:
    """Claim: W+ has at most rank `rank`.

    Witness: a span of W+ or null.
    Accepted if its basis has at most this many rows; or W+ has, or as few columns.
    Enough, as every row of W+ is a combination of the basis (M4).
    """
    rank = claim["rank"].number()
    most = rank_is_at_most(C, witness["span"], C.plus)
    return _rank_in_words(C, rank, 0, most, " at most")


def _rank_in_words(C: Problem, rank: int, least: int, most: int, how: str) -> str:
    """Compare a claimed rank with what is shown; the side that is not claimed is not asked."""
    low = rank <= least or how == " at most"
    high = rank >= most or how == " at least"
    _prove(low and high, f"the witness proves rank {least} at least, {most} at most")
    which = "active" if C.form == "layer" else "equality"
    return f"the {len(C.plus)} {which} rows W+ have rank {rank}{how}"


def kernel(C: Problem, claim: Fields, witness: Fields) -> str:
    """Claim: the kernel condition of the paper, ker W+ lies in ker W-, holds; or it does not.

    It is about the rows at tolerance 0, and regards no domain.
    Witness, if it holds: a span with a basis of W+ that covers W-; or a minor of W+ of d rows.
    Enough, as what is 0 on W+ is 0 on its combinations; or as ker W+ is 0 (M3).
    Witness, if not: an inactive unit i, and a ray r with W+ r = 0, w_i r != 0; or i, a minor of W+
    and w_i, and a span of W+ or null, the minor larger than W+ has rank at most.
    Enough, as r is in ker W+ and not in ker W-; or as w_i is then outside of the row space of W+,
    so that a direction that W+ kills changes it (M3).
    Not said, if not: that C has another point than the target.  Other units and bounds can hold it.
    """
    holds = claim["holds"].of(bool)
    _need(("unit" in witness) != holds, "the witness is one for the opposite claim")
    if holds:
        if "span" in witness:
            spanned(C, witness["span"], C.plus, C.minus)
        else:
            rank = len(independent(C, witness["minor"], C.plus).rows)
            _prove(rank == C.d, f"the minor does not show W+ to have rank {C.d}")
        return "the kernel condition holds: ker W+ lies in ker W-"
    unit = witness["unit"].number(0, C.n)
    row = ("upper", unit)
    _prove(row in C.minus, f"unit {unit} is active: its row is not in W-")
    if "ray" in witness:
        changes = [num for num, _ in C.weights.products(witness["ray"].vector(C.d))]
        killed = all(changes[active] == 0 for _, active in C.plus)
        _prove(killed, "the ray is not in ker W+")
        _prove(changes[unit] != 0, f"the ray does not change unit {unit}")
    else:
        together = len(independent(C, witness["minor"], C.plus | {row}).rows)
        most = rank_is_at_most(C, witness["span"], C.plus)
        _prove(together > most, "the minor is not of W+ and the unit")
    return f"the kernel condition fails: a direction in ker W+ changes the inactive unit {unit}"


def dimension(C: Problem, claim: Fields, witness: Fields) -> str:
    """Claim: C has dimension `value`, -1 if it is empty; the paper's bound d - N+ is `paper_bound`.

    Witness, in three forms:
      * multipliers `empty`, as for that claim.
      * `interior`, a point; multipliers `implicit` or null; a minor; a span or null.  Let equal and
        fixed be what `tight_everywhere` shows.  Accepted if the point lies in C and is strict in
        every inequality that is not held there, and value = d - |fixed| - rank of the equal rows on
        the other columns, which minor and span show.
        Enough: C lies in the affine set {equal tight, fixed constant}, of that dimension, and near
        the point it is all of that set, as nothing else is tight there (M7).
      * `target`, a minor of W+.  Accepted if there is a target, the tolerance is 0, no z_i is 0,
        the minor has all rows of W+, at the target its columns are strictly inside of their bounds,
        and value = d - |coordinates with floor = ceiling| - N+.
        Enough: the target's other coordinates can be moved off their bounds along ker W+, a little,
        and the point reached is strict in all that is not an equation (M8).
    """
    paper_bound = C.d - len(C.plus)
    if "empty" in witness:
        _prove_empty(C, witness["empty"])
        value = -1
    elif "target" in witness:
        value = _dimension_at_target(C, witness["target"])
    else:
        equal, fixed, held = tight_everywhere(C, witness["implicit"])
        tight = tight_at_point(C, witness["interior"].vector(C.d))
        loose = len(tight - held)
        _prove(loose == 0, f"the interior point is tight in {loose} inequalities")
        value = C.d - len(fixed) - rank_is(C, witness, equal, fixed)
    stated = claim["value"].number() == value, claim["paper_bound"].number() == paper_bound
    _prove(all(stated), f"shown are dimension {value}, paper_bound {paper_bound}")
    paper = f"is {paper_bound}" if paper_bound > 0 else "does not apply, as N+ >= d"
    return f"C has dimension {value} (-1: it is empty; the paper's bound d - N+ {paper})"


def _dimension_at_target(C: Problem, minor: Value) -> int:
    """See the second form of `dimension`."""
    rows, columns = independent(C, minor, C.plus)
    near = C.target is not None and C.tolerance == 0 and all(z != 0 for z in C.z)
    near = near and C.form == "layer"
    slacks = C.slacks(C.zero if C.target is None else C.target, C.bounds)
    at_bound = {j for (_, j), slack in slacks.items() if slack == 0}
    inner = columns.isdisjoint(at_bound)
    whole = len(rows) == len(C.plus)
    _prove(near and inner and whole, "no interior point is near the target")
    return C.d - len(C.flat) - len(rows)


def lineality(C: Problem, claim: Fields, witness: Fields) -> str:
    """Claim: the directions v of the lines in C form a space of this dimension, if C is not empty.

    Witness: nothing where the domain has bounds; else a minor and a span, or null, of one row of
    each unit that has one (equality or upper; lower where there is nothing else).
    Accepted if the dimension is 0 where the domain has bounds, else d - rank W.
    Enough, as a line keeps every constraint in both directions, and so has v = 0 in every bound and
    W v = 0 in the rows (M2).
    Not said: that C is not empty.
    """
    free = C.domain == "free"
    _need(bool(witness) == free, "the witness is {} except on the free domain")
    rows = {row for row in C.rows if row[0] != "lower" or ("upper", row[1]) not in C.rows}
    found = C.d - rank_is(C, witness, rows) if free else 0
    _prove(claim["dimension"].number() == found, f"the witness proves {found}")
    return f"the lineality space of C (where C is not empty) has dimension {found}"


# == 8. Lists =====================================================================================


def generators(C: Problem, claim: Fields, witness: Fields) -> str:
    """Claim: C = conv(points) + cone(rays) + span(lines), with no entry too many.

    The lines are a basis of the lineality space; there is one point on each minimal face (the
    vertices, if there are no lines), and one ray in each extreme direction modulo the lines.

    Witness: multipliers `implicit` or null, a minor, pivots; a perturbation and bases, or null.

    Accepted if all of this holds.  Let equal and fixed be what `tight_everywhere` shows, and call
    the inequalities that it does not hold *sides*.
      1. The minor has rows of `equal` and columns outside of `fixed`.  So C lies in the affine set
         F = {equal tight, fixed constant}, of dimension at most k = d - |fixed| - its rows.
      2. There are as many pivots, which are coordinates, as lines; line i is not 0 at pivot i, and
         0 at the others: the lines are independent.  No constraint changes along a line.
      3. Points and rays are 0 at the pivots.  So F is cut down to directions modulo the lines, and
         its dimension to n = k - number of lines, at most.
      4. Every point lies in C, every ray keeps every constraint; there is a point, and the points
         differ in what is tight at them.
      5. Exactly n sides are tight at each point, and no two points have the same n.
      6. Of the sides that are tight at a point leave out one: the other n - 1 are tight at exactly
         one other listed point, and along no listed ray that leaves the one; or at no other point,
         and along exactly one such ray.  Every ray is used.

    Enough (M22): 6 gives n directions from each point into F, to the other point or along the ray,
    and only the side left out changes along each.  So they are independent, F has dimension n
    modulo the lines, the point is a vertex there, and these are its n edges.  Each ends at a listed
    point or is a listed ray.  The graph of vertices and edges of a polyhedron without lines is
    connected: nothing is missing.  With a perturbation, 5 and 6 are about bases: `_tight_in_bases`.
    """
    equal, fixed, held = tight_everywhere(C, witness["implicit"])
    rank = len(independent(C, witness["minor"], equal, fixed).rows)
    pivots, lines = witness["pivots"].indices(C.d), _listed(C, claim["lines"])
    _prove_basis(C, lines, pivots)
    points, rays = _listed(C, claim["points"], pivots), _listed(C, claim["rays"], pivots)
    n = C.d - len(fixed) - rank - len(lines)
    # A set of sides is an integer with a bit for each side, and each side is such a set; a set of
    # rays has a bit for each ray.  An entry of a set of Python's takes some 16 bytes.
    m = len(C.right)
    _limit(
        m * (m + 2 * len(rays) + 256 * len(points)) // 16, MAX_TIGHT_BYTES, "bytes of tight sides"
    )
    side = {row: 1 << k for k, row in enumerate(C.right.keys() - held)}
    at = [tight_at_point(C, x) for x in points]
    _prove(len(set(map(frozenset, at))) == len(at) > 0, "no point, or one is listed twice")
    if witness["perturbation"].it is None and witness["bases"].it is None:
        tight = [[side[row] for row in rows - held] for rows in at]
    else:
        tight = _tight_in_bases(C, witness, at, side)
    staying = dict.fromkeys(side.values(), 0)
    for k, ray in enumerate(rays):
        for row in tight_along_ray(C, ray) - held:
            staying[side[row]] |= 1 << k
    _prove(all(len(sides) == n for sides in tight), f"a point or basis has not {n} tight sides")
    _prove_edges(C, tight, staying, len(rays))
    if lines:
        kind = f"{counted(len(at), 'point')}, one on each minimal face"
    else:
        kind = f"{len(at)} {'vertex' if len(at) == 1 else 'vertices'}"
    others = f"{counted(len(rays), 'extreme ray')} and {counted(len(lines), 'line')}"
    return f"the stated lists are complete: C has exactly these {kind}, {others}"


def _listed(C: Problem, stated: Value, zero: Collection[int] = ()) -> list[Vector]:
    """Return a list of vectors, which must be 0 at these coordinates."""
    _limit(len(stated.of(list)) * C.d, MAX_LISTED, f"coordinates of {stated.name}")
    vectors = [item.vector(C.d) for item in stated.items()]
    reduced = all(x.num[j] == 0 for x in vectors for j in zero)
    _prove(reduced, f"{stated.name}: not 0 at a pivot")
    return vectors


def _prove_basis(C: Problem, lines: list[Vector], pivots: list[int]) -> None:
    """Hypothesis 2 of `generators`."""
    for i, line in enumerate(lines):
        nonzero = [k for k, j in enumerate(pivots) if line.num[j] != 0]
        _prove(
            nonzero == [i] and len(pivots) == len(lines), "the lines are not diagonal on the pivots"
        )
        constant_along_line(C, line)


def _tight_in_bases(
    C: Problem, witness: Fields, at: list[set[Row]], side: dict[Row, int]
) -> list[list[int]]:
    """Return the sides that are tight in each basis: a degenerate set, slightly perturbed (M23).

    Where more than n sides meet in a point, the right-hand side of each side grows by e times its
    number in `perturbation`, which is >= 0.  For all small e > 0 this is a set C_e around C, and
    `bases` lists points x + e shift, each point x at least once.  Such a point lies in C_e, and a
    side is tight there, iff that is so of x, and among what is tight at x, of

        (number of the side) - a shift  >= 0  at a side, = 0 where it is tight,
                             - a shift   = 0  at all that is held.

    The conditions on points are on bases here, so that the x + e shift are all vertices of C_e, for
    all small e.  Enough: a vertex v of C is the only minimum over C of some function c; C_e
    contains C, so some listed x + e shift has c (x + e shift) <= c v, the same one for a sequence
    of e to 0; hence c x <= c v, and x = v.
    """
    parts = witness["perturbation"].fields("upper lower floor ceiling")
    grown = {kind: part.vector(C.d if kind in BOUNDS else C.n) for kind, part in parts.items()}
    growth = {(kind, i): Fraction(grown[kind].num[i], grown[kind].den) for kind, i in side}
    _prove(min(growth.values(), default=0) >= 0, "the perturbation is negative somewhere")
    bases = [basis.fields("point shift") for basis in witness["bases"].items()]
    owners = [basis["point"].number(0, len(at)) for basis in bases]
    _prove(len(set(owners)) == len(at), "a point is in no basis")
    pivots = witness["pivots"].indices(C.d)
    shifts = _listed(C, Value([basis["shift"].it for basis in bases], "shifts"), pivots)
    tight = []
    for owner, shift in zip(owners, shifts, strict=True):
        right = {row: growth.get(row, Fraction(0)) for row in at[owner]}
        rates = C.slacks(shift, right)
        kept = all(rate == 0 or (rate > 0 and row in side) for row, rate in rates.items())
        _prove(kept, "a shift leaves the perturbed set")
        tight.append([side[row] for row, rate in rates.items() if row in side and rate == 0])
    return tight


def _prove_edges(C: Problem, tight: list[list[int]], staying: dict[int, int], rays: int) -> None:
    """Hypotheses 5 and 6 of `generators`, for the sides tight at each point or in each basis.

    Args:
        C: the set.
        tight: n sides for each point.  A side is a power of two, so the sum of some is their set.
        staying: for every side the rays that stay on it, as a set of the same kind: ray k is 2^k.
        rays: how many there are.
    """
    n = len(tight[0])
    words = OPERATION + 1 + (rays + len(staying)) // 64
    _limit(len(tight) * n * words, MAX_EDGE_WORDS, "words for edges")
    C.weights.spend(len(tight) * n * n * words, "edges")
    corners = [(sum(sides), sides) for sides in tight]
    different = len({whole for whole, _ in corners}) == len(corners)
    _prove(different, "two tight sets of sides are the same")
    ends = Counter(whole - left for whole, sides in corners for left in sides)
    all_rays, used = (1 << rays) - 1, 0
    for whole, sides in corners:
        for left in sides:
            leaving = all_rays & ~staying[left]
            for other in sides:
                if other != left:
                    leaving &= staying[other]
            used |= leaving
            both = ends[whole - left] + leaving.bit_count() == 2
            _prove(both, "an edge does not end at two listed points, or at one and a ray")
    _prove(used == all_rays, "a ray is not along an edge")


# == The program ==================================================================================


class Claim(NamedTuple):
    """A kind of claim.

    Attributes:
        stated: the keys of the claim beside `kind`, in each form that it may have.
        witness: the keys of the witness, likewise.
        prove: the function above; returns the claim in words.
    """

    stated: tuple[str, ...]
    witness: tuple[str, ...]
    prove: Callable[[Problem, Fields, Fields], str]


_RANK = "minor span"
CLAIMS = {
    "contains": Claim(("",), ("point",), contains),
    "empty": Claim(("",), ("multipliers",), empty),
    "vertex": Claim(("point",), ("vertex",), vertex),
    "unique": Claim(("point",), ("implicit minor",), unique),
    "active_set": Claim(("active zero",), ("",), active_set),
    "redundant": Claim(("inequality",), ("multipliers",), redundant),
    "irredundant": Claim(("inequality",), ("point",), irredundant),
    "implicit_equality": Claim(
        ("inequality holds",), ("point multipliers", "point"), implicit_equality
    ),
    "unbounded": Claim(("",), ("point ray", "point wide"), unbounded),
    "optimum": Claim(
        ("unit value vertex", "objective constant value vertex"),
        ("point multipliers", "point multipliers vertex"),
        optimum,
    ),
    "bounds": Claim(
        ("unit lower upper", "objective constant lower upper"), ("point multipliers",), bounds
    ),
    "unbounded_objective": Claim(
        ("unit", "objective constant"), ("point ray",), unbounded_objective
    ),
    "bounded": Claim(("",), ("box", "empty", "multipliers minor"), bounded),
    "rank_at_least": Claim(("rank",), ("minor",), rank_at_least),
    "rank_at_most": Claim(("rank",), ("span",), rank_at_most),
    "rank_positive": Claim(("rank",), (_RANK,), rank_positive),
    "kernel": Claim(("holds",), ("span", "minor", f"unit {_RANK}", "unit ray"), kernel),
    "lineality": Claim(("dimension",), ("", _RANK), lineality),
    "dimension": Claim(
        ("value paper_bound",), ("empty", "target", f"interior implicit {_RANK}"), dimension
    ),
    "nearest": Claim(
        ("from norm distance", "from norm lower_squared upper_squared"),
        ("point functional multipliers",),
        nearest,
    ),
    "generators": Claim(
        ("points rays lines",), ("implicit minor pivots perturbation bases",), generators
    ),
}


def check(document: object, *, folder: Path | None = None, problem: Problem | None = None) -> str:
    """Check a certificate; return its claim in words.

    Args:
        document: the JSON document.
        folder: where the files lie that it names.
        problem: its problem, where that was read before.

    Raises:
        CheckError: it is not accepted.
    """
    # Some libraries tell the processor to take subnormal floats for 0; `struct` would then decode
    # other numbers than are stored.
    _need(min(5e-324, 1) > 0, "this thread was told to take subnormal numbers for 0", LIMIT)
    parts = Value(document, "certificate").fields("schema claim problem witness")
    schema = _schema(parts)
    kind = Value(parts["claim"].of(dict).get("kind"), "claim.kind").of(str)
    _need(kind in CLAIMS, f"claim.kind must be one of {', '.join(CLAIMS)}")
    forms = CLAIMS[kind]
    claim = parts["claim"].fields(*(f"kind {keys}".strip() for keys in forms.stated))
    witness = parts["witness"].fields(*forms.witness)
    if problem is None:
        problem = Problem(parts["problem"].it, folder)
    _need(problem.spec == parts["problem"].it, "the problem handed over is another one")
    fitting = " or ".join(key for key, forms in FORMS.items() if problem.form in forms)
    _need(problem.form in FORMS[schema], f"the form {problem.form!r} goes with schema {fitting}")
    problem.weights.work = 0
    fact = forms.prove(problem, claim, witness)
    return f"{_about(problem)}: {fact}."


def _schema(parts: Fields) -> str:
    """Return the schema of a document, before anything else is looked at."""
    schema: str = parts["schema"].of(str)
    _need(schema in FORMS, f"schema must be {' or '.join(FORMS)}, got {schema!a:.60}")
    return schema


def _about(C: Problem) -> str:
    """Say what C is."""
    size = f"{counted(C.n, 'unit')}, {len(C.plus)} of them"
    where = f"{counted(C.d, 'input')}, {C.domain} domain"
    if C.form == "function":
        part = "a part of" if C.rounding == "inner" else "a set around"
        return (
            f"For the real-arithmetic layer with the stored weights and {C.function.kind} behind "
            f"them, not its float execution ({counted(C.n, 'unit')}, {where}, tolerance "
            f"{in_words(C.tolerance)}, problem sha256 {C.digest}), and C {part} its collision "
            f"polytope, the ends of each unit rounded ({C.rounding})"
        )
    if C.form == "rows":
        return (
            f"For rows with the stated weights, floors and ceilings ({size} equations, {where}, "
            f"problem sha256 {C.digest}), and C the set that they describe"
        )
    return (
        "For the real-arithmetic layer with the stored weights, not its float execution "
        f"({size} active, {where}, tolerance {in_words(C.tolerance)}, problem sha256 {C.digest}), "
        "and C its collision polytope"
    )


def check_file(path: str | Path, known: dict[str, Problem] | None = None) -> str:
    """Check a certificate in a file, beside the files that it names; return its claim in words.

    Args:
        path: the certificate.
        known: holds the last problem, by its folder and text; certificates of one layer, checked
            one after the other with the same dict, have its files read and decoded once.

    Raises:
        CheckError: it is not accepted.
    """
    data = _read_file(Path(path), MAX_CERTIFICATE_BYTES, "the certificate")
    document, folder = Value.read(data, "the certificate"), Path(path).parent
    parts = document.fields("schema claim problem witness")
    _schema(parts)
    spec = parts["problem"].it
    known = {} if known is None else known
    # The text tells 1 from true and 1.0, which Python takes for equal.
    text = f"{folder}\0{json.dumps(spec, sort_keys=True)}"
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
    codes = {0}
    known: dict[str, Problem] = {}
    for path in paths:
        try:
            print(f"{path!a}: proved. {check_file(path, known)}", flush=True)
        except CheckError as error:
            codes.add(error.code)
            print(f"{path!a}: not accepted: {error}", flush=True)
        except MemoryError:
            codes.add(LIMIT)
            print(f"{path!a}: not accepted: out of memory", flush=True)
        except KeyboardInterrupt:
            return 130
    return next(code for code in (REFUSED, MALFORMED, LIMIT, 0) if code in codes)


if __name__ == "__main__":
    sys.exit(main())
