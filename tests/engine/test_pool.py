"""Threads that share a step: all jobs are done, errors arrive, and no thread outlives its pool."""

import threading
import time

import numpy as np
import pytest

from nndesigner.engine.pool import Meeting, Pool


def workers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("nndesigner worker")]


def wait_until_gone(threads: set[threading.Thread]) -> None:
    end = time.monotonic() + 5
    while threads & set(workers()):
        assert time.monotonic() < end, "worker threads are still there"
        time.sleep(0.005)


def test_every_job_runs_in_a_thread_of_its_own():
    pool = Pool()
    seen = {}
    for turn in range(50):
        pool.run([lambda i=i, turn=turn: seen.__setitem__(i, (turn, threading.get_ident())) for i in range(3)])
        assert [seen[i][0] for i in range(3)] == [turn] * 3
    assert len({ident for _, ident in seen.values()}) == 3 and seen[0][1] == threading.get_ident()
    pool.close()


def test_fewer_jobs_than_threads_are_fine():
    pool = Pool()
    seen = []
    pool.run([lambda: seen.append(0)])
    pool.run([lambda: seen.append(1), lambda: seen.append(2)])
    assert sorted(seen) == [0, 1, 2]
    pool.close()


@pytest.mark.parametrize("bad", [0, 1])
def test_an_error_is_raised_after_all_jobs_are_done_and_the_pool_lives(bad):
    pool = Pool()
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
    before = set(workers())
    closed, forgotten = Pool(), Pool()
    for pool in (closed, forgotten):
        pool.run([lambda: None] * 3)
    del pool
    started = set(workers()) - before
    assert len(started) == 4
    closed.close()
    del forgotten
    wait_until_gone(started)


def test_parts_that_meet_get_the_sum_of_all_in_their_order():
    pool, meeting, threads = Pool(), Meeting(3), 3
    parts = [meeting.part(number, 1 / threads) for number in range(threads)]
    brought = [(np.array([1.0, number]), np.array(10.0 * number)) for number in range(threads)]
    bound = [part.total(*arrays) for part, arrays in zip(parts, brought)]
    again = [part.total(arrays[1]) for part, arrays in zip(parts, brought)]
    for _ in range(50):
        meeting.begin()
        pool.run([lambda i=i: (bound[i][0](), again[i][0]()) for i in range(threads)])
        for (_, (pair, number)), (_, (other,)) in zip(bound, again):
            assert pair.tolist() == [3.0, 3.0] and number == other == 30.0
            pair[...] = number[...] = 0
    pool.close()


@pytest.mark.parametrize("bad", [0, 1, 2])
def test_who_fails_calls_the_meeting_off_for_all_and_for_this_time_only(bad):
    pool, meeting = Pool(), Meeting(3)
    steps = [meeting.part(number, 1 / 3).total(np.ones(1))[0] for number in range(3)]

    def fail():
        raise ZeroDivisionError("no")

    failing = [meeting.guarded(fail if i == bad else step) for i, step in enumerate(steps)]
    for _ in range(20):
        meeting.begin()
        with pytest.raises(ZeroDivisionError):
            pool.run(failing)
        meeting.begin()
        pool.run([meeting.guarded(step) for step in steps])
    pool.close()
