"""Is it the file that we mean?  A file of the cache is read once its SHA-256 is the pinned one."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from experiments.datasets.fetch import Report
from experiments.datasets.idx import describe
from experiments.run.files import open_run_folder
from experiments.run.words import counted
from polytope.errors import ChecksumError, DownloadError, InputError
from polytope.files import sha256_bytes, sha256_file, write_bytes


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
            f"{name}: expected SHA-256 {expected}, got {got} ({describe(data)}, {len(data)} bytes)"
        )


@dataclass(frozen=True)
class Pinned:
    """Files of one folder of the cache.

    Attributes:
        folder: where they lie.
        sha256: name -> SHA-256 of the file.
    """

    folder: Path
    sha256: Mapping[str, str]

    def missing(self) -> list[str]:
        """Returns the files that are absent or damaged."""
        return [
            name
            for name, digest in self.sha256.items()
            if not (self.folder / name).is_file() or sha256_file(self.folder / name) != digest
        ]

    def keep(self, name: str, content: bytes) -> None:
        """Writes one file, once it is known to be the pinned one.

        Raises:
            ChecksumError: it is another one.
            OutputError: the folder cannot be written.
        """
        check_sha256(content, self.sha256[name], name)
        write_bytes(self.folder / name, content)

    def copy(self, source: Path, names: Iterable[str], *, report: Report) -> None:
        """Copies files from a folder of the user's.

        Raises:
            InputError: `source` is no folder.
            DownloadError: it lacks a file.
            ChecksumError: a file is not the pinned one.
            OutputError: the folder cannot be written.
        """
        wanted = list(names)
        if not source.is_dir():
            raise InputError(f"from: expected a folder, got {source}")
        report(f"copying {counted(len(wanted), 'files')} from {source}")
        absent = [name for name in wanted if not (source / name).is_file()]
        if absent:
            more = f" and {len(absent) - 1} more" if len(absent) > 1 else ""
            raise DownloadError(f"from: expected {absent[0]}{more} in {source}, which lacks it")
        open_run_folder(self.folder)
        for name in wanted:
            self.keep(name, (source / name).read_bytes())
