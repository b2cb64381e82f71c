"""With which options does one ask about a network of one's own?"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from experiments.own.texts import read_bounds, read_shape, read_units
from experiments.run.checks import check_device, refused
from experiments.run.request import Request, option, own_options

_NETWORK, _SEARCH, _COMPARISON = "network", "the relaxed search", "the comparison"


@dataclass(frozen=True, kw_only=True)
class ModelRequest(Request):
    """Which network, and what its input is."""

    model: str = option(
        "mlp, lenet5, vgg16, squeezenet, FILE.py:FACTORY, PACKAGE.MODULE:FACTORY (your code, "
        "which is run), FILE.keras, FILE.h5, FILE.nnet, FILE.zip, FILE.skops or FILE.onnx",
        positional=True,
        metavar="MODEL",
    )
    weights: Path | None = option(
        ".safetensors, .npz, a file of torch, an agent's .zip, a folder of these, hf:OWNER/NAME",
        default=None,
        metavar="FILE",
        group=_NETWORK,
    )
    input_shape: tuple[int, ...] | None = option(
        "of one input, e.g. 3,224,224, where it is not known",
        default=None,
        metavar="SIZES",
        group=_NETWORK,
        read=read_shape,
    )
    external_data: bool = option(
        "let an ONNX file keep tensors in files beside it", default=False, group=_NETWORK
    )
    bounds: tuple[float, float] | Literal["none"] | None = option(
        "of every number of the input, or the word none; an image's grey levels 0 and 255 "
        "(0,1; vgg16 and squeezenet: 0,255; write --bounds=-1,1 with a minus)",
        default=None,
        metavar="LOWER,UPPER",
        group=_NETWORK,
        read=read_bounds,
    )


@dataclass(frozen=True, kw_only=True)
class LayersRequest(ModelRequest):
    """What `collide layers` is asked for."""

    input: Path | None = option(
        "one input: .npy, .npz, .safetensors, .pt, .png, .jpg; of a data set by FILE:17",
        default=None,
        metavar="FILE",
    )


@dataclass(frozen=True, kw_only=True)
class CertifyLayerRequest(ModelRequest):
    """What `collide certify MODEL LAYER` is asked for."""

    layer: str = option(
        "of a network (FILE is then what the other commands call MODEL), as `collide layers` lists "
        "it; its set at --target is certified",
        positional=True,
        metavar="LAYER",
    )
    target: Path = option(
        "the input to collide with", metavar="FILE", missing=", the network's input"
    )
    equal: Literal["postactivation", "preactivation"] = option(
        "what is to be equal: what leaves the ReLU, or every pre-activation, which is the question "
        "to ask of a network's output (postactivation)",
        default="postactivation",
        group=_NETWORK,
    )
    input_space: bool = option(
        "in the network's input, inside the linear region of the target, not in the layer's own",
        default=False,
        group=_NETWORK,
    )
    region_limit: int = option(
        "rows x inputs up to which a linear region is written out (20000000)",
        default=20_000_000,
        metavar="N",
        group=_NETWORK,
        least=0,
    )
    vertices: int = option(
        "exact vertices of so many inactive units (0)", default=0, metavar="N", least=0
    )
    every_claim: bool = option(
        "certificates of every other claim too: active set, implicit equalities, bounds, ...",
        default=False,
    )


@dataclass(frozen=True, kw_only=True)
class FindRequest(ModelRequest):
    """What `collide find` is asked for."""

    layer: str = option("its name, as `collide layers` lists it", positional=True, metavar="LAYER")
    target: Path = option(
        "the input to collide with: .npy, .npz, .safetensors, .pt, .png, .jpg; of a data set by "
        "FILE:17 or FILE:NAME:17, several by FILE:3-5,9",
        metavar="FILE",
    )
    start: Path | None = option(
        "input to start from (the target)", default=None, metavar="FILE", group=_SEARCH
    )
    units: int | tuple[int, ...] = option(
        "the first so many inactive units, or a list: 3,8 or 3-8 (5)",
        default=5,
        metavar="LIST",
        group=_SEARCH,
        read=read_units,
    )
    others: Literal["hinge", "absolute"] = option(
        "penalty of the other inactive units: what the polytope asks, or the paper's (hinge)",
        default="hinge",
        group=_SEARCH,
    )
    alpha: float = option(
        "weight of the active units (10)", default=10.0, metavar="X", group=_SEARCH
    )
    optimizer: Literal["auto", "splitting", "adam", "augmented", "authors"] = option(
        "see docs/finder.md (auto)", default="auto", group=_SEARCH
    )
    steps: int | None = option(
        "at most, for each vertex (20000)", default=None, metavar="N", group=_SEARCH, least=1
    )
    max_seconds: float | None = option(
        "for the search, at most", default=None, metavar="X", group=_SEARCH, above=0
    )
    device: str = option(
        "auto, cpu, cuda (auto)", default="auto", metavar="NAME", group="run", check=check_device
    )


#: Options of the relaxed search, which a search that is there already has answered.
SEARCH_OPTIONS = tuple(each for each in own_options(FindRequest) if each.said.group == _SEARCH)


@dataclass(frozen=True, kw_only=True)
class CompareRequest(FindRequest):
    """What `collide compare` is asked for: a search, or the folder of one, and its comparison."""

    search: Path | None = option(
        "of `collide find` (else it is searched now)",
        default=None,
        metavar="FOLDER",
        group=_COMPARISON,
    )
    input_space: bool = option(
        "also in the network's input, inside the linear region of the target",
        default=False,
        group=_COMPARISON,
    )
    tolerance: float | None = option(
        "of the convex combinations (the largest one that a relaxed point needs)",
        default=None,
        metavar="X",
        group=_COMPARISON,
        least=0,
    )
    samples: int = option(
        "convex combinations (2000)", default=2000, metavar="N", group=_COMPARISON, least=1
    )
    seed: int = option("of their weights (0)", default=0, metavar="N", group=_COMPARISON, least=0)
    exact_limit: int = option(
        "products of a layer up to which linear programs are solved exactly (3000000)",
        default=3_000_000,
        metavar="N",
        group=_COMPARISON,
        least=0,
    )
    region_limit: int = option(
        "rows x inputs up to which a linear region is written out (20000000)",
        default=20_000_000,
        metavar="N",
        group=_COMPARISON,
        least=0,
    )
    vertex_seconds: float = option(
        "for the exact answers of one vertex in one space, at most (120)",
        default=120.0,
        metavar="X",
        group=_COMPARISON,
        above=0,
    )

    def __post_init__(self) -> None:
        """A search that is there already is taken as it is."""
        super().__post_init__()
        for each in SEARCH_OPTIONS:
            value = getattr(self, each.field)
            if self.search is not None and value != each.default:
                raise refused(
                    f"{each.title}: expected none with --search, whose points are taken as they "
                    f"are; got {value}"
                )
