"""What the shipped weights reach on the middle 30 or 15 seconds of real tracks.

    python experiments/results/clips.py AUDIO_DIR LABEL_DIR [SECONDS...]

Tracks of ``split: val``; previews and annotated collections are such clips. Prints a table.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile

import beatgrid
from beatgrid.data.discovery import discover
from beatgrid.evaluation import TrackScore, auroc, evaluate_track

SLOW_BPM = 90.0


def main(audio_dir: Path, label_dir: Path, lengths_s: list[float]) -> None:
    """Score each track at each length; infinite is the whole track."""
    predictor = beatgrid.load("shipped")
    scores: dict[float, list[TrackScore]] = {length_s: [] for length_s in lengths_s}
    for track in discover(audio_dir, label_dir):
        if track.label.split != "val":
            continue
        samples, rate = soundfile.read(track.audio_path, dtype="float32", always_2d=True)
        samples = samples.mean(axis=1)
        for length_s, found in scores.items():
            n = int(min(len(samples), length_s * rate))
            start = (len(samples) - n) // 2
            grid = replace(track.grid, offset_s=track.grid.offset_s - start / rate)
            estimate = predictor(samples[start : start + n], sample_rate=rate).estimate
            found.append(
                evaluate_track(grid, estimate.grid, n / rate, confidence=estimate.confidence)
            )
    print("| length | n | right level | below 90 BPM | Grid-OK@21.5 | x2 forgiven | AUROC |")
    print("|---|---|---|---|---|---|---|")
    for length_s, found in scores.items():
        slow = [s.level == "ok" for s in found if s.bpm_true < SLOW_BPM]
        of_confidence = auroc([s.confidence or 0.0 for s in found], [s.grid_ok_21 for s in found])
        hits = (
            [s.level == "ok" for s in found],
            [s.grid_ok_21 for s in found],
            [s.grid_ok_21_multi for s in found],
        )
        shares = [f"{100 * np.mean(hit):.1f}" for hit in hits]
        print(
            f"| {f'{length_s:g} s' if np.isfinite(length_s) else 'whole'} | {len(found)} "
            f"| {shares[0]} | {sum(slow)} of {len(slow)} | {shares[1]} | {shares[2]} "
            f"| {'-' if of_confidence is None else f'{of_confidence:.2f}'} |"
        )


if __name__ == "__main__":
    audio, labels, *lengths = sys.argv[1:]
    main(Path(audio), Path(labels), [float(s) for s in lengths] or [np.inf, 30.0, 15.0])
