"""What is an answer, and why believe it?  Results, certificates and the files they name."""
