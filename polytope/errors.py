"""What can I have done wrong?  One class per kind of mistake, one base class for all.

Mathematical outcomes ("empty", "unbounded", "undecided") are values, never exceptions.
"""

#: Characters of a message; a file may hold names by the megabyte.
_LONGEST, _END = 1200, 200


class CollisionError(Exception):
    """Base class of every error this project raises on purpose."""

    def __str__(self) -> str:
        """Return the message in one line: a name from a stranger's file moves no cursor."""
        text = super().__str__()
        if len(text) > _LONGEST:
            text = f"{text[: _LONGEST - _END]} ... {text[-_END:]}"
        if text.isprintable():
            return text
        return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


class InputError(CollisionError, ValueError):
    """An argument is not what the docstring asks for."""


class ShapeError(InputError):
    """Two array arguments do not fit together, or one has the wrong number of axes."""


class NonFiniteError(InputError):
    """A weight, bias, target or bound is NaN or infinite."""


class DomainError(InputError):
    """A domain is malformed (lower > upper), or a point lies outside of it."""


class UnitError(InputError):
    """A unit does not exist, or is active where an inactive one is asked for."""


class InexactError(InputError, TypeError):
    """A float reached a routine that only takes exact numbers."""


class FileFormatError(InputError):
    """A file is not of the format its reader expects."""


class ChecksumError(FileFormatError):
    """A file's SHA-256 differs from the pinned one."""


class CertificateError(CollisionError):
    """A certificate does not prove its claim."""


class DownloadError(CollisionError):
    """A download failed, and no local copy is present."""


class OutputError(CollisionError, OSError):
    """A result cannot be written where it was asked for."""


class LimitError(CollisionError):
    """A limit of time, memory or count was reached before the work was done."""
