"""What may I call?  Relaxed vertices of collision polytopes by optimisation in torch."""

from optimize.compare import VertexComparison as VertexComparison
from optimize.compare import compare as compare
from optimize.exact.input_space import input_polytope as input_polytope
from optimize.exact.layer import ExactLayer as ExactLayer
from optimize.exact.layer import exact_layer as exact_layer
from optimize.exact.network import exact_network as exact_network
from optimize.model.execution import Execution as Execution
from optimize.model.layers import LayerReader as LayerReader
from optimize.model.layers import layer_names as layer_names
from optimize.model.listing import LayerInfo as LayerInfo
from optimize.model.listing import OtherLayer as OtherLayer
from optimize.model.listing import other_layers as other_layers
from optimize.model.listing import relu_layers as relu_layers
from optimize.model.opened import OpenedNetwork as OpenedNetwork
from optimize.search.finder import find_vertices as find_vertices
from optimize.search.objective import Objective as Objective
from optimize.search.optimizers import Adam as Adam
from optimize.search.optimizers import AugmentedLagrangian as AugmentedLagrangian
from optimize.search.optimizers import Authors as Authors
from optimize.search.result import History as History
from optimize.search.result import SearchStatus as SearchStatus
from optimize.search.result import VertexSearch as VertexSearch
from optimize.search.splitting import Splitting as Splitting
from optimize.search.stopping import Stopping as Stopping
from optimize.search.throughput import Throughput as Throughput
from optimize.search.throughput import measure_throughput as measure_throughput

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
    "OpenedNetwork",
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
