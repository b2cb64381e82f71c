"""How do the jobs of `collide mnist` become its record?  Each network is asked about its images."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.measure.distances import Distances, ImageDistance, Move, nearest_label
from experiments.measure.facts import DOMAINS
from experiments.measure.sampling import classify, judge
from experiments.measure.search import FAMILIES
from experiments.mnist.controls import lit_fraction
from experiments.mnist.course_job import CourseKey
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
    NetworkResults,
    SetMeasures,
)
from experiments.mnist.setting import Setting
from experiments.models.summary import NetworkSummary
from experiments.run.jobs import Outcomes
from experiments.run.outcomes import Key

NearKey = DigitKey | CurveKey
#: Where searches start, and how they are made.
STARTS = ("target", "other")
SEARCHES = ("early", *FAMILIES)


@dataclass(frozen=True, eq=False)
class Assembled:
    """The results of a run, and its images by name."""

    results: MnistResults
    arrays: Mapping[str, NDArray[np.generic]]


@dataclass(frozen=True, eq=False)
class Gathering:
    """What the record of one network is made of.

    Attributes:
        setting: of the network.
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

    def results(self) -> NetworkResults:
        """Puts everything together."""
        setting, name = self.setting, self.setting.network
        return NetworkResults(
            name=name,
            network=NetworkSummary.of(setting.net, ARCHITECTURE),
            target=self._image(setting.pair.target),
            other=self._image(setting.pair.other),
            units=setting.case.units,
            facts=tuple(self.found[FactsKey(name, domain)].results for domain in DOMAINS),
            relaxed=tuple(
                replace(self.found[key].results, measured=self._measured(key))
                for key in relaxed_keys(setting)
            ),
            exact=tuple(
                replace(self.found[key].results, measured=self._measured(key))
                for key in exact_keys(setting)
            ),
            courses=tuple(self.found[key].results for key in course_keys(setting)),
            nearest=tuple(self._digit(digit, index) for digit, index in setting.digits.items()),
            curve=self._curve(),
        )

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Returns every image that was found on this network."""
        setting, found, name = self.setting, self.found, self.setting.network
        arrays: dict[str, NDArray[np.generic]] = {}
        keys: list[Key[Any]] = [*relaxed_keys(setting), *exact_keys(setting)]
        for key in keys:
            points = found[key].arrays.get("points")
            if points is not None and len(points) >= 2:
                arrays[str(key)] = points
        for digit in setting.digits:
            key = DigitKey(name, digit)
            arrays |= {f"{key}.{norm}": point for norm, point in found[key].arrays.items()}
        for tolerance in setting.options.tolerances:
            near = found[CurveKey(name, tolerance)]
            if "l2" in near.arrays:
                arrays[str(CurveKey(name, tolerance))] = near.arrays["l2"]
        return arrays

    def _image(self, index: int) -> Image:
        pair = self.setting.pair
        (seen,) = classify(self.setting.net.model, pair.image(index)[None])
        return Image(index=index, label=pair.label(index), seen=seen)

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
            near=self._near(DigitKey(self.setting.network, digit), image),
        )

    def _curve(self) -> Curve:
        pair = self.setting.pair
        other, tolerances = pair.image(pair.other), self.setting.options.tolerances
        keys = [CurveKey(self.setting.network, tolerance) for tolerance in tolerances]
        points = tuple(self._near(key, other) for key in keys)
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


def assembled(settings: Sequence[Setting], found: Outcomes, images: ImageDistance) -> Assembled:
    """Returns the record's results and every image of the run, of all its networks."""
    first, parts = settings[0], [Gathering.of(each, found, images) for each in settings]
    target = first.case.target
    arrays: dict[str, NDArray[np.generic]] = {}
    for part in parts:
        arrays |= part.arrays()
    arrays |= first.pair.starts
    arrays["lit_fraction"] = lit_fraction(first.pair.data.train_images)
    arrays |= {f"mask.{name}": mask for name, mask in first.masks.items()}
    arrays |= {f"digit.{d}": first.pair.image(index) for d, index in first.digits.items()}
    results = MnistResults(
        layer=LAYER,
        images=images,
        controls={
            name: Control(pixels=int(mask.sum()), lit_in_target=int((target[mask] > 0).sum()))
            for name, mask in first.masks.items()
        },
        networks=tuple(part.results() for part in parts),
    )
    return Assembled(results, arrays)


def relaxed_keys(setting: Setting) -> list[RelaxedKey]:
    """Returns the relaxed sets: by start, then the paper's penalty under each control."""
    name = setting.network
    keys = [RelaxedKey(name, family, start, "none") for start in STARTS for family in SEARCHES]
    return keys + [RelaxedKey(name, "absolute", "target", control) for control in setting.masks]


def exact_keys(setting: Setting) -> list[ExactKey]:
    """Returns the exact sets: with all pixels free, then under each control."""
    return [ExactKey(setting.network, control) for control in ("none", *setting.masks)]


def course_keys(setting: Setting) -> list[CourseKey]:
    """Returns the recipe's ways, by start."""
    return [CourseKey(setting.network, start) for start in STARTS]


def near_keys(setting: Setting) -> list[NearKey]:
    """Returns what is near another image: one of each digit, and along the curve."""
    return [
        *(DigitKey(setting.network, digit) for digit in setting.digits),
        *(CurveKey(setting.network, tolerance) for tolerance in setting.options.tolerances),
    ]
