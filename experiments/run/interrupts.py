"""Who hears Ctrl-C?  The process that was started, not its children; the second ends it at once."""

import ctypes
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.resource_tracker import ensure_running


@contextmanager
def second_interrupt_quits() -> Iterator[None]:
    """Inside, the first SIGINT raises KeyboardInterrupt and the second is the system's own.

    Python runs its handler between two of its instructions, which a long exact computation in C may
    put off for minutes. The system's handler is therefore marked to be taken away as it is called
    (SA_RESETHAND, by System V's `signal`): the next SIGINT finds none, and ends the process even
    there. Nothing is torn by it, since everything is written as for a SIGKILL.

    Does nothing outside of the main thread, where SIGINT is ignored or handled by somebody else, or
    where the C library lacks that call.
    """
    ours = (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    )
    if not ours or not _mark():
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _mark() -> bool:
    """Has the handler of SIGINT, which stays Python's own, taken away when it is called."""
    try:
        install = ctypes.CDLL(None).sysv_signal
    except (AttributeError, OSError, TypeError):
        return False
    install.restype, install.argtypes = ctypes.c_void_p, (ctypes.c_int, ctypes.c_void_p)
    handler = install(signal.SIGINT, None)
    install(signal.SIGINT, handler)
    return True


@contextmanager
def children_do_not_hear() -> Iterator[None]:
    """Inside, processes are started for which SIGINT is blocked: it is their parent's to end them.

    The terminal sends it to all of them, and each would print a traceback of its own, also while it
    is still importing.  Here it is only put off.
    """
    ensure_running()  # the first process would start it, and it unblocks SIGINT when it is started
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end_with_parent() -> None:
    """Ends this process as soon as its parent has ended, however it went.

    Nobody reads what is found then, and a pool's processes would wait for work for ever.
    """
    threading.Thread(target=_outlive_no_parent, daemon=True).start()


def _outlive_no_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
