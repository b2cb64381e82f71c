"""How was a network for MNIST trained?  Adam, stopped at an accuracy, kept as safetensors.

Training is deterministic for a seed on one machine: one thread, own random state. Its floats may
differ between processors and versions of PyTorch, which order sums differently. So the checkpoint,
and not the seed, identifies a network: a record carries the checkpoint's SHA-256.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic

import numpy as np
import safetensors
import safetensors.torch
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from experiments.datasets.fetch import Report, report_to_stderr
from experiments.datasets.mnist import Mnist, pixels
from experiments.datasets.pinned import data_root
from experiments.models.architectures import MLP_784, MLPS, Architecture, Net, TrainOptions
from experiments.models.mlp import MLP
from experiments.models.presets import check_preset
from experiments.run.files import open_run_folder
from experiments.run.record import as_options
from polytope.errors import InputError, LimitError, OutputError
from polytope.files import sha256_bytes, write_bytes

SCHEMA = "collision-polytopes/net/1"
# The whole metadata is one entry: safetensors orders several at random, and equal networks
# should have equal checksums.
METADATA = "collision-polytopes"
CHUNK = 10_000  # images evaluated at a time; fixed, since it decides the order of float sums


@dataclass(frozen=True, eq=False)
class TrainedNet(Generic[Net]):
    """A trained network and where it came from.

    Attributes:
        model: in evaluation mode, on the CPU, without gradients.
        accuracy: on the test images, measured on this machine when the network was handed out.
        validation_accuracy: on the held-out training images, at the stop.
        steps: optimiser steps taken.
        seed: of the split, the initial weights and the order of images.
        path: the checkpoint.
        sha256: of the checkpoint.
        torch_version: that trained it.
        trained_now: False where the checkpoint came from the cache.
    """

    model: Net
    accuracy: float
    validation_accuracy: float
    steps: int
    seed: int
    path: Path
    sha256: str
    torch_version: str
    trained_now: bool


@dataclass(frozen=True, eq=False)
class _Trained(Generic[Net]):
    """A network, steps taken, and the held-out accuracy that it reached."""

    model: Net
    steps: int
    reached: float


def trained_mlp(
    data: Mnist,
    *,
    seed: int,
    network: str = "default",
    options: TrainOptions | None = None,
    root: Path | str | None = None,
    report: Report = report_to_stderr,
) -> TrainedNet[MLP]:
    """Returns the 784-256-256-10 network of a name and a seed; see `trained_net`.

    Raises:
        InputError: no network has this name.
    """
    check_preset(network)
    return trained_net(MLPS[network], data, seed=seed, options=options, root=root, report=report)


def trained_net(
    architecture: Architecture[Net],
    data: Mnist,
    *,
    seed: int,
    options: TrainOptions | None = None,
    root: Path | str | None = None,
    report: Report = report_to_stderr,
) -> TrainedNet[Net]:
    """Returns a network for a seed, from the cache where it is there.

    A cached checkpoint that is damaged, or belongs to other data, options, another seed or another
    network, is trained anew.

    Args:
        architecture: which network.
        data: images and labels; the test images take no part in training or stopping.
        seed: not negative.
        options: how to train; default `architecture.options`.
        root: the cache folder, checkpoints lie in `root/nets`. Default: see `data_root`.
        report: takes one line of progress.

    Raises:
        InputError: a negative seed, or options that do not fit the data.
        LimitError: the threshold was not reached in `max_steps`; nothing is cached.
        OutputError: the cache folder cannot be written.
    """
    options = options or architecture.options
    _check(data, seed, options)
    identity: dict[str, Any] = {
        "schema": SCHEMA,
        "seed": seed,
        "options": as_options(options),
        "data": sha256_bytes(json.dumps(data.checksums, sort_keys=True).encode()),
    }
    # What the only network had when the schema was written is not said.
    if architecture.name != MLP_784.name:
        identity["architecture"] = architecture.name
    if not options.decay:
        identity["options"].pop("decay")
    name = sha256_bytes(json.dumps(identity, sort_keys=True).encode())[:12]
    folder = open_run_folder(data_root(root) / "nets")
    path = folder / f"{architecture.name}-seed{seed}-{name}.safetensors"
    net = _load(path, architecture, identity, data=data, report=report)
    if net is not None:
        return net
    report(f"training {architecture.words}, seed {seed}")
    _save(path, _train(architecture, data, seed, options=options), identity)
    net = _load(path, architecture, identity, data=data, report=report)
    if net is None:
        raise OutputError(f"{path} was written and cannot be read back")
    report(f"trained in {net.steps} steps to a test accuracy of {net.accuracy:.2%}")
    return TrainedNet(**(vars(net) | {"trained_now": True}))


def accuracy(
    model: nn.Module,
    images: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    *,
    shape: tuple[int, ...] = MLP_784.shape,
) -> float:
    """Returns the fraction of grey-level images (n, 784) whose largest logit is at their label.

    Args:
        model: takes (n, *shape) float32.
        images: (n, 784) grey levels.
        labels: (n,).
        shape: in which the model wants one image.
    """
    right = 0
    with torch.no_grad(), one_thread():
        for start in range(0, len(images), CHUNK):
            logits = model(_inputs(images[start : start + CHUNK], shape))
            predicted = logits.argmax(dim=1).numpy()
            right += int((predicted == labels[start : start + CHUNK]).sum())
    return right / len(images)


def _inputs(images: NDArray[np.uint8], shape: tuple[int, ...]) -> Tensor:
    return torch.from_numpy(pixels(images)).reshape(-1, *shape)


def _check(data: Mnist, seed: int, options: TrainOptions) -> None:
    if seed < 0:
        raise InputError(f"seed: expected at least 0, got {seed}")
    for name in ("batch", "held_out", "every", "max_steps"):
        if getattr(options, name) < 1:
            raise InputError(f"{name}: expected at least 1, got {getattr(options, name)}")
    if not 0 <= options.threshold <= 1:
        raise InputError(f"threshold: expected a number from 0 to 1, got {options.threshold}")
    if options.held_out + options.batch > len(data.train_images):
        raise InputError(
            f"held_out + batch: expected at most {len(data.train_images)}, the number of training "
            f"images, got {options.held_out} + {options.batch}"
        )


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread, so that float sums do not depend on the number of cores."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _train(
    architecture: Architecture[Net], data: Mnist, seed: int, *, options: TrainOptions
) -> _Trained[Net]:
    """Returns the trained network, and what is to be remembered of its training."""
    with torch.random.fork_rng(devices=[]), one_thread():
        torch.manual_seed(seed)
        model = architecture.build()
        split = torch.randperm(len(data.train_images)).numpy()
        held_out, used = split[: options.held_out], split[options.held_out :]
        optimiser = torch.optim.AdamW(
            model.parameters(), lr=options.rate, weight_decay=options.decay
        )
        reached = 0.0
        for step, chosen in enumerate(_batches(used, options), start=1):
            images = _inputs(data.train_images[chosen], architecture.shape)
            labels = torch.from_numpy(data.train_labels[chosen].astype(np.int64))
            optimiser.zero_grad()
            nn.functional.cross_entropy(model(images), labels).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            if step % options.every == 0 or step == options.max_steps:
                seen = data.train_images[held_out], data.train_labels[held_out]
                reached = accuracy(model, *seen, shape=architecture.shape)
                if reached >= options.threshold:
                    return _Trained(model, step, reached)
    epochs = options.max_steps / (len(used) // options.batch)
    raise LimitError(
        f"training: expected a held-out accuracy of {options.threshold} after the last of "
        f"{options.max_steps} steps ({epochs:.3g} epochs), got {reached:.4f}; nothing was kept"
    )


def _batches(used: NDArray[np.int64], options: TrainOptions) -> Iterator[NDArray[np.int64]]:
    """Yields at most `max_steps` full batches, reshuffled each epoch by torch's random state."""
    steps = 0
    while True:
        order = used[torch.randperm(len(used)).numpy()]
        for start in range(0, len(order) - options.batch + 1, options.batch):
            if steps == options.max_steps:
                return
            steps += 1
            yield order[start : start + options.batch]


def _weights_sha256(weights: dict[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name in sorted(weights):
        digest.update(name.encode() + b"\0" + weights[name].numpy().tobytes())
    return digest.hexdigest()


def _save(path: Path, trained: _Trained[Net], identity: Mapping[str, Any]) -> None:
    weights = {name: value.contiguous() for name, value in trained.model.state_dict().items()}
    document = {
        **identity,
        "steps": trained.steps,
        "validation_accuracy": trained.reached,
        "torch": torch.__version__,
        "weights_sha256": _weights_sha256(weights),
    }
    text = json.dumps(document, sort_keys=True)
    write_bytes(path, safetensors.torch.save(weights, {METADATA: text}))


def _load(
    path: Path,
    architecture: Architecture[Net],
    identity: Mapping[str, Any],
    *,
    data: Mnist,
    report: Report,
) -> TrainedNet[Net] | None:
    """Returns the checkpoint, or None, with a line of report, where it has to be trained anew."""
    if not path.is_file():
        return None
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            document = json.loads((file.metadata() or {})[METADATA])
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        if not isinstance(document, dict):
            raise ValueError("its metadata are no mapping")
        theirs = document.get("architecture", MLP_784.name)  # see `trained_net`
        if theirs != architecture.name:
            raise ValueError(f"it belongs to another network, {theirs!r:.40}")
        if any(document[name] != value for name, value in identity.items()):
            raise ValueError("it belongs to another seed, other options or other data")
        if document["weights_sha256"] != _weights_sha256(weights):
            raise ValueError("its weights were changed")
        with torch.device("meta"):  # no initial weights, so no draw from the caller's random state
            model = architecture.build()
        model.load_state_dict(weights, assign=True)
        if not all(bool(value.isfinite().all()) for value in weights.values()):
            raise ValueError("it holds NaN or infinite weights")
        model.eval().requires_grad_(False)
        return TrainedNet(
            model=model,
            accuracy=accuracy(model, data.test_images, data.test_labels, shape=architecture.shape),
            validation_accuracy=float(document["validation_accuracy"]),
            steps=int(document["steps"]),
            seed=identity["seed"],
            path=path,
            sha256=sha256_bytes(path.read_bytes()),
            torch_version=str(document["torch"]),
            trained_now=False,
        )
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        RuntimeError,
        safetensors.SafetensorError,
    ) as problem:
        why = " ".join(str(problem).split())  # torch writes a line for each tensor
        report(f"the checkpoint {path} is not usable and is trained anew: {why:.300}")
        return None
