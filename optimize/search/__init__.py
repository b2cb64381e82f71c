"""The gradient search for relaxed vertices, batched."""
