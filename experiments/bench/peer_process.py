"""How is a peer stopped in time?  Each lives in a child process that is warm before it is asked."""

import multiprocessing
import os
import subprocess
import time
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from types import TracebackType
from typing import Self

from experiments.bench.exact_peers import SOLVERS, START, Answer, solve_lrs
from experiments.bench.exact_sets import HalfspaceSystem
from experiments.run.interrupts import end_with_parent
from polytope.errors import CollisionError

_WARMUP = HalfspaceSystem(((0, 1), (1, -1)), 0)


def _late(limit: float) -> Answer:
    return Answer(None, limit, f"more than {limit:g} s")


def _prepare() -> None:
    """A peer that crashes would print its stack; that it ended is seen from the pool."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    end_with_parent()


def _answer(name: str, system: HalfspaceSystem, limit: float) -> Answer:
    """Lists one system, in the child; whatever a peer raises is its answer."""
    try:
        # Only a program of its own can be stopped from here; the parent stops the others.
        return solve_lrs(system, limit) if name == "lrs" else SOLVERS[name](system)
    except subprocess.TimeoutExpired:
        return _late(limit)
    except Exception as error:
        return Answer(None, 0.0, f"{type(error).__name__}: {error}")


class Peer:
    """One peer in a child process of its own; a context manager.

    Example:
        with Peer("PPL") as peer:
            answer = peer.ask(system, limit=60)
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._pool: ProcessPoolExecutor | None = None
        self._asked: Future[Answer] | None = None
        self._until = self._limit = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Starts the child and waits until one small system has warmed it up.

        Raises:
            CollisionError: it did not start.
        """
        if self._pool is not None:
            return
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(1, mp_context=context, initializer=_prepare)
        self._asked = self._pool.submit(_answer, self.name, _WARMUP, START)
        if self._waited(START).listed is None:
            self.stop()
            raise CollisionError(f"{self.name} did not start")

    def send(self, system: HalfspaceSystem, *, limit: float) -> None:
        """Hands over a system; the peer begins at once and has `limit` seconds."""
        self.start()
        assert self._pool is not None
        self._asked = self._pool.submit(_answer, self.name, system, limit)
        # Grace for the conversion into comparable form, and for lrs to be stopped by its child.
        self._until = time.monotonic() + 1.5 * limit + 2
        self._limit = limit

    def receive(self) -> Answer:
        """Returns the answer to what was sent; the child is stopped when its time is over."""
        found = self._waited(max(0.0, self._until - time.monotonic()))
        return _late(self._limit) if found.seconds > self._limit else found

    def ask(self, system: HalfspaceSystem, *, limit: float) -> Answer:
        """Lists one system."""
        self.send(system, limit=limit)
        return self.receive()

    def stop(self) -> None:
        """Ends the child; the next question starts another one."""
        if self._pool is not None:
            for child in list((self._pool._processes or {}).values()):
                child.kill()  # some peers put off SIGTERM until they are done
            self._pool.shutdown(cancel_futures=True)
        self._pool = None

    def _waited(self, seconds: float) -> Answer:
        if self._asked is None:
            raise CollisionError(f"{self.name} was not asked anything")
        try:
            return self._asked.result(timeout=seconds)
        except TimeoutError:
            self.stop()
            return _late(self._limit)
        except BrokenProcessPool:
            self.stop()
            return Answer(None, 0.0, "the process ended")
