import math

import pytest

from experiments import paper


@pytest.mark.parametrize(("key", "number"), paper.all_numbers().items())
def test_a_number_has_a_value_or_a_reason(key, number):
    assert (number.value is None) == (number.text == "") == (number.reason != "")
    assert number.where
    if number.unit in ("fraction", "probability") and number.value is not None:
        assert 0 < number.value <= 1


@pytest.mark.parametrize(
    ("row", "percent"),
    # 1.33 / 10.21, 1.28 / 10.21, 4906.56 / 37538.22, 8597.34 / 37538.22, 9587.92 / 37538.22
    [
        (paper.TABLE_2[0], 13.03),
        (paper.TABLE_2[1], 12.54),
        (paper.TABLE_4[0], 13.07),
        (paper.TABLE_6[0], 22.90),
        (paper.TABLE_6[1], 25.54),
    ],
)
def test_ratios_by_hand(row, percent):
    assert 100 * row.ratio == pytest.approx(percent, abs=0.005)


def test_the_text_agrees_with_the_table():
    ratios = [round(row.ratio, 2) for row in paper.TABLE_2]
    assert paper.TEXT["mnist_distance_ratio_lowest"].value <= min(ratios)
    assert max(ratios) <= paper.TEXT["mnist_distance_ratio_highest"].value


def test_distances_fit_their_grey_scales():
    rms = [
        row.image_distance.value / math.sqrt(size)
        for row, size in ((paper.TABLE_2[0], 784), (paper.TABLE_4[0], 224 * 224 * 3))
    ]
    assert rms[0] < 1  # pixels in [0, 1]
    assert rms[1] == pytest.approx(96.8, abs=0.05)  # grey levels 0..255


def test_keys_and_texts():
    numbers = paper.all_numbers()
    assert numbers["mnist_accuracy"].value == 0.9664
    assert str(numbers["table6.row2.sample_confidence"]) == "0.800"
    assert numbers["patch_count"].value == 37_011_074
    assert numbers["table2.row1.success"].value == 1.0


def test_missing_rows_have_no_ratio_and_no_number():
    for row in (*paper.TABLE_11, *paper.LENET_5):
        assert row.ratio is None
        assert all(number.reason == paper.APPENDIX for _, number in row.numbers())
