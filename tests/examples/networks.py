"""Small networks for the tests of linear regions: random ones with every kind of node."""

from fractions import Fraction

import numpy as np

from polytope.exact.array import ExactArray
from polytope.exact.sparse import SparseMatrix
from polytope.network.graph import Affine, Concat, Maximum, Network, Relu, Sum


def affine(source, weight, bias, *, sparse=False):
    weight = np.asarray(weight)
    exact = ExactArray.of(weight, "weight", ndim=2)
    if sparse:
        rows, columns = np.nonzero(np.ones(weight.shape, dtype=bool))
        exact = SparseMatrix.of_entries(weight.shape, (rows, columns), weight[rows, columns])
    return Affine(source, exact, ExactArray.of(bias, "bias", ndim=1))


def random_network(seed, *, n_inputs=3, quantised=True):
    """Two branches, one with a max-pool behind its ReLU, joined, added to themselves, two layers.

    Quantised weights (multiples of 1/4) make ties likely; others are floats with 53 bits.
    """
    rng = np.random.default_rng(seed)

    def numbers(*shape):
        drawn = rng.standard_normal(shape)
        return np.rint(4 * drawn) / 4 if quantised else drawn

    third = [[Fraction(1, 3)] * 4, [Fraction(1, 2), Fraction(1, 2), 0, 0]]
    windows = np.array([[0, 1, -1], [1, 2, 3], [4, 5, -1]])
    plain = np.array([[0, 1], [1, 2]])
    nodes = (
        affine(0, numbers(6, n_inputs), numbers(6), sparse=True),  # 1
        Relu(1),  # 2, fused with 3
        Maximum(2, windows),  # 3: 3 outputs
        affine(0, numbers(4, n_inputs), numbers(4)),  # 4
        Relu(4),  # 5
        affine(5, third, [0, Fraction(1, 7)]),  # 6: an average pool
        Maximum(3, plain),  # 7: 2 outputs
        Sum((6, 7)),  # 8
        Concat((8, 3, 6)),  # 9: 7 numbers
        Relu(9),  # 10
        affine(10, numbers(4, 7), numbers(4)),  # 11
    )
    return Network(n_inputs, nodes)


def by_floats(network, x):
    """The network's output in floating point, by other code than the package's."""
    vectors = [np.asarray(x, dtype=np.float64)]
    for node in network.nodes:
        if isinstance(node, Affine):
            value = node.weight.approx @ vectors[node.source] + node.bias.approx
        elif isinstance(node, Relu):
            value = np.maximum(vectors[node.source], 0)
        elif isinstance(node, Maximum):
            value = np.append(vectors[node.source], -np.inf)[node.windows].max(axis=1)
        else:
            parts = [vectors[source] for source in node.sources]
            value = np.concatenate(parts) if isinstance(node, Concat) else np.sum(parts, axis=0)
        vectors.append(value)
    return vectors[-1]
