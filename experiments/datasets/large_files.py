"""How does a file of half a gigabyte come from the network?  Streamed to the disk, then checked."""

import http.client
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

from tqdm import tqdm

from experiments.datasets.fetch import TIMEOUT
from experiments.run.files import open_run_folder
from polytope.errors import DownloadError
from polytope.files import atomic_path

DEADLINE = 4 * 3600.0  # seconds a file may take in all
BLOCK = 1 << 20


def download_file(url: str, path: Path, *, limit: int, check: Callable[[Path], None]) -> Path:
    """Brings the file behind `url` to `path`: whole, checked, or not at all.

    Args:
        url: an address.
        path: where it is put once `check` has accepted it; its folder is made.
        limit: the largest number of bytes accepted.
        check: is given the file under a temporary name, and raises what is wrong with it.

    Raises:
        DownloadError: no answer, an error status, a broken transfer, or more than `limit` bytes.
        OutputError: the folder cannot be written.
    """
    open_run_folder(path.parent)
    with atomic_path(path) as temporary:
        try:
            size, declared = _stream(url, temporary, limit)
        except (ValueError, http.client.HTTPException) as problem:
            raise DownloadError(f"{url} could not be downloaded: {problem}") from problem
        if declared:
            raise DownloadError(f"{url} broke off after {size} bytes, {declared} are missing")
        check(temporary)
    return path


def _stream(url: str, path: Path, limit: int) -> tuple[int, int]:
    """Writes the file; returns its size, and the bytes that were promised and did not come."""
    deadline = time.monotonic() + DEADLINE
    size = 0
    try:
        answer = urllib.request.urlopen(url, timeout=TIMEOUT)
    except OSError as problem:
        raise DownloadError(f"{url} could not be downloaded: {problem}") from problem
    with (
        answer,
        path.open("wb") as stream,
        # disable=None: silent where stderr is no terminal
        tqdm(total=answer.length, unit="B", unit_scale=True, disable=None, leave=False) as bar,
    ):
        while block := _read(answer, url):
            stream.write(block)
            size += len(block)
            bar.update(len(block))
            if size > limit:
                raise DownloadError(f"{url} must have at most {limit} bytes; got more")
            if time.monotonic() > deadline:
                raise DownloadError(f"{url} took more than {DEADLINE:.0f} s")
        return size, answer.length or 0


def _read(answer: http.client.HTTPResponse, url: str) -> bytes:
    """One block; what the network does wrong is told apart from what the disk does."""
    try:
        return answer.read(BLOCK)
    except OSError as problem:
        raise DownloadError(f"{url} could not be downloaded: {problem}") from problem
