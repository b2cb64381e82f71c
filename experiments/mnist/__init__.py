"""The paper's Tables 1 and 2 on MNIST."""
