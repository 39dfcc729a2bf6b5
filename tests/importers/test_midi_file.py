"""The tempo map of MIDI files, against the ``mido`` library and by hand."""

import io

import mido
import numpy as np
import pytest

from beatgrid.importers.charts.midi_file import MidiError, read_tempo_map
from beatgrid.importers.charts.tempo_map import marks_of_beats


def midi(*events, division=480, notes=True):
    """A file of two tracks, tempi and meters at ticks in the first, notes in the second."""
    file = mido.MidiFile(ticks_per_beat=division)
    track = mido.MidiTrack([mido.MetaMessage("track_name", name="x" * 200)])
    tick = 0
    for at, message in events:
        track.append(message.copy(time=at - tick))
        tick = at
    file.tracks.append(track)
    if notes:
        file.tracks.append(
            mido.MidiTrack(
                [
                    mido.Message("note_on", note=60, time=20_000),
                    mido.Message("sysex", data=(1, 2, 3)),
                    mido.Message("program_change", program=1),
                    *(mido.Message("note_on", note=61, time=480) for _ in range(40)),
                ]
            )
        )
    buffer = io.BytesIO()
    file.save(file=buffer)
    return buffer.getvalue()


def tempo(microseconds):
    return mido.MetaMessage("set_tempo", tempo=microseconds)


def test_tempi_and_meters_are_at_their_beats():
    meter = mido.MetaMessage("time_signature", numerator=7, denominator=8)
    data = midi((0, tempo(500_000)), (960, meter), (1200, tempo(400_001)))
    found = read_tempo_map(data)
    assert found.tempi == [(0, 120), (2.5, 60e6 / 400_001)]
    assert found.meters == [(0.0 + 2, 7, 8)]
    assert found.doubts == ()


def test_another_reader_has_the_same_times():
    data = midi((0, tempo(500_000)), (4800, tempo(352_941)), (9840, tempo(631_579)))
    file = mido.MidiFile(file=io.BytesIO(data))
    times_s, time_s = [], 0.0
    for message in file:
        time_s += message.time
        if message.type == "note_on" and message.note == 61:
            times_s.append(time_s)
    marks = list(marks_of_beats(read_tempo_map(data).tempi, [(0.0, 4)]))
    # The notes begin at beat 20000 / 480 + 1 of the last tempo, which began at 9840 ticks.
    ticks = 20_000 + 480 * np.arange(1, 41)
    expected = marks[-1].from_s + (ticks - 9840) / 480 * 60 / marks[-1].bpm
    np.testing.assert_allclose(times_s, expected, atol=1e-9)


@pytest.mark.parametrize(
    ("microseconds", "bpm"), [(352_941, 170), (631_579, 95), (344_828, 174), (500_001, 119.99976)]
)
def test_one_tempo_is_the_roundest_that_is_so_written(microseconds, bpm):
    (found,) = read_tempo_map(midi((0, tempo(microseconds)))).tempi
    assert found[1] == pytest.approx(bpm, abs=1e-9 if bpm == round(bpm) else 1e-5)


def test_without_a_tempo_it_is_120():
    assert read_tempo_map(midi()).tempi == [(0, 120)]


def test_damage_costs_the_rest_of_its_track():
    data = midi((0, tempo(400_000)))
    found = read_tempo_map(data[:-60])
    assert found.tempi == [(0, 150)]
    assert found.doubts == ("its track 2 is damaged or cut short",)


@pytest.mark.parametrize("data", [b"", b"MThd", b"RIFF" + bytes(100), midi()[:14]])
def test_what_is_no_midi_file_is_refused(data):
    with pytest.raises(MidiError):
        read_tempo_map(data)


def test_frames_are_no_beats():
    data = bytearray(midi())
    data[12:14] = b"\xe7\x28"
    with pytest.raises(MidiError, match="SMPTE"):
        read_tempo_map(bytes(data))


def test_any_cut_and_any_byte_ends_in_an_answer_or_a_line():
    data = midi((0, tempo(400_000)), (500, tempo(300_000)))
    for n in range(0, len(data), 7):
        for damaged in (data[:n], data[:n] + b"\xff" + data[n + 1 :]):
            try:
                found = read_tempo_map(damaged)
            except MidiError:
                continue
            assert all(bpm > 0 for _, bpm in found.tempi)
