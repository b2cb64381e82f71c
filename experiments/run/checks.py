"""Is an option in its range?  Checks that several experiments share."""

import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from polytope.errors import InputError


TEST_IMAGES = 10_000
MAX_WORKERS = 8


def refused(sentence: str) -> "InputError":
    """Returns the error that says which option was not as expected.

    The package of the errors takes a second to load, for which `--help` does not wait.
    """
    from polytope.errors import InputError

    return InputError(sentence)


def cores() -> int:
    """How many processes a run takes where nobody says: one a core, at most `MAX_WORKERS`."""
    return min(len(os.sched_getaffinity(0)), MAX_WORKERS)


def check_device(device: str, name: str = "device") -> None:
    """Refuse what is no device, or none of this machine, before hours of work."""
    if re.fullmatch(r"auto|cpu|cuda(:[0-9]{1,3})?", device, re.ASCII) is None:
        raise refused(f"{name}: expected auto, cpu, cuda or cuda:N, got {device!r}")
    if device.startswith("cuda"):
        import torch  # takes seconds, and only this answer needs it

        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if int(device.partition(":")[2] or 0) >= count:
            there = f"with {count} CUDA devices" if count else "without CUDA"
            raise refused(f"{name}: expected a device of this machine, got {device!r} {there}")


def check_test_image(index: int, name: str) -> None:
    """Refuse what is no index of a test image."""
    if not 0 <= index < TEST_IMAGES:
        raise refused(
            f"{name}: expected the index of a test image, 0 to {TEST_IMAGES - 1}, got {index}"
        )
