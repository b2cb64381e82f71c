"""What does the experiment on pairs of images start from?  Network, layer, pictures, options.

The experiment knows no network: `vgg16`, `squeezenet` and others describe theirs by one `Setting`
and call, in this order,

    run_images(setting, folder, progress)    experiments/images/pair.py: searches, measures, record
    finish_images(folder, as_json=...)       experiments/images/output.py: tables, figures, report

The network's *input is the image itself*: (3, H, W) numbers in 0..255 at the network's own size.
Its preprocessing is its first affine step (`experiments/models/preprocess.py`), so that the box of
the search and the exact statements are about pixels.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from experiments.images.options import ImageOptions
from experiments.images.pictures import Pictures
from experiments.images.results import SetName
from experiments.run.record import as_options
from optimize import AugmentedLagrangian, Authors, Objective, OpenedNetwork, Stopping
from optimize.search.optimizers import Method

BOUNDS = (0.0, 255.0)  # of every pixel, in each colour


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How relaxed vertices are searched.

    Attributes:
        title: of the recipe in tables.
        objective: eq. 1's weights and penalty.
        optimizer: with its options.
        stopping: limits; `ImageOptions.max_steps` overrides that of steps.
        rule: the whole in words, for notes.
    """

    title: str
    objective: Objective
    optimizer: Method
    stopping: Stopping
    rule: str


#: The authors weigh 100 L+ and 10 L_i, ten times eq. 1 with alpha 10.  Momentum takes a step in
#: proportion to the gradient, so the factor of ten is their learning rate 0.01 times ten.
RECIPES: dict[str, Recipe] = {
    "authors": Recipe(
        title="authors' recipe",
        objective=Objective(alpha=10.0, others="absolute"),
        optimizer=Authors(learning_rate=0.1, momentum=0.99),
        stopping=Stopping(max_steps=1_000_000),
        rule="100 L+ + 10 L_i with |p| on the other inactive units, v = 0.99 v + 0.01 g, "
        "x = clip(x - 0.01 v) to 0..255; the authors stopped by hand, here at a plateau "
        "(eq. 1 not 1e-06 of its value lower in 1,000 steps) or at the limit",
    ),
    "modern": Recipe(
        title="hinge, augmented Lagrangian",
        objective=Objective(alpha=10.0, others="hinge"),
        optimizer=AugmentedLagrangian(learning_rate=2.0, penalty=1.0, decay=0.98),
        stopping=Stopping(max_steps=20_000, check_every=50, plateau_tolerance=1e-3, patience=10),
        rule="the polytope's own constraints by multipliers, Adam inside (rate 2 grey levels, "
        "falling); ends once every constraint holds to 1e-03 and the unit stands still, or at the "
        "limit",
    ),
}


@dataclass(frozen=True, eq=False, kw_only=True)
class Setting:
    """One experiment on pairs of images.

    Attributes:
        experiment: name of the command, e.g. "vgg16".
        title: the network in a few words, e.g. "VGG-16, torchvision's IMAGENET1K_V1".
        network: opened; takes (n, 3, H, W) RGB pixels in 0..255 and gives logits.
        layer: name of the layer in it, whose output goes into a ReLU.
        pictures: the folder of images, the target and the starts.
        class_names: of the logits; empty where they are not known.
        remarks: what must stand below every table, e.g. that weights are random.
        data: name of each input -> SHA-256, for the record.
        more: further options for the record; the run belongs to them.
        options: see there.
    """

    experiment: str
    title: str
    network: OpenedNetwork
    layer: str
    pictures: Pictures
    class_names: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    data: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)
    options: ImageOptions = field(default_factory=ImageOptions)

    def sets(self) -> tuple[SetName, ...]:
        """Returns every set of vertices, in the order of the tables."""
        return tuple(
            SetName(recipe=recipe, start=start)
            for start in self.pictures.starts
            for recipe in self.options.recipes
        )

    def identity(self) -> dict[str, Any]:
        """Returns all that a run's rows depend on."""
        starts = self.pictures.starts
        return as_options(
            {
                **asdict(self.options),
                "title": self.title,
                "layer": self.layer,
                "target": self.pictures.target.name,
                "starts": {name: each.name for name, each in starts.items()},
                "size": self.pictures.target.pixels.shape,
                "remarks": self.remarks,
                "inputs": self.data,
                **self.more,
            }
        )
