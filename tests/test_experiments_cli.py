import json
import pickle
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from experiments.cli import doctor, main
from experiments.cli.help_text import help_text
from experiments.own.certify import CertifyResults
from experiments.run.documents import jsonable, read_exact
from experiments.run.record import read_record
from polytope import checker, verify
from polytope.errors import DownloadError, FileFormatError, InputError, LimitError
from polytope.files import sha256_file
from tests.examples.certificates import EXAMPLES, changed

ROOT = Path(__file__).resolve().parent.parent


def collide(capsys, *words):
    """Returns exit code, stdout and stderr of one command."""
    code = main.main([str(word) for word in words])
    out, err = capsys.readouterr()
    return code, out, err


@pytest.fixture
def layer(tmp_path):
    """A layer of 6 units and 9 inputs as .npz."""
    rng = np.random.default_rng(2)
    path = tmp_path / "layer.npz"
    weight = rng.standard_normal((6, 9), dtype=np.float32)
    np.savez(path, weight=weight, bias=np.zeros(6, np.float32), target=rng.random(9))
    return path


def test_help_is_the_one_in_the_documentation():
    text, said = (ROOT / "docs" / "cli.txt").read_text(), help_text()
    assert text.split() == said.split()
    if sys.version_info < (3, 13):  # from then on argparse breaks lines and aligns otherwise
        assert text == said


def test_help_starts_without_the_heavy_packages():
    script = "import experiments.cli.main as c, sys; c.parser(); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert not {"torch", "numpy", "flint", "matplotlib"} & set(done.stdout.split())


def test_without_a_command_help_and_code_2(capsys):
    code, out, err = collide(capsys)
    assert (code, out) == (2, "")
    assert err.startswith("usage: collide")


def test_an_unknown_table_is_refused_by_the_parser(capsys):
    with pytest.raises(SystemExit) as caught:
        main.main(["reproduce", "9"])
    assert caught.value.code == 2
    assert "invalid choice: '9'" in capsys.readouterr().err


def test_an_output_path_that_is_a_file(capsys, tmp_path):
    taken = tmp_path / "taken"
    taken.write_text("")
    code, out, err = collide(capsys, "mnist", "--out", taken)
    assert (code, out) == (2, "")
    assert err.splitlines() == [
        f"error: the run folder {taken} is a file; name a folder",
        "hint: name another folder with --out",
    ]


def test_a_folder_below_a_file_cannot_be_made(capsys, tmp_path):
    (tmp_path / "file").write_text("")
    code, _, err = collide(capsys, "mnist", "--out", tmp_path / "file" / "run")
    assert code == 2
    assert err.startswith("error: ")
    assert len(err.splitlines()) == 2


def test_a_folder_with_files_needs_resume(capsys, tmp_path):
    (tmp_path / "thesis.tex").write_text("")
    code, _, err = collide(capsys, "mnist", "--out", tmp_path)
    assert code == 2
    assert "holds files (give --resume" in err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["mnist", "--resume"], "resume: expected --out"),
        (["mnist", "--resume", "--out", "absent-folder"], "absent-folder does not exist"),
        (["mnist", "--units", "1"], "units: expected at least 2, got 1"),
        (["mnist", "--network", "x"], "network: expected wide or default, got 'x'"),
        (["mnist", "--targets", "5", "--network", "x"], "network: expected wide or default, got"),
        (["mnist", "--workers", "0"], "workers: expected at least 1, got 0"),
        (["mnist", "--tolerances", "0,-1"], "tolerances: expected finite numbers >= 0, got -1"),
        (["mnist", "--digits", "3,11"], "digits: expected digits 0 to 9, got 11"),
        (["mnist", "--targets", "0"], "targets: expected at least 1, got 0"),
        (["mnist", "--targets", "5", "--target", "7"], "target: expected none with --targets"),
        (["mnist", "--targets", "5", "--seed", "1"], "seed: expected none with --targets"),
        (["mnist", "--seeds", "2", "--samples", "9"], "samples: expected none with --targets"),
        (["mnist", "--seeds", "2", "--author-steps", "9"], "author-steps: expected none with"),
        (["mnist", "--device", "gpu"], "device: expected auto, cpu, cuda or cuda:N, got 'gpu'"),
        (["mnist", "--targets", "5", "--device", "cuda:999"], "device: expected a device of this"),
        (["mnist", "--target", "10000"], "target: expected the index of a test image, 0 to 9999"),
        (["mnist", "--tolerances", "0,0.1,0.1"], "differ in six digits, got 0.1 twice"),
        (["reproduce", "2", "--targets", "5"], "expected none with `reproduce`"),
        (["fetch", "--seeds", "-1"], "seeds: expected at least 0, got -1"),
        (["certify", "absent.npz"], "absent.npz: expected a readable"),
    ],
)
def test_bad_input_is_one_line_a_hint_and_code_2(capsys, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    code, out, err = collide(capsys, *words)
    assert (code, out) == (2, "")
    first, second = err.splitlines()
    assert first.startswith("error: ")
    assert message in first
    assert second.startswith("hint: ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("problem", "code", "line"),
    [
        (LimitError("steps ran out"), 4, "error: steps ran out"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
        (ZeroDivisionError("oops"), 1, "error: ZeroDivisionError: oops"),
    ],
)
def test_exit_codes(capsys, monkeypatch, problem, code, line):
    def fail(request, desk):
        raise problem

    monkeypatch.setattr("experiments.cli.doctor.run", fail)
    found, _, err = collide(capsys, "doctor")
    assert found == code
    assert err.startswith(line)


def test_an_interrupt_names_the_folder_that_holds_the_run(capsys, monkeypatch, tmp_path):
    def stop(settings, folder, progress):
        (folder / "stages.jsonl").write_text("")
        raise KeyboardInterrupt

    monkeypatch.setattr("experiments.mnist.run.run_mnist", stop)
    monkeypatch.setattr("experiments.mnist.survey.run_survey", stop)
    monkeypatch.chdir(tmp_path)
    for words, folder in (
        ("mnist --quiet", "mnist-000"),
        ("reproduce 2 --quiet --units 3", "mnist-001"),
        ("mnist --targets 5 --quiet", "survey-000"),
    ):
        code, _, err = collide(capsys, *words.split())
        assert code == 130
        command = f"collide {words} --resume --out runs/{folder}"
        assert err == f"interrupted; to go on:\n{command}\n"
        code, _, err = collide(capsys, *command.split()[1:])  # and it is a command
        assert code == 130
        assert err == f"interrupted; to go on:\n{command}\n"


def test_an_interrupt_before_anything_is_kept_names_no_folder(capsys, monkeypatch, tmp_path):
    def stop(settings, folder, progress):
        raise KeyboardInterrupt

    monkeypatch.setattr("experiments.mnist.run.run_mnist", stop)
    monkeypatch.chdir(tmp_path)
    assert collide(capsys, "mnist", "--quiet") == (130, "", "interrupted\n")
    assert list((tmp_path / "runs").iterdir()) == []


def test_an_error_of_a_benchmark_is_one_line_a_hint_and_a_code(capsys):
    code, out, err = collide(capsys, "bench", "lp", "--runs", "0", "--smoke", "--quiet")
    assert (code, out) == (2, "")
    first, second = err.splitlines()
    assert first == "error: runs: expected at least 1, got 0"
    assert second.startswith("hint: ")
    with pytest.raises(InputError, match="runs: expected at least 1, got 0"):
        main.main(["bench", "lp", "--runs", "0", "--smoke", "--quiet", "--debug"])
    with pytest.raises(SystemExit) as caught:
        main.main(["bench", "nothing"])
    assert caught.value.code == 2


def test_debug_shows_the_traceback(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileFormatError, match=r"absent\.npz: expected a readable"):
        main.main(["certify", "absent.npz", "--debug"])


def test_a_reader_that_goes_away_is_no_error():
    script = "from experiments.cli import doctor, main as cli\n"
    script += "doctor.run = lambda request, desk: print('x' * 100_000) or 0\n"
    script += "import sys; sys.exit(cli.main(['doctor']))"
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=60) == 0


def test_certify_writes_facts_and_certificates_that_verify(capsys, layer, tmp_path):
    out = tmp_path / "run"
    words = ["certify", layer, "--domain", "box", "--vertices", "2", "--out", out, "--quiet"]
    code, printed, err = collide(capsys, *words, "--json")
    assert (code, err) == (0, "")
    found = json.loads(printed)
    assert found["facts"]["domain"] == "box"
    assert found["facts"]["pointed"] is True
    assert len(found["vertices"]) == 2
    assert found["uniqueness"]["unique"] is (found["facts"]["dimension"] == 0)
    record = read_record(out, CertifyResults)
    assert jsonable(record.results.facts) == found["facts"]
    files = sorted((out / "certificates").glob("*.json"))
    assert len(files) == 5 + 2 + 2
    assert all("stored weights" in verify(path) for path in files)

    run = files[0].parent.parent
    assert (
        collide(capsys, "verify", run)[0] == collide(capsys, "verify", run / "certificates")[0] == 0
    )
    (run / "none").mkdir()
    code, _, error = collide(capsys, "verify", run / "none")
    assert (code, "expected certificates, or a folder of some" in error) == (2, True)
    code, printed, _ = collide(capsys, "verify", *files)
    assert code == 0
    assert [line.rpartition(": proved. ")[0] for line in printed.splitlines()] == [
        repr(str(path)) for path in files
    ]


def test_what_verify_prints(capsys, tmp_path, golden):
    """A certificate that is proved, one that is refused, one that is none."""
    for name in ("optimum of a unit", "generators, square"):
        (tmp_path / f"{name}.json").write_text(json.dumps(EXAMPLES[name]))
    document = changed("optimum of a unit", "claim", "value", to=["-6", "4"])
    (tmp_path / "refused.json").write_text(json.dumps(document))
    (tmp_path / "none.json").write_text("{}")
    code, printed, _ = collide(capsys, "verify", *sorted(tmp_path.glob("*.json")))
    assert code == 3
    golden.check("verify", printed, places={"FOLDER": tmp_path})


def test_certify_names_the_arrays_there_are(capsys, layer):
    code, _, err = collide(capsys, "certify", layer, "--weight-key", "kernel")
    assert code == 2
    assert "(bias, target, weight); got 'kernel'" in err


def test_certify_says_which_option_names_the_target(capsys, tmp_path):
    path = tmp_path / "layer.npz"
    np.savez(path, weight=np.ones((1, 2)), bias=np.zeros(1))
    code, _, err = collide(capsys, "certify", path)
    assert code == 2
    assert "got 'target'; give --target-key NAME, or --target FILE" in err


def test_certify_wants_an_empty_folder_and_says_where_it_wrote(capsys, layer, tmp_path):
    out = tmp_path / "run"
    words = ["certify", layer, "--out", out, "--vertices", "99", "--domain", "box", "--quiet"]
    code, printed, err = collide(capsys, *words)
    assert code == 0
    assert printed.endswith(f"written to {out}: certificates, checker.py, record.json\n")
    assert err.startswith("note: --vertices 99 asks for more than the ")
    before = (out / "record.json").read_bytes()
    code, printed, err = collide(capsys, *words)
    assert (code, printed) == (2, "")
    assert f"out: expected a new or empty folder; {out} holds files" in err
    assert (out / "record.json").read_bytes() == before


@pytest.mark.parametrize("name", ["lower", "upper"])
def test_certify_takes_bounds_with_a_box_only(capsys, layer, tmp_path, name):
    out = tmp_path / "run"
    code, _, err = collide(capsys, "certify", layer, f"--{name}", "0.5", "--out", out)
    assert code == 2
    assert f"{name}: expected none without --domain box" in err
    assert not out.exists()


@pytest.mark.parametrize("text", ["hello, not arrays", "\x80\x04K\x01."])
def test_certify_refuses_junk_in_one_sentence(capsys, tmp_path, text):
    path = tmp_path / "layer.npz"
    path.write_text(text, encoding="latin-1")
    code, _, err = collide(capsys, "certify", path)
    assert code == 2
    assert (
        "layer.npz: expected a readable .npz, .npy or .safetensors file with arrays saved by numpy,"
        in err
    )
    assert "pickle" not in err


def test_certify_refuses_half_an_archive(capsys, layer):
    layer.write_bytes(layer.read_bytes()[:200])
    code, _, err = collide(capsys, "certify", layer)
    assert code == 2
    assert "layer.npz: expected a readable" in err


def test_certify_points_from_pickles_to_safetensors(capsys, tmp_path):
    (tmp_path / "net.pkl").write_bytes(pickle.dumps({"weight": [[1.0]]}))
    code, _, err = collide(capsys, "certify", tmp_path / "net.pkl")
    assert code == 2
    assert "expected .npz, .safetensors or .pt; save the tensors with safetensors" in err


def test_the_hint_of_a_failed_fetch_names_the_option(capsys, monkeypatch):
    def fail(request, desk):
        raise DownloadError("no answer")

    monkeypatch.setattr("experiments.cli.fetch.run", fail)
    code, _, err = collide(capsys, "fetch")
    assert code == 2
    assert "hint: --from FOLDER takes the files" in err
    monkeypatch.setattr("experiments.cli.mnist.run", fail)  # elsewhere, fetching is the way out
    assert "hint: `collide fetch` fills the cache" in collide(capsys, "mnist")[2]


def test_certify_refuses_nan(capsys, tmp_path):
    path = tmp_path / "layer.npz"
    np.savez(path, weight=np.array([[1.0, np.nan]]), bias=np.zeros(1), target=np.zeros(2))
    code, _, err = collide(capsys, "certify", path, "--out", tmp_path / "run")
    assert code == 2
    assert "weight" in err
    assert "nan" in err.lower()
    assert not (tmp_path / "run").exists()


def test_certify_refuses_pickles(capsys, tmp_path):
    path = tmp_path / "layer.npz"
    np.savez(path, weight=np.array([{}], dtype=object), bias=np.zeros(1), target=np.zeros(2))
    code, _, err = collide(capsys, "certify", path)
    assert code == 2
    assert "layer.npz, 'weight': expected an array of numbers, got Python objects (a pickle" in err


def test_verify_refuses_a_false_claim_and_a_file_that_is_none(capsys, layer, tmp_path):
    out = tmp_path / "run"
    collide(capsys, "certify", layer, "--domain", "box", "--out", out, "--quiet")
    path = out / "certificates" / "box-dimension.json"
    document = json.loads(path.read_text())
    document["claim"]["value"] += 1
    path.write_text(json.dumps(document))
    assert collide(capsys, "verify", path)[0] == 3
    code, printed, _ = collide(capsys, "verify", "--json", path)
    assert code == 3
    assert json.loads(printed)[0]["proved"] is False
    (tmp_path / "none.json").write_text("{}")
    assert collide(capsys, "verify", tmp_path / "none.json")[0] == 2


def test_verify_json_has_the_exit_codes_of_verify(capsys, layer, tmp_path, monkeypatch):
    out = tmp_path / "run"
    collide(capsys, "certify", layer, "--domain", "box", "--out", out, "--quiet")
    proved = out / "certificates" / "box-dimension.json"
    document = json.loads(proved.read_text())
    document["claim"]["value"] += 1
    refused, malformed, large = (tmp_path / name for name in ("refused", "malformed", "large"))
    refused.write_text(json.dumps(document))
    malformed.write_text("{}")
    large.write_text(" " * 5000 + json.dumps(document))
    monkeypatch.setattr(checker, "MAX_CERTIFICATE_BYTES", large.stat().st_size - 1)
    absent = tmp_path / "absent"
    cases = [
        ([proved], 0),
        ([large, proved], 4),
        ([large, malformed], 2),
        ([absent, proved], 2),
        ([malformed, large, refused, proved], 3),
    ]
    for files, expected in cases:
        assert collide(capsys, "verify", *files)[0] == expected
        code, printed, err = collide(capsys, "verify", "--json", *files)
        assert (code, err) == (expected, "")
        entries = json.loads(printed)
        assert [entry["file"] for entry in entries] == [str(path) for path in files]
        assert [entry["proved"] for entry in entries] == [path == proved for path in files]
        assert all(entry.get("claim") or entry["reason"] for entry in entries)


def test_certify_keeps_equal_names_apart_and_values_beyond_floats(capsys, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    layer, target = tmp_path / "a" / "x.npz", tmp_path / "b" / "x.npz"
    # The minimum of 1e308 (x + y) over [-10, 10]^2 is -2e309, out of the range of floats.
    np.savez(layer, weight=np.full((1, 2), 1e308), bias=np.zeros(1))
    np.savez(target, target=np.zeros(2))
    words = ["certify", layer, "--target", target, "--domain", "box", "--lower", "-10"]
    words += ["--upper", "10", "--vertices", "1", "--out", tmp_path / "run", "--quiet"]
    code, printed, _ = collide(capsys, *words)
    assert code == 0
    assert "beyond the range of floats" in printed
    record = read_record(tmp_path / "run", CertifyResults)
    assert record.data == {str(path): sha256_file(path) for path in (layer, target)}
    (vertex,) = jsonable(record.results)["vertices"]
    assert read_exact(vertex["value"]) == -20 * Fraction(1e308)
    assert vertex["value"]["approx"] is None


def test_what_doctor_prints(capsys, monkeypatch, tmp_path, golden):
    """On a made-up machine, with an engine that is missing and no data."""
    made_up = {"python": "3.13.0", "numpy": "2.3.4"}
    monkeypatch.setattr("experiments.run.versions.versions", lambda: made_up)
    monkeypatch.setenv("COLLIDE_DATA", str(tmp_path))
    monkeypatch.setattr(doctor, "_device", lambda: "cpu")
    monkeypatch.setattr(doctor, "find_spec", lambda name: None if "cdd" in name else name)
    monkeypatch.setattr(doctor, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(doctor.os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    code, printed, _ = collide(capsys, "doctor")
    assert code == 0
    golden.check("doctor", printed, places={"FOLDER": tmp_path})


def test_doctor_names_versions_and_engines(capsys):
    code, printed, _ = collide(capsys, "doctor", "--json")
    assert code == 0
    found = json.loads(printed)
    assert found["versions"]["numpy"] == np.__version__
    engines = found["exact engines"]
    assert engines["python-flint: exact proofs (needed)"] == "found"
    assert engines["pplpy: exact simplex for small programs (needed)"] == "found"
    assert not any("peer" in name or "double description" in name for name in engines)
