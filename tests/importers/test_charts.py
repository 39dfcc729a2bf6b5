"""Each format's timing against beats that are known from its documentation."""

import json

import numpy as np
import pytest

from beatgrid.importers.charts import (
    arcaea,
    beat_saber,
    clone_hero,
    funkin,
    malody,
    quaver,
    tja,
)
from beatgrid.importers.folders import ImportFileError
from beatgrid.importers.grid import label_grid
from tests.importers.files import beats, source
from tests.importers.test_midi_file import midi, tempo

DURATION_S = 20.0


def grid_of(track, quantum_s=0.0):
    return label_grid(track.marks, DURATION_S, quantum_s)


def expect(track, times_s, quantum_s=0.0, atol=1e-6):
    times_s = np.asarray(times_s)
    inside = times_s[(times_s >= 0) & (times_s < DURATION_S)]
    np.testing.assert_allclose(beats(grid_of(track, quantum_s), DURATION_S), inside, atol=atol)


# --- tja -----------------------------------------------------------------------------------------

TJA = "TITLE:太鼓\nSUBTITLE:--x\nBPM:{bpm}\nWAVE:song.ogg\nOFFSET:{offset}\nCOURSE:Oni\n{notes}"


def test_tja_begins_at_minus_its_offset(tmp_path):
    text = TJA.format(bpm=150, offset=-1.234, notes="#START\n1111,\n,\n10\n20,\n#END\n")
    (track,) = tja.read(source(tmp_path / "a.tja", text.encode("cp932")))
    grid = grid_of(track)
    assert (track.title, track.audio, track.part) == ("太鼓", "song.ogg", "Oni")
    assert (grid.grid.bpm, grid.bars_known) == (150, True)
    assert (1.234 - grid.grid.offset_s) % 1.6 == pytest.approx(0, abs=1e-9)


def test_tja_changes_tempo_inside_a_bar(tmp_path):
    """Symbols divide a bar evenly: the change is behind two of four, after 1 s."""
    notes = "#START\n1111,\n11\n#BPMCHANGE 90\n11,\n1,\n#END\n"
    (track,) = tja.read(source(tmp_path / "a.tja", TJA.format(bpm=120, offset=0, notes=notes)))
    expect(track, [*np.arange(0, 3, 0.5), *np.arange(3, 20, 2 / 3)])
    assert grid_of(track).bars_known


def test_tja_measures_and_delays(tmp_path):
    notes = "#START\n#MEASURE 3/4\n1,\n1,\n#MEASURE 7/8\n1,\n#DELAY 0.3\n#MEASURE 4/4\n1,\n#END\n"
    (track,) = tja.read(source(tmp_path / "a.tja", TJA.format(bpm=120, offset=0, notes=notes)))
    # 6 beats, then 3.5, then a pause of 0.3 s.
    expect(track, [*np.arange(10) * 0.5, *(5.05 + np.arange(40) * 0.5)])


def test_tja_branches_take_the_same_time(tmp_path):
    notes = (
        "#START\n1,\n#BRANCHSTART p,1,2\n#N\n#BPMCHANGE 60\n1,\n#E\n#BPMCHANGE 60\n1,\n#M\n"
        "#BPMCHANGE 60\n1,\n#BRANCHEND\n#BPMCHANGE 120\n1,\n#END\n"
    )
    (track,) = tja.read(source(tmp_path / "a.tja", TJA.format(bpm=120, offset=0, notes=notes)))
    marks = [(mark.beat_s, mark.bpm) for mark in track.marks]
    assert marks == [(0, 120), (2, 60), (6, 120)]


# --- clone hero ----------------------------------------------------------------------------------

CHART = (
    '[Song]\r\n{{\r\n  Name = "A"\r\n  Resolution = 192\r\n  Offset = {offset}\r\n'
    '  MusicStream = "song.ogg"\r\n}}\r\n[SyncTrack]\r\n{{\r\n{sync}\r\n}}\r\n'
    "[ExpertSingle]\r\n{{\r\n  0 = N 1 0\r\n}}\r\n"
)


def chart(path, *sync, offset=0):
    return clone_hero.read_chart(
        source(path / "notes.chart", CHART.format(offset=offset, sync="\r\n".join(sync)))
    )[0]


def test_chart_tempi_are_thousandths(tmp_path):
    track = chart(tmp_path, "  0 = TS 3", "  0 = B 174300", "  192 = A 344234", offset=0.25)
    grid = grid_of(track)
    assert (grid.grid.bpm, grid.grid.beats_per_bar, grid.bars_known) == (174.3, 3, True)
    assert (0.25 - grid.grid.offset_s) % (180 / 174.3) == pytest.approx(0, abs=1e-9)


def test_chart_tempo_changes(tmp_path):
    track = chart(tmp_path, "0 = TS 4", "0 = B 120000", "768 = B 60000", "1104 = B 150325")
    # From the format's own documentation: beats 0, 4 and 5.75.
    third_s = 2 + 1.75
    expected = [*np.arange(4) / 2, 2, 3, *(third_s + (np.arange(6, 90) - 5.75) * 60 / 150.325)]
    expect(track, expected)


def test_chart_behind_a_bar_of_7_8_beats_are_half_a_beat_off(tmp_path):
    track = chart(tmp_path, "0 = TS 7 3", "0 = B 120000", "672 = TS 4")
    expect(track, [0, 0.5, 1.0, 1.5, *np.arange(1.75, 20, 0.5)])


def test_song_ini_delays_the_chart(tmp_path):
    (tmp_path / "song.ini").write_text("[song]\nname = Z\ndelay = 120\n")
    (tmp_path / "song.opus").write_bytes(b"")
    (tmp_path / "guitar.ogg").write_bytes(b"")
    track = chart(tmp_path, "0 = B 120000", offset=0.25)
    assert (track.marks[0].beat_s, track.title, track.audio) == (0.12, "Z", "song.opus")
    assert any("Offset" in doubt for doubt in track.doubts)
    assert any("2 stems" in doubt for doubt in track.doubts)
    data = midi((0, tempo(352_941)), (4800, tempo(500_000)))
    (track,) = clone_hero.read_midi(source(tmp_path / "notes.mid", data))
    expect(track, [*(0.12 + np.arange(10) * 0.352941), *(3.64941 + np.arange(40) * 0.5)])


@pytest.mark.parametrize(
    "text", ["", "[Song]\n{\nResolution = 192\n}\n", CHART.format(offset=0, sync="")]
)
def test_a_chart_without_timing_is_named(text, tmp_path):
    with pytest.raises(ImportFileError, match=r"notes\.chart: "):
        clone_hero.read_chart(source(tmp_path / "notes.chart", text))


# --- beat saber ----------------------------------------------------------------------------------

INFO = {
    "_version": "2.0.0",
    "_songName": "A",
    "_beatsPerMinute": 128,
    "_songTimeOffset": 0.5,
    "_songFilename": "song.egg",
    "_difficultyBeatmapSets": [{"_difficultyBeatmaps": [{"_beatmapFilename": "Hard.dat"}]}],
}


def saber(path, info=INFO, **files):
    for name, content in files.items():
        source(path / f"{name}.dat", json.dumps(content))
    return beat_saber.read(source(path / "Info.dat", json.dumps(info)))


def test_beat_saber_counts_from_its_offset(tmp_path):
    (track,) = saber(tmp_path)
    assert (track.audio, track.downbeat) == ("song.egg", "unknown")
    expect(track, (0.5 + np.arange(-2, 60) * 60 / 128))
    assert grid_of(track).bars_known is False


def test_beat_saber_tempo_changes_of_version_3(tmp_path):
    events = [{"b": 0, "m": 128}, {"b": 16, "m": 100}]
    (track,) = saber(tmp_path, Hard={"version": "3.3.0", "bpmEvents": events})
    expected = 0.5 + np.concatenate([np.arange(-1, 16) * 60 / 128, 7.5 + np.arange(40) * 0.6])
    expect(track, expected)


def test_beat_saber_tempo_changes_of_version_2(tmp_path):
    events = [{"_time": 16, "_type": 100, "_value": 0, "_floatValue": 100}]
    (track,) = saber(tmp_path, Hard={"_version": "2.6.0", "_events": events})
    assert [(m.beat_s, m.bpm) for m in track.marks] == [(0.5, 128), (8, 100)]
    changes = {"_customData": {"_BPMChanges": [{"_BPM": 64, "_time": 32}]}}
    (track,) = saber(tmp_path, Hard=changes)
    assert [(m.beat_s, m.bpm) for m in track.marks] == [(0.5, 128), (15.5, 64)]


def test_beat_saber_regions(tmp_path):
    """Ends are whole samples; the map's own tempo has more digits."""
    n = round(32 * 60 / 128 * 44100)
    region = {"_startSampleIndex": 0, "_endSampleIndex": n, "_startBeat": 0, "_endBeat": 32}
    regions = [region, {"_startSampleIndex": n, "_endSampleIndex": n + 441000}]
    regions[1] |= {"_startBeat": 32, "_endBeat": 42}
    (track,) = saber(
        tmp_path,
        INFO | {"_songTimeOffset": 0},
        BPMInfo={"_songFrequency": 44100, "_regions": regions},
    )
    assert [mark.bpm for mark in track.marks] == [128, 60]
    expect(track, [*np.arange(32) * 60 / 128, *np.arange(15, 20)], atol=2e-5)


def test_beat_saber_version_4(tmp_path):
    audio = {"songFilename": "song.ogg", "songDuration": 19, "bpm": 150}
    info = {"version": "4.0.0", "song": {"title": "A", "author": "B"}, "audio": audio}
    (track,) = saber(tmp_path, info)
    assert (track.marks[0].bpm, track.title, track.stated_duration_s) == (150, "A", 19)
    data = [{"si": 4410, "ei": 444_410, "sb": 0.5, "eb": 10.5}, {"si": 9, "ei": 3}]
    (track,) = saber(tmp_path, info, AudioData={"songFrequency": 44000, "bpmData": data})
    # Beat 1 is half a beat, 0.5 s, behind the first sample of the region.
    expect(track, 4410 / 44000 + 0.5 + np.arange(20))
    assert any("AudioData.dat" in doubt for doubt in track.doubts)


@pytest.mark.parametrize(
    "info", [{}, {"_beatsPerMinute": 0}, {"_beatsPerMinute": "x"}, {"audio": 3}]
)
def test_a_beat_saber_map_without_tempo_is_named(info, tmp_path):
    with pytest.raises(ImportFileError, match=r"Info\.dat: "):
        saber(tmp_path, info)


# --- friday night funkin' ------------------------------------------------------------------------


def test_funkin_sections_change_tempo(tmp_path):
    notes = [
        {"lengthInSteps": 16, "sectionNotes": []},
        {"sectionBeats": 4, "changeBPM": True, "bpm": 150},
        {"changeBPM": False, "bpm": 99},
    ]
    path = tmp_path / "data/my-song/my-song-hard.json"
    (tmp_path / "songs/my-song").mkdir(parents=True)
    (tmp_path / "songs/my-song/Inst.ogg").write_bytes(b"")
    song = {"song": "My Song", "bpm": 100, "notes": notes}
    (track,) = funkin.read(source(path, json.dumps({"song": song}) + "\0garbage"))
    assert track.audio == "../../songs/my-song/Inst.ogg"
    assert track.downbeat == "likely"
    expect(track, [0, 0.6, 1.2, 1.8, *(2.4 + np.arange(60) * 0.4)])
    (track,) = funkin.read(source(path, json.dumps(song)))  # Psych 1.0 has no level above
    assert len(track.marks) == 2


def test_funkin_metadata(tmp_path):
    """An instrumental that is 5 s early begins 5 s before the chart."""
    changes = [{"t": -1, "bpm": 100, "n": 3, "d": 4}, {"t": 6000, "bpm": 120}]
    content = {"songName": "A", "timeChanges": changes, "offsets": {"instrumental": -5000}}
    (tmp_path / "Inst-erect.ogg").write_bytes(b"")
    (track,) = funkin.read(source(tmp_path / "a-metadata-erect.json", json.dumps(content)))
    assert track.audio == "Inst-erect.ogg"
    expect(track, [*np.arange(0.2, 10.9, 0.6), *np.arange(11, 20, 0.5)])


def test_json_of_others_is_none_of_ours(tmp_path):
    label = '{"bpm": 120, "notes": ["a doubt"]}'
    for text in ("{}", "[1]", '{"notes": "x", "bpm": null}', "{", "\xff", label):
        assert funkin.read(source(tmp_path / "x.json", text)) == []
    with pytest.raises(ImportFileError, match=r"x\.json: is not JSON"):
        funkin.read(source(tmp_path / "x.json", '{"timeChanges": ['))


# --- malody --------------------------------------------------------------------------------------


def test_malody_begins_at_minus_its_offset(tmp_path):
    times = [{"beat": [0, 0, 1], "bpm": 120}, {"beat": [10, 1, 2], "bpm": 90, "sign": 3}]
    notes = [
        *({"beat": [0, 1, 4], "column": 0}, {"beat": [1, 0, 1], "sound": "hit.wav"}),
        {"beat": [0, 0, 1], "sound": "song.ogg", "offset": -1250, "type": 1},
    ]
    content = {"meta": {"song": {"title": "A"}, "version": "4K"}, "time": times, "note": notes}
    (track,) = malody.read(source(tmp_path / "a.mc", json.dumps(content)))
    assert (track.audio, track.title, track.part) == ("song.ogg", "A", "4K")
    second = 1.25 + 10.5 / 2
    expect(track, [*np.arange(0.25, 6.5, 0.5), *(second + np.arange(30) * 60 / 90)])


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"time": [{"beat": [0, 0, 0], "bpm": 1}]}'])
def test_a_malody_chart_without_tempo_is_named(text, tmp_path):
    with pytest.raises(ImportFileError, match=r"a\.mc: "):
        malody.read(source(tmp_path / "a.mc", text))


# --- quaver and arcaea ---------------------------------------------------------------------------


def test_quaver_points_are_downbeats(tmp_path):
    text = (
        "AudioFile: song.mp3\nTitle: 'A: b'\nDifficultyName: Hard\nMode: Keys4\nTimingPoints:\n"
        "- StartTime: 1234.5\n  Bpm: 174\n  Signature: Triple\n- Bpm: 120\n- StartTime: 9000\n"
        "  Bpm: 120\n  Signature: 4\nHitObjects:\n- StartTime: 1\n  Lane: 2\n"
    )
    (track,) = quaver.read(source(tmp_path / "a.qua", text))
    assert (track.audio, track.title, track.part) == ("song.mp3", "A: b", "Hard")
    assert [(m.beat_s, m.bpm, m.beats_per_bar) for m in track.marks] == [
        *((1.2345, 174, 3), (0, 120, 4), (9, 120, 4)),
    ]
    expect(track, [0, 0.5, 1, *(1.2345 + np.arange(23) * 60 / 174), *np.arange(9, 20, 0.5)])


@pytest.mark.parametrize(
    "text", ["", "TimingPoints: []\n", "TimingPoints:\n- Bpm: [\n", "TimingPoints:\n- Bpm: .nan\n"]
)
def test_a_quaver_map_without_tempo_is_named(text, tmp_path):
    with pytest.raises(ImportFileError, match=r"a\.qua: "):
        quaver.read(source(tmp_path / "a.qua", text))


def test_arcaea_adds_its_offset(tmp_path):
    text = (
        "AudioOffset:248\n-\ntiming(0,174.00,4.00);\n(500,1);\ntiminggroup(noinput){\n"
        "  timing(0,9999.00,4.00);\n};\ntiming(11034,-174.00,4.00);\ntiming(11035,174.00,4.00);\n"
    )
    (tmp_path / "base.ogg").write_bytes(b"")
    (track,) = arcaea.read(source(tmp_path / "2.aff", text))
    assert track.audio == "base.ogg"
    grid = grid_of(track, 0.001)
    assert not grid.is_piecewise
    assert grid.grid.bpm == pytest.approx(174, abs=1e-3)
    np.testing.assert_allclose(beats(grid, 10.0), 0.248 + np.arange(29) * 60 / 174, atol=1e-3)


@pytest.mark.parametrize(
    "text", ["", "AudioOffset:0\n-\n", "timing(0,0.00,4.00);", "timing(x,1,1);"]
)
def test_an_arcaea_chart_without_tempo_is_named(text, tmp_path):
    with pytest.raises(ImportFileError, match=r"2\.aff: "):
        arcaea.read(source(tmp_path / "2.aff", text))
