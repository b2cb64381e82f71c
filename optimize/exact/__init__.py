"""The exact layer or network behind a torch model."""
