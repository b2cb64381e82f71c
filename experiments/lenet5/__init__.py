"""The experiment of `collide mnist` at the layers of LeNet-5."""
