import json
import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from experiments.cli import main
from experiments.own.certify import CertifyResults
from experiments.own.texts import read_bytes
from experiments.own.vertices_results import Counts, VerticesResults
from experiments.run.documents import jsonable, read_exact
from experiments.run.record import read_record
from polytope import read_generators, read_polyhedron, verify
from polytope.errors import FileFormatError, InputError
from tests.examples.schemas import misfits

SQUARE = "H-representation\nbegin\n5 3 rational\n0 1 0\n0 0 1\n1 -1 0\n1 0 -1\n3 -2 -2\nend\n"
CONE = "H-representation\nbegin\n3 3 rational\n0 1 0\n0 1 1\n0 1 -1/3\nend\n"
HALF_PLANE = "H-representation\nbegin\n1 3 rational\n0 1 0\nend\n"
EMPTY = "H-representation\nbegin\n2 2 rational\n0 1\n-1 -1\nend\n"


def collide(capsys, *words):
    """Returns exit code, stdout and stderr of one command."""
    code = main.main([str(word) for word in words])
    out, err = capsys.readouterr()
    return code, out, err


def vertices(capsys, file, out, *words):
    """Returns exit code and the JSON that `collide vertices` prints."""
    code, printed, err = collide(
        capsys, "vertices", file, "--out", out, "--json", "--quiet", *words
    )
    assert err == ""
    return code, json.loads(printed)


def exact(vectors):
    return {tuple(read_exact(each) for each in vector) for vector in vectors}


@pytest.fixture
def square(tmp_path):
    """The unit square without its corner (1, 1), as a layer."""
    path = tmp_path / "layer.npz"
    np.savez(path, weight=[[2.0, 2.0]], bias=[-3.0], target=[0.0, 0.0])
    return path


CORNERS = {(0, 0), (1, 0), (0, 1), (1, 0.5), (0.5, 1)}


def test_everything_is_written_and_verifies(capsys, square, tmp_path):
    out = tmp_path / "run"
    code, found = vertices(capsys, square, out, "--domain", "box")
    assert code == 0
    assert (found["status"], found["dimension"]) == ("certified", 2)
    assert found["counts"] == {"points": 5, "rays": 0, "lines": 0}
    assert exact(found["points"]) == CORNERS
    assert found["facets"]["count"] == 5
    assert found["measures"]["volume"]["value"] == 0.875
    assert found["measures"]["extents"] == [[0.0, 1.0], [0.0, 1.0]]
    ball = found["measures"]["ball"]
    assert ball["lower"] <= ball["upper"] == pytest.approx(0.43934, abs=1e-5)
    assert found["estimate"]["vertices"] == pytest.approx(5, rel=0.02)
    assert jsonable(read_record(out, VerticesResults).results.counts) == found["counts"]

    listed = read_generators(out / "generators.ext")
    assert {tuple(p) for p in listed.points} == CORNERS
    assert {tuple(p) for p in read_generators(out / "generators.json").points} == CORNERS
    again = read_polyhedron(out / "halfspaces.ine")
    assert {tuple(p) for p in again.vertices().points} == CORNERS
    assert (out / "figures" / "set.png").read_bytes().startswith(b"\x89PNG")
    proof = out / found["certificate"]["file"]
    assert "complete" in verify(proof)
    done = subprocess.run(
        [sys.executable, "-I", "-S", "checker.py", found["certificate"]["file"]],
        cwd=out,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "5 vertices" in done.stdout


def test_what_is_printed(capsys, square, tmp_path, golden):
    out = tmp_path / "run"
    code, printed, _ = collide(capsys, "vertices", square, "--domain", "box", "--out", out)
    assert code == 0
    golden.check("vertices", printed, places={"FOLDER": out})


def test_an_equation_given_twice_is_said_and_left_out(capsys, tmp_path):
    path, out = tmp_path / "twice.ine", tmp_path / "run"
    path.write_text("linearity 2 1 2\nbegin\n4 3 integer\n1 -1 -1\n2 -2 -2\n0 1 0\n0 0 1\nend\n")
    code, printed, _ = collide(capsys, "vertices", path, "--redundancy", "--out", out)
    assert code == 0
    words = "superfluous equations    1 combined of those before: unit 3; left out of minimal.ine"
    assert words in printed
    assert read_record(out, VerticesResults).results.redundancy.superfluous == ("unit 3",)
    minimal = read_polyhedron(out / "minimal.ine")
    assert minimal.n_units == 3
    assert {tuple(p) for p in minimal.vertices().points} == {(1, 0), (0, 1)}


def test_of_a_contradiction_every_inequality_is_implied(capsys, tmp_path):
    path, out = tmp_path / "empty.ine", tmp_path / "run"
    path.write_text("linearity 2 1 2\nbegin\n3 2 integer\n1 -1\n2 -1\n0 1\nend\n")
    code, printed, _ = collide(capsys, "vertices", path, "--redundancy", "--out", out)
    assert code == 0
    assert "1 implied by all others, 0 not; 0 describe the set" in printed
    (verdict,) = read_record(out, VerticesResults).results.redundancy.redundant
    assert verify(out / verdict.certificate.file).endswith("C is empty.")
    assert read_polyhedron(out / "minimal.ine").feasibility().feasible is False


def test_a_limit_gives_a_partial_list_and_code_4(capsys, tmp_path):
    rng = np.random.default_rng(2)
    path = tmp_path / "layer.npz"
    weight = rng.standard_normal((12, 6), dtype=np.float32)
    np.savez(path, weight=weight, bias=np.full(12, -2, np.float32), target=np.full(6, 0.1))
    words = ["--domain", "box", "--max-count", "8", "--all"]
    code, found = vertices(capsys, path, tmp_path / "run", *words)
    assert code == 4
    assert found["status"] == "partial"
    assert "generators-partial.ext" in found["files"]
    assert "generators.ext" not in found["files"]
    assert "max_count" in found["reason"]
    assert found["certificate"] is None
    assert found["measures"] is None
    listed = exact(found["points"])
    assert len(listed) == found["counts"]["points"] >= 8
    again = read_polyhedron(tmp_path / "run" / "halfspaces.ine")
    assert all(again.is_vertex(list(point)) for point in listed)

    out = tmp_path / "printed"
    code, _, err = collide(capsys, "vertices", path, *words[:-1], "--out", out, "--quiet")
    assert code == 4
    assert err.startswith("partial list, more may exist: max_count")


@pytest.mark.parametrize(
    ("text", "counts", "dimension"),
    [
        (SQUARE, (5, 0, 0), 2),
        (CONE, (1, 2, 0), 2),
        (HALF_PLANE, (1, 1, 1), 2),
        (EMPTY, (0, 0, 0), -1),
    ],
    ids=["square", "cone", "half-plane", "empty"],
)
def test_half_spaces_of_every_kind(capsys, tmp_path, text, counts, dimension):
    path = tmp_path / "set.ine"
    path.write_text(text)
    code, found = vertices(capsys, path, tmp_path / "run")
    assert code == 0
    assert tuple(found["counts"].values()) == counts
    assert found["dimension"] == dimension
    assert found["certificate"] is not None
    code, printed, _ = collide(
        capsys, "vertices", path, "--out", tmp_path / "text", "--quiet", "--all"
    )
    assert code == 0
    assert ("points on minimal faces" in printed) == bool(counts[2])


def test_a_redundant_inequality_is_named(capsys, tmp_path):
    path = tmp_path / "set.ine"
    path.write_text(CONE)
    _, found = vertices(capsys, path, tmp_path / "run")
    assert found["facets"]["redundant"] == ["unit 0"]
    assert exact(found["rays"]) == {(1, -1), (1, 3)}
    assert found["measures"]["extents"] == [[0.0, None], [None, None]]
    assert found["measures"]["volume"]["upper"] is None


def test_redundancy_is_proved_on_demand(capsys, tmp_path):
    path = tmp_path / "set.ine"
    path.write_text(CONE)
    out = tmp_path / "run"
    _, found = vertices(capsys, path, out, "--redundancy")
    verdicts = found["redundancy"]
    assert [each["name"] for each in verdicts["redundant"]] == ["unit 0"]
    assert verdicts["minimal"] == ["unit 1", "unit 2"]
    assert verdicts["undecided"] == 0
    files = [each["certificate"]["file"] for key in verdicts for each in entries(verdicts[key])]
    assert sorted(files) == [f"certificates/polyhedron-implied-unit-{i}.json" for i in range(3)]
    assert all("the stated weights" in verify(out / file) for file in files)


def entries(value):
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def test_a_set_beyond_all_lists_is_undecided_at_once(capsys, tmp_path):
    path = tmp_path / "layer.npz"
    np.savez(path, weight=np.ones((1, 300)), bias=[-1.0], target=np.zeros(300))
    code, found = vertices(capsys, path, tmp_path / "run", "--domain", "box")
    assert code == 4
    assert (found["status"], found["estimate"], found["dimension"]) == ("undecided", None, None)
    assert "more than 200 dimensions" in found["reason"]


@pytest.mark.parametrize(
    ("weight", "bias", "words", "sentence"),
    [
        ([[1, 0], [0, 1]], [1, 1], [], "the layer is injective at the target; rows with z >= 0"),
        ([[1, 0], [0, 1]], [1, 1], ["--domain", "box"], "yes: no other input of the box collides"),
        (
            [[1, 1], [1, 1]],
            [1, 1],
            ["--domain", "nonnegative"],
            "yes: no other input >= 0 collides",
        ),
        ([[1, 1]], [-1], [], "no: other inputs collide as well; rows with z >= 0 have rank 0 of 2"),
    ],
)
def test_certify_says_whether_the_target_is_alone(capsys, tmp_path, weight, bias, words, sentence):
    path = tmp_path / "layer.npz"
    np.savez(path, weight=np.array(weight, float), bias=np.array(bias, float), target=[0.0, 0.0])
    code, printed, _ = collide(
        capsys, "certify", path, *words, "--out", tmp_path / "run", "--quiet"
    )
    assert code == 0
    line = next(line for line in printed.splitlines() if line.startswith("unique "))
    assert sentence in line
    assert (tmp_path / "run" / "certificates").is_dir()


def test_an_array_of_the_file_is_a_bound(capsys, tmp_path):
    path = tmp_path / "layer.npz"
    np.savez(path, weight=[[1.0, 1.0]], bias=[-9.0], target=[0.0, 1.0], top=[1.0, 2.0])
    words = ["--domain", "box", "--lower", "-1", "--upper", "top"]
    code, found = vertices(capsys, path, tmp_path / "run", *words)
    assert code == 0
    assert exact(found["points"]) == {(-1, -1), (-1, 2), (1, -1), (1, 2)}
    code, _, err = collide(capsys, "vertices", path, "--domain", "box", "--upper", "ceiling")
    assert code == 2
    assert "upper: expected the name of an array" in err


@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
def test_layers_of_torch(capsys, tmp_path, suffix):
    path = tmp_path / f"net{suffix}"
    arrays = {
        "hidden.weight": torch.tensor([[2.0, 2.0]]),
        "hidden.bias": torch.tensor([-3.0]),
        "target": torch.zeros(2),
    }
    save_file(arrays, path) if suffix == ".safetensors" else torch.save(arrays, path)
    words = ["--weight-key", "hidden.weight", "--bias-key", "hidden.bias", "--domain", "box"]
    code, found = vertices(capsys, path, tmp_path / "run", *words)
    assert code == 0
    assert exact(found["points"]) == CORNERS


def test_tensors_in_nested_mappings_have_names_with_dots(capsys, tmp_path):
    path = tmp_path / "checkpoint.pth"
    model = torch.nn.Linear(2, 1)
    torch.save({"epoch": 3, "net": model.state_dict()}, path)
    target = tmp_path / "x.pt"
    torch.save(torch.zeros(2), target)
    words = ["--weight-key", "net.weight", "--bias-key", "net.bias", "--target", target]
    code, found = vertices(capsys, path, tmp_path / "run", *words)
    assert code == 0
    assert found["counts"]["lines"] == 1


class Harmful:
    def __reduce__(self):
        return (print, ("code ran",))


def test_code_in_a_pickle_does_not_run(capsys, tmp_path):
    path = tmp_path / "net.pt"
    torch.save({"weight": Harmful()}, path)
    code, out, err = collide(capsys, "vertices", path)
    assert (code, out) == (2, "")
    assert "expected a file of torch that holds tensors alone, got a pickle that names code" in err
    path.write_bytes(pickle.dumps(Harmful()))
    code, out, err = collide(capsys, "vertices", path)
    assert (code, out) == (2, "")
    assert "holds tensors alone" in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--domain", "box"], "domain: expected none with an H-representation"),
        (["--weight-key", "w"], "weight-key: expected none with an H-representation"),
        (["--max-memory", "lots"], "max-memory: expected bytes such as 500M or 2G, got 'lots'"),
        (["--max-seconds", "-1"], "max-seconds: expected a number > 0, got -1.0"),
    ],
)
def test_what_does_not_fit_is_refused(capsys, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "set.ine"
    path.write_text(SQUARE)
    code, _, err = collide(capsys, "vertices", path, *words)
    assert code == 2
    assert message in err
    assert list(tmp_path.glob("runs/*")) == []


def test_an_interrupt_leaves_no_empty_folder(capsys, square, tmp_path, monkeypatch):
    def stop(self, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("polytope.CollisionPolytope.vertices", stop)
    monkeypatch.chdir(tmp_path)
    code, out, err = collide(capsys, "vertices", square, "--domain", "box", "--quiet")
    assert (code, out, err) == (130, "", "interrupted\n")
    assert list((tmp_path / "runs").iterdir()) == []


def test_sizes():
    assert [read_bytes(text) for text in ("7", "1k", "1.5M", "2GB")] == [
        *(7, 1024, 3 * 2**19, 2**31)
    ]
    with pytest.raises(InputError, match="got '0'"):
        read_bytes("0")


def test_certify_takes_half_spaces(capsys, tmp_path):
    path = tmp_path / "set.ine"
    path.write_text(SQUARE)
    out = tmp_path / "run"
    code, printed, _ = collide(capsys, "certify", path, "--out", out, "--json", "--quiet")
    assert code == 0
    facts = json.loads(printed)["facts"]
    assert (facts["domain"], facts["dimension"], facts["bounded"]) == ("polyhedron", 2, True)
    assert (out / "checker.py").is_file()


def test_the_record_holds_typed_results_and_what_determines_them(capsys, square, tmp_path):
    out = tmp_path / "run"
    words = ["--domain", "box", "--debug", "--max-memory", "1G", "--redundancy"]
    _, found = vertices(capsys, square, out, *words)
    record = read_record(out, VerticesResults)
    assert misfits(out) == []
    assert record.results.counts == Counts(points=5, rays=0, lines=0)
    assert {"folder": str(out), **jsonable(record.results)} == found
    assert record.options == {
        "file": str(square),
        "weight_key": "weight",
        "bias_key": "bias",
        "target": None,
        "target_key": "target",
        "domain": "box",
        "lower": "0",
        "upper": "1",
        "nonlinearity": "relu",
        "tolerance": "0",
        "rounding": "inner",
        "every": False,
        "measures": "auto",
        "redundancy": True,
        "max_seconds": None,
        "max_count": None,
        "max_memory": 2**30,
    }
    with pytest.raises(FileFormatError, match=r"expected results of schema .*certify/2, got"):
        read_record(out, CertifyResults)


def test_a_single_vertex_is_one_vertex(capsys, tmp_path):
    path = tmp_path / "layer.npz"
    np.savez(path, weight=[[1.0, 0.0], [0.0, 1.0]], bias=[1.0, 1.0], target=[0.0, 0.0])
    code, printed, err = collide(capsys, "vertices", path, "--out", tmp_path / "run")
    assert code == 0
    assert "about 1 vertex, " in err
    assert "C has exactly these 1 vertex, 0 extreme rays and 0 lines." in printed
    assert "1 vertices" not in printed + err
    single = "H-representation\nbegin\n1 2 rational\n0 1\nend\n"
    (tmp_path / "ray.ine").write_text(single)
    words = ["vertices", tmp_path / "ray.ine", "--redundancy", "--out", tmp_path / "ray"]
    printed = collide(capsys, *words)[1]
    assert f"{'facets':24} 1 of 1 inequality" in printed
    assert "0 implied by all others, 1 not; 1 describes the set" in printed
    assert "(1 unit, 0 of them equations, 1 input, free domain" in printed
    assert "C has exactly these 1 vertex, 1 extreme ray and 0 lines." in printed
