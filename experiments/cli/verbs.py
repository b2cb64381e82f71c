"""Which commands have a file of their own?  One module a command, named as the command.

Each holds `SUMMARY` (one line, no full stop), `add_options(parser)` and `run(options) -> int`, the
exit code.  A module imports nothing heavy at its top: `collide --help` loads all of them.
"""

import argparse
from importlib import import_module
from types import ModuleType

from experiments.cli.bench import bench
from experiments.cli.certify import certify
from experiments.cli.doctor import doctor
from experiments.cli.fetch import fetch
from experiments.cli.mnist import mnist
from experiments.cli.reproduce import reproduce
from experiments.cli.small import small
from experiments.cli.verify import verify
from experiments.cli.vertices import vertices

#: In the order in which `collide --help` lists them.
VERBS: tuple[str, ...] = ("lenet5", "vgg16", "squeezenet", "layers", "find", "compare")


def module_of(verb: str) -> ModuleType:
    """Returns the module of a command named in `VERBS`."""
    return import_module(f"experiments.cli.{verb}")


def run(options: argparse.Namespace) -> int:
    """Runs the command named by `options.verb` and returns its exit code."""
    if options.verb in VERBS:
        code: int = module_of(options.verb).run(options)
        return code
    commands = {
        "mnist": mnist,
        "reproduce": reproduce,
        "small": small,
        "fetch": fetch,
        "verify": verify,
        "certify": certify,
        "vertices": vertices,
        "doctor": doctor,
        "bench": bench,
    }
    return commands[options.verb](options)
