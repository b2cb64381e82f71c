"""How is exact work spread over cores?  A pool of fresh processes, one BLAS thread each."""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from experiments.run.interrupts import children_do_not_hear, end_with_parent
from polytope.errors import LimitError

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

_Job = TypeVar("_Job")
_Result = TypeVar("_Result")


def run_jobs(
    function: Callable[[_Job], _Result], jobs: Sequence[_Job], *, workers: int
) -> Iterator[tuple[_Job, _Result]]:
    """Yields (job, function(job)) as the jobs end; with one worker or one job, in this process.

    Results do not depend on the number of workers.  On an error or an interrupt, jobs that have
    not begun are dropped and the processes are ended.

    Args:
        function: defined at the top of a module, so that a fresh process finds it.
        jobs: picklable.
        workers: processes.

    Raises:
        LimitError: the system ended a process, as it does when memory runs out.
    """
    if workers == 1 or len(jobs) <= 1:
        for job in jobs:
            yield job, function(job)
        return
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))  # inherited by the processes
    pool = ProcessPoolExecutor(
        max_workers=min(workers, len(jobs)),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=end_with_parent,
    )
    try:
        with children_do_not_hear():
            waiting = {pool.submit(function, job): job for job in jobs}
        for done in as_completed(waiting):
            yield waiting[done], done.result()
        pool.shutdown()
    except BaseException as problem:
        processes = list((pool._processes or {}).values())
        pool.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.terminate()
        pool.shutdown()  # waits until the queues are put away
        if isinstance(problem, BrokenProcessPool):
            raise LimitError(
                "workers: one was ended by the system, as a rule for want of memory; what is "
                "finished is kept; lower --workers"
            ) from problem
        raise
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
