"""Exact, certified geometry of feature collisions: what may I call?

Floats propose, exact arithmetic disposes: every answer is proved over the rationals on the weights
as they are stored, and carries a certificate that :func:`verify` checks without any solver.
"""

from polytope.certificates import Certificate as Certificate
from polytope.certificates import verify as verify
from polytope.collision import CollisionPolytope as CollisionPolytope
from polytope.domains import Box as Box
from polytope.domains import Free as Free
from polytope.domains import Nonnegative as Nonnegative
from polytope.formats.representations import VRepresentation as VRepresentation
from polytope.generators import Completeness as Completeness
from polytope.generators import Generators as Generators
from polytope.interchange import read_generators as read_generators
from polytope.interchange import read_polyhedron as read_polyhedron
from polytope.interchange import write_generators as write_generators
from polytope.interchange import write_halfspaces as write_halfspaces
from polytope.rational import RationalVector as RationalVector
from polytope.results import LPResult as LPResult
from polytope.results import LPStatus as LPStatus
from polytope.results import NearestResult as NearestResult
from polytope.results import NearestStatus as NearestStatus
from polytope.sources import Source as Source

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
