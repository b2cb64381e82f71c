"""`collide layers`: the layers of a network that can be asked about."""

import argparse
import json
from pathlib import Path

SUMMARY = "the ReLU layers of a network of yours, with d, N and, at an input, N+"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command."""
    from experiments.cli.network_options import add_model_options

    add_model_options(parser, layer=False)
    parser.add_argument(
        "--input",
        metavar="FILE",
        type=Path,
        help="one input: .npy, .npz, .safetensors, .pt, .png, .jpg",
    )


def run(options: argparse.Namespace) -> int:
    """Prints the table."""
    from experiments.own.layers import layers_table, list_layers

    found = list_layers(options)
    if options.json:
        print(json.dumps(found, indent=1))
    else:
        print(layers_table(found).markdown(), end="")
    return 0
