"""How do the vertices hang together?  Facets, vertex-facet incidence and the graph of the edges."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from polytope.answers.generators import Completeness, Generators, Halfspace
from polytope.errors import InputError
from polytope.exact.brief import Brief
from polytope.measures.faces import facet_groups, masks
from polytope.measures.local import charted, require_complete

if TYPE_CHECKING:
    from networkx import Graph

#: Pairs of vertices whose common facets are counted at a time.
_BLOCK = 1 << 22


@dataclass(frozen=True, repr=False)
class Facet(Brief):
    """A face of dimension k - 1.

    Attributes:
        halfspaces: every inequality that defines it; more than one where some are repeated.
        points: indices of the vertices on it (of the minimal faces, if the set has lines).
        rays: indices of the extreme rays along it.
    """

    halfspaces: tuple[Halfspace, ...]
    points: tuple[int, ...]
    rays: tuple[int, ...]


@dataclass(frozen=True, eq=False, repr=False)
class Facets(Brief):
    """All facets, and which generator lies on which.

    Attributes:
        facets: in the order of their first halfspace.
        incidence: bool (points + rays, facets).
    """

    facets: tuple[Facet, ...]
    incidence: np.ndarray

    def __len__(self) -> int:
        return len(self.facets)


def facets(generators: Generators) -> Facets:
    """Return the facets: the largest proper faces, by incidence alone.

    Raises:
        InputError: if the list of generators is not complete.
    """
    require_complete(generators, "facets")
    if generators.status is Completeness.EMPTY:
        return Facets((), np.zeros((0, 0), dtype=bool))
    n_points = len(generators.points)
    # A face without a point is empty, whatever rays its halfspace bounds.
    touching = np.flatnonzero(generators.incidence[:n_points].any(axis=0))
    groups = [touching[g] for g in facet_groups(generators.incidence[:, touching])]
    groups.sort(key=lambda group: int(group[0]))
    found = []
    for group in groups:
        on = np.flatnonzero(generators.incidence[:, group[0]]).tolist()
        found.append(
            Facet(
                tuple(generators.halfspaces[h] for h in group),
                tuple(i for i in on if i < n_points),
                tuple(i - n_points for i in on if i >= n_points),
            )
        )
    return Facets(tuple(found), generators.incidence[:, [int(group[0]) for group in groups]])


def skeleton(generators: Generators) -> Graph:
    """Return the 1-skeleton as a networkx graph.

    Node i is vertex i, its exact coordinates the node's attribute ``point``; an edge joins two
    vertices that no third generator shares all common facets with.  The unbounded edges, as pairs
    (vertex, ray), are the graph's attribute ``unbounded_edges``.  Where the set has lines, the
    nodes are the minimal faces.

    Raises:
        InputError: if the list of generators is not complete.
    """
    import networkx

    graph = networkx.Graph(unbounded_edges=[])
    for i, point in enumerate(generators.points):
        graph.add_node(i, point=point)
    for i, j in edges(generators):
        if j < len(generators.points):
            graph.add_edge(i, j)
        else:
            graph.graph["unbounded_edges"].append((i, j - len(generators.points)))
    return graph


def edges(generators: Generators) -> list[tuple[int, int]]:
    """Return each edge as (i, j), i < j; j >= len(points) stands for the ray j - len(points).

    Raises:
        InputError: if the list of generators is not complete.
    """
    incidence = facets(generators).incidence
    n_points = len(generators.points)
    if not n_points:
        return []
    n = charted(generators).dimension - len(generators.lines)
    if n == 0:
        return []
    if (incidence[:n_points].sum(axis=1) == n).all():
        return sorted(_simple_edges(incidence, n_points))
    return sorted(_edges(incidence, n_points, n))


def _simple_edges(incidence: np.ndarray, n_points: int) -> list[tuple[int, int]]:
    """Edges of a simple set: n - 1 facets meet in an edge, which ends in a vertex or a ray."""
    ends: dict[tuple[int, ...], list[int]] = {}
    for i, line in enumerate(incidence[:n_points]):
        tight = np.flatnonzero(line).tolist()
        for ridge in combinations(tight, len(tight) - 1):
            ends.setdefault(ridge, []).append(i)
    along = masks(incidence[n_points:])
    out = []
    for ridge, pair in ends.items():
        if len(pair) == 2:
            out.append((pair[0], pair[1]))
            continue
        needed = sum(1 << f for f in ridge)
        rays = [r for r, mask in enumerate(along) if not needed & ~mask]
        if len(pair) != 1 or len(rays) != 1:
            raise InputError(
                f"generators: expected a complete list, got {len(pair)} vertices and {len(rays)} "
                f"rays on the edge of facets {list(ridge)}"
            )
        out.append((pair[0], n_points + rays[0]))
    return out


def _edges(incidence: np.ndarray, n_points: int, n: int) -> list[tuple[int, int]]:
    """Edges of any set: pairs that alone lie on all their common facets."""
    on_facet = masks(incidence.T)
    everything = (1 << len(incidence)) - 1
    table = incidence.astype(np.float32)
    step = max(1, _BLOCK // len(incidence))
    out = []
    for start in range(0, n_points, step):
        common = table[start : start + step] @ table.T
        for row, j in np.argwhere(common > n - 1.5).tolist():
            i = start + row
            if i >= j:
                continue
            shared = everything
            for f in np.flatnonzero(incidence[i] & incidence[j]).tolist():
                shared &= on_facet[f]
            if shared == (1 << i) | (1 << j):
                out.append((i, j))
    return out
