"""Does an exact collision still look like its start?  A matter of the scale of the weights."""
