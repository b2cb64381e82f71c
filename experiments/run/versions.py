"""What computed a number?  Versions of Python, of the packages and of this checkout."""

import platform
import subprocess
from importlib import metadata
from pathlib import Path

PACKAGES = (
    "collision-polytopes",
    "cvxpy",
    "highspy",
    "matplotlib",
    "msgspec",
    "numpy",
    "onnx",
    "pillow",
    "pplpy",
    "pycddlib",
    "python-flint",
    "safetensors",
    "scikit-learn",
    "scipy",
    "torch",
)
_CHECKOUT = Path(__file__).resolve().parents[2]


def versions() -> dict[str, str | None]:
    """Returns what computes here: Python, system, each package (None where absent), git's commit.

    Packages are asked for their metadata and not imported.
    """
    found: dict[str, str | None] = {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "commit": _commit(),
    }
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = None
    return found


def _commit() -> str | None:
    """Returns the commit of the checkout this file lies in, with "+" when files differ from it."""
    if not (_CHECKOUT / ".git").exists():
        return None
    try:
        head, changes = (
            subprocess.run(
                ["git", "-C", str(_CHECKOUT), *command],
                capture_output=True,
                text=True,
                check=True,
                timeout=10,
            ).stdout.strip()
            for command in (["rev-parse", "HEAD"], ["status", "--porcelain", "-uno"])
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return head + ("+" if changes else "")
