"""Each format as a reader that is not ours sees it: names, beats, bars, tempi."""

import dataclasses
import io
import json
import re
import warnings
import xml.etree.ElementTree as ET

import jams
import mido
import mir_eval
import numpy as np
import pytest
import slider
import soundfile

from beatgrid.data.label_segments import parse_segments
from beatgrid.data.labels import load_label
from beatgrid.errors import BeatgridError
from beatgrid.export import midi
from beatgrid.export.formats import FORMATS
from beatgrid.export.options import ExportOptions
from beatgrid.output.result import displayable
from beatgrid.rendering.generator import click_track
from tests.export.tracks import AWKWARD_NAMES, changing_track, constant_track

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", ".*pkg_resources")  # of what simfile imports
    import simfile
    from simfile.timing import Beat, TimingData
    from simfile.timing.engine import TimingEngine

TRACKS = {
    "constant": constant_track(duration_s=400.0),
    "from 0": constant_track(offset_s=0.0),
    "within a bar": constant_track(offset_s=0.352 + 2 * 60 / 174.3),
    "three in a bar": constant_track(bpm=93.3, beats_per_bar=3),
    "changing": changing_track(),
    "late": constant_track().shifted(30_000.0),
}
OPTIONS = ExportOptions()


LONG = constant_track(bpm=127.3331, duration_s=10800.0)
any_track = pytest.mark.parametrize("track", [*TRACKS.values(), LONG], ids=[*TRACKS, "three hours"])


@pytest.fixture(params=TRACKS.values(), ids=TRACKS)
def track(request):
    return request.param


def render(name, track):
    return FORMATS[name].render(track, OPTIONS)


def off_ms(times_s, track):
    """Largest distance between the beats read and the track's, which must be as many."""
    assert len(times_s) == len(track.beat_times_s())
    return 1000 * float(np.abs(np.asarray(times_s, dtype=float) - track.beat_times_s()).max())


def test_audacity_labels(track):
    # Audacity's manual: start, tab, end, tab, text.
    lines = render("audacity", track).decode().splitlines()
    rows = [re.fullmatch(r"(\d+\.\d+)\t(\d+\.\d+)\t(\S.*)", line).groups() for line in lines]
    assert all(start == end for start, end, _ in rows)
    assert off_ms([row[0] for row in rows], track) < 0.001
    assert [int(text.split(".")[1]) for *_, text in rows] == track.bar_positions().tolist()


def test_csv(track):
    table = np.genfromtxt(
        io.StringIO(render("csv", track).decode()), delimiter=",", names=True, dtype=float
    )
    assert off_ms(table["time_s"], track) < 0.001
    np.testing.assert_array_equal(table["beat"], track.bar_positions())
    np.testing.assert_array_equal(np.diff(table["bar"]) == 1, track.bar_positions()[1:] == 1)
    assert table["bpm"][0] == pytest.approx(track.spans[0].bpm, rel=1e-8)
    assert table["bpm"][-1] == pytest.approx(track.spans[-1].bpm, rel=1e-8)


@any_track
def test_beats_are_read_by_mir_eval(track):
    times_s = mir_eval.io.load_events(io.StringIO(render("beats", track).decode()))
    assert off_ms(times_s, track) < 0.001


def test_a_sonic_visualiser_layer(track):
    root = ET.fromstring(render("svl", track))
    model = root.find("data/model")
    assert model.attrib["type"] == "sparse"
    assert model.attrib["dimensions"] == "1"
    assert int(model.attrib["sampleRate"]) == track.sample_rate
    layer = root.find("display/layer")
    assert (layer.attrib["type"], layer.attrib["model"]) == ("timeinstants", model.attrib["id"])
    dataset = root.find("data/dataset")
    assert dataset.attrib["id"] == model.attrib["dataset"]
    points = dataset.findall("point")
    times_s = [int(point.attrib["frame"]) / track.sample_rate for point in points]
    assert off_ms(times_s, track) <= 0.5 * 1000 / track.sample_rate + 1e-9
    labels = [point.attrib["label"].split(".")[1] for point in points]
    assert [int(label) for label in labels] == track.bar_positions().tolist()


# jams 0.3.5 asks jsonschema in a way that jsonschema 4.0 deprecated.
@pytest.mark.filterwarnings("ignore:Passing a schema to Validator")
def test_jams(track, tmp_path):
    path = tmp_path / "a.jams"
    path.write_bytes(render("jams", track))
    read = jams.load(str(path), validate=True, strict=True)
    (beats,), (tempi,) = read.search(namespace="beat"), read.search(namespace="tempo")
    times_s, positions = beats.to_event_values()
    assert off_ms(times_s, track) < 0.001
    assert positions == track.bar_positions().tolist()
    assert [obs.value for obs in tempi.data] == [span.bpm for span in track.spans]
    assert [obs.time for obs in tempi.data] == [span.start_s for span in track.spans]
    assert read.file_metadata.duration == track.duration_s


def midi_events(data):
    """Seconds of tempo map, markers, signatures and notes, by the tempi of a MIDI file."""
    file = mido.MidiFile(file=io.BytesIO(data), charset="utf-8")
    events, time_s, tempo, signatures = [], 0.0, 500_000, []
    for message in mido.merge_tracks(file.tracks):
        time_s += message.time * tempo * 1e-6 / file.ticks_per_beat
        if message.type == "set_tempo":
            tempo = message.tempo
        elif message.type == "time_signature":
            signatures.append((time_s, message.numerator))
        events.append((time_s, message))
    return file, events, signatures


@any_track
def test_midi(track):
    file, events, signatures = midi_events(render("midi", track))
    notes = [(t, m) for t, m in events if m.type == "note_on"]
    assert off_ms([t for t, _ in notes], track) < 0.45
    bells = [m.note == 34 for _, m in notes]
    assert bells == (track.bar_positions() == 1).tolist()
    markers = [(t, m.text) for t, m in events if m.type == "marker"]
    np.testing.assert_allclose([t for t, _ in markers], track.downbeat_times_s(), atol=0.00045)
    assert [text for _, text in markers][:2] == ["bar 1", "bar 2"]
    # Each marker is on a bar line of the sequencer.
    ticks = np.cumsum([m.time for m in file.tracks[0]])
    beats = [int(t) / file.ticks_per_beat for t in ticks]
    lines, numerator, at = set(), 0, 0.0
    changes = {
        b: m.numerator
        for b, m in zip(beats, file.tracks[0], strict=True)
        if m.type == "time_signature"
    }
    while at <= beats[-1]:
        numerator = changes.get(at, numerator)
        lines.add(at)
        at += numerator
    assert set(changes) <= lines
    assert {b for b, m in zip(beats, file.tracks[0], strict=True) if m.type == "marker"} <= lines
    assert signatures[-1][1] == track.beats_per_bar
    assert events[0][1].name == "song"


def test_midi_takes_no_more_tempi_than_it_needs():
    data = render("midi", constant_track(bpm=120.0, offset_s=0.5))
    tempi = [m.tempo for _, m in midi_events(data)[1] if m.type == "set_tempo"]
    assert tempi == [500_000]


def test_midi_without_mido_is_one_line(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "mido", None)
    with pytest.raises(BeatgridError, match=r"pip install 'beatgrid\[midi\]'"):
        midi.render(constant_track(), OPTIONS)


@any_track
def test_stepmania(track):
    song = simfile.loads(render("stepmania", track).decode())
    engine = TimingEngine(TimingData(song))
    first = track.spans[0].first_bar_position - 1
    n_beats = len(track.beat_times_s())
    # A beat up to 10 ms before 0 lies there.
    skipped = n_beats - sum(span.n_beats for span in track.spans)
    times_s = [float(engine.time_at(Beat(first + i))) for i in range(n_beats - skipped)]
    assert np.abs(np.array(times_s) - track.beat_times_s()[skipped:]).max() < 0.0001
    assert song.charts[0].stepstype == "dance-single"
    # Beat 0 is a bar line before the music.
    assert engine.time_at(Beat(0)) <= track.beat_times_s()[0] + 1e-6
    assert (song.music, song.title) == ("song.mp3", "song")


@any_track
def test_osu(track):
    chart = slider.Beatmap.parse(render("osu", track).decode())
    assert chart.audio_filename == "song.mp3"
    points = [
        (p.offset.total_seconds(), p.ms_per_beat / 1000, p.meter) for p in chart.timing_points
    ]
    assert {meter for *_, meter in points} == {track.beats_per_bar}
    times_s, positions = track.beat_times_s(), track.bar_positions()
    starts_s = np.array([start for start, *_ in points])
    # The point before each beat, one within its rounding included; the first holds before it too.
    at = np.maximum(np.searchsorted(starts_s, times_s + 0.0011, "right") - 1, 0)
    n_beats = np.array(
        [(t - points[i][0]) / points[i][1] for t, i in zip(times_s, at, strict=True)]
    )
    period_s = np.array([points[i][1] for i in at])
    assert (np.abs(n_beats - np.round(n_beats)) * period_s).max() < 0.001
    is_downbeat = np.round(n_beats) % track.beats_per_bar == 0
    if len(points) == 1:
        np.testing.assert_array_equal(is_downbeat, positions == 1)
    else:
        assert is_downbeat[positions == 1][-40:].all()
        assert is_downbeat[-40:].sum() == (positions[-40:] == 1).sum()


def test_a_label_draft(tmp_path):
    track = constant_track(offset_s=1.7)
    path = tmp_path / "song.mp3.labels.json"
    path.write_bytes(render("labels", track))
    label = load_label(path)
    assert label.file_name == "song.mp3"
    times_s = label.grid.beat_times(track.duration_s)
    assert off_ms(times_s, track) < 0.001
    np.testing.assert_array_equal(label.grid.bar_positions(track.duration_s), track.bar_positions())
    assert label.downbeat == "likely"
    locked = json.loads(render("labels", constant_track(locked=True)))
    assert locked["downbeat"] == "reliable"
    unknown = json.loads(render("labels", constant_track(downbeat_known=False)))
    assert unknown["downbeat"] == "unknown"


def test_a_label_draft_of_changing_tempo(tmp_path):
    track = changing_track()
    path = tmp_path / "song.mp3.labels.json"
    path.write_bytes(render("labels", track))
    content = json.loads(path.read_text())
    segments = parse_segments(content, path)
    ends_s = [segment.start_s for segment in segments[1:]] + [content["duration"]]
    times_s, positions = [], []
    for segment, end_s in zip(segments, ends_s, strict=True):
        own_s = segment.grid.beat_times(end_s - 1e-5)
        inside = own_s >= segment.start_s - 1e-5
        times_s += own_s[inside].tolist()
        positions += segment.grid.bar_positions(end_s - 1e-5)[inside].tolist()
    assert off_ms(times_s, track) < 0.001
    assert positions == track.bar_positions().tolist()


@pytest.mark.parametrize("name", [n for n, f in FORMATS.items() if f.render])
def test_formats_do_without_downbeats(name):
    track = constant_track(downbeat_known=False)
    data = render(name, track)
    assert data
    if name == "jams":
        assert json.loads(data)["annotations"][0]["data"][0]["value"] is None
    if name == "audacity":
        assert [line.split()[2] for line in data.splitlines()[:5]] == [b"1", b"2", b"3", b"4", b"5"]
    if name == "svl":
        assert b'label="5"' in data
    if name == "midi":
        assert not [m for _, m in midi_events(data)[1] if m.type == "marker"]


@pytest.mark.parametrize("name", AWKWARD_NAMES)
def test_names_pass_through(name):
    track = constant_track(audio=f"/music/{name}", duration_s=10.0)
    assert (
        ET.fromstring(render("svl", track)).find("data/model").attrib["name"].endswith(track.name)
    )
    song = simfile.loads(render("stepmania", track).decode())
    assert (song.music, song.title) == (name, track.name)
    chart = slider.Beatmap.parse(render("osu", track).decode())
    assert (chart.audio_filename, chart.title_unicode) == (name, track.name)
    assert midi_events(render("midi", track))[1][0][1].name == track.name
    assert json.loads(render("jams", track))["file_metadata"]["title"] == track.name
    assert json.loads(render("labels", track))["fileName"] == name


@pytest.mark.parametrize("name", ["a: b; #1 \\ c.mp3", "line\nbreak.mp3", "esc\x1b.mp3"])
def test_signs_of_the_formats_own_syntax_pass_through(name):
    track = constant_track(audio=f"/music/{name}", duration_s=10.0)
    song = simfile.loads(render("stepmania", track).decode())
    assert song.music == name.replace("\n", " ")
    assert ET.fromstring(render("svl", track)).tag == "sv"
    chart = slider.Beatmap.parse(render("osu", track).decode())
    assert chart.audio_filename == name.replace("\n", " ")


@pytest.mark.parametrize("name", [n for n, f in FORMATS.items() if f.render])
def test_names_that_are_no_text_are_shown_as_such(name):
    track = constant_track(audio="/music/\udcff.mp3", duration_s=10.0)
    track = dataclasses.replace(track, name=displayable(track.name))
    data = render(name, track)
    assert midi_events(data) if name == "midi" else data.decode()


def onsets_s(samples, sample_rate):
    """Where silence ends, at least 60 ms apart."""
    loud = np.flatnonzero(np.abs(samples) > 0.02)
    return loud[np.diff(loud, prepend=-sample_rate) > 0.06 * sample_rate] / sample_rate


@pytest.mark.parametrize("form", ["wav", "flac"])
def test_a_click_track_begins_with_the_song(form, tmp_path):
    track = changing_track()
    path = tmp_path / f"a.{form}"
    FORMATS["click_track"].write(track, path, ExportOptions(click_audio=form, click_level=0.9))
    samples, rate = soundfile.read(path)
    info = soundfile.info(path)
    assert (info.format, info.channels, rate) == (form.upper(), 1, 44100)
    assert len(samples) == round(track.duration_s * rate)
    # The first samples of a click are below the threshold.
    assert off_ms(onsets_s(samples, rate), track) < 0.3
    assert 0.7 < np.abs(samples).max() <= 0.9


@pytest.mark.parametrize("form", ["wav", "flac"])
def test_a_click_mix_is_the_song_with_clicks(form, tmp_path):
    rng = np.random.default_rng(0)
    music = rng.uniform(-1, 1, (3 * 48000, 2))
    soundfile.write(tmp_path / "song.wav", music, 48000, subtype="FLOAT")
    track = constant_track(bpm=120.0, offset_s=0.5, duration_s=3.0, audio=tmp_path / "song.wav")
    path = tmp_path / f"mix.{form}"
    FORMATS["click_mix"].write(track, path, ExportOptions(click_audio=form, click_level=0.5))
    mix, rate = soundfile.read(path)
    assert (rate, mix.shape) == (48000, (3 * 48000, 2))
    clicks = mix - 0.5 * music
    np.testing.assert_allclose(clicks[:, 0], clicks[:, 1], atol=2**-14)
    assert off_ms(onsets_s(clicks[:, 0], rate), track) < 0.3
    # Downbeats are accented by their pitch: 1760 against 1175 Hz.
    at = (track.beat_times_s() * rate).astype(int)
    crossings = [np.diff(np.sign(clicks[i : i + 480, 0])).astype(bool).sum() for i in at]
    is_high = np.array(crossings) > 29
    np.testing.assert_array_equal(is_high, track.bar_positions() == 1)
    assert np.abs(mix).max() <= 1


def test_a_mix_takes_little_memory(tmp_path):
    import tracemalloc

    samples = np.tile(click_track(120.0, 0.0, 60.0), 5)
    soundfile.write(tmp_path / "song.flac", samples, 44100)
    track = constant_track(bpm=120.0, offset_s=0.0, duration_s=300.0, audio=tmp_path / "song.flac")
    tracemalloc.start()
    FORMATS["click_mix"].write(track, tmp_path / "mix.flac", OPTIONS)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 30e6 < samples.nbytes


def test_a_mix_of_missing_audio_is_one_line(tmp_path):
    track = constant_track(audio=tmp_path / "gone.mp3")
    with pytest.raises((BeatgridError, OSError), match=r"gone\.mp3"):
        FORMATS["click_mix"].write(track, tmp_path / "mix.wav", OPTIONS)
