"""Labelled music at other playback speeds: onsets lie where the copies' labels say."""

import importlib.util
import sys

import numpy as np
import pytest
import soundfile

from beatgrid.data.labels import load_label, write_label
from beatgrid.grid import Grid
from tests.conftest import ROOT

SPEC = importlib.util.spec_from_file_location("speeds", ROOT / "experiments/corpus/speeds.py")
speeds = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(speeds)

RATE = 44100


def test_copies_have_their_beats_where_their_labels_say_and_stay_with_their_original(
    tmp_path, monkeypatch
):
    for folder in ("audio", "labels"):
        (tmp_path / folder).mkdir()
    grid = Grid(bpm=100.0, offset_s=0.25)
    impulses = np.zeros(6 * RATE, dtype=np.float32)
    impulses[np.round(grid.beat_times(6.0) * RATE).astype(int)] = 0.5
    for name, suspect in (("song", None), ("doubtful", "octave")):
        soundfile.write(tmp_path / "audio" / f"{name}.wav", impulses, RATE)
        write_label(
            tmp_path / "labels" / f"{name}.labels.json", grid, 6.0, f"{name}.wav",
            split="train", suspect=suspect,
        )  # fmt: skip
    out = tmp_path / "out"
    places = [str(tmp_path / "audio"), str(tmp_path / "labels"), str(out)]
    monkeypatch.setattr(sys, "argv", ["speeds.py", *places, "--speeds", "0.7", "1.25", "2.5"])
    speeds.main()

    names = {path.name.split(".labels")[0] for path in (out / "labels").iterdir()}
    assert names == {"song", "doubtful", "song_x0.7", "song_x1.25"}  # 250 BPM is too fast
    for speed in (0.7, 1.25):
        label = load_label(out / "labels" / f"song_x{speed}.labels.json")
        assert label.grid.bpm == pytest.approx(100 * speed)
        assert (label.group, label.split) == ("song", "train")
        samples, rate = soundfile.read(out / "audio" / label.file_name)
        assert rate == RATE
        peaks = np.flatnonzero(samples > 0.6 * samples.max())
        expected = label.grid.beat_times(label.duration_s)
        nearest = np.abs(peaks[:, np.newaxis] / RATE - expected).min(axis=0)
        assert nearest.max() < 1e-4
    assert load_label(out / "labels" / "song.labels.json").group == "song"
