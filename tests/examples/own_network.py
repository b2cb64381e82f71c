"""A network of the user's own, and the commands on it, for tests."""

import json

import pytest

from experiments.cli import main
from experiments.own.results import Comparison
from experiments.run.documents import from_document
from experiments.run.record import read_record
from tests.examples.network_files import write_network


@pytest.fixture(scope="module", name="place")
def network_folder(tmp_path_factory):
    """A folder with a network of the user's own, its weights and inputs."""
    folder = tmp_path_factory.mktemp("network")
    write_network(folder)
    return folder


def collide(capsys, *words):
    """Returns exit code, stdout and stderr of one command."""
    code = main.main([str(word) for word in words])
    out, err = capsys.readouterr()
    return code, out, err


def net(place, name="Net"):
    words = [f"{place / 'nets.py'}:{name}"]
    return [*words, "--weights", place / "net.safetensors"] if name == "Net" else words


def search(place, capsys, layer, out, *words, name="Net", target="image.npy"):
    given = ["--target", place / target, "--out", out, "--device", "cpu", "--quiet"]
    model, *weights = net(place, name)
    return collide(capsys, "find", model, layer, *weights, *given, *words)


def compare(place, capsys, layer, out, *words, name="Net", target="image.npy"):
    """Returns exit code and results."""
    given = ["--target", place / target, "--out", out, "--device", "cpu", "--json", "--quiet"]
    model, *weights = net(place, name)
    code, printed, err = collide(capsys, "compare", model, layer, *weights, *given, *words)
    results = from_document(Comparison, json.loads(printed)["results"], "stdout")
    assert results == read_record(out, Comparison).results
    ended = {"step_limit", "time_limit"} & set(results.search.status)
    assert code == (4 if ended else 0)
    assert err.startswith("limit: ") if ended else err == ""
    return results
