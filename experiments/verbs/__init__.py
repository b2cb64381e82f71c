"""Which commands have a file of their own?  One module a command, named as the command.

Each holds `SUMMARY` (one line, no full stop), `add_options(parser)` and `run(options) -> int`, the
exit code.  A module imports nothing heavy at its top: `collide --help` loads all of them.
"""

from importlib import import_module
from types import ModuleType

#: In the order in which `collide --help` lists them.
VERBS: tuple[str, ...] = ("lenet5", "vgg16", "squeezenet", "layers", "find", "compare")


def module_of(verb: str) -> ModuleType:
    """Returns the module of a command named in `VERBS`."""
    return import_module(f"experiments.verbs.{verb}")
