"""What does a ReLU network compute?  A graph of affine maps, ReLUs and maxima over flat vectors.

Every operation between two ReLUs is affine (a linear layer, a convolution, an average pool, a
batch normalisation in evaluation mode, a reshape), so four kinds of node say everything that an
exact walk through the layers needs.  Vectors are flat, in row-major order (channel, height, width).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from polytope.rational import ExactArray
from polytope.sparse import SparseMatrix

#: Number of a vector: 0 is the network's input, k the output of ``nodes[k - 1]``.
Source = int


@dataclass(frozen=True, eq=False)
class Affine:
    """``weight @ x + bias``: weight (n, m) sparse or dense, bias (n,)."""

    source: Source
    weight: SparseMatrix | ExactArray
    bias: ExactArray


@dataclass(frozen=True, eq=False)
class Relu:
    """``max(0, x)``, entry by entry."""

    source: Source


@dataclass(frozen=True, eq=False)
class Maximum:
    """``max(x[windows[i]])`` for each output i: windows (n, k) places, -1 where there is none."""

    source: Source
    windows: np.ndarray


@dataclass(frozen=True, eq=False)
class Concat:
    """The vectors one behind the other."""

    sources: tuple[Source, ...]


@dataclass(frozen=True, eq=False)
class Sum:
    """The sum of vectors of equal length (a residual connection)."""

    sources: tuple[Source, ...]


Node = Affine | Relu | Maximum | Concat | Sum


@dataclass(frozen=True, eq=False)
class Network:
    """``nodes[-1]``, the pre-activation of the layer asked about, as a function of the input."""

    n_inputs: int
    nodes: tuple[Node, ...]
