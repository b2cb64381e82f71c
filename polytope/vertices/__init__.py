"""Which vertices are there, and is nothing missing?"""
