"""A layer, polyhedron or network of the user's."""
