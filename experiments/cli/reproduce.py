"""`collide reproduce`: the experiment behind a table, then that table."""

import argparse

from experiments.cli import vgg16
from experiments.cli.mnist import mnist_run
from polytope.errors import InputError


def reproduce(options: argparse.Namespace) -> int:
    """The experiment behind a table, then that table."""
    if options.targets is not None or options.seeds is not None:
        raise InputError("targets, seeds: expected none with `reproduce`; use `collide mnist`")
    if options.table in ("3", "4"):  # what they need is told by --target-image and so on
        return vgg16.reproduce(options)
    from experiments.mnist.output import finish_mnist

    with mnist_run(options) as folder:
        finish_mnist(folder, as_json=options.json, table=options.table)
    return 0
