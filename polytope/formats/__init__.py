"""Which file formats are spoken?  One module each; polytope/interchange.py chooses among them."""
