"""What is true is accepted; a list with a gap is not: samples of two commands."""

from itertools import islice

import pytest

from tests.campaigns import certificate_sources, completeness


def test_the_certificates_of_the_library_are_accepted():
    """As tests.campaigns.certificate_sources: random small layers and planted collisions."""
    made, refused, slowest = certificate_sources.run(islice(certificate_sources.sources(3), 600))
    assert (made.total(), refused) == (600, [])
    assert len(made) >= 15
    assert slowest < 5


def test_every_gap_in_a_list_is_noticed():
    """As `python -m tests.campaigns.completeness`, the smaller polytopes."""
    counts, missed, polytopes = completeness.run(40)
    assert not missed
    assert polytopes >= 15
    assert all(counts[f"{name} removed"] for name in ("points", "rays", "lines", "bases"))


@pytest.mark.slow
def test_every_gap_in_a_long_list_is_noticed():
    counts, missed, polytopes = completeness.run(300)
    assert not missed
    assert (polytopes >= 30, counts.total() > 5000) == (True, True)
