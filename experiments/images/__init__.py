"""Collisions of real images at a layer of a large network: what VGG-16 and SqueezeNet share."""
