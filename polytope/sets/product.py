"""Does a set fall apart?  Units that share no input make it a product of smaller sets.

A 1 x 1 convolution sees each position by itself, a grouped one each group: the collision polytope
is then the product of one polytope a position or group, and so are its vertices, its dimension and
its emptiness, up to products and sums.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from polytope.exact.brief import Brief
from polytope.sets.domains import Box, Domain
from polytope.sets.rows import Rows


@dataclass(frozen=True, eq=False, repr=False)
class Part(Brief):
    """One factor: the layer of some units on the inputs they see.

    Attributes:
        units: (n,) numbers of its units in the whole layer, in order.
        inputs: (m,) numbers of its inputs.
        layer: those units on those inputs; where no unit sees the inputs, a
            layer has one of weight 0 there.
    """

    units: tuple[int, ...]
    inputs: tuple[int, ...]
    layer: Rows


def parts(layer: Rows) -> tuple[Part, ...]:
    """Take a layer apart into the connected components of its weight, by their first input.

    Units without any weight join the first part; inputs that no unit sees make up one part.
    """
    weight = layer.weight
    n, d = weight.shape
    rows, columns = weight.nonzero()
    edges = sparse.coo_array((np.ones(len(rows)), (rows, n + columns)), shape=(n + d, n + d))
    _, label = connected_components(edges, directed=False)
    of_unit, of_input = label[:n].copy(), label[n:].copy()
    seen = np.zeros(d, dtype=bool)
    seen[columns] = True
    of_input[~seen] = -1
    first = int(of_input[seen][0]) if seen.any() else -1
    blind = np.ones(n, dtype=bool)
    blind[rows] = False
    of_unit[blind] = first
    _, where = np.unique(of_input, return_index=True)
    order = of_input[np.sort(where)].tolist()
    unit_lists, input_lists = _members(of_unit), _members(of_input)
    return tuple(_part(layer, unit_lists.get(k, []), input_lists[k]) for k in order)


def _members(labels: np.ndarray) -> dict[int, list[int]]:
    order = np.argsort(labels, kind="stable")
    cuts = np.flatnonzero(np.diff(labels[order])) + 1
    return {int(labels[group[0]]): group.tolist() for group in np.split(order, cuts) if len(group)}


def _part(layer: Rows, units: list[int], inputs: list[int]) -> Part:
    domain = _domain(layer.domain, inputs, layer.n_inputs)
    return Part(tuple(units), tuple(inputs), layer.part(units, inputs, domain=domain))


def _domain(domain: Domain, inputs: list[int], n: int) -> Domain:
    if not isinstance(domain, Box):
        return domain
    lower, upper = domain.bounds(n)
    return Box([lower[j] for j in inputs], [upper[j] for j in inputs])
