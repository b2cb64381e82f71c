import hashlib

import numpy as np
import pytest
import safetensors.torch
import torch

from experiments.models import vgg16_weights
from experiments.models.vgg16 import POOLED, Shape, random_vgg16
from experiments.models.vgg16_weights import (
    CONVOLUTIONS,
    DENSE,
    check_sha256,
    fetch_vgg16,
    load_vgg16,
)
from polytope.errors import ChecksumError, DownloadError, FileFormatError, NonFiniteError

NARROW = Shape(channels=(2, 3, 4, 5, 6), hidden=7, classes=3)
BLOCKS = (2, 2, 3, 3, 3)


def caffe_arrays(seed=0):
    """Weights as the TF port keeps them: HWIO kernels, (in, out) matrices."""
    rng = np.random.default_rng(seed)
    arrays, before, names = {}, 3, iter(CONVOLUTIONS.values())
    for channels, depth in zip(NARROW.channels, BLOCKS, strict=True):
        for _ in range(depth):
            name = next(names)
            scale = (2 / (9 * before)) ** 0.5
            arrays[f"{name}_W"] = rng.normal(0, scale, (3, 3, before, channels))
            arrays[f"{name}_b"] = rng.normal(0, 0.1, channels)
            before = channels
    sizes = [NARROW.fc6_inputs, NARROW.hidden, NARROW.hidden, NARROW.classes]
    for name, rows, columns in zip(DENSE.values(), sizes, sizes[1:], strict=False):
        arrays[f"{name}_W"] = rng.normal(0, rows**-0.5, (rows, columns))
        arrays[f"{name}_b"] = rng.normal(0, 0.1, columns)
    return {name: value.astype(np.float32) for name, value in arrays.items()}


def caffe_forward(arrays, image):
    """VGG-16 in numpy, maps as (height, width, channel): what the TF port computes."""
    x = image.astype(np.float64) - np.array([123.68, 116.779, 103.939])
    names = iter(CONVOLUTIONS.values())
    for depth in BLOCKS:
        for _ in range(depth):
            name = next(names)
            kernel = arrays[f"{name}_W"].astype(np.float64)
            padded = np.pad(x, ((1, 1), (1, 1), (0, 0)))
            windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(0, 1))
            x = np.einsum("hwcij,ijco->hwo", windows, kernel) + arrays[f"{name}_b"]
            x = np.maximum(x, 0)
        height, width, channels = x.shape
        x = x.reshape(height // 2, 2, width // 2, 2, channels).max(axis=(1, 3))
    assert x.shape == (POOLED, POOLED, NARROW.channels[-1])
    x = x.reshape(-1)  # by height, width, channel
    fc6 = x @ arrays["fc6_W"] + arrays["fc6_b"]
    fc7 = np.maximum(fc6, 0) @ arrays["fc7_W"] + arrays["fc7_b"]
    return fc6, np.maximum(fc7, 0) @ arrays["fc8_W"] + arrays["fc8_b"]


@pytest.fixture
def npz(tmp_path):
    path = tmp_path / "vgg16_weights.npz"
    np.savez(path, **caffe_arrays())
    return path


def test_the_tf_port_gives_the_same_numbers_as_its_own_forward_pass(npz):
    loaded = load_vgg16(npz, shape=NARROW)
    assert loaded.source == "caffe"
    image = np.random.default_rng(1).integers(0, 256, (224, 224, 3))
    fc6, logits = caffe_forward(caffe_arrays(), image)
    tensor = torch.from_numpy(np.moveaxis(image, -1, 0)[None].astype(np.float32))
    with torch.no_grad():
        model = loaded.model
        pooled = model.avgpool(model.features(model.preprocess(tensor)))
        found = model.classifier[0](pooled.flatten(1))[0].numpy()
        np.testing.assert_allclose(found, fc6, rtol=1e-4, atol=1e-3 * np.abs(fc6).max())
        scale = np.abs(logits).max()
        np.testing.assert_allclose(model(tensor)[0].numpy(), logits, atol=1e-4 * scale)
    # The test can fail: fc6 read without the change of order is far off.
    wrong = pooled.flatten().numpy() @ caffe_arrays()["fc6_W"] + caffe_arrays()["fc6_b"]
    assert np.abs(wrong - fc6).max() > 0.1 * np.abs(fc6).max()


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_torchvisions_state_dict_loads_as_it_is(tmp_path, suffix):
    model = random_vgg16(3, NARROW)
    path = tmp_path / f"vgg16{suffix}"
    save = torch.save if suffix == ".pth" else safetensors.torch.save_file
    save(dict(model.state_dict()), path)
    loaded = load_vgg16(path, shape=NARROW)
    assert loaded.source == "torchvision"
    assert loaded.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert loaded.verified.startswith("nothing: no checksum is known")
    for name, value in model.state_dict().items():
        assert torch.equal(loaded.model.state_dict()[name], value)
    pixels = torch.full((1, 3, 32, 32), 200.0)
    mean = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
    deviation = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
    with torch.no_grad():
        wanted = model((pixels / 255 - mean) / deviation)
        assert torch.allclose(loaded.model(pixels), wanted, rtol=1e-4, atol=1e-5)
    assert not any(each.requires_grad for each in loaded.model.parameters())


def test_the_name_of_torchvisions_file_is_a_checksum(tmp_path):
    plain = tmp_path / "vgg16.pth"
    torch.save(random_vgg16(3, NARROW).state_dict(), plain)
    digest = hashlib.sha256(plain.read_bytes()).hexdigest()
    good = tmp_path / f"vgg16-{digest[:8]}.pth"
    good.write_bytes(plain.read_bytes())
    assert load_vgg16(good, shape=NARROW).verified == "the 8 digits in its name"
    bad = tmp_path / "vgg16-397923af.pth"
    bad.write_bytes(plain.read_bytes())
    with pytest.raises(ChecksumError, match=f"begins with 397923af, .*, got {digest}"):
        load_vgg16(bad, shape=NARROW)


def test_a_given_checksum(npz):
    digest = hashlib.sha256(npz.read_bytes()).hexdigest()
    assert load_vgg16(npz, sha256=digest.upper(), shape=NARROW).verified == "the given 64 digits"
    assert check_sha256(digest, npz, digest[:8]) == "the given 8 digits"
    with pytest.raises(ChecksumError, match=f"expected SHA-256 {'0' * 64}, got {digest}"):
        load_vgg16(npz, sha256="0" * 64, shape=NARROW)
    for wrong in ("0" * 7, "0" * 65, "x" * 8):
        with pytest.raises(FileFormatError, match="8 to 64 hex digits"):
            check_sha256(digest, npz, wrong)


def test_files_that_are_not_vgg16(tmp_path, npz):
    with pytest.raises(FileFormatError, match=r"features.0.weight: expected float32 of shape"):
        load_vgg16(npz)  # narrow weights are not VGG-16
    arrays = caffe_arrays()
    damage = {
        "got 31 without fc8_b": lambda a: a.pop("fc8_b"),
        "got 33 with more": lambda a: a.update(more=np.zeros(1)),
        "fc6_W: expected 2 axes": lambda a: a.update(fc6_W=np.zeros((1, 2, 3), np.float32)),
        "fc6_W: expected a multiple of 49 rows": lambda a: a.update(
            fc6_W=np.zeros((50, 7), np.float32)
        ),
        "features.0.bias: expected float32 .* got torch.float64": lambda a: a.update(
            conv1_1_b=np.zeros(2)
        ),
    }
    for message, change in damage.items():
        changed = dict(arrays)
        change(changed)
        path = tmp_path / "damaged.npz"
        np.savez(path, **changed)
        with pytest.raises(FileFormatError, match=message):
            load_vgg16(path, shape=NARROW)
    arrays["fc7_W"][2, 3] = np.nan
    np.savez(tmp_path / "nan.npz", **arrays)
    with pytest.raises(NonFiniteError, match="fc7_W"):
        load_vgg16(tmp_path / "nan.npz", shape=NARROW)
    torch.save({"weight": torch.zeros(2)}, tmp_path / "other.pth")
    with pytest.raises(FileFormatError, match=r"expected the 32 tensors .* got 1 without"):
        load_vgg16(tmp_path / "other.pth", shape=NARROW)
    with pytest.raises(FileFormatError, match="'torchvision' or 'caffe' \\(to download one\\)"):
        load_vgg16(tmp_path / "absent.pth")


def test_a_download_that_fails_says_what_to_do(tmp_path, monkeypatch):
    def refuse(url, path, **options):
        raise DownloadError(f"{url} could not be downloaded: no answer")

    monkeypatch.setattr(vgg16_weights, "download_file", refuse)
    said = []
    with pytest.raises(DownloadError, match=r"vgg16-397923af\.pth could not be .* --weights FILE"):
        fetch_vgg16("torchvision", root=tmp_path, report=said.append)
    assert "https://download.pytorch.org/models/vgg16-397923af.pth" in said[0]


def test_a_download_is_checked_before_it_is_kept(tmp_path, monkeypatch):
    content = b"not VGG-16"

    def bring(url, path, *, limit, check):
        path.parent.mkdir(parents=True)
        temporary = path.with_suffix(".part")
        temporary.write_bytes(content)
        check(temporary)
        raise AssertionError("accepted")

    monkeypatch.setattr(vgg16_weights, "download_file", bring)
    with pytest.raises(ChecksumError, match="begins with 397923af"):
        fetch_vgg16("torchvision", root=tmp_path, report=lambda line: None)


def test_a_file_in_the_cache_is_checked_and_used(tmp_path):
    place = tmp_path / "weights" / "vgg16_weights.npz"
    place.parent.mkdir()
    place.write_bytes(b"anything")
    digest = hashlib.sha256(b"anything").hexdigest()
    assert fetch_vgg16("caffe", root=tmp_path, sha256=digest) == place
    with pytest.raises(ChecksumError):
        fetch_vgg16("caffe", root=tmp_path, sha256="0" * 64)
