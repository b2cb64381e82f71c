"""How large is the collision polytope of every test point?  Complete lists, each certified."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import Any

from experiments.datasets.small import SmallData
from experiments.run.proofs import Proofs
from experiments.small.net import SmallNet
from polytope import Box, CollisionPolytope
from polytope.answers.generators import Completeness


def polytope_of(data: SmallData, net: SmallNet, index: int) -> CollisionPolytope:
    """Returns the collision polytope of a test point, in the box around all data."""
    domain = Box(*data.bounds())
    return CollisionPolytope.from_layer(
        net.weight, net.bias, data.test_points[index], domain=domain
    )


def every_target(data: SmallData, net: SmallNet, proofs: Proofs) -> Iterator[dict[str, Any]]:
    """Yields dimension and number of vertices of each test point's set, with its certificate.

    Raises:
        CertificateError: a certificate was refused.
        OutputError: a certificate cannot be written.
    """
    classes = net.classes(data.test_points).tolist()
    for index, label in enumerate(data.test_labels.tolist()):
        polytope = polytope_of(data, net, index)
        found = polytope.vertices()
        proved = found.status is Completeness.CERTIFIED
        name = f"active-{polytope.n_positive:02d}-test-{index}"
        proof = proofs.keep(name, found.certificate) if proved else None
        yield {
            "index": index,
            "label": label,
            "class": classes[index],
            "n_positive": polytope.n_positive,
            "paper_bound": polytope.n_inputs - polytope.n_positive,
            "dimension": found.dimension if proved else None,
            "vertices": len(found.points) if proved else None,
            "status": found.status.name.lower(),
            "certificate": proof,
        }


def by_active_units(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Returns one entry for each number of active units, rising."""
    entries = []
    for count in sorted({row["n_positive"] for row in rows}):
        chosen = [row for row in rows if row["n_positive"] == count]
        proved = [row for row in chosen if row["status"] == "certified"]
        sizes = [row["vertices"] for row in proved]
        dimensions = [row["dimension"] for row in proved]
        entries.append(
            {
                "n_positive": count,
                "targets": len(chosen),
                "certified": len(proved),
                "paper_bound": chosen[0]["paper_bound"],
                "dimensions": sorted(set(dimensions)),
                "alone": dimensions.count(0),
                "vertices": {
                    "least": min(sizes, default=None),
                    "median": float(median(sizes)) if sizes else None,
                    "largest": max(sizes, default=None),
                },
            }
        )
    return entries
