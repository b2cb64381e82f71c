"""Where do the proofs go?  Each certificate is saved, then checked from the file, then listed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from polytope import Certificate, Source, checker, verify
from polytope.checker import Problem
from polytope.files import write_bytes
from polytope.sets.rows import Rows

FOLDER = "certificates"
CHECKER = "checker.py"
#: Certificates state their set as text: of a layer with more weights they may be left unsaved.
MOST_SAVED = 4_000_000


@dataclass(frozen=True, kw_only=True)
class Proof:
    """A certificate that the checker accepted.

    Attributes:
        file: where it is, in the run folder; None where it was too large to be saved.
        claim: what it proves, in the checker's words.
    """

    file: str | None
    claim: str


@dataclass(frozen=True)
class Proofs:
    """Keeps certificates of one run in `folder/certificates`.

    Attributes:
        folder: the run folder; the sub-folder must exist.
        sources: the user's files that hold arrays of `layer`: its certificates name them.
        layer: the user's; certificates of others (some of its units, say) state their numbers.
        most: weights of `layer` beyond which certificates are checked and not saved; None to save
            all of them.
        known: the problem of the certificate before, which most of them share.
        prefix: what the name of every file begins with.
    """

    folder: Path
    sources: Mapping[str, Source] = field(default_factory=dict)
    layer: Rows | None = None
    most: int | None = None
    known: dict[str, Problem] = field(default_factory=dict, repr=False, compare=False)
    prefix: str = ""

    def keep(self, name: str, certificate: Certificate | None) -> Proof | None:
        """Saves a certificate, checks the saved file, and returns its entry for the record.

        Args:
            name: of the file, without the prefix and ".json".
            certificate: None where nothing was proved; then there is no entry.

        Raises:
            CertificateError: the checker refuses it; the run must not go on.
            OutputError: it cannot be written.
        """
        if certificate is None:
            return None
        if self._large:
            return Proof(file=None, claim=verify(certificate))
        sources = self.sources if certificate.layer is self.layer else None
        path = certificate.save(self.folder / FOLDER / f"{self.prefix}{name}.json", sources=sources)
        return Proof(file=f"{FOLDER}/{path.name}", claim=verify(path, known=self.known))

    @property
    def _large(self) -> bool:
        """Whether certificates are too large to be saved."""
        if self.layer is None or self.most is None:
            return False
        return self.layer.n_units * self.layer.n_inputs > self.most


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
