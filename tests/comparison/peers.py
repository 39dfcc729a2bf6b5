"""Peers for tests: small scripts in the place of other people's programs, and their estimates."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import soundfile

from beatgrid.comparison.contenders import Contender
from beatgrid.comparison.environments import _MARK, Environment
from beatgrid.comparison.estimates import Estimate
from beatgrid.comparison.runner_process import environment_variables
from beatgrid.comparison.systems import RUNNERS, SYSTEMS
from beatgrid.files import content_hash, write_json
from beatgrid.grid import Grid

CRASH_S, HANG_S, RAISE_S, NONSENSE_S = 3, 4, 5, 6
"""Lengths of tracks that the fake peer does not get over."""

FAKE = f"""
import os, sys, time, wave
sys.path.insert(0, {str(RUNNERS)!r})
from serving import serve

def load():
    print("a library that talks")
    def analyse(path):
        with wave.open(path) as file:
            seconds = file.getnframes() / file.getframerate()
        print("at work on", path)
        length = round(seconds)
        if length == {CRASH_S}:
            print("Segmentation fault, as it were", file=sys.stderr)
            os._exit(139)
        if length == {HANG_S}:
            time.sleep(60)
        if length == {RAISE_S}:
            raise ValueError("no beats\\nin here")
        if length == {NONSENSE_S}:
            return {{"bpm": "fast"}}
        return {{"beats_s": [0.5 * i for i in range(int(2 * seconds))], "bpm": None}}
    return analyse

serve("fake 1.0", load)
"""


def fake_contender(folder: Path, name: str = "aubio", script: str = FAKE) -> Contender:
    """A contender of a real system's name that runs a script."""
    path = folder / f"{name}_fake.py"
    path.write_text(script)
    return Contender(
        SYSTEMS[name], (sys.executable, str(path)), environment_variables(), "fake", 1.0
    )


def write_audio(path: Path, duration_s: float) -> Path:
    """A track of noise, whose length tells what a fake peer makes of it."""
    rng = np.random.default_rng(round(1000 * duration_s))
    samples = 0.1 * rng.standard_normal(round(8000 * duration_s))
    soundfile.write(path, samples, 8000)
    return path


def installed(peers_dir: Path, name: str) -> None:
    """Make an environment look installed."""
    environment = Environment(name, peers_dir / name)
    mark = {"requirements": content_hash(environment.requirements), "size_mb": 12.5}
    write_json(environment.folder / _MARK, mark)


def beats_estimate(
    track: str, grid: Grid, duration_s: float = 120.0, method: str = "fake", **values: object
) -> Estimate:
    """What a tracker of beats answers that hears a grid."""
    return Estimate(
        track=track,
        audio=f"{track}.ogg",
        content_hash=track,
        method=method,
        duration_s=duration_s,
        beats_s=tuple(grid.beat_times(duration_s)),
        wall_s=2.0,
        cpu_s=1.0,
        peak_mb=100.0,
        version="1.0",
        **values,  # type: ignore[arg-type]
    )
