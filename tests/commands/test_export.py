"""``beatgrid export`` and ``export=`` of ``predict.py``, from the command line."""

import json
from pathlib import Path

import pytest
import soundfile
from mutagen.wave import WAVE

from beatgrid.audio.tags import read_bpm_tag
from beatgrid.commands import export
from beatgrid.commands.signatures import read_formats
from beatgrid.export.formats import FORMATS
from beatgrid.rendering.generator import click_track
from tests.export.tracks import AWKWARD_NAMES, constant_result, write

FLUX = ["activation=flux", "picture=false", "out=out", "num_workers=0"]


@pytest.fixture
def run_export(monkeypatch, capfd, tmp_path):
    """Run ``beatgrid export`` in an empty folder: (exit status, stdout, stderr)."""
    from hydra.core.global_hydra import GlobalHydra

    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        GlobalHydra.instance().clear()
        status = 0
        try:
            export.main(arguments, program="beatgrid export")
        except SystemExit as stop:
            status = stop.code
        return status, *capfd.readouterr()

    return run


@pytest.fixture
def grids(tmp_path):
    for name in AWKWARD_NAMES:
        result = constant_result() | {"file": f"music/{name}"}
        write(tmp_path / "grids/A" / f"{name}.beatgrid.json", result)
    return tmp_path / "grids"


@pytest.fixture
def music(tmp_path):
    for name, bpm in (("A/it's é 日 & (x) [1], a=b.wav", 100.0), ("b.wav", 125.0)):
        path = tmp_path / "music" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, click_track(bpm, 0.1, 6.0), 44100)
    return tmp_path / "music"


def test_a_folder_is_exported_beside_its_results(grids, run_export):
    status, out, err = run_export("grids", "format=[csv,audacity]")
    assert (status, err) == (0, "")
    assert out == "5 csv, 5 audacity in grids\n"
    for name in AWKWARD_NAMES:
        for format in ("csv", "audacity"):
            assert (grids / "A" / f"{name}{FORMATS[format].suffix}").is_file()


def test_exports_go_where_they_are_asked_for(grids, run_export, tmp_path):
    one = 'grids/A/it\'s "quoted".mp3.beatgrid.json'
    assert run_export(one, "format=csv", "out=é [x], b")[0] == 0
    assert [p.name for p in Path("é [x], b").glob("*.csv")] == ['it\'s "quoted".mp3.beats.csv']
    assert run_export("grids/**/*.json", "format=csv", "out=all")[:2] == (0, "5 csv in all\n")
    assert len(list(Path("all/A").glob("*.csv"))) == 5
    assert run_export("grids", one, "format=csv", "out=all")[:2] == (0, "5 csv in all\n")


def test_a_batch_goes_on_past_a_broken_result(grids, run_export):
    bad = grids / "A/bad.beatgrid.json"
    bad.write_text('{"format": 1')
    status, out, err = run_export("grids", "format=csv")
    assert status == 1
    assert out == "5 csv in grids\n"
    first, last = err.splitlines()
    assert first.startswith("error: grids/A/bad.beatgrid.json: is not JSON")
    assert last == "error: 1 of 6 files failed, see above"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing", "format=csv"], "results=nothing: no result (NAME.beatgrid.json) is there"),
        (["format=csv"], "results= is missing"),
        (["grids"], "format= is missing"),
        (["grids", "format=wavelab"], "wavelab: no such format; known are audacity, "),
        (["grids", "format=[]"], "format=[]: must be"),
        (["grids", "format=csv", "export.timebase=winamp"], "export.timebase=winamp: must be"),
        (["grids", "format=csv", "export.merge=gone.xml"], "export.merge=gone.xml: cannot be read"),
        (["grids", "format=csv", "export.click_level=2"], "export.click_level=2: must be"),
        (["song.mp3", "format=csv"], "results=song.mp3: "),
    ],
)
def test_a_mistake_is_one_line(grids, run_export, arguments, message):
    Path("song.mp3").write_text("")
    status, out, err = run_export(*arguments)
    assert (status, out) == (1, "")
    (line,) = err.splitlines()
    assert line.startswith(f"error: {message}")


def test_audio_is_found_where_it_was_analysed(music, run_script, run_export, tmp_path, monkeypatch):
    """Results name files as they were named; their folder's index knows where they are."""
    from beatgrid.export.results import find_results

    run_script("predict.py", "audio=music", *FLUX)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    found = find_results("../out")
    assert {result.audio for result in found} == set(music.rglob("*.wav"))
    single = find_results(str(found[0].path))
    assert single[0].audio == found[0].audio


def test_predict_exports_what_it_finds(music, run_script):
    done = run_script("predict.py", "audio=music", *FLUX, "export=[csv,audacity]")
    assert (done.status, "warning" in done.err) == (0, False)
    for name in ("A/it's é 日 & (x) [1], a=b.wav", "b.wav"):
        result = json.loads(Path(f"out/{name}.beatgrid.json").read_text())
        rows = Path(f"out/{name}.beats.csv").read_text().splitlines()
        assert len(rows) - 1 == len(result["beats"])
        assert float(rows[1].split(",")[0]) == pytest.approx(result["beats"][0]["time"], abs=2e-6)
        assert Path(f"out/{name}.audacity.txt").is_file()


def test_predict_exports_what_was_found_before(music, run_script):
    run_script("predict.py", "audio=music", *FLUX)
    done = run_script("predict.py", "audio=music", *FLUX, "export=csv")
    assert "0 done, 0 failed, 2 skipped" in done.err
    assert len(list(Path("out").rglob("*.csv"))) == 3  # with summary.csv


def test_what_was_exported_is_not_analysed_as_music(music, run_script):
    arguments = ["audio=music", *FLUX[:2], "out=music/grids", "num_workers=0"]
    for n_skipped in (0, 2):
        done = run_script("predict.py", *arguments, "export=click_mix")
        assert f"2 of 2 files: {2 - n_skipped} done, 0 failed, {n_skipped} skipped" in done.err
    assert len(list(music.rglob("*.mix.wav"))) == 2


def test_predict_refuses_an_unknown_format_before_the_work(music, run_script):
    done = run_script("predict.py", "audio=music", *FLUX, "export=wavelab")
    assert done.status == 1
    (line,) = done.err.splitlines()
    assert line.startswith("error: wavelab: no such format; known are audacity, ")
    assert not Path("out").exists()


def test_tags_go_into_copies_which_are_not_music(music, run_script):
    before = {path: path.read_bytes() for path in music.rglob("*.wav")}
    for _ in range(2):
        done = run_script("predict.py", "audio=.", *FLUX, "tag=true", "export=serato")
        assert done.status == 0
    assert {path: path.read_bytes() for path in music.rglob("*.wav")} == before
    for name in before:
        copy = Path("out/tagged") / name.relative_to(music.parent)
        result = json.loads(Path(f"out/{name.relative_to(music.parent)}.beatgrid.json").read_text())
        assert read_bpm_tag(copy) == pytest.approx(result["bpm"], abs=0.005)
        assert "GEOB:Serato BeatGrid" in WAVE(copy).tags
    assert len(list(Path("out").rglob("*.beatgrid.json"))) == 2


@pytest.mark.parametrize("by", ["predict", "export"])
def test_files_that_are_tagged_in_place_are_not_analysed_again(music, run_script, run_export, by):
    predict = ["predict.py", "audio=music", *FLUX]
    if by == "predict":
        assert run_script(*predict, "tag=true", "export.in_place=true").status == 0
    else:
        assert run_script(*predict).status == 0
        assert run_export("out", "format=tag", "export.in_place=true")[0] == 0
    assert sorted(path.name for path in music.rglob("*.bak*")) == [
        *("b.wav.bak", "it's é 日 & (x) [1], a=b.wav.bak")
    ]
    assert read_bpm_tag(music / "b.wav") == 125
    done = run_script(*predict, "tag=true", "export.in_place=true")
    assert "0 done, 0 failed, 2 skipped" in done.err
    assert len(list(music.rglob("*.bak*"))) == 2


def test_help_reads_the_table_of_formats():
    assert read_formats() == {name: format.title for name, format in FORMATS.items()}
