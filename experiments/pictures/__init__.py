"""Geometry drawn: sections, polytopes, projections."""
