"""How do the jobs of `collide lenet5` become its record?  Networks see the exact vertices."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.lenet5.case import DeepCase
from experiments.lenet5.own_region import OwnKey
from experiments.lenet5.pieces import PiecesKey, growth
from experiments.lenet5.results import (
    ExactSet,
    Image,
    Layer,
    Lenet5Results,
    Pieces,
    RelaxedSet,
)
from experiments.lenet5.search import SearchKey, combinations
from experiments.lenet5.sets import FactsKey, VerticesKey
from experiments.lenet5.setting import Setting
from experiments.measure.distances import Distances, ImageDistance, mean_pairwise
from experiments.measure.sampling import classify
from experiments.measure.search import FAMILIES
from experiments.models.summary import NetworkSummary
from experiments.run.jobs import Outcomes

ARCHITECTURE = {
    "lenet5": "LeNet-5 with ReLU and max-pooling (conv 6, conv 16, fc 120, fc 84, fc 10)",
    "mlp": "784-256-256-10, ReLU",
}
#: Test images whose distances are taken in a layer's own space.
LAYER_IMAGES = 1000


@dataclass(frozen=True, eq=False)
class Gathering:
    """What the record is made of: the setting, what the jobs found, distance of test images."""

    setting: Setting
    found: Outcomes
    images: ImageDistance

    def results(self) -> Lenet5Results:
        """Puts everything together."""
        setting, pair = self.setting, self.setting.pair
        return Lenet5Results(
            networks={
                name: NetworkSummary.of(net, ARCHITECTURE[name])
                for name, net in setting.nets.items()
            },
            target=self._image(pair.target),
            other=self._image(pair.other),
            images=self.images,
            layers=tuple(map(self._layer, setting.cases)),
        )

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Returns every image of the run, for `vertices.npz`."""
        arrays: dict[str, NDArray[Any]] = dict(self.setting.pair.starts)
        for case in self.setting.cases:
            for start in self.setting.pair.starts:
                for family in FAMILIES:
                    outcome = self.found[SearchKey(case.name, family)]
                    relaxed = outcome.results[start]
                    arrays[f"{case.name}.{relaxed.array}"] = outcome.arrays[start]
            for space in case.spaces:
                exact = self.found[VerticesKey(case.name, space)]
                if "points" in exact.arrays:
                    arrays[f"{case.name}.{exact.results.array}"] = exact.arrays["points"]
        return arrays

    def _image(self, index: int) -> Image:
        pair, seen = self.setting.pair, {}
        for case in self.setting.cases:
            shaped = case.shaped(pair.image(index)[None]).numpy()
            (seen[case.network],) = classify(case.model, shaped)
        return Image(index=index, label=pair.label(index), seen=seen)

    def _layer(self, case: DeepCase) -> Layer:
        """All about one layer."""
        images = self.setting.pair.data.test_images[:LAYER_IMAGES].astype(np.float32)
        entered = case.reader.layer_inputs(case.shaped(images / np.float32(255)))
        layer_distance = mean_pairwise(entered.double().numpy())
        pieces, starts = self.found.get(PiecesKey(case.name)), self.setting.pair.starts
        own = [key for key in self.found if isinstance(key, OwnKey) and key.layer == case.name]
        return Layer(
            network=case.network,
            layer=case.layer,
            units=case.units,
            layer_distance=layer_distance,
            layer_images=LAYER_IMAGES,
            facts=tuple(self.found[FactsKey(case.name, space)].results for space in case.spaces),
            relaxed=tuple(
                self._relaxed(case, family, start, layer_distance)
                for start in starts
                for family in FAMILIES
            ),
            exact=tuple(self._exact(case, space, layer_distance) for space in case.spaces),
            pieces=None if pieces is None else _grown(pieces.results, pieces.arrays),
            own_regions=tuple(self.found[key].results for key in own),
        )

    def _distances(
        self, case: DeepCase, images: NDArray[Any], entered: NDArray[Any], layer_distance: float
    ) -> dict[str, Distances]:
        """Those of images, in both spaces."""
        own = case.entered(case.target[None])[0]
        return {
            "pixels": Distances.of(images, case.target, self.images.mean_distance),
            "layer": Distances.of(entered, own, layer_distance),
        }

    def _relaxed(
        self, case: DeepCase, family: str, start: str, layer_distance: float
    ) -> RelaxedSet:
        outcome = self.found[SearchKey(case.name, family)]
        points, entered = outcome.arrays[start], outcome.arrays[f"{start}.entered"]
        distances = self._distances(case, points, entered, layer_distance)
        return replace(outcome.results[start], distances=distances)

    def _exact(self, case: DeepCase, space: str, layer_distance: float) -> ExactSet:
        """Exact vertices in one space, measured where there are two or more."""
        outcome, search = self.found[VerticesKey(case.name, space)], self.setting.search
        points = outcome.arrays.get("points")
        if points is None or len(points) < 2:
            return outcome.results
        if space == "pixels" or case.is_first:
            seen = combinations(case, search, images=points)
            entered = case.entered(points).astype(np.float64)
            distances = self._distances(case, points, entered, layer_distance)
        else:
            seen = combinations(case, search, entered=points)
            own = case.entered(case.target[None])[0]
            distances = {"layer": Distances.of(points, own, layer_distance)}
        return replace(outcome.results, combinations=seen, distances=distances)


def _grown(pieces: Pieces, arrays: Any) -> Pieces:
    return replace(pieces, growth=growth(pieces.units, arrays))
