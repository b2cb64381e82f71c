"""Which network does a file of another program hold?  Read as data, rebuilt as a torch module."""
