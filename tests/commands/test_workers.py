"""How many processes pay for a number of files."""

import os

from beatgrid.commands import workers


def test_workers_are_as_many_as_pay(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(8), raising=False)
    monkeypatch.setattr(workers, "_available_bytes", lambda: 10**12)
    assert [workers.workers_that_pay(n) for n in (0, 1, 2, 6, 20, 10_000)] == [0, 0, 1, 2, 7, 8]
    monkeypatch.setattr(workers, "_available_bytes", lambda: 1_500_000_000)
    assert workers.workers_that_pay(10_000) == 2
    monkeypatch.setattr(workers, "_available_bytes", lambda: 100)
    assert workers.workers_that_pay(10_000) == 1
