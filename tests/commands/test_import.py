"""``beatgrid import``, from the command line."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

from beatgrid.commands import import_
from beatgrid.commands.signatures import read_formats
from beatgrid.data.labels import load_label
from beatgrid.importers.formats import FORMATS
from tests.importers.files import audio, label_beats

SM = "#TITLE:{title};\n#MUSIC:{music};\n#OFFSET:-0.25;\n#BPMS:0={bpm};\n"
OSU = (
    "osu file format v14\n[General]\nAudioFilename: {music}\n[Metadata]\nVersion:{part}\n"
    "[TimingPoints]\n{time},500,4,1,0,100,1,0\n"
)


@pytest.fixture
def run_import(monkeypatch, capfd, tmp_path):
    """Run ``beatgrid import`` in an empty folder: (exit status, stdout, stderr)."""
    from hydra.core.global_hydra import GlobalHydra

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments):
        GlobalHydra.instance().clear()
        status = 0
        try:
            import_.main(arguments, program="beatgrid import")
        except SystemExit as stop:
            status = stop.code
        return status, *capfd.readouterr()

    return run


@pytest.fixture
def songs(tmp_path):
    folder = tmp_path / "Songs"
    for pack, bpm in (("A", 120), ("B", 150)):
        audio(folder / pack / "one" / "song.ogg")
        (folder / pack / "one" / "song.sm").write_text(
            SM.format(title=pack, music="song.ogg", bpm=bpm)
        )
    return folder


def test_a_folder_of_songs_becomes_labels(songs, run_import):
    status, out, err = run_import("Songs", "out=labels")
    assert (status, err) == (0, "")
    assert "written" in out
    names = sorted(path.name for path in Path("labels").glob("*.labels.json"))
    assert names == ["A - one - song.ogg.labels.json", "B - one - song.ogg.labels.json"]
    label = load_label(Path("labels") / names[0])
    assert (label.grid.bpm, label.grid.offset_s) == (120, 0.25)
    assert (label.file_name, label.duration_s) == ("A/one/song.ogg", 20)
    assert (label.source, label.extra["importedFrom"]) == ("sm", "Songs/A/one/song.sm")
    assert (songs / label.file_name).is_file()
    assert run_import("Songs", "out=labels")[0] == 0
    assert "there already" in run_import("Songs", "out=labels")[1]


def test_labels_that_are_there_are_kept(songs, run_import):
    path = Path("labels/A - one - song.ogg.labels.json")
    path.parent.mkdir()
    path.write_text("mine")
    status, out, _ = run_import("Songs", "out=labels")
    assert (status, path.read_text()) == (0, "mine")
    assert "another label is there" in out
    run_import("Songs", "out=labels", "import.overwrite=true")
    assert load_label(path).grid.bpm == 120


def test_a_batch_goes_on_past_damaged_files(songs, run_import):
    (songs / "bad.sm").write_bytes(b"\0\1\2")
    (songs / "bad.osz").write_bytes(b"PK\3\4 no archive")
    status, _, err = run_import("Songs", "out=labels")
    assert status == 1
    lines = err.splitlines()
    assert len(lines) == 3
    assert any("bad.osz: cannot be read" in line for line in lines)
    assert any("bad.sm: holds neither" in line for line in lines)
    assert len(list(Path("labels").glob("*.labels.json"))) == 2


def test_difficulties_make_one_label_and_contradictions_are_named(run_import, tmp_path):
    audio(tmp_path / "a/song.ogg")
    for part, time in (("Easy", 1000), ("Hard", 1000), ("Odd", 1100)):
        text = OSU.format(music="song.ogg", part=part, time=time)
        (tmp_path / f"a/{part}.osu").write_text(text)
    assert run_import("a", "out=labels")[0] == 0
    (path,) = Path("labels").glob("*.labels.json")
    content = json.loads(path.read_text())
    (note,) = content["notes"]
    assert "a/Odd.osu (Odd) contradicts it" in note
    assert label_beats(path)[0] == 0


def test_archives_are_read_and_their_audio_unpacked(run_import, tmp_path):
    audio(tmp_path / "x.wav")
    with zipfile.ZipFile(tmp_path / "1 A - B.osz", "w") as archive:
        archive.write(tmp_path / "x.wav", "song.wav")
        archive.writestr("../../evil.osu", OSU.format(music="../../x", part="", time=5))
        archive.writestr("map.osu", OSU.format(music="song.wav", part="Hard", time=250))
    (tmp_path / "x.wav").unlink()
    status, _, _ = run_import("1 A - B.osz", "out=labels", "import.unpack=music")
    assert status == 0
    label = load_label(next(Path("labels").glob("*.labels.json")))
    assert label.duration_s == 20
    assert Path("music/1 A - B/song.wav").is_file()
    assert [p.name for p in tmp_path.parent.glob("evil*")] == []


@pytest.mark.parametrize("music", ["/etc/passwd", "../../other.ogg", "C:\\\\x.ogg"])
def test_audio_outside_is_not_touched(music, songs, run_import, tmp_path):
    audio(tmp_path / "other.ogg")
    (songs / "A/one/song.sm").write_text(SM.format(title="", music=music, bpm=120))
    status, _, _ = run_import("Songs", "out=labels")
    assert status == 0
    table = Path("labels/import.csv").read_text()
    assert "no audio" in table
    assert len(list(Path("labels").glob("*.labels.json"))) == 1


def test_changing_tempi_are_segments_or_left_out(run_import, tmp_path):
    audio(tmp_path / "a/song.ogg")
    text = SM.format(title="", music="song.ogg", bpm="120,16=150")
    (tmp_path / "a/a.sm").write_text(text)
    assert "tempo changes" in run_import("a", "out=none", "import.segments=skip")[1]
    assert list(Path("none").glob("*.labels.json")) == []
    run_import("a", "out=labels")
    expected = np.concatenate([0.25 + np.arange(16) / 2, 8.25 + np.arange(30) * 0.4])
    found = label_beats(next(Path("labels").glob("*.labels.json")))
    np.testing.assert_allclose(found, expected[expected < 20], atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing", "out=x"], "from=nothing: no such file or folder"),
        (["out=x"], "from= is missing"),
        (["Songs"], "out= is missing"),
        (["Songs", "out=x", "format=wavelab"], "format=wavelab: no such format; known are "),
        (["song.mp3", "out=x"], "from=song.mp3: no format that is read here"),
        (["empty", "out=x"], "from=empty: holds no file of a format"),
        (["Songs", "out=x", "import.timebase=winamp"], "import.timebase=winamp: must be"),
        (["Songs", "out=x", "import.audio_dir=gone"], "import.audio_dir=gone: no such folder"),
        (["Songs", "out=x", "import.segments=no"], "import.segments=no: must be"),
    ],
)
def test_a_mistake_is_one_line(songs, run_import, arguments, message):
    Path("song.mp3").write_text("")
    Path("empty").mkdir()
    status, out, err = run_import(*arguments)
    assert (status, out) == (1, "")
    (line,) = err.splitlines()
    assert line.startswith(f"error: {message}")


def test_help_lists_the_formats():
    assert list(read_formats("importers")) == list(FORMATS)


def test_several_names_patterns_and_lists(songs, run_import):
    Path("list.txt").write_text("Songs/A\nSongs/B/one/song.sm\n")
    assert run_import("from=@list.txt", "out=a")[0] == 0
    assert run_import("from=[Songs/A,Songs/B]", "out=b")[0] == 0
    assert run_import("Songs/*/one", "Songs/A", "out=c")[0] == 0
    for out in "abc":
        names = {load_label(path).file_name for path in Path(out).glob("*.labels.json")}
        assert names == {"A/one/song.ogg", "B/one/song.ogg"}


def test_the_table_is_safe_to_open(run_import, tmp_path):
    """A spreadsheet would run what begins with a sign."""
    audio(tmp_path / "=a/song.ogg")
    (tmp_path / "=a/=cmd.sm").write_text(SM.format(title="", music="song.ogg", bpm=120))
    run_import("from=[=a]", "out=labels")
    lines = Path("labels/import.csv").read_text().splitlines()
    assert lines[0] == "outcome,label,audio,bpm,offset_s,segments,source,clock,notes"
    assert "'=a/=cmd.sm" in lines[1]


def test_two_places_never_share_a_label(run_import, tmp_path):
    for name in ("A - B/song", "A/B - song"):
        audio(tmp_path / f"S/{name}.ogg")
        path = tmp_path / f"S/{name}.sm"
        path.write_text(SM.format(title="", music=path.with_suffix(".ogg").name, bpm=120))
    run_import("S", "out=labels")
    labels = [load_label(path) for path in Path("labels").glob("*.labels.json")]
    assert {label.file_name for label in labels} == {"A - B/song.ogg", "A/B - song.ogg"}


def test_a_chart_of_an_itg_pack_and_a_shift(songs, run_import):
    """9 ms are added to #OFFSET there, so that beats seem so much earlier."""
    label = Path("labels/A - one - song.ogg.labels.json")
    run_import("Songs", "out=labels", "import.itg=true")
    assert load_label(label).grid.offset_s == pytest.approx(0.259, abs=1e-9)
    run_import("Songs", "out=labels", "import.timebase=-20", "import.overwrite=true")
    assert load_label(label).grid.offset_s == pytest.approx(0.27, abs=1e-9)
    assert json.loads(label.read_text())["clock"] == "-20 ms later than here, as asked for"


def test_charts_on_mp3s_are_on_stepmanias_clock(run_import, tmp_path):
    """It plays the 1105 samples of silence that this program removes."""
    path = tmp_path / "a/song.mp3"
    path.parent.mkdir()
    soundfile.write(path, np.zeros(44100 * 4), 44100)
    late_s = (1105 + 1152 * (b"Info" in path.read_bytes())) / 44100
    (tmp_path / "a/a.sm").write_text(SM.format(title="", music="song.mp3", bpm=120))
    run_import("a", "out=labels")
    label = load_label(Path("labels/song.mp3.labels.json"))
    assert label.grid.offset_s == pytest.approx(0.25 - late_s, abs=1e-9)
    assert label.duration_s == pytest.approx(4.0, abs=1e-6)
    assert "stepmania's, " in label.extra["clock"]
    run_import("a", "out=here", "import.timebase=null")
    label = load_label(Path("here/song.mp3.labels.json"))
    assert label.grid.offset_s == 0.25


def test_labels_of_audio_that_is_not_there(songs, run_import):
    (songs / "A/one/song.ogg").unlink()
    assert "no audio" in run_import("Songs", "out=labels")[1]
    status, _, _ = run_import("Songs", "out=all", "import.missing=keep")
    assert status == 0
    label = load_label(Path("all/A - one - song.ogg.labels.json"))
    assert (label.grid.bpm, label.duration_s) == (120, None)


def test_audio_of_another_encoding_is_taken_and_named(songs, run_import):
    chart = songs / "A/one/song.sm"
    chart.write_text(chart.read_text().replace("song.ogg", "song.mp3"))
    run_import("Songs", "out=labels")
    label = load_label(Path("labels/A - one - song.ogg.labels.json"))
    assert label.extra["notes"] == ["its audio 'song.mp3' is not there, 'song.ogg' is taken"]


def test_audio_is_found_in_another_folder(songs, run_import, tmp_path):
    (songs / "A/one/song.ogg").rename(tmp_path / "A.ogg")
    (tmp_path / "music/deep").mkdir(parents=True)
    (tmp_path / "A.ogg").rename(tmp_path / "music/deep/song.ogg")
    (songs / "B/one/song.sm").unlink()
    run_import("Songs", "out=labels", "import.audio_dir=music")
    assert load_label(Path("labels/deep - song.ogg.labels.json")).file_name == "deep/song.ogg"
