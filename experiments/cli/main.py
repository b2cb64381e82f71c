"""`collide`: which commands are there?  Parses, calls, turns errors to exit codes.

A command is a module of this folder, named as the command. It holds

    SUMMARY     one line for `collide --help`, no full stop
    REQUESTS    the requests (`experiments/run/request.py`) whose options it takes
    run         takes the request and a `Desk`, returns the exit code
    request_of  where it has more than one request: makes the one that the given options ask for

and imports nothing heavy at its top, so that `collide --help` answers at once.
"""

import argparse
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from traceback import clear_frames
from types import ModuleType
from typing import Any

from experiments.cli.bench import BenchWords
from experiments.run.desk import Desk, NewRun, Output
from experiments.run.interrupts import second_interrupt_quits
from experiments.run.parser import add_options
from experiments.run.request import Request, read_request
from experiments.run.terminal import EXIT, complain, drop, has_no_reader, ready_streams, settle

#: In the order in which `collide --help` lists them.
COMMANDS = (
    *("mnist", "reproduce", "scales", "small", "fetch", "verify", "certify", "vertices"),
    *("lenet5", "vgg16", "squeezenet", "layers", "find", "compare", "doctor", "bench"),
)
EPILOG = (
    "exit codes: 0 done or claim true, 2 bad input, 3 claim refused, 4 a limit was hit, "
    "130 interrupted"
)


def module_of(command: str) -> ModuleType:
    """Returns the module of a command."""
    return import_module(f"experiments.cli.{command}")


def _wide(prog: str) -> argparse.HelpFormatter:
    return argparse.HelpFormatter(prog, max_help_position=32)


def parser() -> argparse.ArgumentParser:
    """Returns the parser of all commands."""
    top = argparse.ArgumentParser(
        prog="collide",
        formatter_class=_wide,
        description="Exact, certified geometry of feature collisions in ReLU networks.",
        epilog=EPILOG,
    )
    top.add_argument("--version", action="store_true", help="print the version and exit")
    commands = top.add_subparsers(dest="command", metavar="COMMAND")
    for name in COMMANDS:
        summary = module_of(name).SUMMARY
        each = commands.add_parser(
            name,
            help=summary,
            description=f"{summary[0].upper()}{summary[1:]}.",
            epilog=EPILOG,
            formatter_class=_wide,
        )
        add_options(each, Output, *module_of(name).REQUESTS, command=name)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command and returns its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] == ["bench"]:  # its own parser answers
        desk = Desk(Output(debug="--debug" in words))
        return _guarded("bench", lambda: BenchWords(words=tuple(words[1:])), desk, words)
    top = parser()
    given = vars(top.parse_args(words))
    if given["version"]:
        from importlib.metadata import version

        print(f"collide {version('collision-polytopes')}")
        return EXIT["done"]
    command = given["command"]
    if command is None:
        top.print_help(sys.stderr)
        return EXIT["bad input"]
    kinds = module_of(command).REQUESTS
    place = next((read_request(kind, given) for kind in kinds if issubclass(kind, NewRun)), None)
    desk = Desk(read_request(Output, given), place)
    return _guarded(command, lambda: _request_of(command, given), desk, words)


def _request_of(command: str, given: Mapping[str, Any]) -> Any:
    """What a command is asked for: as it says itself, or its one request."""
    module = module_of(command)
    if hasattr(module, "request_of"):
        return module.request_of(given)
    kinds = [kind for kind in module.REQUESTS if not issubclass(kind, NewRun)]
    return read_request(kinds[0] if kinds else Request, given)


def _guarded(command: str, read: Callable[[], Any], desk: Desk, words: Sequence[str]) -> int:
    """Runs the command; an error becomes one line, a hint and an exit code."""
    ready_streams()
    try:
        Path.cwd()
    except OSError:  # MKL, for one, then ends the process with a misleading word
        complain("error: the current folder does not exist any more; change to one that does")
        return EXIT["bad input"]
    try:
        with second_interrupt_quits():
            import_module("experiments.cli.explain")  # now: there may be no memory for it later
            code: int = module_of(command).run(read(), desk)
            sys.stdout.flush()
            return code
    except KeyboardInterrupt:
        again = _resume(desk, words)
        complain("\n".join(["interrupted; to go on:", *again] if again else ["interrupted"]))
        return EXIT["interrupted"]
    except Exception as problem:
        if isinstance(problem, BrokenPipeError) and has_no_reader(sys.stdout):  # e.g. `| head`
            drop(sys.stdout)
            return EXIT["done"]
        settle(sys.stdout)
        if desk.output.debug:
            raise
        clear_frames(problem.__traceback__)  # frees what the command held
        from experiments.cli.explain import explain

        found = explain(problem, command, module_of(command).REQUESTS)
        complain(f"error: {found.sentence}\nhint: {found.hint}")
        again = _resume(desk, words)
        if found.may_go_on and again:
            complain("\n".join(["to go on:", *again]))
        return found.code


def _resume(desk: Desk, words: Sequence[str]) -> list[str]:
    """The command that goes on with what the run kept, as a list of one; [] where there is none."""
    if not desk.lasts or desk.folder is None or not desk.folder.is_dir():
        return []
    given = [word for word in words if word != "--resume"]
    while "--out" in given:
        place = given.index("--out")
        del given[place : place + 2]
    given = [word for word in given if not word.startswith("--out=")]
    return [shlex.join(["collide", *given, "--resume", "--out", str(desk.folder)])]


if __name__ == "__main__":
    sys.exit(main())
