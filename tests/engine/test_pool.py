"""Threads that share a step: all jobs are done, errors arrive, and no thread outlives its pool."""

import threading
import time

import pytest

from nndesigner.engine.pool import Pool


def workers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("nndesigner worker")]


def wait_until_gone(before: int) -> None:
    end = time.monotonic() + 5
    while len(workers()) > before:
        assert time.monotonic() < end, "worker threads are still there"
        time.sleep(0.005)


def test_every_job_runs_in_a_thread_of_its_own():
    pool = Pool(3)
    seen = {}
    for turn in range(50):
        pool.run([lambda i=i, turn=turn: seen.__setitem__(i, (turn, threading.get_ident())) for i in range(3)])
        assert [seen[i][0] for i in range(3)] == [turn] * 3
    assert len({ident for _, ident in seen.values()}) == 3 and seen[0][1] == threading.get_ident()
    pool.close()


def test_fewer_jobs_than_threads_are_fine():
    pool = Pool(3)
    seen = []
    pool.run([lambda: seen.append(0)])
    pool.run([lambda: seen.append(1), lambda: seen.append(2)])
    assert sorted(seen) == [0, 1, 2]
    pool.close()


@pytest.mark.parametrize("bad", [0, 1])
def test_an_error_is_raised_after_all_jobs_are_done_and_the_pool_lives(bad):
    pool = Pool(2)
    done = []

    def good():
        time.sleep(0.02)
        done.append(True)

    def fail():
        raise ZeroDivisionError("no")

    jobs = [good, good]
    jobs[bad] = fail
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            pool.run(jobs)
    assert len(done) == 2
    pool.run([good, good])
    pool.close()


def test_threads_end_with_the_pool_closed_or_forgotten():
    before = len(workers())
    closed, forgotten = Pool(3), Pool(3)
    forgotten.run([lambda: None] * 3)
    assert len(workers()) == before + 4
    closed.close()
    del forgotten
    wait_until_gone(before)
