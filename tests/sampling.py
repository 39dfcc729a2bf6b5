"""A pytest plugin that runs tests in random order until the time is over.

    pytest -p tests.sampling --for-seconds 300 --hypothesis-seed 7 -m slow

Modules come in random order, for the sake of what their tests share, and tests within each.
"""

from __future__ import annotations

import contextlib
import math
import random
import signal
import time
from collections.abc import Iterator
from types import FrameType

import pytest

_OVER = "the time is over"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--for-seconds``."""
    parser.addoption("--for-seconds", type=float, help="skip what does not fit in, at random")


def pytest_configure(config: pytest.Config) -> None:
    """Sample, if so asked."""
    if (seconds := config.getoption("--for-seconds")) is not None:
        config.pluginmanager.register(_Sampling(seconds), "sampling")


class _Sampling:
    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end = math.inf
        self._has_cut = False

    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        chance = random.Random(config.getoption("--hypothesis-seed"))
        order = {path: chance.random() for path in sorted({item.path for item in items})}
        items.sort(key=lambda item: (order[item.path], chance.random()))

    def pytest_collection_finish(self) -> None:
        self._end = time.monotonic() + self._seconds

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self):
        if self._end <= time.monotonic():
            pytest.skip(_OVER)
        with self._alarm():
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self):
        with self._alarm():
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item):
        # What was cut off may have made something else of it: a browser's driver loses its browser.
        report = yield
        if self._has_cut and report.failed:
            report.outcome = "skipped"
            report.longrepr = (str(item.path), 0, f"Skipped: {_OVER}")
        return report

    @contextlib.contextmanager
    def _alarm(self) -> Iterator[None]:
        """Skip the test that runs when the time is over."""
        before = signal.signal(signal.SIGALRM, self._cut)
        signal.setitimer(signal.ITIMER_REAL, max(self._end - time.monotonic(), 1e-3))
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)

    def _cut(self, signum: int, frame: FrameType | None) -> None:
        self._has_cut = True
        # It is no Exception, so that hardly anything under test catches it.
        raise pytest.skip.Exception(_OVER)
