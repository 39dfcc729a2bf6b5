"""MIDI events to audio through libfluidsynth, and how late each SoundFont sounds."""

from __future__ import annotations

import ctypes
import ctypes.util
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from beatgrid.rendering.piece import SAMPLE_RATE
from beatgrid.rendering.sources.midi import Event


@dataclass(frozen=True)
class Font:
    """A General MIDI SoundFont.

    Attributes:
        name: Short, for recipes and tables.
        path: Where Debian's package puts it.
        latency_s: How much later its percussive sounds come than those of the package's own
            generator, the half block of 64 samples included by which FluidSynth is late on
            average; measured by ``check.py``.
        licence: Of the samples, as Debian states it.
    """

    name: str
    path: Path
    latency_s: float
    licence: str


FONTS: dict[str, Font] = {
    font.name: font
    for font in (
        Font("FluidR3", Path("/usr/share/sounds/sf2/FluidR3_GM.sf2"), 0.0025, "MIT"),
        Font("MuseScore", Path("/usr/share/sounds/sf3/MuseScore_General_Full.sf3"), 0.0025, "MIT"),
        Font("TimGM", Path("/usr/share/sounds/sf2/TimGM6mb.sf2"), 0.0006, "GPL-2"),
        Font("OPL3", Path("/usr/share/sounds/sf2/OPL-3_FM_128M.sf2"), 0.006, "CC-BY-SA-4.0"),
    )
}


def missing_tools() -> list[str]:
    """Name what of the library and the fonts is not installed."""
    missing = [] if ctypes.util.find_library("fluidsynth") else ["libfluidsynth"]
    return missing + [str(font.path) for font in FONTS.values() if not font.path.exists()]


@dataclass(frozen=True)
class Room:
    """FluidSynth's own effects: reverb size and level, chorus level; 0 is none."""

    size: float = 0.2
    reverb: float = 0.0
    chorus: float = 0.0


@functools.cache
def _library() -> ctypes.CDLL:
    name = ctypes.util.find_library("fluidsynth")
    if name is None:
        raise RuntimeError("libfluidsynth is missing; experiments/corpus/install.sh installs it")
    library = ctypes.CDLL(name)
    for function in ("new_fluid_settings", "new_fluid_synth"):
        getattr(library, function).restype = ctypes.c_void_p
    # Its warnings (an instrument a font lacks is replaced) would drown the progress.
    for level in range(5):
        library.fluid_set_log_function(level, None, None)
    return library


def render_events(
    events: Sequence[Event],
    font: Font,
    bpm: float,
    duration_s: float,
    start_s: float = 0.0,
    room: Room | None = None,
) -> NDArray[np.float32]:
    """Play events at a tempo, the font's latency removed.

    Args:
        events: In order of time.
        font: The instruments.
        bpm: Quarter notes per minute.
        duration_s: Length of the result.
        start_s: Time of quarter 0 in the result; may be negative: what sounds before 0 is cut.
        room: FluidSynth's effects; none by default.

    Returns:
        float32 (samples,), mono, unscaled.

    Raises:
        RuntimeError: the library or the font cannot be loaded.
    """
    room = room or Room()
    library = _library()
    settings = ctypes.c_void_p(library.new_fluid_settings())
    number, integer = library.fluid_settings_setnum, library.fluid_settings_setint
    number(settings, b"synth.sample-rate", ctypes.c_double(SAMPLE_RATE))
    number(settings, b"synth.gain", ctypes.c_double(0.3))
    integer(settings, b"synth.midi-channels", 32)  # the upper 16 for what is added to a file
    integer(settings, b"synth.polyphony", 160)
    # Only the instruments played: whole fonts take seconds to decode.
    integer(settings, b"synth.dynamic-sample-loading", 1)
    number(settings, b"synth.reverb.room-size", ctypes.c_double(room.size))
    number(settings, b"synth.reverb.level", ctypes.c_double(room.reverb))
    number(settings, b"synth.chorus.level", ctypes.c_double(room.chorus))
    integer(settings, b"synth.reverb.active", int(room.reverb > 0))
    integer(settings, b"synth.chorus.active", int(room.chorus > 0))
    synth = ctypes.c_void_p(library.new_fluid_synth(settings))
    try:
        if library.fluid_synth_sfload(synth, str(font.path).encode(), 1) < 0:
            raise RuntimeError(f"{font.path}: FluidSynth cannot load this SoundFont")
        return _play(library, synth, events, bpm, duration_s, start_s - font.latency_s)
    finally:
        library.delete_fluid_synth(synth)
        library.delete_fluid_settings(settings)


def _play(
    library: ctypes.CDLL,
    synth: ctypes.c_void_p,
    events: Sequence[Event],
    bpm: float,
    duration_s: float,
    start_s: float,
) -> NDArray[np.float32]:
    """Render from one event to the next."""
    lead = max(0, -round(start_s * SAMPLE_RATE))
    n = lead + round(duration_s * SAMPLE_RATE)
    stereo = np.zeros((2, n), np.float32)
    left, right = (stereo[i].ctypes.data_as(ctypes.c_void_p) for i in range(2))
    at = 0

    def render_until(sample: int) -> None:
        nonlocal at
        if sample > at:
            library.fluid_synth_write_float(synth, sample - at, left, at, 1, right, at, 1)
            at = sample

    for event in events:
        sample = lead + round((start_s + event.quarters * 60.0 / bpm) * SAMPLE_RATE)
        if sample >= n:
            break
        render_until(sample)
        _send(library, synth, event)
    render_until(n)
    return stereo[:, lead:].mean(axis=0)


def _send(library: ctypes.CDLL, synth: ctypes.c_void_p, event: Event) -> None:
    if event.status == 0x90:
        library.fluid_synth_noteon(synth, event.channel, event.data, event.value)
    elif event.status == 0x80:
        library.fluid_synth_noteoff(synth, event.channel, event.data)
    elif event.status == 0xB0:
        library.fluid_synth_cc(synth, event.channel, event.data, event.value)
    elif event.status == 0xC0:
        library.fluid_synth_program_change(synth, event.channel, event.data)
    elif event.status == 0xE0:
        library.fluid_synth_pitch_bend(synth, event.channel, event.value << 7 | event.data)
