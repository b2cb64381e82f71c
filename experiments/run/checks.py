"""Is an option in its range?  Checks that several experiments share."""

import re

from polytope.errors import InputError

TEST_IMAGES = 10_000


def check_device(name: str) -> None:
    """Refuse what is no device, or none of this machine, before hours of work."""
    if re.fullmatch(r"auto|cpu|cuda(:[0-9]{1,3})?", name, re.ASCII) is None:
        raise InputError(f"device: expected auto, cpu, cuda or cuda:N, got {name!r}")
    if name.startswith("cuda"):
        import torch  # takes seconds, and only this answer needs it

        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if int(name.partition(":")[2] or 0) >= count:
            raise InputError(
                f"device: expected a device of this machine, got {name!r} with {count} CUDA devices"
            )


def at_least(options: object, least: float, *names: str) -> None:
    """Refuse options, named as the attributes are, that are below a bound."""
    for name in names:
        value = getattr(options, name)
        if value < least:
            raise InputError(f"{name}: expected at least {least}, got {value}")
