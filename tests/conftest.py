"""Fixtures shared by the tests: labelled click tracks, and the entry scripts run in process."""

from __future__ import annotations

import runpy
import signal
import sqlite3
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import soundfile

from beatgrid.data.labels import write_label
from beatgrid.grid import Grid
from beatgrid.rendering.generator import click_track

# A shell's background jobs ignore Ctrl-C, and so would all that tests start and interrupt.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parent.parent
CLICK_GRIDS = {
    "click_a": Grid(120.0, 0.31),
    "click_b": Grid(97.3, 0.05),
    "click_c": Grid(143.7, 0.2),
    "click_d": Grid(174.0, 0.123),
}


@dataclass(frozen=True)
class LabelledFolder:
    """A folder with ``audio`` and ``labels``."""

    path: Path

    @property
    def overrides(self) -> list[str]:
        return [
            f"data.audio_dir={self.path}/audio",
            f"data.label_dir={self.path}/labels",
            f"data.cache_dir={self.path}/cache",
        ]


@pytest.fixture(scope="session")
def click_folder(tmp_path_factory) -> LabelledFolder:
    """Four click tracks of 12 s, one second apart in length so that batches are unequal."""
    folder = tmp_path_factory.mktemp("clicks")
    (folder / "audio").mkdir()
    for index, (name, grid) in enumerate(CLICK_GRIDS.items()):
        duration_s = 12.0 + index
        samples = click_track(grid.bpm, grid.offset_s, duration_s, accent=1.5)
        soundfile.write(folder / "audio" / f"{name}.wav", samples, 44100)
        write_label(folder / "labels" / f"{name}.labels.json", grid, duration_s, f"{name}.wav")
    return LabelledFolder(folder)


@dataclass(frozen=True)
class Finished:
    """What a script did."""

    status: int
    out: str
    err: str


def status_of(script: str, *arguments: str) -> int:
    """Exit status of ``train.py``, ``predict.py`` or another, run in this process."""
    import warnings

    from hydra.core.global_hydra import GlobalHydra

    GlobalHydra.instance().clear()
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        patch.setattr(sys, "argv", [script, *map(str, arguments)])
        warnings.simplefilter("default")  # a script's user is warned, not stopped
        try:
            runpy.run_path(str(ROOT / script), run_name="__main__")
        except SystemExit as stop:
            return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    return 0


@pytest.fixture
def run_script(monkeypatch, capfd, tmp_path):
    """Run ``train.py``, ``predict.py`` or ``evaluate.py`` in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(script: str, *arguments: str) -> Finished:
        status = status_of(script, *arguments)
        captured = capfd.readouterr()
        return Finished(status, captured.out, captured.err)

    return run


@pytest.fixture
def connections(monkeypatch) -> list[sqlite3.Connection]:
    """All connections of SQLite that a test opens."""
    opened: list[sqlite3.Connection] = []
    connect = sqlite3.connect

    def recorded(*args, **kwargs):
        opened.append(connect(*args, **kwargs))
        return opened[-1]

    monkeypatch.setattr(sqlite3, "connect", recorded)
    return opened
