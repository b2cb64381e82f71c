import pytest

from experiments.mnist.survey_results import Spread
from experiments.show.numbers import between, fixed, percent, probability, short, spread_text
from experiments.show.proof_cells import UNCERTIFIED, proof_cell, uncertified
from experiments.show.tables import Table, write_tables
from polytope.errors import InputError

TABLE = Table(
    name="small",
    title="50% & more",
    columns=("name", "value_1"),
    rows=(("a|b", "1 ± 0"), ("<1%", "")),
    proofs=("vertex-{4,5}", UNCERTIFIED),
    notes=("A note.",),
)


def test_markdown():
    assert TABLE.markdown().splitlines() == [
        "**50% & more**",
        "",
        "| name | value_1 | certificate  |",
        "| ---- | ------- | ------------ |",
        "| a\\|b | 1 ± 0   | vertex-{4,5} |",
        "| <1%  |         | uncertified  |",
        "",
        "* A note.",
    ]


def test_csv():
    assert TABLE.csv() == ('name,value_1,certificate\na|b,1 ± 0,"vertex-{4,5}"\n<1%,,uncertified\n')


def test_latex_escapes_what_latex_reads():
    text = TABLE.latex()
    assert r"\caption{50\% \& more}" in text
    assert r"name & value\_1 & certificate \\" in text
    assert r"a$|$b & 1 $\pm$ 0 & vertex-\{4,5\} \\" in text
    assert r"$<$1\% &  & uncertified \\" in text
    assert text.index(r"\toprule") < text.index(r"\midrule") < text.index(r"\bottomrule")


def test_files(tmp_path):
    written = write_tables(tmp_path, [TABLE])
    assert [p.name for p in written] == ["small.md", "small.csv", "small.tex"]
    assert written[0].read_text() == TABLE.markdown()


def test_a_row_of_the_wrong_length_is_refused():
    with pytest.raises(InputError, match="rows: expected 2 cells in row 0 of x, got 1"):
        Table(name="x", title="x", columns=("a", "b"), rows=(("1",),), proofs=(UNCERTIFIED,))


@pytest.mark.parametrize("proofs", [(), ("",), ("a", "b")])
def test_no_row_without_a_certificate_or_the_word(proofs):
    with pytest.raises(InputError, match=r"proofs: expected for each of 1 rows of x a certificate"):
        Table(name="x", title="x", columns=("a",), rows=(("1",),), proofs=proofs)


def test_a_table_without_any_certificate_says_so_once():
    rows = (("1",), ("2",))
    table = Table(name="x", title="X", columns=("a",), rows=rows, proofs=uncertified(rows))
    assert table.markdown().splitlines()[:3] == [
        *("**X**", "", "uncertified: no row of this table has a certificate")
    ]
    assert "certificate |" not in table.markdown()
    assert table.csv() == "a,certificate\n1,uncertified\n2,uncertified\n"
    assert r"\caption{X (uncertified: no row" in table.latex()


def entry(name):
    return {"file": f"certificates/{name}.json", "claim": "..."}


@pytest.mark.parametrize(
    ("found", "cell"),
    [
        ([None], UNCERTIFIED),
        ([{"certificate": None, "certificates": {"rank": None}}], UNCERTIFIED),
        ([{"certificate": {"file": None, "claim": "checked, too large to keep"}}], UNCERTIFIED),
        ([{"certificate": {"checked": "too large to keep"}}], UNCERTIFIED),
        ([{"certificate": entry("a")}, {"x": {"certificate": entry("a")}}], "a"),
        ([{"certificate": entry("vertex-none-4")}, {"certificate": None}], "vertex-none-4"),
        ([{"certificates": {"x": entry("free-rank"), "y": entry("box-rank")}}],
         "free-rank, box-rank"),
        ([[{"certificate": entry(f"u-{i}-v")} for i in (1, 12)]], "u-{1,12}-v"),
        ([[{"certificate": entry(f"piece-{i}")} for i in range(9)]], "piece-* (9)"),
        ([{"linf": {"certificate": entry("curve.0.02-linf")},
           "l2": {"certificate": entry("curve.0.02-l2")}}], "curve.0.02-{linf,l2}"),
    ],
)  # fmt: skip
def test_cells_name_the_files(found, cell):
    assert proof_cell(*found) == cell


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (fixed({"exact": "0x1/0x3", "approx": 1 / 3}), "0.33"),
        (fixed(None), ""),
        (short(1234.5), "1.2e+03"),
        (short(0.25), "0.25"),
        (percent(1.0), "100.0%"),
        (probability(0.5), "0.5000"),
        (between(1.0, 1.00001), "1.0000"),
        (between(1.0, 1.1), "1.0000 to 1.1000"),
        (spread_text(Spread(count=1, mean=2.0, min=2.0, max=2.0)), "2.00 (2.00 to 2.00)"),
    ],
)
def test_numbers(text, expected):
    assert text == expected
