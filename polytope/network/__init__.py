"""What does a collision look like through the layers before?"""
