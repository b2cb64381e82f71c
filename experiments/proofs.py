"""Where do the proofs go?  Each certificate is saved, then checked from the file, then listed."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from polytope import Certificate, verify

FOLDER = "certificates"


@dataclass(frozen=True)
class Proofs:
    """Keeps certificates of one run in `folder/certificates`.

    Attributes:
        folder: the run folder; the sub-folder must exist.
    """

    folder: Path

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
        path = certificate.save(self.folder / FOLDER / f"{name}.json")
        return {"file": f"{FOLDER}/{path.name}", "claim": verify(path)}


def command(file: str) -> str:
    """Returns the command that checks a certificate with the standard library alone."""
    return f"python -m polytope.checker {file}"
