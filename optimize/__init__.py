"""What may I call?  Relaxed vertices of collision polytopes by optimisation in torch."""

from optimize.compare import VertexComparison as VertexComparison
from optimize.compare import compare as compare
from optimize.finder import find_vertices as find_vertices
from optimize.layers import LayerReader as LayerReader
from optimize.layers import layer_names as layer_names
from optimize.objective import Objective as Objective
from optimize.optimizers import Adam as Adam
from optimize.optimizers import AugmentedLagrangian as AugmentedLagrangian
from optimize.optimizers import Authors as Authors
from optimize.result import History as History
from optimize.result import SearchStatus as SearchStatus
from optimize.result import VertexSearch as VertexSearch
from optimize.splitting import Splitting as Splitting
from optimize.stopping import Stopping as Stopping
from optimize.throughput import Throughput as Throughput
from optimize.throughput import measure_throughput as measure_throughput

__all__ = [
    "Adam",
    "AugmentedLagrangian",
    "Authors",
    "History",
    "LayerReader",
    "Objective",
    "SearchStatus",
    "Splitting",
    "Stopping",
    "Throughput",
    "VertexComparison",
    "VertexSearch",
    "compare",
    "find_vertices",
    "layer_names",
    "measure_throughput",
]
