"""A review page in headless Chromium, for measurements, pictures and tests."""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


def chromium() -> str | None:
    """Return where Chromium is; None where it is not installed."""
    return next(filter(None, map(shutil.which, CHROMIUM)), None)


@contextlib.contextmanager
def serving(folder: Path, *arguments: str) -> Iterator[str]:
    """Run ``beatgrid review`` on a folder; yields the address with its token."""
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "review.py"), str(folder), "open=false", *arguments],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdout is not None
    try:
        lines = [process.stdout.readline() for _ in range(2)]
        if not lines[1].startswith("http://"):
            raise RuntimeError(f"the server did not start: {lines}")
        yield lines[1].strip()
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


@contextlib.contextmanager
def launched() -> Iterator[Browser]:
    """Start Chromium without windows; sound may play without a click."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium(),
            args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required"],
        )
        try:
            yield browser
        finally:
            browser.close()


def until(page: Page, condition: str, argument: Any = None, seconds: float = 120.0) -> None:
    """Wait until an expression of the page, or a function of the argument, is true.

    Playwright's own ``wait_for_function`` evaluates strings in the page, which the page's content
    security policy forbids.
    """
    end = time.monotonic() + seconds
    while not page.evaluate(condition, argument):
        if time.monotonic() > end:
            raise TimeoutError(condition)
        page.wait_for_timeout(50)


def open_list(page: Page, url: str) -> None:
    """Open the list and wait for its rows."""
    page.goto(url)
    until(page, "window.beatgridReview?.list.version >= 0")


def open_track(page: Page, track_id: str) -> None:
    """Open a track, and wait until all of it is drawn."""
    page.evaluate("id => { location.hash = id }", track_id)
    until(
        page,
        "id => { const t = window.beatgridReview.track;"
        " return t.track?.id === id && t.waveform && t.activation && t.track.residuals_ms }",
        track_id,
    )
