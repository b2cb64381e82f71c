"""What may I call?  Relaxed vertices of collision polytopes by optimisation in torch."""

from optimize.compare import VertexComparison as VertexComparison
from optimize.compare import compare as compare
from optimize.exact import ExactLayer as ExactLayer
from optimize.exact import exact_layer as exact_layer
from optimize.exact_network import exact_network as exact_network
from optimize.execution import Execution as Execution
from optimize.finder import find_vertices as find_vertices
from optimize.graph import LayerInfo as LayerInfo
from optimize.graph import OtherLayer as OtherLayer
from optimize.graph import other_layers as other_layers
from optimize.graph import relu_layers as relu_layers
from optimize.input_space import input_polytope as input_polytope
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
    "ExactLayer",
    "Execution",
    "History",
    "LayerInfo",
    "LayerReader",
    "Objective",
    "OtherLayer",
    "SearchStatus",
    "Splitting",
    "Stopping",
    "Throughput",
    "VertexComparison",
    "VertexSearch",
    "compare",
    "exact_layer",
    "exact_network",
    "find_vertices",
    "input_polytope",
    "layer_names",
    "measure_throughput",
    "other_layers",
    "relu_layers",
]
