"""Libraries through the importer: clocks, audio of another machine, tracks without a grid."""

import json

import pytest

from beatgrid.errors import MissingPackageError
from beatgrid.export.dj import rekordbox, traktor
from beatgrid.export.options import ExportOptions
from beatgrid.export.timebase import frame_ms
from beatgrid.importers import find
from beatgrid.importers.formats import FORMATS
from beatgrid.importers.importer import Importer
from beatgrid.importers.options import ImportOptions
from beatgrid.importers.outcome import FAILED, NO_AUDIO, NO_GRID, WRITTEN
from tests.export.dj.tracks import constant
from tests.export.tags.sounds import RATE, encode, np
from tests.importers.files import audio, source


def imported(tmp_path, name, content, **options):
    """Import a library; return the importer, what failed and the labels by file name."""
    suffix = {"traktor": "nml"}.get(name, "xml")
    failed: list[str] = []
    importer = Importer(tmp_path / "labels", ImportOptions(**options), failed.append)
    (tmp_path / "labels").mkdir(exist_ok=True)
    importer.read(source(tmp_path / f"library.{suffix}", content), FORMATS[name])
    importer.write()
    labels = [json.loads(p.read_text()) for p in sorted((tmp_path / "labels").glob("*.json"))]
    return importer, failed, {label["fileName"]: label for label in labels}


@pytest.mark.parametrize(
    ("timebase", "late_frames"), [("auto", 1), (None, 0), ("rekordbox", 0), (10, 0)]
)
def test_an_mp3_is_put_back_on_this_programs_clock(timebase, late_frames, tmp_path):
    """FFmpeg's tag: Traktor plays its frame as music, rekordbox does not."""
    path = tmp_path / "music" / "a.mp3"
    path.parent.mkdir()
    encode(path, "mp3", 0.3 * np.sin(np.arange(3 * RATE) / 20))
    content = traktor.render([constant(path, 120.0, 0.25)], ExportOptions(), None)
    _, failed, labels = imported(tmp_path, "traktor", content, timebase=timebase)
    assert failed == []
    late_ms = 10 if timebase == 10 else late_frames * frame_ms(RATE)
    assert labels["a.mp3"]["downbeatOffset"] == pytest.approx(0.25 - late_ms / 1000, abs=1e-6)
    assert labels["a.mp3"]["clock"]


def test_audio_of_another_machine_is_found_by_name_and_folders(tmp_path):
    music = tmp_path / "music"
    for place in ("House/one.wav", "Techno/one.wav", "two.wav", "x/three.wav", "y/three.wav"):
        audio(music / place, 40.0)
    paths = [
        *("C:\\Music\\House\\ONE.wav", "C:\\Music\\Techno\\one.wav", "D:\\two.wav"),
        *("D:\\three.wav", "D:\\gone.wav"),
    ]
    tracks = [constant(path, 100.0 + i, 0.2, 40.0) for i, path in enumerate(paths)]
    content = rekordbox.render(tracks, ExportOptions(), None)
    importer, failed, labels = imported(tmp_path, "rekordbox", content, audio_dir=str(music))
    assert {name: label["bpm"] for name, label in labels.items()} == {
        **{"House/one.wav": 100.0, "Techno/one.wav": 101.0, "two.wav": 102.0}
    }
    assert importer.counts() == {WRITTEN: 3, NO_AUDIO: 2}
    named = " ".join(note for outcome in importer.outcomes for note in outcome.notes)
    assert "three.wav" in named
    assert "gone.wav" in named
    assert failed == []


def test_what_lies_outside_the_audio_folder_is_left_out(tmp_path):
    inside, outside = audio(tmp_path / "music/a.wav"), audio(tmp_path / "other/b.wav")
    tracks = [constant(inside, duration_s=20.0), constant(outside, duration_s=20.0)]
    content = rekordbox.render(tracks, ExportOptions(), None)
    importer, failed, labels = imported(
        tmp_path, "rekordbox", content, audio_dir=str(tmp_path / "music")
    )
    assert list(labels) == ["a.wav"]
    assert importer.counts() == {WRITTEN: 1, NO_AUDIO: 1}
    assert failed == []


def test_tracks_without_a_grid_are_counted_and_damage_costs_the_rest_alone(tmp_path):
    path = audio(tmp_path / "a.wav")
    grid = '<TEMPO Inizio="0.1" Bpm="120.00" Metro="4/4" Battito="1"/>'
    text = f"""<DJ_PLAYLISTS><COLLECTION>
    <TRACK Location="file://localhost{path}">{grid}</TRACK>
    <TRACK Location="file://localhost/new.wav"/><TRACK"""
    importer, failed, labels = imported(tmp_path, "rekordbox", text)
    assert list(labels) == ["a.wav"]
    assert importer.counts() == {WRITTEN: 1, NO_GRID: 1, FAILED: 1}
    (line,) = failed
    assert "well-formed" in line
    assert labels["a.wav"]["downbeat"] == "likely"
    assert labels["a.wav"]["source"] == "rekordbox"


def test_without_mutagen_one_line_names_the_extra(monkeypatch):
    assert find.chosen_formats("serato") == (FORMATS["serato"],)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingPackageError, match=r"mutagen.*beatgrid\[tags\]"):
        find.chosen_formats("serato")
