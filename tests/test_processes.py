"""Jobs in several processes: none is lost, none is done twice, a death is an error."""

import concurrent.futures
import functools
import os

import pytest

from beatgrid import processes as workers
from beatgrid.errors import BeatgridError

started = []


def add(a, b):
    return a + b


def die_at_3(job):
    if job == 3:
        os._exit(1)
    return job


def begin():
    started.append(os.getpid())


def begun(_):
    return started[:]


@pytest.mark.parametrize("num_workers", [0, 2])
def test_every_job_has_its_result(num_workers):
    found = dict(workers.results(functools.partial(add, 10), range(5), num_workers))
    assert found == {i: 10 + i for i in range(5)}


def test_processes_start_with_what_they_are_told_to():
    found = list(workers.results(begun, range(4), 2, start=begin))
    assert all(len(pids) == 1 and pids != [os.getpid()] for _, pids in found)


def test_without_processes_it_starts_in_this_one():
    started.clear()
    assert list(workers.results(begun, [1], 0, start=begin)) == [(1, [os.getpid()])]


def test_processes_are_renewed_and_no_job_is_lost(monkeypatch):
    pools = []

    def threads(num_workers, **_):
        pools.append(num_workers)
        return concurrent.futures.ThreadPoolExecutor(num_workers)

    monkeypatch.setattr(workers.concurrent.futures, "ProcessPoolExecutor", threads)
    found = workers.results(str, range(9), 2, jobs_per_process=2)
    assert sorted(found) == [(i, str(i)) for i in range(9)]
    assert pools == [2, 2, 2]


def test_a_process_that_dies_is_an_error():
    with pytest.raises(BeatgridError, match=r"one of 2 processes died.*fewer num_workers"):
        list(workers.results(die_at_3, range(6), 2))
