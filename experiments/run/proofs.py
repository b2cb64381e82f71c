"""Where do the proofs go?  Each certificate is saved, then checked from the file, then listed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from experiments.run.files import write_bytes
from polytope import Certificate, Source, checker, verify
from polytope.sets.layer import Layer

FOLDER = "certificates"
CHECKER = "checker.py"


@dataclass(frozen=True)
class Proofs:
    """Keeps certificates of one run in `folder/certificates`.

    Attributes:
        folder: the run folder; the sub-folder must exist.
        sources: the user's files that hold arrays of `layer`: its certificates name them.
        layer: the user's; certificates of others (some of its units, say) state their numbers.
    """

    folder: Path
    sources: Mapping[str, Source] = field(default_factory=dict)
    layer: Layer | None = None

    def keep(self, name: str, certificate: Certificate | None) -> dict[str, Any] | None:
        """Saves a certificate, checks the saved file, and returns its entry for the record.

        Args:
            name: of the file, without ".json".
            certificate: None where nothing was proved; then there is no entry.

        Raises:
            CertificateError: the checker refuses it; the run must not go on.
            OutputError: it cannot be written.
        """
        if certificate is None:
            return None
        sources = self.sources if certificate.layer is self.layer else None
        path = certificate.save(self.folder / FOLDER / f"{name}.json", sources=sources)
        return {"file": f"{FOLDER}/{path.name}", "claim": verify(path)}


def keep_checker(folder: Path) -> Path:
    """Copies the checker, one file that needs no other, into a run folder, so that `command` works.

    Raises:
        OutputError: it cannot be written.
    """
    path = Path(folder) / CHECKER
    write_bytes(path, Path(checker.__file__).read_bytes())
    return path


def command(file: str) -> str:
    """Returns the command, for the run folder, that checks a certificate with Python alone."""
    return f"python -I -S {CHECKER} {file}"
