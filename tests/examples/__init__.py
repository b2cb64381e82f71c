"""Layers, sets, networks and runs that tests share."""
