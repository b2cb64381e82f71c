"""Which branch of a reader has no random damage reached?  A fuzzer that is led by coverage.

    python -m tests.campaigns.fuzz_coverage certificate ine idx npy npz --seconds 60

needs atheris (libFuzzer for Python; not a dependency of this project: `pip install atheris`, for
CPython 3.11 to 3.13 on Linux).  Starting from the valid files of `tests/fuzz_readers`, it changes
bytes and keeps what runs a new branch of our code; what is taken is compared with the other reader
as there.  Prints executions, branches reached and findings for each reader; the input of a finding
is kept in the folder named by --keep.  Exit code 0 if there are none, 2 without atheris.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 10  # an input that takes longer is a finding
#: Our readers, and what of the standard library they are made of.
INSTRUMENTED = ("polytope", "experiments", "optimize", "zipfile", "json")
#: What the fuzzer's own process needs, torch included, and a gigabyte.
MEGABYTES = 2048


class Finding(Exception):
    """A reader did what no reader may do."""


def fuzz(name: str, *, seconds: int, seed: int, folder: Path) -> None:
    """Never returns: libFuzzer ends the process."""
    import atheris

    with atheris.instrument_imports(include=list(INSTRUMENTED)):
        from tests.campaigns.fuzz_targets import target

        of = target(name)
    from tests.campaigns.fuzz_child import judge

    warnings.simplefilter("ignore")
    corpus = folder / "corpus"
    corpus.mkdir()
    for number, sample in enumerate(of.samples):
        (corpus / f"sample-{number}").write_bytes(sample)
    path = folder / f"file{of.suffix}"

    def one(data: bytes) -> None:
        path.write_bytes(data)
        try:
            value = of.read(path)
        except Exception as error:
            found = judge(of, error)
            bad = {kind: found[kind] for kind in ("foreign", "memory", "text") if kind in found}
            if bad:
                raise Finding(f"{bad}") from error
            return
        try:
            wrong = of.compare(path, value) if of.compare else ""
        except Exception as error:
            wrong = f"the other reader: {type(error).__name__}: {error}"
        if wrong:
            raise Finding(wrong)

    flags = [f"-max_total_time={seconds}", f"-timeout={SECONDS}", f"-rss_limit_mb={MEGABYTES}"]
    flags += [
        "-print_final_stats=1",
        "-max_len=4096",
        f"-seed={seed}",
        f"-artifact_prefix={folder}/",
    ]
    atheris.Setup([sys.argv[0], *flags, str(corpus)], one)
    atheris.Fuzz()


def run(name: str, *, seconds: int, seed: int, keep: Path) -> bool:
    """Fuzzes one reader in a process of its own and prints a line; returns whether it was clean."""
    with tempfile.TemporaryDirectory() as folder:
        more = ["--seconds", str(seconds), "--seed", str(seed), "--inner", folder]
        done = subprocess.run(
            [sys.executable, "-m", "tests.campaigns.fuzz_coverage", name, *more],
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds + 120,
        )
        said = done.stdout + done.stderr
        executed = re.findall(r"number_of_executed_units:\s*([0-9]+)", said)
        reached = re.findall(r"cov: ([0-9]+)", said)
        memory = re.findall(r"peak_rss_mb:\s*([0-9]+)", said)
        print(
            f"{name}: {executed[-1] if executed else 'no'} executions, "
            f"{reached[-1] if reached else 'no'} branches, "
            f"{memory[-1] if memory else '?'} MiB at most, exit status {done.returncode}",
            flush=True,
        )
        if done.returncode == 0 and executed:
            return True
        kept = [p for p in Path(folder).iterdir() if re.match("crash|timeout|oom|slow", p.name)]
        for place in kept:
            keep.mkdir(parents=True, exist_ok=True)
            (keep / f"{name}-{place.name}").write_bytes(place.read_bytes())
        print("\n".join(said.splitlines()[-40:]))
        return False


def main(argv: list[str] | None = None) -> int:
    words = argparse.ArgumentParser(description="Readers under a coverage-guided fuzzer.")
    words.add_argument(
        "readers", nargs="+", help="names as of tests.campaigns.fuzz_readers --reader"
    )
    words.add_argument("--seconds", type=int, default=60, help="for each reader (60)")
    words.add_argument("--seed", type=int, default=1, help="of the fuzzer (1)")
    words.add_argument("--keep", type=Path, default=Path("findings"), help="folder (findings)")
    words.add_argument("--inner", type=Path, help=argparse.SUPPRESS)
    options = words.parse_args(argv)
    if importlib.util.find_spec("atheris") is None:
        print("atheris is not installed: pip install atheris (CPython 3.11 to 3.13, Linux)")
        return 2
    if options.inner:
        seconds, seed = options.seconds, options.seed
        fuzz(options.readers[0], seconds=seconds, seed=seed, folder=options.inner)
    clean = [
        run(name, seconds=options.seconds, seed=options.seed, keep=options.keep)
        for name in options.readers
    ]
    return 0 if all(clean) else 1


if __name__ == "__main__":
    sys.exit(main())
