"""Which file formats are spoken?  One module each; interchange.py chooses among them."""
