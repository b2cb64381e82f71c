"""Exact, certified geometry of feature collisions: what may I call?

Floats propose, exact arithmetic disposes: every answer is proved over the rationals on the weights
as they are stored, and carries a certificate that :func:`verify` checks without any solver.
"""

from polytope.answers.certificates import Certificate as Certificate
from polytope.answers.certificates import verify as verify
from polytope.answers.generators import Completeness as Completeness
from polytope.answers.generators import Generators as Generators
from polytope.answers.results import LPResult as LPResult
from polytope.answers.results import LPStatus as LPStatus
from polytope.answers.results import NearestResult as NearestResult
from polytope.answers.results import NearestStatus as NearestStatus
from polytope.answers.sources import Source as Source
from polytope.collision import CollisionPolytope as CollisionPolytope
from polytope.exact.rational import RationalVector as RationalVector
from polytope.formats.interchange import read_generators as read_generators
from polytope.formats.interchange import read_polyhedron as read_polyhedron
from polytope.formats.interchange import write_generators as write_generators
from polytope.formats.interchange import write_halfspaces as write_halfspaces
from polytope.formats.representations import VRepresentation as VRepresentation
from polytope.sets.domains import Box as Box
from polytope.sets.domains import Free as Free
from polytope.sets.domains import Nonnegative as Nonnegative

__all__ = [
    "Box",
    "Certificate",
    "CollisionPolytope",
    "Completeness",
    "Free",
    "Generators",
    "LPResult",
    "LPStatus",
    "NearestResult",
    "NearestStatus",
    "Nonnegative",
    "RationalVector",
    "Source",
    "VRepresentation",
    "read_generators",
    "read_polyhedron",
    "verify",
    "write_generators",
    "write_halfspaces",
]
