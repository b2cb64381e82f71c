"""How do the jobs of `collide mnist` become its record?  The network is asked about every image."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.measure.distances import Distances, ImageDistance, Move, nearest_label
from experiments.measure.facts import DOMAINS
from experiments.measure.sampling import classify, judge
from experiments.measure.search import FAMILIES
from experiments.mnist.controls import lit_fraction
from experiments.mnist.jobs import (
    ARCHITECTURE,
    LAYER,
    CurveKey,
    DigitKey,
    ExactKey,
    FactsKey,
    RelaxedKey,
)
from experiments.mnist.results import (
    Control,
    Curve,
    Image,
    Looks,
    MnistResults,
    Near,
    NearDigit,
    SetMeasures,
)
from experiments.mnist.setting import Setting
from experiments.models.summary import NetworkSummary
from experiments.run.jobs import Outcomes
from experiments.run.outcomes import Key

Points = NDArray[np.float64]
NearKey = DigitKey | CurveKey


@dataclass(frozen=True, eq=False)
class Gathering:
    """What the record is made of.

    Attributes:
        setting: of the run.
        found: by the jobs.
        images: distance of the test images.
        looks: near collision and norm -> what network and training images say of it.
    """

    setting: Setting
    found: Outcomes
    images: ImageDistance
    looks: Mapping[tuple[NearKey, str], Looks]

    @classmethod
    def of(cls, setting: Setting, found: Outcomes, images: ImageDistance) -> "Gathering":
        """Asks the network, and the training images, about every near collision."""
        data = setting.pair.data
        names = [(key, norm) for key in near_keys(setting) for norm in found[key].arrays]
        if not names:
            return cls(setting, found, images, {})
        points = np.array([found[key].arrays[norm] for key, norm in names])
        labels, distances = nearest_label(points, data.train_images, data.train_labels)
        seen = zip(names, classify(setting.net.model, points), labels, distances, strict=True)
        looks = {
            name: Looks(
                seen=verdict,
                nearest_training_label=int(label),
                nearest_training_distance=float(distance),
            )
            for name, verdict, label, distance in seen
        }
        return cls(setting, found, images, looks)

    def results(self) -> MnistResults:
        """Puts everything together."""
        setting = self.setting
        return MnistResults(
            network=NetworkSummary.of(setting.net, ARCHITECTURE),
            layer=LAYER,
            target=self._image(setting.pair.target),
            other=self._image(setting.pair.other),
            units=setting.case.units,
            images=self.images,
            controls={name: self._control(name) for name in setting.masks},
            facts=tuple(self.found[FactsKey(domain)].results for domain in DOMAINS),
            relaxed=tuple(
                replace(self.found[key].results, measured=self._measured(key))
                for key in relaxed_keys(setting)
            ),
            exact=tuple(
                replace(self.found[key].results, measured=self._measured(key))
                for key in exact_keys(setting)
            ),
            nearest=tuple(self._digit(digit, index) for digit, index in setting.digits.items()),
            curve=self._curve(),
        )

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Returns every image of the run, for `vertices.npz`."""
        setting, found = self.setting, self.found
        arrays: dict[str, NDArray[np.generic]] = {}
        keys: list[Key[Any]] = [*relaxed_keys(setting), *exact_keys(setting)]
        for key in keys:
            points = found[key].arrays.get("points")
            if points is not None and len(points) >= 2:
                arrays[str(key)] = points
        for digit in setting.digits:
            near = found[DigitKey(digit)]
            arrays |= {f"{DigitKey(digit)}.{norm}": point for norm, point in near.arrays.items()}
        for tolerance in setting.options.tolerances:
            near = found[CurveKey(tolerance)]
            if "l2" in near.arrays:
                arrays[str(CurveKey(tolerance))] = near.arrays["l2"]
        arrays |= setting.pair.starts
        arrays["lit_fraction"] = lit_fraction(setting.pair.data.train_images)
        arrays |= {f"mask.{name}": mask for name, mask in setting.masks.items()}
        arrays |= {f"digit.{d}": setting.pair.image(index) for d, index in setting.digits.items()}
        return arrays

    def _image(self, index: int) -> Image:
        pair = self.setting.pair
        (seen,) = classify(self.setting.net.model, pair.image(index)[None])
        return Image(index=index, label=pair.label(index), seen=seen)

    def _control(self, name: str) -> Control:
        mask, target = self.setting.masks[name], self.setting.case.target
        return Control(pixels=int(mask.sum()), lit_in_target=int((target[mask] > 0).sum()))

    def _measured(self, key: Key[Any]) -> SetMeasures | None:
        """Distances, classes and convex combinations of one set of two vertices or more."""
        points = self.found[key].arrays.get("points")
        if points is None or len(points) < 2:
            return None
        model, options = self.setting.net.model, self.setting.options
        target = self.setting.case.target
        (wanted,) = classify(model, target[None])
        return SetMeasures(
            **vars(Distances.of(points, target, self.images.mean_distance)),
            classes=classify(model, points),
            combinations=judge(
                model, points, wanted.winner, samples=options.samples, seed=options.seed
            ),
        )

    def _near(self, key: NearKey, image: NDArray[np.float32]) -> Near:
        """What was found near an image, with what is seen of it."""
        outcome, target = self.found[key], self.setting.case.target
        norms = dict(outcome.results.norms)
        for norm, point in outcome.arrays.items():
            norms[norm] = replace(
                norms[norm],
                to_target=Move.between(point, target),
                to_image=Move.between(point, image),
                looks=self.looks[key, norm],
            )
        return replace(outcome.results, norms=norms)

    def _digit(self, digit: int, index: int) -> NearDigit:
        image = self.setting.pair.image(index)
        return NearDigit(
            digit=digit,
            image=self._image(index),
            image_to_target=Move.between(image, self.setting.case.target),
            near=self._near(DigitKey(digit), image),
        )

    def _curve(self) -> Curve:
        pair = self.setting.pair
        other, tolerances = pair.image(pair.other), self.setting.options.tolerances
        points = tuple(self._near(CurveKey(tolerance), other) for tolerance in tolerances)
        seen = [(near.tolerance, near.norms["l2"].looks) for near in points]
        known = [(tolerance, looks) for tolerance, looks in seen if looks is not None]
        target = self._image(pair.target)
        classes = [t for t, looks in known if looks.seen.winner != target.seen.winner]
        labels = [t for t, looks in known if looks.nearest_training_label != target.label]
        return Curve(
            image=self._image(pair.other),
            image_tolerance=points[0].image_tolerance if points else None,
            points=points,
            first_other_class=min(classes, default=None),
            first_other_neighbour=min(labels, default=None),
        )


def relaxed_keys(setting: Setting) -> list[RelaxedKey]:
    """Returns the relaxed sets: by start, then the paper's penalty under each control."""
    keys = [
        RelaxedKey(family, start, "none") for start in ("target", "other") for family in FAMILIES
    ]
    return keys + [RelaxedKey("absolute", "target", control) for control in setting.masks]


def exact_keys(setting: Setting) -> list[ExactKey]:
    """Returns the exact sets: with all pixels free, then under each control."""
    return [ExactKey(control) for control in ("none", *setting.masks)]


def near_keys(setting: Setting) -> list[NearKey]:
    """Returns what is near another image: one of each digit, and along the curve."""
    return [
        *map(DigitKey, setting.digits),
        *map(CurveKey, setting.options.tolerances),
    ]
