"""What do the tables of `collide lenet5` call searches, starts and spaces?"""

#: Family -> its searches at deep layers, where no duality gap proves a minimum.
FAMILY = {
    "authors": "paper's penalty, authors' optimiser",
    "absolute": "paper's penalty, Adam",
    "hinge": "hinge, augmented Lagrangian",
}
START = {"target": "target", "other": "another digit", None: "none needed"}
SPACE = {"layer": "the layer's own space", "pixels": "pixels, the target's linear region"}
