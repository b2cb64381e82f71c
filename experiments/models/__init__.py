"""Which networks, with which layer names."""
