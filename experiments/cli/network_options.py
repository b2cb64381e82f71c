"""Options of the commands that ask about a network of the user's own."""

import argparse
from pathlib import Path


def add_model_options(parser: argparse.ArgumentParser, *, layer: bool) -> None:
    """Adds the model, its weights and the shape of its input."""
    parser.add_argument(
        "model",
        metavar="MODEL",
        help="mlp, lenet5, vgg16, squeezenet, FILE.py:FACTORY, PACKAGE.MODULE:FACTORY (your code, "
        "which is run) or FILE.onnx",
    )
    if layer:
        parser.add_argument("layer", metavar="LAYER", help="its name, as `collide layers` lists it")
    group = parser.add_argument_group("network")
    group.add_argument(
        "--weights",
        metavar="FILE",
        type=Path,
        help=".safetensors, .npz, .pt or .pth with the tensors of the state dict; no code is read",
    )
    group.add_argument(
        "--input-shape", metavar="SIZES", help="of one input, e.g. 3,224,224, where it is not known"
    )
    group.add_argument(
        "--external-data",
        action="store_true",
        help="let an ONNX file keep tensors in files beside it",
    )
    group.add_argument(
        "--bounds",
        metavar="LOWER,UPPER",
        help="of every number of the input, or the word none; an image's grey levels 0 and 255 "
        "(0,1; vgg16 and squeezenet: 0,255; write --bounds=-1,1 with a minus)",
    )


def add_search_options(parser: argparse.ArgumentParser) -> None:
    """Adds target, start and the relaxed search; what is not given is filled by `with_defaults`."""
    parser.add_argument(
        "--target",
        metavar="FILE",
        type=Path,
        required=True,
        help="the input to collide with: .npy, .npz, .safetensors, .pt, .png, .jpg",
    )
    group = parser.add_argument_group("the relaxed search")
    group.add_argument(
        "--start", metavar="FILE", type=Path, help="input to start from (the target)"
    )
    group.add_argument(
        "--units", metavar="LIST", help="the first so many inactive units, or a list: 3,8 (5)"
    )
    group.add_argument(
        "--others",
        choices=("hinge", "absolute"),
        help="penalty of the other inactive units: what the polytope asks, or the paper's (hinge)",
    )
    group.add_argument("--alpha", metavar="X", type=float, help="weight of the active units (10)")
    group.add_argument(
        "--optimizer",
        choices=("auto", "splitting", "adam", "augmented", "authors"),
        help="see docs/finder.md (auto)",
    )
    group.add_argument("--steps", metavar="N", type=int, help="at most, for each vertex (20000)")
    group.add_argument("--max-seconds", metavar="X", type=float, help="for the search, at most")
    run = parser.add_argument_group("run")
    run.add_argument("--device", metavar="NAME", default="auto", help="auto, cpu, cuda (auto)")
    run.add_argument("--resume", action="store_true", help="go on with the run in --out")
