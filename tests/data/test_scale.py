"""A library of labels takes seconds, and twice as many take twice as long."""

import json
import sys
import time

import pytest

from beatgrid.data.discovery import discover
from beatgrid.data.split import split_tracks

KINDS = {
    "by file name": lambda i: {"fileName": f"t{i:05}.wav"},
    "by own name": lambda i: {},
    "a chain of groups": lambda i: {"group": f"g{i // 3}"},  # pairs of equal audio link them
    "one great group": lambda i: {"group": "g"},
    "copies held out": lambda i: {"group": f"g{i // 2}", "split": "val" if i % 4 == 1 else "train"},
    "slips": lambda i: {"fileName": f"t{i:05}.mp3", "Suspect": "octave", "downbeatOffset": 99 + i},
    "one file": lambda i: {"fileName": "t00000.wav", "downbeatOffset": i / 1000},
}


def fill(folder, n_labels, kind):
    (folder / "audio").mkdir(parents=True)
    (folder / "labels").mkdir()
    for i in range(n_labels):
        (folder / "audio" / f"t{i:05}.wav").write_bytes(b"%09d" % (i // 2))
        text = json.dumps({"bpm": 120, "duration": 9, "title": "x", **KINDS[kind](i)})
        (folder / "labels" / f"t{i:05}.labels.json").write_text(text)


def read(folder):
    return split_tracks(discover(folder / "audio", folder / "labels"), val_count=100)


def calls(function):
    """How many functions, of Python and of C, a call makes."""
    count = 0

    def profile(frame, event, argument):
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(profile)
    try:
        function()
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("kind", KINDS)
def test_work_grows_with_the_number_of_labels(tmp_path, kind):
    counts = []
    for n_labels in (200, 400):
        fill(tmp_path / str(n_labels), n_labels, kind)
        counts.append(calls(lambda folder=tmp_path / str(n_labels): read(folder)))
    few, many = counts
    assert many / few < 2.3  # sorting grows a little faster than what it sorts
    assert many / 400 < 1500


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_twenty_thousand_labels_take_seconds(tmp_path, kind):
    fill(tmp_path, 20_000, kind)
    start_s = time.process_time()
    splits = read(tmp_path)
    # About 2 s on the slow core that it was written on; what is quadratic takes minutes.
    assert time.process_time() - start_s < 10.0
    n_expected = 15_000 if kind == "copies held out" else 20_000
    assert sum(len(tracks) for tracks in splits.values()) == n_expected
