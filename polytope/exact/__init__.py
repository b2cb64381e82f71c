"""How is a number kept?  Floats become exact here and nowhere else."""
