"""A few threads that compute parts of a step side by side, handed on by locks.

NumPy lets go of the interpreter lock in its larger operations, so plain threads share the processor's cores. A thread
that waits for a lock sleeps in the kernel: it never falls into the episodes of spinning pools, in which a step takes 10
to 40 times longer.
"""

from __future__ import annotations

import functools
import os
import threading
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nndesigner.spec.part import Part

Job = Callable[[], None]

#: Multiply-adds of one forward pass of a batch from which further threads pay (measured, see benchmarks/RESULTS.md).
#: A rule and not a measurement at the start, so that a run repeats to the bit.
WORTH = 100_000_000
#: Threads beyond these gain little: the parts of the batch become small. They have at least so many samples, or samples
#: that are worth a thread each.
MOST = 8
FEWEST_SAMPLES = 8


def useful_threads(multiply_adds: int, samples: int) -> int:
    """How many threads to compute a batch on whose forward pass takes so many multiply-adds."""
    if multiply_adds < WORTH:
        return 1
    parts = max(samples // FEWEST_SAMPLES, min(samples, multiply_adds // WORTH))
    return min(_cores(), MOST, parts)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def parts_of(size: int, count: int, grain: int = 1) -> list[slice]:
    """`count` parts of about equal length that begin at multiples of `grain`; fewer when there is too little."""
    units = -(-size // grain)
    count = min(count, units)
    ends = [min(size, grain * (units * i // count)) for i in range(count + 1)]
    return [slice(a, b) for a, b in zip(ends, ends[1:])]


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
    """Runs one job in the calling thread and the others in threads of its own. Belongs to one thread at a time.

    Threads start when they are first needed.
    """

    def __init__(self) -> None:
        self._workers: list[_Worker] = []
        self._end = weakref.finalize(self, _end, self._workers)

    def run(self, jobs: Sequence[Job]) -> None:
        """All jobs at once; returns when all are done. Raises what one of them raised."""
        while len(self._workers) < len(jobs) - 1:
            self._workers.append(_Worker(len(self._workers) + 1))
        for worker, job in zip(self._workers, jobs[1:]):
            worker.job = job
            worker.go.release()
        errors: list[BaseException | None] = []
        try:
            jobs[0]()
        except BaseException as caught:  # the other jobs must be waited for in any case
            errors.append(caught)
        for worker, _ in zip(self._workers, jobs[1:]):
            worker.done.acquire()
            errors.append(worker.error)
            worker.error = None
        raised = [error for error in errors if error is not None]
        if raised:
            raise next((error for error in raised if not isinstance(error, Deserted)), raised[0])

    def close(self) -> None:
        """End the threads; they must not be at work."""
        self._end()


def _end(workers: list[_Worker]) -> None:
    for worker in workers:
        worker.job = None
        worker.go.release()


class Deserted(BaseException):
    """Another part of the batch has failed and will not come to the meeting; its own error is the one that counts."""


class Meeting:
    """Where the parts of one batch wait for each other, and add up what needs the whole batch."""

    def __init__(self, parts: int) -> None:
        self._barrier = threading.Barrier(parts)
        #: what the parts bring: [parts, values] for each place where they meet
        self._brought: list[np.ndarray] = []
        #: places bound so far, for each part
        self._bound = [0] * parts

    def part(self, number: int, share: float) -> Part:
        """What the layers of one part are told."""
        return Part(number, share, functools.partial(self._bind_total, number))

    def _bind_total(self, number: int, *arrays: Any) -> tuple[Job, tuple[Any, ...]]:
        """See `Part.total`. What is bound as the n-th by one part belongs to the n-th of the others."""
        place, size = self._bound[number], sum(array.size for array in arrays)
        self._bound[number] += 1
        if place == len(self._brought):
            self._brought.append(np.zeros((len(self._bound), size), dtype=arrays[0].dtype))
        brought, sums = self._brought[place], np.zeros(size, dtype=arrays[0].dtype)
        ends = np.cumsum([array.size for array in arrays])
        own = [brought[number, end - array.size:end].reshape(array.shape) for array, end in zip(arrays, ends)]
        totals = tuple(sums[end - array.size:end].reshape(array.shape) for array, end in zip(arrays, ends))
        wait = self._barrier.wait

        def step() -> None:
            for array, room in zip(arrays, own):
                np.copyto(room, array)
            try:
                wait()
            except threading.BrokenBarrierError:
                raise Deserted from None
            np.add.reduce(brought, axis=0, out=sums)  # read before anybody comes here again: a step ends in between

        return step, totals

    def guarded(self, job: Job) -> Job:
        """The job of one part, which calls off the meeting when it fails."""
        def run() -> None:
            try:
                job()
            except BaseException:
                self._barrier.abort()
                raise

        return run

    def begin(self) -> None:
        """To be called before the jobs run: what was called off holds again. Nobody may be waiting."""
        self._barrier.reset()
