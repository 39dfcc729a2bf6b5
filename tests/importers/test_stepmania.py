"""StepMania's timing against beats that are known, and against the ``simfile`` library."""

import io
import warnings

import numpy as np
import pytest

from beatgrid.importers.charts.stepmania import read_sm, read_ssc
from beatgrid.importers.folders import ImportFileError
from beatgrid.importers.grid import label_grid
from tests.importers.files import beats, source

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", ".*pkg_resources")  # of what simfile imports
    import simfile
    from simfile.timing import Beat, TimingData
    from simfile.timing.engine import TimingEngine

SM = "#TITLE:A\\:b;\n#MUSIC:song.ogg;\n#OFFSET:{offset};\n#BPMS:{bpms};\n#STOPS:{stops};\n"


def grid_of(path, text, duration_s=20.0):
    (track,) = read_sm(source(path / "a.sm", text))
    return label_grid(track.marks, duration_s, 1e-6)


def by_simfile(text, n_beats, strict=True):
    """The times of whole beats as another reader of the format has them."""
    engine = TimingEngine(TimingData(simfile.load(io.StringIO(text), strict=strict)))
    return np.array([float(engine.time_at(Beat(i))) for i in range(n_beats)])


def test_a_constant_tempo_is_that_of_the_file(tmp_path):
    """Beat 0 is at minus the offset."""
    text = SM.format(offset="-0.123", bpms="0.000=174.300", stops="")
    found = grid_of(tmp_path, text)
    assert not found.is_piecewise
    assert (found.grid.bpm, found.grid.offset_s) == (174.3, pytest.approx(0.123, abs=1e-12))
    np.testing.assert_allclose(beats(found, 20.0)[:50], by_simfile(text, 50), atol=1e-6)


def test_tempo_changes_are_segments(tmp_path):
    text = SM.format(offset="0.5", bpms="0=120,8=150,20.5=100", stops="")
    found = grid_of(tmp_path, text)
    expected = by_simfile(text, 60)
    expected = expected[(expected >= 0) & (expected < 20)]
    np.testing.assert_allclose(beats(found, 20.0), expected, atol=1e-6)
    assert [segment.grid.bpm for segment in found.segments] == [120, 150, 100]


def test_a_stop_of_whole_beats_keeps_one_grid(tmp_path):
    """Music goes on while the arrows wait."""
    found = grid_of(tmp_path, SM.format(offset="0", bpms="0=120", stops="8=1.0"))
    assert not found.is_piecewise
    np.testing.assert_allclose(beats(found, 20.0), np.arange(40) / 2, atol=1e-9)
    assert found.bars_known is False  # two beats more: bars begin anew


def test_a_stop_of_a_fraction_of_a_beat_is_a_segment(tmp_path):
    text = SM.format(offset="0", bpms="0=120", stops="8=0.3")
    found = grid_of(tmp_path, text)
    expected = by_simfile(text, 40)
    np.testing.assert_allclose(beats(found, 20.0), expected[expected < 20], atol=1e-6)


@pytest.mark.parametrize(
    "bpms",
    [
        *("0=150,16=-150,18=150", "0=150,16=1000000,18=150"),
        *("0=150,16=300,24=150", "0=150,16=75,18=150"),
    ],
)
def test_effects_leave_the_grid_that_sounds(bpms, tmp_path):
    """A warp by a negative or absurd tempo, a stretch shown at twice or half the tempo."""
    found = grid_of(tmp_path, SM.format(offset="-0.2", bpms=bpms, stops=""))
    assert not found.is_piecewise
    # The million BPM takes 0.12 ms.
    np.testing.assert_allclose(beats(found, 20.0), 0.2 + np.arange(50) * 0.4, atol=2e-4)


def test_warps_and_delays(tmp_path):
    text = (
        "#VERSION:0.83;\n#MUSIC:song.ogg;\n#OFFSET:0;\n#BPMS:0=120;\n#WARPS:8=0.5,16=4;\n"
        "#DELAYS:12=0.2;\n#STOPS:;\n"
    )
    (track,) = read_ssc(source(tmp_path / "a.ssc", text))
    found = label_grid(track.marks, 20.0)
    # Beats inside a warp take no time.
    expected = np.unique(by_simfile(text, 60).round(9))
    np.testing.assert_allclose(beats(found, 20.0), expected[expected < 20], atol=1e-6)


def test_split_timing(tmp_path):
    """A chart with its own timing is a track of its own from version 0.70 on."""
    head = "#VERSION:{};\n#MUSIC:song.ogg;\n#OFFSET:0;\n#BPMS:0=120;\n"
    chart = "#NOTEDATA:;\n#STEPSTYPE:dance-single;\n#DIFFICULTY:Hard;\n{}#NOTES:\n0000\n;\n"
    text = head + chart.format("") + chart.format("#OFFSET:-1;\n#BPMS:0=240;\n")
    shared, own = read_ssc(source(tmp_path / "a.ssc", text.format("0.83")))
    assert (shared.marks[0].bpm, own.marks[0].bpm, own.marks[0].beat_s) == (120, 240, 1)
    assert own.part == "dance-single Hard"
    (shared,) = read_ssc(source(tmp_path / "a.ssc", text.format("0.61")))
    assert shared.marks[0].bpm == 120


def test_time_signatures_begin_bars(tmp_path):
    text = "#OFFSET:0;\n#BPMS:0=120;\n#TIMESIGNATURES:0=3=4;\n"
    found = grid_of(tmp_path, text)
    assert (found.grid.beats_per_bar, found.bars_known) == (3, True)


@pytest.mark.parametrize(
    ("bpms", "doubt"),
    [("0=120,4=nan,8=120", "'4=nan'"), ("0=120,x=3", "'x=3'"), ("0=120,4=inf", "'4=inf'")],
)
def test_what_is_no_number_is_ignored_and_named(bpms, doubt, tmp_path):
    (track,) = read_sm(source(tmp_path / "a.sm", SM.format(offset="0", bpms=bpms, stops="")))
    assert [doubt in line for line in track.doubts] == [True]
    assert {mark.bpm for mark in track.marks} == {120}


@pytest.mark.parametrize("text", ["", "\0" * 100, "#TITLE:a;", "#BPMS:0=-4;", "junk"])
def test_a_file_without_timing_is_named(text, tmp_path):
    with pytest.raises(ImportFileError, match=r"a\.sm: "):
        read_sm(source(tmp_path / "a.sm", text))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-8"])
def test_encodings_and_missing_semicolons(encoding, tmp_path):
    text = "#TITLE:日本\r\n#ARTIST:x;// no\r\n#MUSIC:日本.ogg;\r\n#OFFSET:0;#BPMS:0=128\r\n;"
    (track,) = read_sm(source(tmp_path / "a.sm", text.encode(encoding)))
    assert (track.title, track.audio, track.artist) == ("日本", "日本.ogg", "x")
    assert track.marks[0].bpm == 128


@pytest.mark.parametrize("seed", range(12))
def test_any_timing_has_the_beats_of_another_reader(seed, tmp_path):
    """Tempi, stops and delays anywhere: each beat that it has is one of ours."""
    draw = np.random.default_rng(seed)

    def events(values, first=()):
        beats_at = np.sort(draw.choice(np.arange(1, 48 * 60), len(values), replace=False)) / 48
        pairs = [*first, *zip(beats_at, values, strict=True)]
        return ",".join(f"{beat:.6f}={value:.6f}" for beat, value in pairs)

    bpms = events(draw.uniform(60, 300, 5), [(0.0, 140.0)])
    stops, delays = events(draw.uniform(0.01, 2, 3)), events(draw.uniform(0.01, 2, 2))
    text = (
        f"#VERSION:0.83;#MUSIC:a.ogg;#OFFSET:-0.1;#BPMS:{bpms};#STOPS:{stops};#DELAYS:{delays};"
        f"#WARPS:{'20.5=1.25,33=2' if seed % 2 else ''};"
    )
    (track,) = read_ssc(source(tmp_path / "a.ssc", text))
    ends = [*(mark.from_s for mark in track.marks[1:]), 1e3]
    ours = []
    for mark, end_s in zip(track.marks, ends, strict=True):
        times_s = mark.beat_s + 60 / mark.bpm * np.arange(-1, 400)
        ours.append(times_s[(times_s >= mark.from_s - 1e-6) & (times_s < end_s + 1e-6)])
    # What is inside a warp does not sound.
    theirs = np.delete(by_simfile(text, 100), [21, 34] if seed % 2 else [])
    off_s = np.abs(theirs[:, None] - np.concatenate(ours)[None, :]).min(axis=1)
    assert off_s.max() < 2e-6
