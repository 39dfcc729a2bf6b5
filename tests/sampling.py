"""A pytest plugin that runs tests in random order until the time is over.

    pytest -p tests.sampling --for-seconds 300 --hypothesis-seed 7 -m slow

Modules come in random order, for the sake of what their tests share, and tests within each.
"""

from __future__ import annotations

import random
import signal
import time
from types import FrameType

import pytest

_OVER = "the time is over"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--for-seconds``."""
    parser.addoption("--for-seconds", type=float, help="skip what does not fit in, at random")


def pytest_configure(config: pytest.Config) -> None:
    """Start the clock."""
    if (seconds := config.getoption("--for-seconds")) is None:
        return
    end = time.monotonic() + seconds
    config.pluginmanager.register(_Sampling(end), "sampling")


class _Sampling:
    def __init__(self, end: float) -> None:
        self._end = end

    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        chance = random.Random(config.getoption("--hypothesis-seed"))
        order = {path: chance.random() for path in sorted({item.path for item in items})}
        items.sort(key=lambda item: (order[item.path], chance.random()))

    def pytest_runtest_setup(self) -> None:
        if self._end <= time.monotonic():
            pytest.skip(_OVER)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self):
        before = signal.signal(signal.SIGALRM, _skip)
        signal.setitimer(signal.ITIMER_REAL, max(self._end - time.monotonic(), 1e-3))
        try:
            return (yield)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)


def _skip(signum: int, frame: FrameType | None) -> None:
    # It is no Exception, so that nothing under test catches it.
    raise pytest.skip.Exception(_OVER)
