"""What every runner shares: audio paths in, one line of JSON each out, with what it cost.

A runner is a script that is run by the interpreter of its peer's own environment, where neither
beatgrid nor anything else of this project is installed; it may import this module, the standard
library, numpy and its peer. It reads a JSON string, the path of a WAV file, from each line of
standard input, and answers each with a line of JSON (``serve``). What the peer itself prints goes
to standard error.
"""

from __future__ import annotations

import json
import os
import re
import resource
import sys
import tempfile
import time
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

SAMPLE_RATE = 44100
COLD = "BEATGRID_COLD"
_WARM_UP_S = 15.0
_WARM_UP_BPM = 120.0


def serve(version: str, load: Callable[[], Callable[[str], dict[str, Any]]]) -> None:
    """Answer every line of standard input until its end.

    The first line out is ``{"ready": true, "version": ...}`` with what loading and a first short
    file of clicks took: libraries compile and read their models then, which is no cost of a track.
    With ``BEATGRID_COLD=1`` in the environment there is no such file, so that the first one that is
    asked for has that cost.

    Args:
        version: Of the peer, for people.
        load: Imports and makes what analyses a file: a function of its path that returns
            ``beats_s``, or ``bpm`` and what else is known.
    """
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    started = time.perf_counter()
    analyse = load()
    if os.environ.get(COLD) != "1":
        with tempfile.TemporaryDirectory() as folder:
            clicks = os.path.join(folder, "clicks.wav")
            _write_clicks(clicks)
            analyse(clicks)
    start_s = round(time.perf_counter() - started, 3)
    _say(answers, {"ready": True, "version": version, "start_s": start_s})
    for line in sys.stdin:
        try:
            cost, found = _measured(analyse, json.loads(line))
            _say(answers, {**found, **cost})
        except Exception as error:
            text = " ".join(str(error).split())
            _say(answers, {"error": f"{type(error).__name__}: {text}"[:500]})


def _measured(
    analyse: Callable[[str], dict[str, Any]], path: str
) -> tuple[dict[str, float], dict[str, Any]]:
    """Return what an analysis cost, and what it found."""
    _reset_peak()
    wall, cpu = time.perf_counter(), _cpu_s()
    found = analyse(path)
    cost = {
        "wall_s": round(time.perf_counter() - wall, 4),
        "cpu_s": round(_cpu_s() - cpu, 4),
        "process_cpu_s": round(_cpu_s(), 4),  # since its start
        "peak_mb": round(_peak_mb(), 1),
    }
    return cost, {key: _plain(value) for key, value in found.items() if value is not None}


def _plain(value: Any) -> Any:
    """Return a value as JSON has it; times to the microsecond."""
    if isinstance(value, str | bool):
        return value
    if np.ndim(value):
        return [round(float(x), 6) for x in value]
    return float(value)


def _say(answers: Any, value: dict[str, Any]) -> None:
    answers.write(json.dumps(value, allow_nan=False) + "\n")
    answers.flush()


def _cpu_s() -> float:
    """Return the processor seconds of this process and of those it has waited for."""
    usage = [resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in usage)


def _reset_peak() -> None:
    try:
        Path("/proc/self/clear_refs").write_text("5")  # Linux: the peak starts again from here
    except OSError:
        return


def _peak_mb() -> float:
    """Return the largest resident memory of this process, or of one it has waited for, in MB."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e6
    try:
        found = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
        own = int(found[1]) * 1024 / 1e6 if found else 0.0
    except OSError:
        own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    return max(own, children)


def _write_clicks(path: str) -> None:
    """Write clicks in mono, 16 bits."""
    samples = np.zeros(round(_WARM_UP_S * SAMPLE_RATE))
    click = np.sin(2 * np.pi * 1000 * np.arange(900) / SAMPLE_RATE) * np.linspace(0.8, 0, 900)
    for start_s in np.arange(0.5, _WARM_UP_S - 0.5, 60 / _WARM_UP_BPM):
        start = round(start_s * SAMPLE_RATE)
        samples[start : start + len(click)] = click
    with wave.open(path, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes((samples * 32767).astype("<i2").tobytes())
