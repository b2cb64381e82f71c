"""What are the networks of `collide mnist` called?  Asked by `--help`: without torch."""

#: "wide": weights and biases from N(0, 1), very likely the paper's; "default": PyTorch's start.
PRESETS = ("wide", "default")


def check_preset(network: str, name: str = "network") -> None:
    """Refuses what is no name of `PRESETS`."""
    if network not in PRESETS:
        from polytope.errors import InputError  # takes a second, for which `--help` does not wait

        raise InputError(f"{name}: expected {' or '.join(PRESETS)}, got {network!r}")
