"""Each format as others write it; and files that are broken, or want to break the reader."""

import math
import time
import tracemalloc
from fractions import Fraction

import numpy as np
import pytest
from flint import fmpz

from polytope import read_generators, read_polyhedron
from polytope.errors import FileFormatError
from polytope.formats.representations import rows_of
from polytope.formats.text import MAX_BYTES, MAX_DIGITS, Token, number, shown

F = Fraction


def halfspaces(tmp_path, name, text):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    rows = rows_of(read_polyhedron(path))
    return rows.inequalities, rows.equations


def generators(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text)
    found = read_generators(path)
    return tuple([tuple(v) for v in part] for part in (found.points, found.rays, found.lines))


CDD = {
    "title, comments, options": (
        "cube.ine\n* a comment\nCube of x\nH-representation\nlinearity 1 2\nbegin\n"
        " 3 3 rational\n1 1/2 0\n* between\n 0 0\n 1\n2 -1 -1\nend\nmaximize\n0 1 1\nallbases\n",
        ([[2, 1, 0], [2, -1, -1]], [[0, 0, 1]]),
    ),
    "linearity after end, CRLF": (
        "begin\r\n2 2 integer\r\n1 1\r\n1 -1\r\nend\r\nlinearity 1 1\r\n",
        ([[1, -1]], [[1, 1]]),
    ),
    "unknown number of rows": ("begin\n***** 2 integer\n1 1\n1 -1\nend\n", ([[1, 1], [1, -1]], [])),
    "nonnegative": ("nonnegative\nbegin\n1 2 integer\n1 -1\nend", ([[1, -1], [0, 1]], [])),
    "nonnegative too late, as for lrs": (
        "begin\n1 2 integer\n1 -1\nend\nnonnegative\n",
        ([[1, -1]], []),
    ),
    "decimals, exactly": (
        "begin\n3 2 real\n.1 -1.\n1e2 25E-2\n+3 0.50\nend\n",
        ([[1, -10], [400, 1], [6, 1]], []),
    ),
    "no rows": ("begin\n0 3 integer\nend\n", ([], [])),
    "old comment in another encoding": (
        "* Z\u00fcrich\nbegin\n1 2 integer\n1 1\nend\n".encode("latin-1"),
        ([[1, 1]], []),
    ),
}


@pytest.mark.parametrize("case", CDD)
def test_cdd_files_as_they_are_found(case, tmp_path):
    text, expected = CDD[case]
    assert halfspaces(tmp_path, "a.ine", text) == expected


def test_cdd_generators(tmp_path):
    text = "V-representation\nlinearity 1 3\nbegin\n4 3 rational\n2 1 4\n0 1 0\n0 0 1\n0 0 0\nend\n"
    assert generators(tmp_path, "a.ext", text) == ([(F(1, 2), 2)], [(1, 0)], [(0, 1)])
    cone = "hull\nbegin\n1 3 integer\n0 1 0\nend\n"
    assert generators(tmp_path, "b.ext", cone) == ([(0, 0)], [(1, 0)], [])
    empty = "V-representation\nbegin\n0 3 integer\nend\n"
    assert generators(tmp_path, "c.ext", empty) == ([], [], [])


POLYMAKE = """_application polytope
_version 2.3

# a comment
AMBIENT_DIM
3

INEQUALITIES
0 1 0
1/2 0 -1

EQUATIONS
1 -1 -1

POINTS
1 2 3
2 1 0
0 1 1

INPUT_LINEALITY
0 1 -1
"""


def test_polymake_text(tmp_path):
    assert halfspaces(tmp_path, "a.poly", POLYMAKE) == ([[0, 1, 0], [1, 0, -2]], [[1, -1, -1]])
    assert generators(tmp_path, "a.poly", POLYMAKE) == (
        [(2, 3), (F(1, 2), 0)],
        [(1, 1)],
        [(1, -1)],
    )


def test_polymake_json(tmp_path):
    text = """{"_type": "polytope::Polytope<Rational>", "FACETS": [["0", "1", "0"], {"0": "1/2",
    "2": "-1"}, {"cols": 3}], "AFFINE_HULL": [], "VERTICES": [["1", "0", "0"], [0, 1, 1]]}"""
    assert halfspaces(tmp_path, "a.poly", text) == ([[0, 1, 0], [1, 0, -2]], [])
    assert generators(tmp_path, "a.poly", text) == ([(0, 0)], [(1, 1)], [])


def test_normaliz_files_as_they_are_found(tmp_path):
    text = """amb_space 2 /* a
    comment */ inhom_inequalities 1
    1 0 -1/2
    equations 1
    1 -1
    constraints 2
    1 1 <= 5
    0 1 = 0.5
    Vertices SupportHyperplanes
    """
    assert halfspaces(tmp_path, "a.in", text) == (
        [[-1, 2, 0], [5, -1, -1]],
        [[-1, 0, 2], [0, 1, -1]],
    )
    orthant = "amb_space 2\nequations 1\n1 -1\n"
    assert halfspaces(tmp_path, "b.in", orthant) == ([[0, 1, 0], [0, 0, 1]], [[0, 1, -1]])
    bounded = "amb_space 1 nonnegative inhom_inequalities 1 -1 1"
    assert halfspaces(tmp_path, "c.in", bounded) == ([[1, -1], [0, 1]], [])
    made = "amb_space 2\nvertices 1\n1 3 2\ncone 1\n1 0\nsubspace 1\n0 1\nHilbertBasis\n"
    assert generators(tmp_path, "d.in", made) == ([(F(1, 2), F(3, 2))], [(1, 0)], [(0, 1)])


def test_normaliz_takes_equations_alone_as_we_do():
    normaliz = pytest.importorskip("PyNormaliz")
    assert normaliz.Cone(equations=[[1, -1]]).MaximalSubspace() == []


def test_normaliz_generators_and_constraints_mean_what_both_allow(tmp_path):
    cone = "amb_space 2\ncone 2\n1 0\n1 3\ninequalities 1\n1 -1\ngrading\n1 0\n"
    inequalities, equations = halfspaces(tmp_path, "a.in", cone)
    assert (inequalities[0], equations) == ([0, 1, -1], [])
    assert {*map(tuple, inequalities[1:])} == {(0, 0, 1), (0, 3, -1)}
    flat = "amb_space 3 grading unit_vector 2 cone 2 -1 0 0 1 3 0 equations 1 1 1 0"
    inequalities, equations = halfspaces(tmp_path, "b.in", flat)
    assert {tuple(map(abs, row)) for row in equations} == {(0, 1, 1, 0), (0, 0, 0, 1)}
    found = read_polyhedron(tmp_path / "b.in").vertices()
    assert [tuple(ray) for ray in found.rays] == [(-1, 1, 0)]
    line = "amb_space 2\nvertices 1\n1 3 2\nsubspace 1\n0 1\nconstraints 1\n0 1 <= 4\n"
    assert halfspaces(tmp_path, "c.in", line) == ([[4, 0, -1]], [[-1, 2, 0]])


@pytest.mark.parametrize("seed", range(25))
def test_normaliz_reads_mixed_files_as_we_do(tmp_path, seed):
    normaliz = pytest.importorskip("PyNormaliz")
    rng = np.random.default_rng(seed)
    cone, subspace = rng.integers(-2, 4, (4, 3)), rng.integers(-1, 2, (int(seed % 5 == 0), 3))
    constraints = rng.integers(-2, 3, (2, 4))
    matrices = {"cone": cone, "subspace": subspace, "inhom_inequalities": constraints}
    text = "amb_space 3\n" + "".join(
        f"{name} {len(rows)}\n" + "\n".join(" ".join(map(str, row)) for row in rows) + "\n"
        for name, rows in matrices.items()
        if len(rows)
    )
    (tmp_path / "a.in").write_text(text)
    found = read_polyhedron(tmp_path / "a.in").vertices()
    theirs = normaliz.Cone(**{k: v.tolist() for k, v in matrices.items() if len(v)})
    if not theirs.VerticesOfPolyhedron():
        assert not found.points
        return
    lines = theirs.MaximalSubspace()
    assert len(found.lines) == len(lines)
    assert len(found.rays) == len(theirs.ExtremeRays())
    if not lines:
        listed = {tuple(F(v, q) for v in x) for *x, q in theirs.VerticesOfPolyhedron()}
        assert {tuple(p) for p in found.points} == listed


BROKEN = {
    "empty": ("a.ine", "", "line 1: expected the word begin, got 'the end of the file'"),
    "no numbers": ("a.ine", "begin", "expected a number of rows, got 'the end of the file'"),
    "truncated": ("a.ine", "begin\n2 2 integer\n1 1\n1", "expected the word end, got 'the end"),
    "too few": ("a.ine", "begin\n2 2 integer\n1 1\n1\nend", r"line 5: expected 2 rows of 2 numbe"),
    "too many": ("a.ine", "begin\n1 2 integer\n1 1\n1 1\nend", "line 4: expected the word end"),
    "huge count": ("a.ine", "begin\n999999999 9 integer\n1\nend", "got '0 rows and 1 numbers'"),
    "larger count": ("a.ine", "begin\n1000000000000 9 integer\n1\nend", "expected a number of r"),
    "negative count": ("a.ine", "begin\n-1 2 integer\nend", "a number of rows, got '-1'"),
    "no columns": ("a.ine", "begin\n1 1 integer\n1\nend", "at least 2 columns, got '1'"),
    "type": ("a.ine", "begin\n1 2 float\n1 1\nend", "one of integer, rational, real, got 'float'"),
    "zero denominator": ("a.ine", "begin\n1 2 rational\n1 1/0\nend", "line 3.* not 0, got '1/0'"),
    "nan": ("a.ine", "begin\n1 2 real\n1 nan\nend", "line 3: expected a number, got 'nan'"),
    "infinity": ("a.ine", "begin\n1 2 real\n1 inf\nend", "expected a number, got 'inf'"),
    "decimal": ("a.ine", "begin\n1 2 rational\n1 .5\nend", r"or a fraction p/q, got '\.5'"),
    "dot": ("a.ine", "begin\n1 2 real\n1 .\nend", r"expected a number, got '\.'"),
    "other digits": ("a.ine", "begin\n1 2 rational\n1 \u0661\nend", r"got '\\u0661'"),
    "underscore": ("a.ine", "begin\n1 2 rational\n1 1_0\nend", "got '1_0'"),
    "hexadecimal": ("a.ine", "begin\n1 2 rational\n1 0x1\nend", "got '0x1'"),
    "exponent": ("a.ine", "begin\n1 2 real\n1 1e400000\nend", "of ten of at most 700, got '1e400"),
    "long exponent": ("a.ine", "begin\n1 2 real\n1 1e999999999999\nend", "expected a number, got"),
    "code": ("a.ine", "begin\n1 2 rational\n1 __import__('os')\nend", "got .__import__"),
    "linearity": ("a.ine", "linearity 1 3\nbegin\n2 2 integer\n1 1\n1 -1\nend", "up to 2, got '3'"),
    "linearity 0": ("a.ine", "linearity 1 0\nbegin\n1 2 integer\n1 1\nend", "from 1 on, got '0'"),
    "linearity count": ("a.ine", "linearity 2 1\nbegin\n1 2 integer\n1 1\nend", "as many row num"),
    "strict": ("a.ine", "strict_inequality 1 1\nbegin\n1 2 integer\n1 1\nend", "got 'strict_in"),
    "projection": ("a.ine", "begin\n1 2 integer\n1 1\nend\nproject 1 1", "got 'project'"),
    "no rows": ("a.ine", "begin\n0 2050 integer\nend", "at most 4,194,304 entries that are not"),
    "no rows, our own": (
        "a.json",
        '{"schema": "collision-polytopes/halfspaces/1", "n": 2050, "inequalities": [], '
        '"equations": []}',
        "at most 4,194,304 entries that are not written out",
    ),
    "grading": ("a.in", "amb_space 2\ngrading\nwords\n", "line 3: expected a number, got .words"),
    "grading place": ("a.in", "amb_space 2\ngrading\nunit_vector 3\n", "line 3: .*1 to 2, got '3'"),
    "polymake number": ("a.poly", "INEQUALITIES\n1 x\n", "line 2: expected an integer"),
    "polymake widths": ("a.poly", "FACETS\n1 2\n1\n", "rows of one length, at least 2, got 'len"),
    "polymake width": ("a.poly", "FACETS\n1\n2\n", "at least 2, got 'lengths 1'"),
    "polymake twice": (
        "a.poly",
        "FACETS\n1 2\n\nFACETS\n1 2\n",
        "line 4: expected each section on",
    ),
    "polymake none": ("a.poly", "POINTS\n1 2\n", "rows in one of INEQUALITIES.* got 'POINTS'"),
    "polymake JSON": ("a.poly", '{"FACETS": [[1, 2.5]]}', "or a string p/q, got '2.5'"),
    "polymake columns": ("a.poly", '{"FACETS": [{"9": "1"}, {"cols": 3}]}', "below 3 in FACETS"),
    "polymake wide": ("a.poly", '{"FACETS": [{}, {"cols": 99999999999}]}', "a number of columns"),
    "polymake rows": ("a.poly", '{"FACETS": "no"}', "a list of rows in FACETS, got 'str'"),
    "polymake row": ("a.poly", '{"FACETS": [3]}', "rows of numbers in FACETS, got '3'"),
    "normaliz start": ("a.in", "cone 1\n1 0\n", "line 1: expected amb_space first, got 'cone'"),
    "normaliz type": ("a.in", "amb_space 1\ncongruences 1\n1 2\n", "line 2: .*got 'congruences'"),
    "normaliz end": ("a.in", "amb_space 2\ninequalities 2\n1 0\n", "a number, got 'the end of"),
    "normaliz space": ("a.in", "amb_space 0\n", "amb_space of at least 1, got '0'"),
    "normaliz relation": ("a.in", "amb_space 1\nconstraints 1\n1 < 2\n", "<=, = or >=, got '<'"),
    "normaliz kind": ("a.in", "amb_space 1\ncone 1\n1\n", "expected constraints only, got 'cone'"),
    "JSON": ("a.json", "{", "line 1: expected JSON"),
    "JSON list": ("a.json", "[1]", "a JSON object, got 'list'"),
    "JSON depth": ("a.json", "[" * 100_000, "expected JSON, got"),
    "JSON NaN": ("a.json", '{"n": NaN}', "finite numbers, got 'NaN'"),
    "JSON twice": ("a.json", '{"n": 1, "n": 2}', "each JSON key once"),
    "JSON digits": ("a.json", '{"n": ' + "1" * 5000 + "}", "at most 4,300 digits"),
    "JSON schema": (
        "a.json",
        '{"schema": "x"}',
        "schema collision-polytopes/halfspaces/1, got 'x'",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_files_say_what_was_expected(case, tmp_path):
    name, text, message = BROKEN[case]
    began = time.process_time()
    with pytest.raises(FileFormatError, match=message) as caught:
        halfspaces(tmp_path, name, text)
    assert str(caught.value).startswith(name)
    assert len(str(caught.value)) < 300
    assert time.process_time() - began < 5


NATIVE = '{"schema": "collision-polytopes/halfspaces/1", "n": 1, "inequalities": [%s], %s}'
ROW = '{"row": {"den": "%s", "num": [%s]}, "bound": ["1", "1"]}'


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (ROW % ("0", '"1"'), "a positive denominator, got '0'"),
        (ROW % ("1", '"1", "2"'), "1 numerators"),
        (ROW % ("1", '"1_0"'), "lower-case hex digits, got '1_0'"),
        (ROW % ("1", '"0x1"'), "lower-case hex digits"),
        (ROW % ("1", "1"), "lower-case hex digits, got '1'"),
        (ROW % ("1", '"\u0661"'), "lower-case hex digits"),
        (ROW % ("1", '"' + "f" * 70_000 + '"'), "lower-case hex digits"),
        ('{"row": 1}', "the keys row, bound, got 'row'"),
        ('{"row": {"den": "1", "num": ["1"]}, "bound": ["1"]}', "a pair"),
        ("3", "the keys row, bound, got 'int'"),
    ],
)
def test_broken_rows_of_ours(row, message, tmp_path):
    with pytest.raises(FileFormatError, match=message):
        halfspaces(tmp_path, "a.json", NATIVE % (row, '"equations": []'))


def test_broken_documents_of_ours(tmp_path):
    with pytest.raises(FileFormatError, match="the keys schema, n, inequalities, equations"):
        halfspaces(tmp_path, "a.json", NATIVE % ("", '"extra": []'))
    with pytest.raises(FileFormatError, match="a list in equations, got 'int'"):
        halfspaces(tmp_path, "a.json", NATIVE % ("", '"equations": 3'))
    text = (NATIVE % ("", '"equations": []')).replace('"n": 1', '"n": 99999999999')
    with pytest.raises(FileFormatError, match="n, a number of coordinates"):
        halfspaces(tmp_path, "a.json", text)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.ext", "V-representation\nbegin\n1 2 integer\n-1 1\nend", "0 or 1 as first number of"),
        ("a.ext", "V-representation\nlinearity 1 1\nbegin\n1 2 integer\n1 1\nend", "0 in a line"),
        ("a.ext", "hull\nnonnegative\nbegin\n1 2 integer\n1 1\nend", "got 'nonnegative'"),
        ("a.poly", "POINTS\n-1 2\n", "a first number >= 0"),
        ("a.poly", "POINTS\n1 2\n\nINPUT_LINEALITY\n1 2\n", "0 as first number of a line"),
        ("a.in", "amb_space 1\nvertices 1\n1 0\n", "a positive last number of each vertex"),
        ("a.in", "amb_space 1\n", "some of vertices, cone, subspace only, got 'none'"),
    ],
)
def test_broken_generators(name, text, message, tmp_path):
    with pytest.raises(FileFormatError, match=message):
        generators(tmp_path, name, text)


def test_every_truncation_of_a_file_is_read_or_refused(tmp_path):
    text, refused = CDD["title, comments, options"][0], 0
    for size in range(text.index("end")):
        with pytest.raises(FileFormatError):
            halfspaces(tmp_path, "a.ine", text[:size])
        refused += 1
    assert refused > 100


BOMBS = {
    "nonnegative": (
        "a.in",
        "amb_space 2049\nnonnegative\n",
        "line 2: expected at most 4,194,304 e",
    ),
    "repeated": ("a.in", "amb_space 1200\n" + "nonnegative\n" * 3, "line 4: .* got '4,320,000'"),
    "equations alone": ("a.in", "amb_space 999999999\nequations 0\n", "entries that are not writ"),
    "lrs's": ("a.ine", "nonnegative\nbegin\n0 3000 integer\nend", "line 1: .* got '8,997,000'"),
    "sparse": ("a.poly", '{"FACETS": [{}, {}, {}, {}, {"0": 1}, {"cols": 1048576}]}', "'5,242,87"),
    "many": (
        "a.poly",
        '{"FACETS": [{}, {}, {"cols": 1048576}], "EQUATIONS": [{}, {}, {}, {"cols": 1048576}]}',
        "got '5,242,880'",
    ),
    "decimals": ("a.ine", "begin\n1 2 real\n1 1e701\nend", "a power of ten of at most 700, got"),
    "small decimals": ("a.in", "amb_space 1\ninequalities 1\n1e-9999\n", "line 3: .* at most 700"),
}


@pytest.mark.parametrize("case", BOMBS)
def test_a_small_file_cannot_ask_for_much_memory(case, tmp_path):
    name, text, message = BOMBS[case]
    tracemalloc.start()
    with pytest.raises(FileFormatError, match=message):
        halfspaces(tmp_path, name, text)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100 << 20


def test_what_a_file_leaves_out_is_filled_in_up_to_the_limit(tmp_path):
    for name, text in (
        ("a.in", "amb_space 300\nnonnegative\n"),
        ("a.poly", '{"FACETS": [' + "{}, " * 300 + '{"cols": 301}]}'),
    ):
        (tmp_path / name).write_text(text)
        assert read_polyhedron(tmp_path / name).n_units == 300
    (tmp_path / "b.ine").write_text("begin\n1 2 real\n1 5e-324\nend")
    assert read_polyhedron(tmp_path / "b.ine").n_inputs == 1


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    path = tmp_path / "a.ine"
    with path.open("wb") as stream:
        stream.truncate(MAX_BYTES + 1)  # a hole: no disk space is used
    with pytest.raises(FileFormatError, match=r"at most 67,108,864 bytes, got '67,108,865'"):
        read_polyhedron(path)


def test_long_numbers_take_nearly_linear_time():
    began = time.process_time()
    digits = "9" * MAX_DIGITS
    value = number(Token(f"-{digits[1:]}/7", 1), "a.ine")
    assert value == F(1 - 10 ** (MAX_DIGITS - 1), 7)
    assert shown(value) == f"-{digits[1:]}/7" or shown(value * 7) == f"-{digits[1:]}"
    assert time.process_time() - began < 2
    with pytest.raises(
        FileFormatError, match=f"at most {MAX_DIGITS} digits, got '{MAX_DIGITS + 1}"
    ):
        number(Token(digits + "9", 1), "a.ine")


ODD = [b"9" * 5000, b"1e9999", b"nan", b" 1/0 ", b"\xd9\xa1", b"begin", b"end", b"\0", b"-", b"{"]
WHOLE = {
    "a.ine": CDD["title, comments, options"][0],
    "a.ext": "V-representation\nlinearity 1 3\nbegin\n3 3 rational\n2 1 4\n0 1 0\n0 0 1\nend\n",
    "a.poly": POLYMAKE,
    "b.poly": '{"FACETS": [["0", "1", "0"], {"0": "1/2", "2": "-1"}, {"cols": 3}]}',
    "a.in": "amb_space 2\ninequalities 1\n1 -1\nconstraints 2\n1 1 <= 5\n0 1 = 0.5\n",
    "a.json": NATIVE % (ROW % ("1", '"1"'), '"equations": []'),
}


@pytest.mark.parametrize("name", WHOLE)
def test_mutated_files_are_read_or_refused(name, tmp_path):
    rng, path, refused = np.random.default_rng(7), tmp_path / name, []
    for _ in range(300):
        content = WHOLE[name].encode()
        for _ in range(int(rng.integers(1, 4))):
            i, j = sorted(rng.integers(0, len(content) + 1, 2).tolist())
            new = [b"", content[i:j] * 2, ODD[int(rng.integers(len(ODD)))]][int(rng.integers(3))]
            content = content[:i] + new + content[j if rng.random() < 0.3 else min(i + 1, j) :]
        path.write_bytes(content)
        for read in (read_polyhedron, read_generators):
            try:
                read(path)
            except FileFormatError as error:
                refused.append(str(error))
    assert len(refused) > 300
    assert max(map(len, refused)) < 400


def test_comments_without_end_take_no_time(tmp_path):
    path = tmp_path / "a.in"
    path.write_text("amb_space 1\ninequalities 1\n1\n" + "/* " * 400_000)
    began = time.process_time()
    with pytest.raises(FileFormatError, match=r"or a goal, got '/[*]'"):
        read_polyhedron(path)
    assert time.process_time() - began < 5


@pytest.mark.parametrize("name", ["a.ext", "a.ine", "a.poly", "a.in"])
def test_a_row_whose_common_denominator_is_beyond_the_checker(name, tmp_path):
    """Over one denominator n fractions take n times the room; here it is beyond the limit."""
    powers = [7, 11, 13, 17, 19, 23]
    row = " ".join(f"1/{fmpz(p) ** int(60_000 / math.log10(p))}" for p in powers)
    rows = {
        "a.ext": f"V-representation\nbegin\n1 7 rational\n1 {row}\nend\n",
        "a.ine": f"begin\n1 7 rational\n1 {row}\nend\n",
        "a.poly": f"INEQUALITIES\n1 {row}\n",
        "a.in": f"amb_space 6\ninequalities 1\n{row}\n",
    }
    path = tmp_path / name
    path.write_text(rows[name])
    began = time.process_time()
    with pytest.raises(FileFormatError, match="common denominator of at most 262,144 bits"):
        (read_generators if name == "a.ext" else read_polyhedron)(path)
    assert time.process_time() - began < 5
