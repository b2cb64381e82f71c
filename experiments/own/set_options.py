"""With which options does one ask about a set of one's own?"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from experiments.own.texts import read_bytes
from experiments.run.checks import refused
from experiments.run.request import Request, option, own_options

_LIMITS = "limits (a list cut short is written, exit code 4)"
_BOUND = "of --domain box: a number, or the name of a (d,) array of the file"


@dataclass(frozen=True, kw_only=True)
class SetRequest(Request):
    """Which set: a layer and a target from files, or half-spaces."""

    file: Path = option(
        "weights: .npz, .safetensors, .pt; or half-spaces: .ine, .poly, .in, .json",
        positional=True,
    )
    weight_key: str = option("name of the (N, d) array (weight)", default="weight", metavar="NAME")
    bias_key: str = option("name of the (N,) array (bias)", default="bias", metavar="NAME")
    target: Path | None = option(
        ".npy file (d,), or one of the above with --target-key, or images as MNIST's with "
        "--target-key 7 or 7/255, the image and a divisor (default: the same file); with a LAYER: "
        "the network's input, FILE:17 of a data set",
        default=None,
        metavar="FILE",
    )
    target_key: str = option("name of the (d,) array (target)", default="target", metavar="NAME")
    domain: Literal["free", "nonnegative", "box"] = option("of inputs (free)", default="free")
    lower: str = option(f"{_BOUND} (0)", default="0", metavar="X")
    upper: str = option(f"{_BOUND} (1)", default="1", metavar="X")

    nonlinearity: str = option(
        "behind the weights: tanh, sigmoid, softplus, selu, elu(1), leaky_relu(0.01), relu6, "
        "clipped_relu(6), hard_tanh or hard_sigmoid (relu)",
        default="relu",
        metavar="NAME",
    )
    tolerance: str = option(
        "by which post-activations may differ, taken exactly: 0.01 or 1/100 (0)",
        default="0",
        metavar="X",
    )
    rounding: Literal["inner", "outer"] = option(
        "of irrational ends of --nonlinearity: what is found truly collides (inner), or what is "
        "proved absent is truly absent",
        default="inner",
    )

    def __post_init__(self) -> None:
        """Bounds belong to a box, rounding to a function that needs it."""
        super().__post_init__()
        if self.nonlinearity == "relu" and "rounding" in self.changed():
            raise refused(f"rounding: expected none with --nonlinearity relu; got {self.rounding}")
        for name in ("lower", "upper"):
            if self.domain != "box" and name in self.changed():
                raise refused(
                    f"{name}: expected none without --domain box (got --domain {self.domain}); "
                    f"got {getattr(self, name)}"
                )

    def changed(self) -> dict[str, object]:
        """Returns the options of a layer that are not the usual ones: name -> value."""
        return {
            each.title: getattr(self, each.field)
            for each in own_options(SetRequest)
            if not each.required and getattr(self, each.field) != each.default
        }


@dataclass(frozen=True, kw_only=True)
class CertifyRequest(SetRequest):
    """What `collide certify` is asked for."""

    vertices: int = option(
        "exact vertices of so many inactive units (0)", default=0, metavar="N", least=0
    )
    every_claim: bool = option(
        "certificates of every other claim too: active set, implicit equalities, bounds, ...",
        default=False,
    )
    point_key: str | None = option(
        "a (d,) array of the file, with --every-claim: does it collide, how far is the set?",
        default=None,
        metavar="NAME",
    )

    def __post_init__(self) -> None:
        """A point is for the claims about it."""
        super().__post_init__()
        if self.point_key is not None and not self.every_claim:
            raise refused("point-key: expected --every-claim beside it, got none")


@dataclass(frozen=True, kw_only=True)
class VerticesRequest(SetRequest):
    """What `collide vertices` is asked for."""

    every: bool = option(
        "print every vertex, ray and line, not the first few", default=False, flag="--all"
    )
    measures: Literal["auto", "all", "none"] = option(
        "volume, diameter, mean distance, largest ball: those that are cheap (auto)",
        default="auto",
    )
    redundancy: bool = option(
        "prove for each inequality whether the others imply it, a certificate each", default=False
    )
    max_seconds: float | None = option(
        "stop after so long", default=None, metavar="X", group=_LIMITS, above=0
    )
    max_count: int | None = option(
        "stop beyond so many vertices", default=None, metavar="N", group=_LIMITS, least=1
    )
    max_memory: int | None = option(
        "stop before this, e.g. 500M or 2G",
        default=None,
        metavar="SIZE",
        group=_LIMITS,
        read=read_bytes,
    )
