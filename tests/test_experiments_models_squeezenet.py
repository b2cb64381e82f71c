import math
import struct

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import fx, nn

from experiments.datasets import sources
from experiments.datasets.imagenet import labels
from experiments.datasets.images import list_images, load_images
from experiments.models.squeezenet import PARAMETERS, SqueezeNet, release_names, release_shapes
from experiments.models.squeezenet_codec import CODES, LARGEST_GAP, decode
from experiments.models.squeezenet_weights import load_squeezenet, release_layer
from polytope.errors import ChecksumError, FileFormatError, InputError
from polytope.files import sha256_file
from tests.examples import real_data


def random_release(seed=0, density=0.3):
    """Weights in the first release's names, of at most 256 values a layer, most of them zero."""
    random, found = np.random.default_rng(seed), {}
    for layer, shape in release_shapes().items():
        book = random.normal(scale=1 / math.sqrt(math.prod(shape[1:])), size=CODES)
        book = book.astype(np.float32)
        codes = random.integers(1, CODES, shape) * (random.random(shape) < density)
        book[0] = 0
        found[f"{layer}.weight"] = book[codes]
        found[f"{layer}.bias"] = random.normal(size=shape[0]).astype(np.float32)
    return found


def encode(weights, *, zero_code_gaps=True):
    """The documented format, written from its description: the inverse of `decode`."""
    counts, parts = [], []
    for layer in release_shapes():
        flat = weights[f"{layer}.weight"].ravel()
        values = np.unique(flat)
        book = np.zeros(CODES, dtype="<f4")
        others = values[values != 0]
        book[1 : 1 + len(others)] = others
        code_of = {float(value): code for code, value in enumerate(book[: 1 + len(others)])}
        codes, gaps, last = [], [], -1
        for place in np.flatnonzero(flat):
            while place - last - 1 > LARGEST_GAP:  # a "non-zero" of code 0 in between
                codes.append(0)
                gaps.append(LARGEST_GAP)
                last += LARGEST_GAP + 1
            codes.append(code_of[float(flat[place])])
            gaps.append(place - last - 1)
            last = place
        padded = np.array([*gaps, 0][: 2 * math.ceil(len(gaps) / 2)], dtype=np.uint8)
        counts.append(len(codes))
        bias = weights[f"{layer}.bias"].astype("<f4")
        packed = padded[::2] | padded[1::2] << 4
        parts += [book.tobytes(), bias.tobytes(), bytes(codes), packed.tobytes()]
    return struct.pack(f"<{len(counts)}I", *counts) + b"".join(parts)


@pytest.fixture(scope="module")
def release():
    return random_release()


def equal(found, expected):
    assert found.keys() == expected.keys()
    for key, values in expected.items():
        assert found[key].dtype == np.float32
        assert found[key].tobytes() == values.tobytes(), key


def test_architecture():
    model = SqueezeNet()
    assert sum(p.numel() for p in model.parameters()) == PARAMETERS == 1_248_424
    state = model.state_dict()
    assert len(state) == 52
    assert list(state)[:3] == ["features.0.weight", "features.0.bias", "features.3.squeeze.weight"]
    assert state["features.12.expand3x3.weight"].shape == (256, 64, 3, 3)
    assert state["classifier.1.weight"].shape == (1000, 512, 1, 1)
    assert list(release_names())[:2] == ["conv1", "fire2/squeeze1x1"]
    assert set(state) == {f"{n}.{p}" for n in release_names().values() for p in ("weight", "bias")}


def test_sizes_on_the_way_and_tracing():
    torch.manual_seed(0)
    model = SqueezeNet().eval()
    x = torch.rand(1, 3, 224, 224)
    with torch.no_grad():
        assert model.features[:2](x).shape == (1, 96, 109, 109)
        assert model.features(x).shape == (1, 512, 13, 13)
        assert model.features(torch.rand(1, 3, 227, 227)).shape == (1, 512, 13, 13)
        traced = fx.symbolic_trace(model)
        assert torch.equal(traced(x), model(x))


def test_decoder_inverts_an_encoder_of_the_documented_format(release):
    data = encode(release)
    equal(decode(data), release)
    assert any((np.diff(np.flatnonzero(v)) > 16).any() for k, v in release.items() if "weight" in k)


def test_decoder_on_long_gaps_and_code_0():
    weights = random_release(seed=1, density=0.005)
    equal(decode(encode(weights)), weights)
    # Code 0 stands for the codebook's first value, whatever that is: here 7 everywhere.
    empty = b"".join(
        struct.pack("<f", 7) + bytes(4 * 255) + bytes(4 * shape[0])
        for shape in release_shapes().values()
    )
    found = decode(bytes(4 * 26) + empty)
    assert all((v == 7).all() for k, v in found.items() if k.endswith("weight"))


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda d: d[:50], "n.net: expected the counts of non-zeros at byte 0, 104 bytes, got 50"),
        (lambda d: d[:1000], "expected the codebook of conv1 at byte 104"),
        (lambda d: d[:-1], "expected the gaps of conv10"),
        (lambda d: d + b"\0", "expected [0-9]+ bytes, got"),
        (lambda d: b"\xff\xff\xff\xff" + d[4:], "expected the codes of conv1"),
        (
            lambda d: d[:104] + b"\0\0\xc0\x7f" + d[108:],
            "finite numbers in conv1.weight, got",
        ),
    ],
)
def test_damaged_files(release, change, match):
    with pytest.raises(FileFormatError, match=match):
        decode(change(encode(release)), name="n.net")


def test_places_outside_of_the_layer():
    counts = [14112, *[0] * 25]  # as many codes as conv1 has places, each a gap of 1
    parts = [bytes(1024) + bytes(4 * 96) + bytes(14112) + b"\x11" * 7056]
    parts += [bytes(1024) + bytes(4 * s[0]) for s in list(release_shapes().values())[1:]]
    with pytest.raises(FileFormatError, match=r"places below 14112 in conv1, got 28223"):
        decode(struct.pack("<26I", *counts) + b"".join(parts))


def test_npz_and_compressed_file_give_one_network(release, tmp_path, monkeypatch):
    np.savez(tmp_path / "a.npz", **release)
    (tmp_path / "a.net").write_bytes(encode(release))
    one, two = load_squeezenet(tmp_path / "a.npz"), load_squeezenet(tmp_path / "a.net")
    for a, b in zip(one.model.parameters(), two.model.parameters(), strict=True):
        assert torch.equal(a, b)
    assert two.source == "release"
    assert two.verified == "of another file than published"
    assert (two.resize.height, two.resize.rule) == (227, "squash-crop")
    digest = sha256_file(tmp_path / "a.net")
    monkeypatch.setattr("experiments.models.squeezenet_weights.SQUEEZENET_SHA256", digest)
    assert load_squeezenet(tmp_path / "a.net").verified == "equal to the published file's"
    rgb = torch.tensor([123.0 + 1, 117.0 + 2, 104.0 + 3]).view(1, 3, 1, 1)
    assert one.model.step(rgb).flatten().tolist() == [3, 2, 1]  # blue, green, red


def test_torchvision_state_dict(tmp_path):
    torch.manual_seed(1)
    source = SqueezeNet()
    path = tmp_path / "squeezenet1_0.safetensors"
    safetensors.torch.save_file(source.state_dict(), path)
    found = load_squeezenet(path)
    assert found.source == "torchvision"
    assert (found.resize.height, found.resize.rule, found.resize.side) == (224, "crop", 256)
    grey = torch.full((1, 3, 1, 1), 128.0)
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    expected = (128 / 255 - mean) / deviation
    torch.testing.assert_close(found.model.step(grey).flatten(), expected)
    x = torch.rand(1, 3, 64, 64) * 255
    torch.testing.assert_close(found.model(x), source.eval()(found.model.step(x)))


def test_the_digits_in_torchvisions_file_name_are_checked(tmp_path):
    torch.manual_seed(1)
    torch.save(SqueezeNet().state_dict(), tmp_path / "a.pth")
    digits = sha256_file(tmp_path / "a.pth")[:8]
    right = (tmp_path / "a.pth").rename(tmp_path / f"squeezenet1_0-{digits}.pth")
    assert load_squeezenet(right).verified == "the 8 digits in its name"
    wrong = right.rename(tmp_path / "squeezenet1_0-00000000.pth")
    with pytest.raises(ChecksumError, match=f"begins with 00000000, .*got {digits}"):
        load_squeezenet(wrong)


def test_files_that_hold_something_else(release, tmp_path):
    with pytest.raises(FileFormatError, match=r"weights: expected a file .*got .*none.npz"):
        load_squeezenet(tmp_path / "none.npz")
    path = tmp_path / "a.npz"
    for change, match in (
        ({"extra.weight": np.zeros(1)}, "expected SqueezeNet v1.0's layers, got 'extra.weight'"),
        ({"conv1.bias": np.zeros(3, np.float32)}, r"features.0.bias of shape \(96,\), got \(3,\)"),
        ({"conv1.bias": np.full(96, np.nan, np.float32)}, "finite floats in features.0.bias"),
    ):
        np.savez(path, **(release | change))
        with pytest.raises(FileFormatError, match=match):
            load_squeezenet(path)
    np.savez(path, **{k: v for k, v in release.items() if k != "conv10.bias"})
    with pytest.raises(
        FileFormatError, match=r"52 parameters .*, got a file without classifier.1.bias"
    ):
        load_squeezenet(path)
    safetensors.torch.save_file({"weight": torch.zeros(1)}, tmp_path / "b.safetensors")
    with pytest.raises(FileFormatError, match=r"got a file without classifier.1.bias"):
        load_squeezenet(tmp_path / "b.safetensors")


def test_layer_names():
    assert release_layer("fire4/squeeze1x1") == "features.5.squeeze"
    assert isinstance(SqueezeNet().get_submodule(release_layer("fire9/expand3x3")), nn.Conv2d)
    with pytest.raises(InputError, match=r"layer: expected one of conv1, .*, got 'conv11'"):
        release_layer("conv11")


@pytest.mark.data
def test_the_real_weights_survive_the_compressed_form():
    with np.load(real_data.squeezenet_npz()) as arrays:
        weights = {name: arrays[name] for name in arrays.files}
    data = encode(weights)
    equal(decode(data), weights)
    # The published file is this long: the format, padding included, is the one described.
    assert len(data) == sources.SQUEEZENET_BYTES


@pytest.mark.data
def test_the_real_network_recognises_real_images():
    found = load_squeezenet(real_data.squeezenet_npz())
    paths = list_images(real_data.imagenet_samples())[:40]
    images = load_images(paths, found.resize)
    with torch.no_grad():
        logits = found.model(torch.from_numpy(np.moveaxis(images, -1, 1).astype(np.float32)))
    right = logits.argmax(1) == torch.tensor(labels(paths))
    assert int(right.sum()) >= 28
