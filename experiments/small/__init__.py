"""A small network, analysed completely."""
