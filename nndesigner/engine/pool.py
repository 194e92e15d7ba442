"""A few threads that compute parts of a step side by side, handed on by locks.

NumPy lets go of the interpreter lock in its larger operations, so plain threads share the processor's cores. A thread
that waits for a lock sleeps in the kernel: it never falls into the episodes of spinning pools, in which a step takes 10
to 40 times longer.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Sequence

import numpy as np

Job = Callable[[], None]


class _Worker:
    """One waiting thread. It knows its locks and its job, but not the pool, so that a forgotten pool can end."""

    def __init__(self, number: int) -> None:
        self.go, self.done = threading.Lock(), threading.Lock()
        self.go.acquire()
        self.done.acquire()
        self.job: Job | None = None
        self.error: BaseException | None = None
        threading.Thread(target=self._serve, name=f"nndesigner worker {number}", daemon=True).start()

    def _serve(self) -> None:
        np.seterr(all="ignore")  # belongs to a thread; divergence is noticed by the loss
        while True:
            self.go.acquire()
            job = self.job
            if job is None:
                return
            try:
                job()
            except BaseException as error:  # handed to the thread that waits
                self.error = error
            self.done.release()


class Pool:
    """Runs one job in the calling thread and the others in threads of its own. Belongs to one thread at a time."""

    def __init__(self, threads: int) -> None:
        self._workers = [_Worker(number) for number in range(1, threads)]
        self._end = weakref.finalize(self, _end, self._workers)

    def run(self, jobs: Sequence[Job]) -> None:
        """All jobs at once, at most as many as threads; returns when all are done. Raises what one of them raised."""
        for worker, job in zip(self._workers, jobs[1:]):
            worker.job = job
            worker.go.release()
        error: BaseException | None = None
        try:
            jobs[0]()
        except BaseException as caught:  # the other jobs must be waited for in any case
            error = caught
        for worker, _ in zip(self._workers, jobs[1:]):
            worker.done.acquire()
            error, worker.error = error or worker.error, None
        if error is not None:
            raise error

    def close(self) -> None:
        """End the threads; they must not be at work."""
        self._end()


def _end(workers: list[_Worker]) -> None:
    for worker in workers:
        worker.job = None
        worker.go.release()
