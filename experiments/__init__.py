"""Data, networks, the paper's experiments, their records, tables, figures and commands."""
