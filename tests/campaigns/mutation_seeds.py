"""From which certificates are mutants made?  Hand-made, written by the library, and with files.

Every seed's own claim is labelled as well (tests/oracles/certificate_labels.py), so that the search
starts from true claims only.
"""

from __future__ import annotations

import copy
import hashlib
import io
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save

from tests.campaigns.certificate_sources import (
    certificates,
    planted,
    random_functions,
    random_rows,
    random_small,
)
from tests.examples.certificate_forms import document, vec
from tests.examples.certificate_layers import SQUARE
from tests.examples.certificates import EXAMPLES
from tests.oracles.certificate_arrays import from_bytes
from tests.oracles.certificate_labels import SMALL

#: Of each kind, so many from random small layers; and of larger layers.
_SMALL, _LARGE = 4, 1
#: Layers that are asked at most, to find so many.
_LAYERS = 60


@dataclass(frozen=True)
class Seed:
    """A certificate, and the files beside it."""

    name: str
    document: dict[str, Any]
    files: dict[str, bytes] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        return str(self.document["claim"]["kind"])


def hand_made() -> list[Seed]:
    return [Seed(name, document) for name, document in EXAMPLES.items()]


def seeds(start: int) -> list[Seed]:
    """All hand-made certificates, and some of the library's, different ones for another start."""
    found = hand_made()
    found += _some(random_small(10_000 * start), _SMALL, start)
    found += _some(random_rows(10_000 * start), _SMALL, start)
    found += _some(random_functions(10_000 * start), _SMALL, start)
    large = (planted(12, 20, 10 * start + k) for k in range(3))
    found += _some(large, _LARGE, start)
    return [*found, *in_files(found), *pictures()]


def _some(layers: Iterator[Any], most: int, start: int) -> list[Seed]:
    found: dict[str, list[Seed]] = defaultdict(list)
    for number, (name, polytope) in zip(range(_LAYERS), layers, strict=False):
        for certificate in certificates(polytope, np.random.default_rng([start, number])):
            if certificate.claim.get("norm") == "l2" and polytope.n_inputs > SMALL:
                continue  # the judge of so many inputs has linear programs only
            of_kind = found[certificate.kind]
            if len(of_kind) < most and name not in [seed.name for seed in of_kind]:
                of_kind.append(Seed(name, json.loads(json.dumps(certificate.document()))))
    return [seed for of_kind in found.values() for seed in of_kind]


def in_files(found: list[Seed]) -> Iterator[Seed]:
    """The first seed with stored bytes of every kind of claim, its arrays in files beside it."""
    done = set()
    for seed in found:
        stored = {n: seed.document["problem"].get(n) for n in ("weight", "bias", "target")}
        arrays = {n: a for n, a in stored.items() if a and "data" in a and a["dtype"] != "BF16"}
        if "weight" in arrays and seed.kind not in done:
            done.add(seed.kind)
            yield filed(seed, arrays, FORMS[len(done) % len(FORMS)])


def pictures() -> Iterator[Seed]:
    """The target is the second of two pictures, its bytes as they are or as float32 over 255."""
    pixels = np.array([[[0, 0]], [[51, 3]]], np.uint8)
    data = b"\0\0\x08\3" + np.array(pixels.shape, ">u4").tobytes() + pixels.tobytes()
    digest = hashlib.sha256(data).hexdigest()
    for tensor, values in (("1", pixels[1, 0]), ("1/255", pixels[1, 0] / np.float32(255))):
        target = {"file": "pictures", "tensor": tensor, "sha256": digest}
        point = vec([Fraction(float(v)) for v in values])
        stated = {**SQUARE, "target": target, "domain": {"kind": "nonnegative"}}
        inside = document("contains", stated, {}, {"point": point})
        yield Seed(f"picture {tensor}", inside, {"pictures": data})
        signs = {"active": [0, 1], "zero": []} if tensor == "1" else {"active": [0], "zero": []}
        active = document("active_set", stated, signs, {})
        yield Seed(f"picture {tensor}", active, {"pictures": data})


def _safetensors(arrays: dict[str, np.ndarray]) -> dict[str, bytes]:
    return {"layer.safetensors": save(arrays)}


def _npz(arrays: dict[str, np.ndarray]) -> dict[str, bytes]:
    out = io.BytesIO()
    np.savez(out, **arrays)  # type: ignore[arg-type]
    return {"layer.npz": out.getvalue()}


def _npy(arrays: dict[str, np.ndarray]) -> dict[str, bytes]:
    files = {}
    for name, values in arrays.items():
        out = io.BytesIO()
        np.save(out, values)
        files[f"{name}.npy"] = out.getvalue()
    return files


FORMS = (_safetensors, _npz, _npy)


def filed(seed: Seed, arrays: dict[str, Any], form: Any) -> Seed:
    """The same certificate, with references to files."""
    values = {
        n: from_bytes(bytes.fromhex(a["data"]), a["dtype"], a["shape"]) for n, a in arrays.items()
    }
    files = form({n: np.ascontiguousarray(v) for n, v in values.items()})
    document = copy.deepcopy(seed.document)
    for name in arrays:
        file = next(f for f in files if Path(f).stem in ("layer", name))
        digest = hashlib.sha256(files[file]).hexdigest()
        document["problem"][name] = {"file": file, "tensor": name, "sha256": digest}
    return Seed(f"{seed.name}, in {next(iter(files))}", document, files)
