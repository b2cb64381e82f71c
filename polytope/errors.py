"""What can I have done wrong?  One class per kind of mistake, one base class for all.

Mathematical outcomes ("empty", "unbounded", "undecided") are values, never exceptions.
"""


class CollisionError(Exception):
    """Base class of every error this project raises on purpose."""


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
