"""What does the network say of pictures and found points?  It is opened at the layer once."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from experiments.images.measures import SeenPoint, describe, describe_vertices, spread
from experiments.images.pictures import Picture
from experiments.images.results import (
    LayerSizes,
    Measured,
    SeenPicture,
    SetMeasures,
    class_title,
)
from experiments.images.search import Found
from experiments.images.setting import BOUNDS, Setting
from experiments.measure.collisions import collision_meanings
from experiments.measure.grey_levels import as_8_bit, write_png
from experiments.measure.judged import Aim, ball, judge_entered, judge_images
from experiments.measure.probe import Probe
from experiments.readers.arrays import read_arrays
from optimize import LayerReader


@dataclass(frozen=True, eq=False)
class Watched:
    """The network of an experiment, opened at its layer.

    Attributes:
        setting: the experiment.
        probe: the opened network.
        aim: what the target gives.
        entered: (1, *layer input) what enters the layer at the target, on the CPU.
    """

    setting: Setting
    probe: Probe
    aim: Aim
    entered: Tensor

    @classmethod
    def of(cls, setting: Setting) -> "Watched":
        """Opens the network and shows it the target.

        Raises:
            InputError: network, layer and pictures do not fit.
        """
        options = setting.options
        probe = Probe(setting.network, setting.layer, device=options.device, batch=options.batch)
        first = probe.look(setting.pictures.target.tensor[None])
        assert first.entered is not None
        return cls(setting, probe, Aim.of(first), first.entered)

    def layer(self) -> LayerSizes:
        """Returns sizes of the layer and its target's set."""
        pre, inputs = self.aim.pre, self.entered[0].numel()
        units, active = len(pre), int(self.aim.active.sum())
        return LayerSizes(
            n_inputs=inputs,
            input_shape=tuple(self.entered.shape[1:]),
            n_units=units,
            n_positive=active,
            paper_bound=inputs - active,
            halfspaces=units - active,
            zeros=int((pre == 0).sum()),
            least_lines=max(inputs - units, 0),
            entered_nonnegative=bool((self.entered >= 0).all()),
        )

    def picture(self, picture: Picture) -> SeenPicture:
        """Returns what the network says of a picture."""
        names, label = self.setting.class_names, picture.label
        table = self.probe.look(picture.tensor[None]).probabilities[0]
        first = int(table.argmax())
        return SeenPicture(
            name=picture.name,
            label=label,
            label_name=None if label is None else class_title(names, label),
            winner=first,
            class_name=class_title(names, first),
            confidence=float(table[first]),
            target_class_confidence=float(table[self.aim.first]),
        )

    def measures(self, found: Found, start: Picture, *, images: float | None) -> SetMeasures:
        """Returns senses, distances, classes and combinations of a set, as found and as images.

        Args:
            found: the set.
            start: from which it was searched.
            images: mean distance of images, or None.
        """
        options, aim = self.setting.options, self.setting.pictures.target
        points = torch.from_numpy(found.points)
        as_png = as_8_bit(points, BOUNDS, rounding="truncate")
        reader = LayerReader(self.setting.network, self.setting.layer, self.probe.device)

        def measured(vertices: Tensor) -> Measured:
            seen = self.probe.look(vertices)
            assert seen.entered is not None
            judge = {"samples": options.samples, "seed": options.seed}
            return Measured(
                spread=spread(vertices, aim.pixels, start.pixels, images=images),
                vertices=describe_vertices(seen, self.aim, found.units),
                pixels=judge_images(self.probe, self.aim, vertices, **judge),
                layer=judge_entered(self.probe, self.aim, seen.entered, **judge),
                layer_reason=self.probe.reason,
            )

        control = None
        if options.ball_samples:  # the authors measured their PNG files
            count = options.ball_samples
            control = ball(self.probe, self.aim, as_png, samples=count, seed=options.seed)
        return SetMeasures(
            meanings=collision_meanings(reader, aim.tensor, points, bounds=BOUNDS),
            found=measured(points),
            png=measured(as_png),
            ball=control,
        )

    def entering(self, path: Path) -> SeenPoint | None:
        """Returns what the network says of a kept point of the layer's space, rounded to float32.

        Args:
            path: of the point (d,); None is returned where there is no file, or where the network
                does not go on from the layer's input alone.
        """
        if not path.is_file() or self.probe.reason:
            return None
        point = torch.from_numpy(read_arrays(path)["point"]).float()
        (seen,) = self.probe.entering(point.view(1, *self.entered.shape[1:]))
        return describe(seen, self.aim)[0]


def write_pngs(found: Found, folder: Path, name: str) -> None:
    """Writes found points as 8-bit PNG files `NAME-UNIT.png`, truncated.

    Raises:
        OutputError: a file cannot be written.
    """
    for unit, point in zip(found.units, torch.from_numpy(found.points), strict=True):
        write_png(folder / f"{name}-{unit}.png", point, BOUNDS, rounding="truncate")
