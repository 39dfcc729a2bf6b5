"""Labelled music as it is and at other playback speeds: to fit the search to, to measure.

    python experiments/corpus/speeds.py AUDIO_DIR LABEL_DIR OUT_DIR --split train --speeds 0.7 1.3

A copy is resampled, so that tempo and pitch change alike and no onset moves within the music, and
keeps the group of its original: whoever leaves one out leaves out both. Of what is marked suspect
there are no copies, nor of what would leave ``--tempi``. ``OUT_DIR`` gets ``audio`` (originals as
they are, copies as FLAC) and ``labels``.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import numpy as np
import soundfile
import soxr

from beatgrid.audio.reader import load_audio
from beatgrid.data.discovery import discover
from beatgrid.data.labels import write_label
from beatgrid.data.track import Track
from beatgrid.grid import Grid

SAMPLE_RATE = 44100


def main() -> None:
    """Write the folders."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("audio_dir", type=Path)
    parser.add_argument("label_dir", type=Path)
    parser.add_argument("out_dir", type=Path)
    parser.add_argument("--split", default="train")
    parser.add_argument("--speeds", type=float, nargs="+", default=[0.7, 1.3])
    parser.add_argument("--tempi", type=float, nargs=2, default=[55.0, 215.0])
    parser.add_argument("--copies-only", action="store_true", help="leave the originals out")
    args = parser.parse_args()
    for name in ("audio", "labels"):
        (args.out_dir / name).mkdir(parents=True, exist_ok=True)
    n_copies = 0
    for track in discover(args.audio_dir, args.label_dir):
        if track.label.split != args.split:
            continue
        if not args.copies_only:
            write_copy(track, 1.0, args.out_dir)
        for speed in args.speeds:
            slowest, fastest = args.tempi
            if track.label.suspect is None and slowest <= track.grid.bpm * speed <= fastest:
                write_copy(track, speed, args.out_dir)
                n_copies += 1
    print(f"{n_copies} copies at other speeds")


def write_copy(track: Track, speed: float, out_dir: Path) -> None:
    """Write audio and label of a track played at ``speed``."""
    label, source = track.label, track.audio_path
    assert source is not None
    name = label.name if speed == 1 else f"{label.name}_x{speed:g}"
    audio = out_dir / "audio" / (name + (source.suffix if speed == 1 else ".flac"))
    duration_s = label.duration_s
    if speed == 1:
        shutil.copyfile(source, audio)  # a link would lead out of the folder, which is refused
    else:
        samples = load_audio(source, SAMPLE_RATE).samples
        samples = soxr.resample(samples, SAMPLE_RATE * speed, SAMPLE_RATE, "HQ")
        soundfile.write(audio, np.clip(samples, -1, 1), SAMPLE_RATE)
        duration_s = len(samples) / SAMPLE_RATE
    grid = Grid(
        bpm=label.grid.bpm * speed,
        offset_s=label.grid.offset_s / speed,
        beats_per_bar=label.grid.beats_per_bar,
    )
    kept = {
        key: label.get(key) for key in ("split", "suspect", "genre", "artist", "license", "source")
    }
    write_label(
        out_dir / "labels" / f"{name}.labels.json",
        grid,
        duration_s,
        audio.name,
        label.downbeat,
        group=label.group or label.name,
        **kept,
    )


if __name__ == "__main__":
    main()
