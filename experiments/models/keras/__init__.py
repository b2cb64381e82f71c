"""Networks in files of Keras, read without it: configuration and weights, rebuilt for torch."""
