"""What is installed here, and what is missing?  Versions, device, data, exact engines."""

import json
import os
from importlib.util import find_spec
from shutil import which
from typing import Any

from experiments.run.desk import Desk
from experiments.run.request import Request

SUMMARY = "versions, device, data and exact engines found here"
REQUESTS = ()
#: Module -> what it is for.
ENGINES = {
    "flint": "python-flint: exact proofs (needed)",
    "highspy": "HiGHS: proposals (needed)",
    "ppl": "pplpy: exact simplex for small programs (needed)",
    "cdd.gmp": "pycddlib with GMP: second opinion in tests, the extra `cdd`",
}
PROGRAMS = {"esolver": "QSopt_ex: for `collide bench lp`, Debian package qsopt-ex"}


def examine() -> dict[str, dict[str, Any]]:
    """Returns section -> name -> finding."""
    from experiments.run.versions import versions

    return {
        "versions": dict(versions()),
        "machine": {"cores": len(os.sched_getaffinity(0)), "device": _device()},
        "exact engines": {text: _present(name) for name, text in ENGINES.items()},
        "programs": {text: which(name) or "absent" for name, text in PROGRAMS.items()},
        "data": _data(),
    }


def _device() -> str:
    try:
        import torch
    except (ImportError, OSError) as problem:
        return f"torch does not load: {problem}"
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"


def _present(name: str) -> str:
    try:
        found = find_spec(name)
    except ImportError:  # the package around the module is absent
        return "absent"
    return "found" if found is not None else "absent"


def _data() -> dict[str, str]:
    from experiments.datasets.mnist import SHA256
    from experiments.datasets.pinned import data_root

    folder = data_root() / "mnist"
    here = sum((folder / name).is_file() for name in SHA256)
    nets = len(list((data_root() / "nets").glob("*.safetensors")))
    return {
        "folder": str(data_root()),
        "MNIST": f"{here} of {len(SHA256)} files" + ("" if here else "; run `collide fetch`"),
        "networks": str(nets),
    }


def run(request: Request, desk: Desk) -> int:
    """What is installed, found and missing."""
    found = examine()
    if desk.json:
        print(json.dumps(found, indent=1))
        return 0
    for section, entries in found.items():
        print(section)
        for name, value in entries.items():
            print(f"  {name:22} {value}")
    return 0
