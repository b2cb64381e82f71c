import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from experiments.datasets import images
from experiments.datasets.images import Resize
from polytope.errors import FileFormatError, InputError
from polytope.files import sha256_bytes


def noise(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def save(path, array, mode=None, **options):
    picture = Image.fromarray(array)
    (picture.convert(mode) if mode else picture).save(path, **options)
    return path


def test_listing_is_sorted_and_takes_images_only(tmp_path):
    for name in ("b.PNG", "a.JPEG", "c.jpg", "d.txt", ".hidden"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "e.jpg").mkdir()
    assert [path.name for path in images.list_images(tmp_path)] == ["a.JPEG", "b.PNG", "c.jpg"]


def test_folders_without_images(tmp_path):
    with pytest.raises(InputError, match=r"expected a folder of JPEG or PNG files, got .*/none"):
        images.list_images(tmp_path / "none")
    with pytest.raises(InputError, match=r"got .* without one"):
        images.list_images(tmp_path)


def test_pick_image():
    paths = [Path(name) for name in ("n1_cat.jpg", "n2_catfish.jpg", "n3_dog.jpg", "cat.png")]
    assert [images.pick_image(paths, w) for w in ("2", "dog", "n1_cat", "cat", "cat.png")] == [
        2, 2, 0, 3, 3,
    ]  # fmt: skip
    with pytest.raises(InputError, match=r"got .n., which fits n1_cat.jpg, n2_catfish.jpg, n3_dog"):
        images.pick_image(paths, "n")
    with pytest.raises(InputError, match="got 'cow', which fits none"):
        images.pick_image(paths, "cow")
    with pytest.raises(InputError, match="a number below 4, got 4"):
        images.pick_image(paths, "4")


def test_decoding_is_lossless_where_the_file_is(tmp_path):
    array = noise(5, 7, 3)
    assert np.array_equal(images.decode_image(save(tmp_path / "a.png", array)), array)


def test_other_modes_become_rgb(tmp_path):
    grey = noise(6, 4)
    found = images.decode_image(save(tmp_path / "g.png", grey))
    assert np.array_equal(found, np.stack([grey] * 3, axis=2))
    flat = np.full((8, 8, 3), (200, 30, 90), dtype=np.uint8)
    cmyk = images.decode_image(save(tmp_path / "c.jpg", flat, mode="CMYK", quality=95))
    assert cmyk.shape == (8, 8, 3)
    assert np.abs(cmyk.astype(int) - flat).max() <= 4
    clear = np.dstack([flat, np.zeros((8, 8), dtype=np.uint8)])
    assert np.array_equal(images.decode_image(save(tmp_path / "t.png", clear)), flat)
    assert images.decode_image(save(tmp_path / "p.png", flat, mode="P")).shape == (8, 8, 3)


def jpeg():
    stream = io.BytesIO()
    Image.fromarray(noise(64, 64, 3)).save(stream, "JPEG")
    return stream.getvalue()


def bomb(wide, tall):
    """A PNG that promises this size and holds nothing."""

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", wide, tall, 8, 2, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(b"\0"))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + body + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (jpeg()[:1000], "a.jpg: expected a whole JPEG or PNG file, .*truncated"),
        (b"", "expected a whole JPEG or PNG file"),
        (b"<html>", "expected a whole JPEG or PNG file"),
        (b"GIF89a" + bytes(30), "expected a whole JPEG or PNG file"),
        (bomb(8193, 8192), "at most 67108864 pixels, got 8193 x 8192"),
        (bomb(12000, 12000), "at most 67108864 pixels, got"),
        (bomb(60000, 60000), "at most 67108864 pixels, got"),
        (bomb(100, 100), "expected a whole JPEG or PNG file"),
    ],
)
def test_files_that_are_refused(tmp_path, data, match):
    path = tmp_path / "a.jpg"
    path.write_bytes(data)
    with pytest.raises(FileFormatError, match=match):
        images.decode_image(path)


def test_more_refusals(tmp_path, monkeypatch):
    deep = save(tmp_path / "d.png", noise(4, 4).astype(np.uint16) * 256)
    with pytest.raises(FileFormatError, match=r"8 bits a channel, got mode I"):
        images.decode_image(deep)
    with pytest.raises(FileFormatError, match=r"none.png: expected a whole .* No such file"):
        images.decode_image(tmp_path / "none.png")
    monkeypatch.setattr(images, "MAX_BYTES", 10)
    with pytest.raises(FileFormatError, match="at most 10 bytes, got more"):
        images.decode_image(deep)


def test_every_rule_gives_the_size_and_keeps_a_flat_image_flat():
    flat = np.full((30, 50, 3), (9, 8, 7), dtype=np.uint8)
    for rule in ("squash", "crop", "squash-crop"):
        found = Resize(height=16, width=12, rule=rule, side=20).apply(flat)
        assert found.shape == (16, 12, 3)
        assert (found == (9, 8, 7)).all()


def test_which_part_of_the_image_each_rule_keeps():
    ramp = np.broadcast_to(np.arange(240, dtype=np.uint8)[None, :, None], (120, 240, 3)).copy()
    squash = Resize(height=60, width=60).apply(ramp)
    crop = Resize(height=60, width=60, rule="crop", side=60).apply(ramp)
    both = Resize(height=60, width=60, rule="squash-crop", side=120).apply(ramp)
    assert squash[0, 0, 0] <= 4  # the whole width
    assert squash[0, -1, 0] >= 235
    assert 58 <= crop[0, 0, 0] <= 62  # the middle half
    assert 178 <= crop[0, -1, 0] <= 182
    assert 58 <= both[0, 0, 0] <= 63  # half of the squashed width
    assert np.array_equal(Resize(height=120, width=240).apply(ramp), ramp)


def test_a_portrait_is_cropped_along_its_height():
    ramp = np.broadcast_to(np.arange(240, dtype=np.uint8)[:, None, None], (240, 120, 3)).copy()
    crop = Resize(height=60, width=60, rule="crop", side=60).apply(ramp)
    assert 58 <= crop[0, 0, 0] <= 62
    assert 178 <= crop[-1, 0, 0] <= 182


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"height": 0, "width": 5}, "height: expected 1 to 8192 pixels, got 0"),
        ({"height": 5, "width": 5, "rule": "stretch"}, "rule: expected one of .*, got 'stretch'"),
        (
            {"height": 9, "width": 5, "rule": "crop", "side": 8},
            "side: expected at least 9, .*got 8",
        ),
    ],
)
def test_sizes_that_are_refused(options, match):
    with pytest.raises(InputError, match=match):
        Resize(**options)


def test_a_strip_does_not_grow_without_limit():
    with pytest.raises(InputError, match="expected a scaled size below"):
        Resize(height=200, width=200, rule="crop").apply(noise(1, 2000, 3))


def test_load_images(tmp_path):
    arrays = [noise(8, 8, 3, seed=i) for i in range(3)]
    paths = [save(tmp_path / f"{i}.png", array) for i, array in enumerate(arrays)]
    seen = []
    found = images.load_images(
        paths, Resize(height=8, width=8), track=lambda p: (seen.append(x) or x for x in p)
    )
    assert np.array_equal(found, arrays)
    assert seen == paths
    expected = "".join(f"{sha256_bytes(p.read_bytes())}  {p.name}\n" for p in paths)
    assert images.listing_sha256(paths) == sha256_bytes(expected.encode())
