"""`collide certify --every-claim`: a certificate of each kind that the set has, all accepted."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from experiments.cli.main import main
from experiments.own.certify import CertifyResults
from experiments.run.documents import jsonable
from experiments.run.record import read_record
from polytope import checker
from tests.examples.schemas import misfits

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def layer(tmp_path):
    """Five units on four inputs, one of them twice, a point and a target on a bound."""
    rng = np.random.default_rng(5)
    weight = rng.normal(size=(5, 4)).astype(np.float32)
    weight[4] = weight[3]
    arrays = {"weight": weight, "bias": np.zeros(5, np.float32)}
    target = np.array([0, 0.5, 0.25, 0], np.float32)
    np.savez(tmp_path / "net.npz", **arrays, target=target, point=target / 2, outside=target - 1)
    return tmp_path / "net.npz"


def certify(path, out, *words):
    code = main(["certify", str(path), "--out", str(out), "--quiet", *words])
    record = json.loads((out / "record.json").read_text()) if code == 0 else None
    return code, record


def kinds(folder):
    files = sorted((folder / "certificates").glob("*.json"))
    assert checker.main([str(path) for path in files]) == 0
    return {json.loads(path.read_text())["claim"]["kind"] for path in files}


@pytest.mark.parametrize("domain", ["free", "nonnegative", "box"])
def test_every_kind_is_written_and_accepted(layer, tmp_path, domain):
    words = ["--every-claim", "--point-key", "point", "--vertices", "1", "--domain", domain]
    code, record = certify(layer, tmp_path / "run", *words)
    assert code == 0
    common = {"contains", "active_set", "rank_at_least", "rank_at_most", "nearest", "dimension"}
    found = kinds(tmp_path / "run")
    assert common | {"vertex", "implicit_equality"} <= found
    assert domain != "box" or "bounds" in found
    for line in record["results"]["claims"]:
        assert (line["certificate"] is None) == bool(line["reason"])
    # Certificates name the user's file, which lies beside them.
    text = (tmp_path / "run" / "certificates" / f"{domain}-dimension.json").read_text()
    stated = json.loads(text)["problem"]
    assert [stated[role]["file"] for role in ("weight", "bias", "target")] == ["net.npz"] * 3
    assert (tmp_path / "run" / "certificates" / "net.npz").read_bytes() == layer.read_bytes()


def test_what_is_printed(layer, tmp_path, capsys, golden):
    words = ["--every-claim", "--point-key", "point", "--vertices", "2", "--domain", "box"]
    assert certify(layer, tmp_path / "run", *words)[0] == 0
    golden.check("certify", capsys.readouterr().out, places={"FOLDER": tmp_path / "run"})


def test_a_point_outside_has_a_distance_and_no_membership(layer, tmp_path, capsys):
    words = ["--every-claim", "--point-key", "outside", "--domain", "box"]
    code, record = certify(layer, tmp_path / "run", *words)
    lines = {line["claim"]: line for line in record["results"]["claims"]}
    assert code == 0
    assert lines["the point collides"]["certificate"] is None
    assert lines["distance to the point, l1"]["certificate"] is not None
    out = capsys.readouterr().out
    assert "it does not: outside of the domain, it would at a tolerance of" in out


def test_an_image_of_mnists_kind_is_a_target(layer, tmp_path, capsys):
    images = tmp_path / "images-ubyte"
    head = b"\0\0\x08\x03" + b"".join(n.to_bytes(4, "big") for n in (3, 2, 2))
    images.write_bytes(head + bytes(range(12)))
    words = ["--target", str(images), "--target-key", "2/255"]
    code, _ = certify(layer, tmp_path / "run", *words)
    assert code == 0
    text = (tmp_path / "run" / "certificates" / "free-dimension.json").read_text()
    stated = json.loads(text)["problem"]["target"]
    assert (stated["file"], stated["tensor"]) == ("images-ubyte", "2/255")
    assert kinds(tmp_path / "run")
    code, _ = certify(layer, tmp_path / "other", "--target", str(images), "--target-key", "3")
    assert code == 2
    assert "images-ubyte has no item '3'" in capsys.readouterr().err


def test_a_point_needs_every_claim(layer, tmp_path, capsys):
    code, _ = certify(layer, tmp_path / "run", "--point-key", "point")
    assert code == 2
    assert "point-key: expected --every-claim beside it" in capsys.readouterr().err
    code, _ = certify(layer, tmp_path / "run", "--point-key", "nowhere", "--every-claim")
    assert code == 2
    assert "point: expected the name of an array" in capsys.readouterr().err
    code, _ = certify(layer, tmp_path / "run", "--point-key", "bias", "--every-claim")
    assert code == 2
    assert "point: expected 4 coordinates, got 5" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_the_record_holds_typed_results_and_what_determines_them(layer, tmp_path, capsys):
    out = tmp_path / "run"
    words = ["--every-claim", "--point-key", "point", "--vertices", "1", "--json", "--debug"]
    certify(layer, out, *words)
    record = read_record(out, CertifyResults)
    assert misfits(out) == []
    assert json.loads(capsys.readouterr().out) == {"folder": str(out), **jsonable(record.results)}
    assert record.results.facts.n_units == 5
    assert record.results.vertices[0].certificate.file.startswith("certificates/free-unit-")
    assert record.options == {
        "file": str(layer),
        "weight_key": "weight",
        "bias_key": "bias",
        "target": None,
        "target_key": "target",
        "domain": "free",
        "lower": "0",
        "upper": "1",
        "nonlinearity": "relu",
        "tolerance": "0",
        "rounding": "inner",
        "vertices": 1,
        "every_claim": True,
        "point_key": "point",
    }


def test_progress_comes_before_the_results(layer, tmp_path):
    """Both streams in one, as on a terminal."""
    words = [sys.executable, "-m", "experiments.cli", "certify", str(layer), "--domain", "box"]
    words += ["--every-claim", "--vertices", "1", "--out", str(tmp_path / "run")]
    done = subprocess.run(
        words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True
    )
    lines = done.stdout.splitlines()
    reported = [i for i, line in enumerate(lines) if line.startswith("[")]
    assert "1 exact vertex" in done.stdout
    assert reported == list(range(4))  # the folder, facts, a vertex, claims; no count at the end
    assert lines[4].startswith("domain ")


def test_where_proposition_1_does_not_apply_that_is_said(tmp_path, capsys):
    path = tmp_path / "layer.npz"
    np.savez(path, weight=[[1.0], [2.0], [3.0]], bias=[1.0, 1.0, 1.0], target=[0.0])
    code, record = certify(path, tmp_path / "run")
    assert code == 0
    assert record["results"]["facts"]["paper_bound"] == -2
    printed = capsys.readouterr().out
    assert "paper_bound          -2 (Proposition 1 does not apply: N+ >= d)" in printed
