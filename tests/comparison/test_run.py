"""Peers that crash, hang and raise cost their own track; what is done is not done again."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest

from beatgrid.comparison.run import Comparison, Piece
from tests.comparison.peers import (
    CRASH_S,
    FAKE,
    HANG_S,
    NONSENSE_S,
    RAISE_S,
    fake_contender,
    write_audio,
)

LENGTHS_S = {"a": 7.0, "crash": CRASH_S, "hang": HANG_S, "raise": RAISE_S, "sense": NONSENSE_S}


@pytest.fixture(scope="module")
def pieces(tmp_path_factory) -> list[Piece]:
    folder = tmp_path_factory.mktemp("audio")
    made = [Piece(n, write_audio(folder / f"{n}.wav", s)) for n, s in LENGTHS_S.items()]
    (folder / "broken.mp3").write_bytes(b"no audio")
    again = write_audio(folder / "z.wav", 8.0)
    return [*made, Piece("broken", folder / "broken.mp3"), Piece("z", again)]


@pytest.fixture(scope="module")
def ran(pieces, tmp_path_factory):
    """A run of one fake peer, its attempts by track, and the folder of its estimates."""
    folder = tmp_path_factory.mktemp("estimates")
    comparison = Comparison([fake_contender(folder)], folder, limit_s=1.0)
    attempts = {attempt.piece.name: attempt for attempt in comparison.run(pieces)}
    return comparison, attempts, folder


def test_a_track_that_a_peer_does_not_get_over_costs_that_track(ran):
    _, attempts, _ = ran
    assert {n: a.failure.reason if a.failure else None for n, a in attempts.items()} == {
        "a": None,
        "crash": "its process ended: Segmentation fault, as it were",
        "hang": "took longer than 1.071 s, its time limit: at work on "
        + attempts["hang"].failure.reason.rpartition(" ")[2],
        "raise": "ValueError: no beats in here",
        "sense": "its answer makes no sense: could not convert string to float: 'fast'",
        "broken": attempts["broken"].failure.reason,
        "z": None,
    }
    assert "broken.mp3" in attempts["broken"].failure.reason
    assert attempts["broken"].system is None


def test_estimates_say_what_was_found_and_what_it_cost(ran):
    _, attempts, _ = ran
    estimate = attempts["a"].estimate
    assert estimate.beats_s == tuple(0.5 * i for i in range(14))
    assert (estimate.bpm, estimate.downbeats_s, estimate.error) == (None, None, None)
    assert estimate.version == "fake 1.0"
    assert estimate.duration_s == pytest.approx(7.0)
    assert 0 <= estimate.cpu_s <= estimate.wall_s + 0.05
    assert estimate.peak_mb > 5


def test_a_later_run_tries_again_what_failed_and_nothing_else(ran, pieces, tmp_path):
    _, _, folder = ran
    script = "import sys, json\nsys.exit('never started')"
    comparison = Comparison([fake_contender(tmp_path, script=script)], folder)
    missing = {piece.name for piece, _ in comparison.missing(pieces)}
    assert missing == {"crash", "hang", "raise", "sense", "broken"}
    assert comparison.estimates(pieces)["aubio"]["a"].beats_s[1] == 0.5
    assert comparison.estimates(pieces)["aubio"]["raise"].error == "ValueError: no beats in here"


def test_half_a_line_of_a_killed_run_is_no_estimate(ran, pieces, tmp_path):
    _, _, folder = ran
    lines = (folder / "aubio.jsonl").read_text().splitlines(keepends=True)
    cut = tmp_path / "aubio.jsonl"
    cut.write_text("".join(lines[:-1]) + lines[-1][:40])
    comparison = Comparison([fake_contender(tmp_path)], tmp_path)
    assert "z" in {piece.name for piece, _ in comparison.missing(pieces)}
    (attempt,) = comparison.run(pieces[-1:])
    assert attempt.estimate is not None
    found = Comparison([fake_contender(tmp_path)], tmp_path).estimates(pieces)["aubio"]
    assert {"a", "z"} <= set(found)


def test_another_method_is_another_estimate(ran, pieces):
    _, _, folder = ran
    contender = dataclasses.replace(fake_contender(folder), method="newer")
    assert len(Comparison([contender], folder).missing(pieces)) == len(pieces)


def test_a_renamed_file_keeps_its_estimates(ran, pieces, tmp_path):
    _, _, folder = ran
    moved = tmp_path / "other name.wav"
    moved.write_bytes(pieces[0].audio.read_bytes())
    comparison = Comparison([fake_contender(folder)], folder)
    other = Piece("other", moved)
    assert comparison.missing([other]) == []
    assert comparison.estimates([other])["aubio"]["other"].audio == str(moved)


def test_a_peer_that_does_not_start_is_left_out(pieces, tmp_path):
    good = fake_contender(tmp_path, "aubio")
    script = "raise ImportError('libfoo.so: no such file')"
    broken = fake_contender(tmp_path, "librosa", script)
    comparison = Comparison([broken, good], tmp_path)
    attempts = list(comparison.run([pieces[0], pieces[-1]]))
    assert [a.system for a in attempts if a.failure is None] == ["aubio", "aubio"]
    reason = "cannot be used: its process ended: ImportError: libfoo.so: no such file"
    assert comparison.unusable == {"librosa": reason}
    assert not (tmp_path / "librosa.jsonl").exists()
    assert comparison.estimates(pieces)["librosa"] == {}


def test_a_missing_file_is_said(tmp_path):
    gone = Piece("gone", Path(tmp_path / "gone.wav"))
    (attempt,) = Comparison([fake_contender(tmp_path)], tmp_path).run([gone])
    assert "no such file" in attempt.failure.reason


def test_what_was_started_ends_with_the_run(pieces, tmp_path):
    note = f"    open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\n"
    script = FAKE.replace("    def analyse", note + "    def analyse")
    comparison = Comparison([fake_contender(tmp_path, script=script)], tmp_path)
    attempts = comparison.run([pieces[0], pieces[-1]])
    next(attempts)
    pid = int((tmp_path / "pid").read_text())
    os.kill(pid, 0)
    attempts.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
