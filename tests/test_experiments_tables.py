import pytest

from experiments.numbers import between, fixed, percent, probability, short, spread_text
from experiments.tables import Table, write_tables
from polytope.errors import InputError

TABLE = Table(
    name="small",
    title="50% & more",
    columns=("name", "value_1"),
    rows=(("a|b", "1 ± 0"), ("<1%", "")),
    notes=("A note.",),
)


def test_markdown():
    assert TABLE.markdown().splitlines() == [
        "**50% & more**",
        "",
        "| name | value_1 |",
        "| ---- | ------- |",
        "| a\\|b | 1 ± 0   |",
        "| <1%  |         |",
        "",
        "* A note.",
    ]


def test_csv():
    assert TABLE.csv() == "name,value_1\na|b,1 ± 0\n<1%,\n"


def test_latex_escapes_what_latex_reads():
    text = TABLE.latex()
    assert r"\caption{50\% \& more}" in text
    assert r"name & value\_1 \\" in text
    assert r"a$|$b & 1 $\pm$ 0 \\" in text
    assert r"$<$1\% &  \\" in text
    assert text.index(r"\toprule") < text.index(r"\midrule") < text.index(r"\bottomrule")


def test_files(tmp_path):
    written = write_tables(tmp_path, [TABLE])
    assert [p.name for p in written] == ["small.md", "small.csv", "small.tex"]
    assert written[0].read_text() == TABLE.markdown()


def test_a_row_of_the_wrong_length_is_refused():
    with pytest.raises(InputError, match="rows: expected 2 cells in row 0 of x, got 1"):
        Table(name="x", title="x", columns=("a", "b"), rows=(("1",),))


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
        (spread_text({"mean": 2.0, "std": None, "min": 2.0, "max": 2.0}), "2.00 (2.00 to 2.00)"),
    ],
)
def test_numbers(text, expected):
    assert text == expected
