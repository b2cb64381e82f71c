"""Which commands have a file of their own?  One module a command, named as the command.

Each holds `SUMMARY` (one line, no full stop), `add_options(parser)` and `run(options) -> int`, the
exit code.  A module imports nothing heavy at its top: `collide --help` loads all of them.
"""

import argparse
from collections.abc import Callable
from importlib import import_module
from types import ModuleType

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
    command: Callable[[argparse.Namespace], int] = getattr(module_of(options.verb), options.verb)
    return command(options)
