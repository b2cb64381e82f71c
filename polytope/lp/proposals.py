"""What if a float routine fails?  Then it proposes nothing; whatever it raises is no answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def proposing() -> Iterator[None]:
    """Run a float routine whose failure leaves the work to exact arithmetic.

    Solvers raise what they like: LinAlgError, ValueError for a NaN, RuntimeError from C++, and
    Clarabel's panics are no Exception at all.  Only what concerns the process itself goes through:
    interrupts, exits, and memory that ran out.
    """
    try:
        yield
    except MemoryError:
        raise
    except Exception:
        return
    except BaseException as problem:
        if type(problem).__name__ != "PanicException":
            raise
