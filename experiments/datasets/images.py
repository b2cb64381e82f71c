"""Which images?  Any folder of JPEG or PNG files, decoded to RGB and brought to one size."""

import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from polytope.errors import FileFormatError, InputError
from polytope.files import sha256_bytes, sha256_file

SUFFIXES = (".jpg", ".jpeg", ".png")
MAX_PIXELS = 1 << 26  # 8,192 x 8,192, which is 200 MB decoded
MAX_BYTES = 1 << 28
#: Modes that convert to 8-bit RGB without loss of range; 16-bit and float grey do not.
_MODES = ("RGB", "RGBA", "RGBX", "L", "LA", "P", "PA", "1", "CMYK", "YCbCr")

Rule = Literal["squash", "crop", "squash-crop"]


@dataclass(frozen=True, kw_only=True)
class Resize:
    """How an image comes to `height` x `width` pixels; always bilinear with antialiasing.

    Attributes:
        height, width: of the result.
        rule: "squash" to height x width whatever the proportions (the authors' recipe); "crop":
            the shorter side scaled to `side`, then the centre (torchvision's); "squash-crop":
            squashed to side x side, then the centre (Caffe's).
        side: of "crop" and "squash-crop", at least height and width; not used by "squash".

    Raises:
        InputError: a size that is not positive, a rule that does not exist, or a crop that is
            larger than the scaled image.
    """

    height: int
    width: int
    rule: Rule = "squash"
    side: int = 256

    def __post_init__(self) -> None:
        """Check rule and sizes."""
        if self.rule not in get_args(Rule):
            known = ", ".join(get_args(Rule))
            raise InputError(f"rule: expected one of {known}, got {self.rule!r}")
        for name in ("height", "width", "side"):
            value = getattr(self, name)
            if not 1 <= value <= 8192:
                raise InputError(f"{name}: expected 1 to 8192 pixels, got {value}")
        if self.rule != "squash" and self.side < max(self.height, self.width):
            raise InputError(
                f"side: expected at least {max(self.height, self.width)}, the size of the crop, "
                f"got {self.side}"
            )

    def describe(self) -> str:
        """Returns the rule in words, for tables."""
        size = f"{self.height} x {self.width}"
        if self.rule == "squash":
            return f"squashed to {size}, bilinear"
        if self.rule == "crop":
            return f"shorter side to {self.side}, bilinear, centre {size}"
        return f"squashed to {self.side} x {self.side}, bilinear, centre {size}"

    def apply(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Returns an RGB image (H, W, 3) at this size, (height, width, 3) uint8."""
        picture = Image.fromarray(image)
        if self.rule == "squash":
            return _scaled(picture, self.height, self.width)
        if self.rule == "squash-crop":
            scaled = _scaled(picture, self.side, self.side)
        else:
            tall, wide = image.shape[:2]
            short = min(tall, wide)
            scaled = _scaled(picture, self.side * tall // short, self.side * wide // short)
        top = round((scaled.shape[0] - self.height) / 2)
        left = round((scaled.shape[1] - self.width) / 2)
        return scaled[top : top + self.height, left : left + self.width]


def _scaled(picture: Image.Image, height: int, width: int) -> NDArray[np.uint8]:
    if height * width > MAX_PIXELS:  # a strip of one pixel's height, say
        raise InputError(
            f"image: expected a scaled size below {MAX_PIXELS}, got {height} x {width}"
        )
    return np.asarray(picture.resize((width, height), Image.Resampling.BILINEAR))


def list_images(folder: Path | str) -> tuple[Path, ...]:
    """Returns the JPEG and PNG files of a folder (not of folders in it), sorted by name.

    Raises:
        InputError: no such folder, or none of its files is an image by its name.
    """
    place = Path(folder)
    if not place.is_dir():
        raise InputError(f"images: expected a folder of JPEG or PNG files, got {place}")
    found = (p for p in place.iterdir() if p.suffix.lower() in SUFFIXES and p.is_file())
    paths = tuple(sorted(found, key=lambda path: path.name))
    if not paths:
        raise InputError(
            f"images: expected a folder with files named {', '.join(SUFFIXES)}, got {place} "
            "without one"
        )
    return paths


def pick_image(paths: Sequence[Path], wanted: str) -> int:
    """Returns the place of one image in a listing: by number, file name, or part of the name.

    Raises:
        InputError: no image or several fit; the message names some.

    >>> pick_image([Path("n01_goldfish.jpg"), Path("n02_tench.jpg")], "tench")
    1
    """
    if wanted.isascii() and wanted.isdigit():
        if int(wanted) >= len(paths):
            raise InputError(f"image: expected a number below {len(paths)}, got {wanted}")
        return int(wanted)
    whole = [i for i, path in enumerate(paths) if wanted in (path.name, path.stem)]
    part = whole or [i for i, path in enumerate(paths) if wanted in path.name]
    if len(part) == 1:
        return part[0]
    some = ", ".join(paths[i].name for i in part[:5]) or "none"
    raise InputError(
        f"image: expected a number, or a name that fits one of {len(paths)} files, "
        f"got {wanted!r}, which fits {some}"
    )


def decode_image(path: Path | str) -> NDArray[np.uint8]:
    """Returns a JPEG or PNG file as RGB (H, W, 3) uint8.

    Grey, palette and CMYK images are converted, transparency is dropped, and the orientation noted
    by a camera is not applied (as in the usual ImageNet pipelines).

    Raises:
        FileFormatError: no JPEG or PNG, truncated or damaged, more than `MAX_PIXELS`, or of more
            than 8 bits a channel.
    """
    place = Path(path)
    try:
        if place.stat().st_size > MAX_BYTES:
            raise FileFormatError(f"{place}: expected at most {MAX_BYTES} bytes, got more")
        with warnings.catch_warnings():
            # Pillow only warns of a small file that unpacks to gigabytes.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(place, formats=("JPEG", "PNG")) as picture:
                _check(place, picture)
                return np.asarray(picture.convert("RGB"))
    except (FileFormatError, MemoryError):
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as problem:
        raise FileFormatError(
            f"{place}: expected at most {MAX_PIXELS} pixels, got more"
        ) from problem
    except Exception as problem:  # Pillow's decoders raise nearly anything on damaged files
        raise FileFormatError(
            f"{place}: expected a whole JPEG or PNG file, got one that cannot be decoded: {problem}"
        ) from problem


def _check(place: Path, picture: Image.Image) -> None:
    """Refuse by the header, before anything is unpacked."""
    wide, tall = picture.size
    if wide * tall > MAX_PIXELS:
        raise FileFormatError(f"{place}: expected at most {MAX_PIXELS} pixels, got {wide} x {tall}")
    if picture.mode not in _MODES:
        raise FileFormatError(f"{place}: expected 8 bits a channel, got mode {picture.mode}")


def load_images(
    paths: Sequence[Path],
    resize: Resize,
    *,
    track: Callable[[Iterable[Path]], Iterable[Path]] = lambda paths: paths,
) -> NDArray[np.uint8]:
    """Returns images (n, height, width, 3) uint8, RGB.

    Args:
        paths: n files.
        resize: to one size.
        track: wraps the paths, for a progress bar.

    Raises:
        FileFormatError: a file cannot be decoded, see `decode_image`.
    """
    images = np.empty((len(paths), resize.height, resize.width, 3), dtype=np.uint8)
    for place, path in enumerate(track(paths)):
        images[place] = resize.apply(decode_image(path))
    return images


def listing_sha256(paths: Sequence[Path]) -> str:
    """Returns one SHA-256 for a folder's images: of the lines `sha256  name`, as sha256sum."""
    lines = "".join(f"{sha256_file(path)}  {path.name}\n" for path in paths)
    return sha256_bytes(lines.encode())
