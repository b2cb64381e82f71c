import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from experiments.own.input import (
    as_picture,
    image_note,
    read_input,
    read_rounded,
)
from experiments.own.texts import read_bounds, read_shape
from polytope.errors import FileFormatError, InputError, NonFiniteError, ShapeError


@pytest.mark.parametrize(("text", "ends"), [("0,1", (0, 1)), ("-1, 2.5", (-1, 2.5))])
def test_bounds(text, ends):
    assert read_bounds(text) == ends
    assert read_bounds(" None") == "none"


@pytest.mark.parametrize("text", ["", "1", "1,0", "1,1", "0,inf", "nan,1", "a,b", "0,1,2"])
def test_bounds_that_are_none(text):
    with pytest.raises(InputError, match=r"bounds: expected"):
        read_bounds(text)


def test_shapes():
    assert read_shape("3,224, 224") == (3, 224, 224)
    for text in ["", "3,x", "3,-1", "0", "٣"]:
        with pytest.raises(InputError, match="input-shape: expected sizes"):
            read_shape(text)


def test_arrays(tmp_path):
    x = np.arange(12, dtype=np.float32).reshape(1, 3, 4)
    for shape in [(1, 3, 4), (1, 1, 3, 4), (12,)]:
        np.save(tmp_path / "x.npy", x.reshape(shape))
        assert np.array_equal(read_input(tmp_path / "x.npy", (1, 3, 4), None).numpy(), x)
    assert read_input(tmp_path / "x.npy", None, None).shape == (12,)
    np.savez(tmp_path / "x.npz", target=x, weight=np.zeros(3))
    assert read_input(tmp_path / "x.npz", (1, 3, 4), None).shape == (1, 3, 4)
    save_file({"any": torch.ones(2, dtype=torch.bfloat16)}, tmp_path / "x.safetensors")
    assert read_input(tmp_path / "x.safetensors", (2,), None).tolist() == [1, 1]


def test_arrays_that_are_no_input(tmp_path):
    path = tmp_path / "x.npz"
    np.savez(path, a=np.zeros(3), b=np.zeros(3))
    with pytest.raises(InputError, match=r"start: expected one array, .*got a, b"):
        read_input(path, (3,), None, role="start")
    path = tmp_path / "x.npy"
    cases = [
        (np.zeros((4, 3)), ShapeError, r"target: expected shape \(3, 4\)"),
        (np.array([1.0, np.nan]), NonFiniteError, r"another one at index \[1\]"),
        (np.array([1j]), InputError, "real numbers, got torch.complex128"),
        (np.array(["a"]), FileFormatError, "of numbers, got the type <U1|of numbers, got <U1"),
        (np.array([True]), InputError, "real numbers, got torch.bool"),
    ]
    for value, error, message in cases:
        np.save(path, value)
        with pytest.raises(error, match=message):
            read_input(path, (3, 4), None)
    with pytest.raises(FileFormatError, match=r"start: expected a file, got .*not exist"):
        read_input(tmp_path / "absent.npy", None, None, role="start")


def picture(path, shape, seed=0):
    pixels = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return pixels


def test_images_become_the_numbers_between_the_bounds(tmp_path):
    path = tmp_path / "a.png"
    pixels = picture(path, (4, 5, 3))
    found = read_input(path, (3, 4, 5), (-1.0, 1.0))
    assert torch.allclose(found, torch.from_numpy(pixels / 127.5 - 1).permute(2, 0, 1))
    assert read_input(path, (3, 8, 2), None).shape == (3, 8, 2)
    assert read_input(path, (1, 4, 5), None).shape == (1, 4, 5)
    grey = picture(tmp_path / "b.png", (4, 4), seed=1)
    found = read_input(tmp_path / "b.png", (16,), (0.0, 255.0))
    assert np.array_equal(found.numpy(), grey.ravel())


def test_images_need_an_input_that_is_one(tmp_path):
    path = tmp_path / "a.png"
    picture(path, (4, 4, 3))
    with pytest.raises(InputError, match="expected an image only where inputs are"):
        read_input(path, (15,), None)
    with pytest.raises(InputError, match="expected --input-shape beside the image"):
        read_input(path, None, None)
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(FileFormatError, match="a whole JPEG or PNG"):
        read_input(path, (3, 4, 4), None)


def test_which_points_are_pictures():
    assert as_picture(torch.zeros(3, 4, 5)).shape == (3, 4, 5)
    assert as_picture(torch.zeros(1, 4, 5)).shape == (4, 5)
    assert as_picture(torch.zeros(784)).shape == (28, 28)
    assert as_picture(torch.zeros(10)) is None
    assert as_picture(torch.zeros(2, 4, 5)) is None


def test_what_is_changed_of_an_image_is_said(tmp_path):
    picture(tmp_path / "a.png", (4, 5, 3))
    picture(tmp_path / "grey.png", (4, 4))
    assert image_note(tmp_path / "a.png", (3, 4, 5)) == ""
    assert image_note(tmp_path / "grey.png", (16,)) == ""
    assert (
        image_note(tmp_path / "grey.png", (3, 8, 2)) == "grey.png: 4 x 4 pixels squashed to 8 x 2"
    )
    assert image_note(tmp_path / "a.png", (1, 6, 6)) == (
        "a.png: 4 x 5 pixels squashed to 6 x 6, colours turned into grey levels"
    )
    assert image_note(tmp_path / "x.npy", (6,)) == ""


def test_what_the_models_floats_cannot_hold_is_said(tmp_path):
    x = np.array([0.5, 0.1])
    path = tmp_path / "x.npy"

    def read(values, dtype):
        np.save(path, values)
        return read_rounded(path, None, None, dtype, role="start")

    found = read(x, torch.float32)
    change = abs(0.1 - float(np.float32(0.1)))
    assert (found.point.dtype, found.path) == (torch.float32, path)
    (remark,) = found.remarks
    assert remark.startswith(
        f"x.npy: float64 numbers rounded to float32, the model's, by at most {change:.2g};"
    )
    assert read(x, torch.float64).remarks == ()
    assert read(x[:1], torch.float32).remarks == ()
    whole = read(np.array([0, 1]), torch.float32)
    assert whole.remarks == ("x.npy: int64 numbers, taken as they are",)
    with pytest.raises(
        NonFiniteError, match=r"start: expected numbers within float16.* in .*x.npy"
    ):
        read(x * 1e6, torch.float16)
    # Of an image, whose levels are rounded in any case, only another change is said.
    picture = tmp_path / "x.png"
    Image.fromarray(np.full((2, 2), 100, dtype=np.uint8)).save(picture)
    assert read_rounded(picture, (1, 2, 2), None, torch.float32).remarks == ()
    (remark,) = read_rounded(picture, (1, 3, 3), None, torch.float32).remarks
    assert remark == "x.png: 2 x 2 pixels squashed to 3 x 3"
