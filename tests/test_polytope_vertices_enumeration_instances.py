"""The generators of named polyhedra: the known counts, and as sets what every exact peer lists."""

import pytest

from experiments.bench.exact_peers import installed
from experiments.bench.exact_sets import set_of, system_of
from experiments.bench.peer_process import Peer
from polytope import verify
from polytope.answers.generators import Completeness
from tests.examples.instances import FOLDER, INSTANCES, cyclic, gale

#: Seconds for a peer; and for a slow instance, where at least one must end in time.
_LIMIT, _SLOW_LIMIT = 60, 90
#: Millions of bases: what hours would list may stay open here, but no more.
_HUGE = {"cp6", "fq48-19", "mit"}
FAST = [one for one in INSTANCES if not one.slow]
SLOW = [one for one in INSTANCES if one.slow]


@pytest.fixture(scope="module")
def peers():
    children = [Peer(name) for name in installed()]
    yield children
    for child in children:
        child.stop()


def compare(one, peers, limit):
    """Counts and sets; how many peers ended in time."""
    polytope = one.polytope()
    system = system_of(polytope)
    found = polytope.vertices(max_seconds=5 * limit)
    if one.name in _HUGE and not found.complete:
        pytest.skip(f"{found.status.name}: {found.reason}")
    assert found.complete, found.reason
    ours, ended = set_of(found), 0
    assert (len(ours.points), len(ours.rays), len(ours.lines)) == one.counts
    assert (len(found.points), len(found.rays), len(found.lines)) == one.counts
    for peer in peers:
        answer = peer.ask(system, limit=limit)
        if answer.listed is None and answer.failure.startswith("more than"):
            continue
        assert answer.failure == "", f"{peer.name}: {answer.failure}"
        assert answer.listed == ours, f"{peer.name}: {answer.listed.words()}"
        ended += 1
    return found, ended


@pytest.mark.parametrize("one", FAST, ids=[one.name for one in FAST])
def test_counts_and_sets_agree(one, peers):
    found, ended = compare(one, peers, _LIMIT)
    assert ended == len(peers)
    status = Completeness.CERTIFIED if one.points else Completeness.EMPTY
    assert found.status is status


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("one", SLOW, ids=[one.name for one in SLOW])
def test_large_ones_agree(one, peers):
    found, ended = compare(one, peers, _SLOW_LIMIT)
    print(f"{one.name}: {found.status.name}, compared with {ended} peers")
    assert ended >= 1


@pytest.mark.parametrize("one", FAST[::4], ids=[one.name for one in FAST[::4]])
def test_certificates_verify(one):
    assert verify(one.polytope().vertices().certificate)


def test_the_list_is_whole():
    names = [one.name for one in INSTANCES]
    assert len(set(names)) == len(names) > 90
    files = {path.stem for path in FOLDER.rglob("*.ine")}
    assert files <= set(names)
    assert {f"facets of {path.stem}" for path in FOLDER.rglob("*.ext")} <= set(names)


def test_gales_formula():
    # Gale 1963, and the counts that PPL confirms.
    assert [gale(8, 4), gale(10, 4), gale(12, 6), gale(10, 3)] == [20, 35, 112, 16]
    assert len(cyclic(8, 3).vertices().points) == gale(8, 3)
