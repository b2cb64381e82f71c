"""What does a network compute?  Reads torch models into graphs of exact steps."""
