"""How large is the collision polytope of every test point?  Complete lists, each certified."""

from collections.abc import Iterator, Sequence
from statistics import median

from experiments.datasets.small import SmallData
from experiments.run.proofs import Proofs
from experiments.small.net import SmallNet
from experiments.small.results import ActiveUnits, Target
from polytope import Box, CollisionPolytope
from polytope.answers.generators import Completeness


def polytope_of(data: SmallData, net: SmallNet, index: int) -> CollisionPolytope:
    """Returns the collision polytope of a test point, in the box around all data."""
    domain = Box(*data.bounds())
    return CollisionPolytope.from_layer(
        net.weight, net.bias, data.test_points[index], domain=domain
    )


def every_target(data: SmallData, net: SmallNet, proofs: Proofs) -> Iterator[Target]:
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
        yield Target(
            index=index,
            label=label,
            winner=classes[index],
            n_positive=polytope.n_positive,
            paper_bound=polytope.n_inputs - polytope.n_positive,
            dimension=found.dimension if proved else None,
            vertices=len(found.points) if proved else None,
            status=found.status.name.lower(),
            certificate=proofs.keep(name, found.certificate) if proved else None,
        )


def by_active_units(targets: Sequence[Target]) -> tuple[ActiveUnits, ...]:
    """Returns one entry for each number of active units, rising."""
    groups = []
    for count in sorted({target.n_positive for target in targets}):
        chosen = [target for target in targets if target.n_positive == count]
        sizes = [target.vertices for target in chosen if target.vertices is not None]
        dimensions = [target.dimension for target in chosen if target.dimension is not None]
        groups.append(
            ActiveUnits(
                n_positive=count,
                paper_bound=chosen[0].paper_bound,
                targets=len(chosen),
                certified=len(sizes),
                dimensions=tuple(sorted(set(dimensions))),
                alone=dimensions.count(0),
                least=min(sizes, default=None),
                median=float(median(sizes)) if sizes else None,
                largest=max(sizes, default=None),
            )
        )
    return tuple(groups)
