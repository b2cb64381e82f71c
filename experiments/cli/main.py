"""`collide`: which commands are there, with which options?  Parses, calls, turns errors to codes.

Nothing heavy is imported before a command needs it, so that `collide --help` answers at once.
"""

import argparse
import shlex
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from traceback import clear_frames

from experiments.cli.verbs import VERBS, module_of
from experiments.run.interrupts import second_interrupt_quits
from experiments.run.terminal import EXIT, complain, drop, has_no_reader, ready_streams, settle

EPILOG = (
    "exit codes: 0 done or claim true, 2 bad input, 3 claim refused, 4 a limit was hit, "
    "130 interrupted"
)
TABLES = ("1", "2", "3", "4", "all")


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(float(part) for part in text.split(",") if part.strip())


def _digits(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(",") if part.strip())


_numbers.__name__, _digits.__name__ = "list of numbers", "list of digits"  # for argparse's errors


def _wide(prog: str) -> argparse.HelpFormatter:
    return argparse.HelpFormatter(prog, max_help_position=32)


def _shared() -> argparse.ArgumentParser:
    """Options of every command."""
    parser = argparse.ArgumentParser(add_help=False)
    group = parser.add_argument_group("output")
    group.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    group.add_argument("--quiet", action="store_true", help="no progress on stderr")
    group.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return parser


def _running() -> argparse.ArgumentParser:
    """Options of the commands that run an experiment."""
    parser = argparse.ArgumentParser(add_help=False)
    group = parser.add_argument_group("run")
    group.add_argument(
        "--out", metavar="FOLDER", type=Path, help="run folder (default: runs/mnist-NNN, a new one)"
    )
    group.add_argument("--resume", action="store_true", help="go on with the run in --out")
    group.add_argument(
        "--seed", metavar="N", type=int, help="of training and of random weights (0)"
    )
    group.add_argument(
        "--device", metavar="NAME", default="cpu", help="of the relaxed search: auto, cpu, cuda"
    )
    group.add_argument(
        "--workers", metavar="N", type=int, help="processes for exact work (cores, at most 8)"
    )
    group.add_argument(
        "--data", metavar="FOLDER", type=Path, help="cache of data and networks (or COLLIDE_DATA)"
    )
    mnist = parser.add_argument_group("the experiment")
    mnist.add_argument(
        "--target", metavar="INDEX", type=int, help="index of the target (the first test 7)"
    )
    mnist.add_argument(
        "--other", metavar="INDEX", type=int, help="index of the other digit (the first test 3)"
    )
    mnist.add_argument(
        "--units", metavar="N", type=int, default=5, help="vertices, first inactive units (5)"
    )
    mnist.add_argument("--samples", metavar="N", type=int, help="convex combinations (2000)")
    mnist.add_argument(
        "--digits", metavar="LIST", type=_digits, help="digits whose nearest collision is computed"
    )
    mnist.add_argument(
        "--tolerances", metavar="LIST", type=_numbers, help="grid of the curve, e.g. 0,0.1,1"
    )
    mnist.add_argument(
        "--author-steps", metavar="N", type=int, help="limit of the authors' optimiser (20000)"
    )
    many = parser.add_argument_group("the survey (instead of the single experiment)")
    many.add_argument(
        "--targets", metavar="N", type=int, help="repeat over the first so many test images (100)"
    )
    many.add_argument("--seeds", metavar="N", type=int, help="and over so many networks (5)")
    return parser


def parser() -> argparse.ArgumentParser:
    """Returns the parser of all commands."""
    shared, running = _shared(), _running()
    top = argparse.ArgumentParser(
        prog="collide",
        formatter_class=_wide,
        description="Exact, certified geometry of feature collisions in ReLU networks.",
        epilog=EPILOG,
    )
    top.add_argument("--version", action="store_true", help="print the version and exit")
    verbs = top.add_subparsers(dest="verb", metavar="COMMAND")

    def verb(name: str, summary: str, *parents: argparse.ArgumentParser) -> argparse.ArgumentParser:
        text = f"{summary[0].upper()}{summary[1:]}."
        return verbs.add_parser(
            name,
            help=summary,
            description=text,
            parents=[*parents, shared],
            epilog=EPILOG,
            formatter_class=_wide,
        )

    verb("mnist", "the paper's Tables 1 and 2 on MNIST, with the exact answers", running)
    table = verb("reproduce", "run the experiment behind a table and print it", running)
    table.add_argument(
        "table", choices=TABLES, metavar="TABLE", help="1 or 2 (MNIST), 3 or 4 (VGG-16), all (1, 2)"
    )
    module_of("vgg16").add_reproduce_options(table)
    _small_options(verb("small", "a small network analysed completely, relaxed against exact"))
    _fetch_options(verb("fetch", "bring data into the cache, and train the networks for MNIST"))
    verify = verb("verify", "check certificates, without any solver")
    verify.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help="certificates, or folders of runs"
    )
    certify = verb("certify", "facts and certificates of a layer or polyhedron of yours")
    _certify_options(certify)
    vertices = verb("vertices", "all vertices, rays and lines of a layer or polyhedron of yours")
    _vertices_options(vertices)
    for name in VERBS:
        module_of(name).add_options(verb(name, module_of(name).SUMMARY))
    verb("doctor", "versions, device, data and exact engines found here")
    bench = verbs.add_parser("bench", help="side by side with peers: collide bench --help")
    bench.add_argument("rest", nargs=argparse.REMAINDER)
    return top


def _fetch_options(fetch: argparse.ArgumentParser) -> None:
    fetch.add_argument("--data", metavar="FOLDER", type=Path, help="cache folder (or COLLIDE_DATA)")
    fetch.add_argument(
        "--only",
        choices=("mnist", "images", "squeezenet", "all"),
        default="mnist",
        help="MNIST; the thousand ImageNet samples (110 MB); SqueezeNet's weights; all (mnist)",
    )
    fetch.add_argument(
        "--from",
        dest="source",
        metavar="FOLDER",
        type=Path,
        help="copy the files from this folder instead; their checksums are checked all the same",
    )
    fetch.add_argument(
        "--seeds", metavar="N", type=int, help="networks to train on MNIST (1; 0 for none)"
    )


def _small_options(small: argparse.ArgumentParser) -> None:
    small.add_argument(
        "--set",
        dest="data_set",
        choices=("digits", "moons"),
        default="digits",
        help="scikit-learn's digits on their leading components, or two moons (digits)",
    )
    small.add_argument(
        "--dimension", metavar="N", type=int, help="components of the digits, at most 10 (10)"
    )
    small.add_argument("--hidden", metavar="N", type=int, help="units (24; 12 for the moons)")
    small.add_argument(
        "--sparsity", metavar="X", type=float, help="training's penalty on the activations (0.1)"
    )
    small.add_argument(
        "--target",
        metavar="INDEX",
        type=int,
        help="index of the test point (the first with the fewest active units)",
    )
    small.add_argument("--seed", metavar="N", type=int, help="of training and directions (0)")
    small.add_argument(
        "--device", metavar="NAME", help="of the relaxed search: auto, cpu, cuda (cpu)"
    )
    small.add_argument(
        "--out", metavar="FOLDER", type=Path, help="new or empty folder (default: runs/small-NNN)"
    )


def _set_options(command: argparse.ArgumentParser, name: str) -> None:
    """Options that say which set, and where what is found goes."""
    command.add_argument(
        "file",
        type=Path,
        help="weights: .npz, .safetensors, .pt; or half-spaces: .ine, .poly, .in, .json",
    )
    command.add_argument(
        "--weight-key", metavar="NAME", default="weight", help="name of the (N, d) array (weight)"
    )
    command.add_argument(
        "--bias-key", metavar="NAME", default="bias", help="name of the (N,) array (bias)"
    )
    command.add_argument(
        "--target",
        metavar="FILE",
        type=Path,
        help=".npy file (d,), or one of the above with --target-key, or images as MNIST's with "
        "--target-key 7 or 7/255, the image and a divisor (default: the same file)",
    )
    command.add_argument(
        "--target-key", metavar="NAME", default="target", help="name of the (d,) array (target)"
    )
    command.add_argument(
        "--domain", choices=("free", "nonnegative", "box"), default="free", help="of inputs (free)"
    )
    for side, usual in (("lower", 0), ("upper", 1)):
        command.add_argument(
            f"--{side}",
            metavar="X",
            help=f"of --domain box: a number, or the name of a (d,) array of the file ({usual})",
        )
    command.add_argument(
        "--out",
        metavar="FOLDER",
        type=Path,
        help=f"new or empty folder for certificates and record (default: runs/{name}-NNN)",
    )


def _certify_options(certify: argparse.ArgumentParser) -> None:
    _set_options(certify, "certify")
    certify.add_argument(
        "--vertices",
        metavar="N",
        type=int,
        default=0,
        help="exact vertices of so many inactive units (0)",
    )
    certify.add_argument(
        "--every-claim",
        action="store_true",
        help="certificates of every other claim too: active set, implicit equalities, bounds, ...",
    )
    certify.add_argument(
        "--point-key",
        metavar="NAME",
        help="a (d,) array of the file, with --every-claim: does it collide, how far is the set?",
    )


def _vertices_options(vertices: argparse.ArgumentParser) -> None:
    _set_options(vertices, "vertices")
    vertices.add_argument(
        "--all", action="store_true", help="print every vertex, ray and line, not the first few"
    )
    vertices.add_argument(
        "--measures",
        choices=("auto", "all", "none"),
        default="auto",
        help="volume, diameter, mean distance, largest ball: those that are cheap (auto)",
    )
    vertices.add_argument(
        "--redundancy",
        action="store_true",
        help="prove for each inequality whether the others imply it, a certificate each",
    )
    limits = vertices.add_argument_group("limits (a list cut short is written, exit code 4)")
    limits.add_argument("--max-seconds", metavar="X", type=float, help="stop after so long")
    limits.add_argument("--max-count", metavar="N", type=int, help="stop beyond so many vertices")
    limits.add_argument("--max-memory", metavar="SIZE", help="stop before this, e.g. 500M or 2G")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command and returns its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] == ["bench"]:
        debug = "--debug" in words
        return _guarded(argparse.Namespace(verb="bench", rest=words[1:], debug=debug), words)
    top = parser()
    options = top.parse_args(words)
    if options.version:
        from importlib.metadata import version

        print(f"collide {version('collision-polytopes')}")
        return EXIT["done"]
    if options.verb is None:
        top.print_help(sys.stderr)
        return EXIT["bad input"]
    return _guarded(options, words)


def _guarded(options: argparse.Namespace, words: Sequence[str]) -> int:
    """Runs the command; an error becomes one line, a hint and an exit code."""
    ready_streams()
    try:
        Path.cwd()
    except OSError:  # MKL, for one, then ends the process with a misleading word
        complain("error: the current folder does not exist any more; change to one that does")
        return EXIT["bad input"]
    try:
        with second_interrupt_quits():
            run = import_module("experiments.cli.verbs").run
            import_module("experiments.cli.explain")  # now: there may be no memory for it later
            code: int = run(options)
            sys.stdout.flush()
            return code
    except KeyboardInterrupt:
        again = _resume(options, words)
        complain("\n".join(["interrupted; to go on:", *again] if again else ["interrupted"]))
        return EXIT["interrupted"]
    except Exception as problem:
        if isinstance(problem, BrokenPipeError) and has_no_reader(sys.stdout):  # e.g. `| head`
            drop(sys.stdout)
            return EXIT["done"]
        settle(sys.stdout)
        if options.debug:
            raise
        clear_frames(problem.__traceback__)  # frees what the command held
        from experiments.cli.explain import explain

        found = explain(problem, options)
        complain(f"error: {found.sentence}\nhint: {found.hint}")
        again = _resume(options, words)
        if found.may_go_on and again:
            complain("\n".join(["to go on:", *again]))
        return found.code


def _resume(options: argparse.Namespace, words: Sequence[str]) -> list[str]:
    """The command that goes on with what the run kept, as a list of one; [] where there is none."""
    folder = getattr(options, "folder", None)  # set by `run_folder.running` once there is a run
    if folder is None or not folder.is_dir():
        return []
    given = [word for word in words if word != "--resume"]
    while "--out" in given:
        place = given.index("--out")
        del given[place : place + 2]
    given = [word for word in given if not word.startswith("--out=")]
    return [shlex.join(["collide", *given, "--resume", "--out", str(folder)])]


if __name__ == "__main__":
    sys.exit(main())
