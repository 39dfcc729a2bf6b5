"""The command line of ``beatgrid compare``: what is asked for, left out, and written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from beatgrid.commands.compare import main
from beatgrid.comparison.contenders import find_contenders
from beatgrid.comparison.estimates import Estimate, EstimateFile
from beatgrid.comparison.systems import chosen_systems
from beatgrid.files import content_hash, write_json
from beatgrid.grid import Grid
from tests.comparison.peers import installed, write_audio

GRIDS = {"one": Grid(100.0, 0.2), "two": Grid(75.0, 0.1)}
DURATION_S = 20.0


@pytest.fixture
def folder(tmp_path: Path, monkeypatch) -> Path:
    """Two labelled tracks, and the answers of beatgrid and two peers: none has to be run."""
    monkeypatch.chdir(tmp_path)
    for name in ("audio", "labels"):
        (tmp_path / name).mkdir()
    for peer in ("aubio", "librosa"):
        installed(tmp_path / "peers", peer)
    contenders, _ = find_contenders(chosen_systems(["aubio", "librosa"]), tmp_path / "peers")
    for name, grid in GRIDS.items():
        audio = write_audio(tmp_path / "audio" / f"{name}.wav", DURATION_S + len(name) + grid.bpm)
        label = {"fileName": audio.name, "bpm": grid.bpm, "downbeatOffset": grid.offset_s}
        write_json(tmp_path / "labels" / f"{name}.labels.json", label)
        for contender in contenders:
            double = contender.name == "beatgrid" and name == "two"
            found = Grid(2 * grid.bpm, grid.offset_s) if double else grid
            path = tmp_path / "out/estimates" / f"{contender.name}.jsonl"
            EstimateFile(path, contender.method).append(
                Estimate(
                    name, str(audio), content_hash(audio), contender.method, DURATION_S,
                    bpm=found.bpm, offset_s=found.offset_s,
                    beats_s=tuple(found.beat_times(DURATION_S)), cpu_s=0.1, confidence=0.5,
                )
            )  # fmt: skip
    return tmp_path


def run(*arguments: str) -> None:
    main([*arguments, "peers_dir=peers", "out=out"], program="beatgrid compare")


def test_with_labels_there_are_tables_and_a_page(folder, capsys):
    run("data.audio_dir=audio", "data.label_dir=labels")
    printed = capsys.readouterr().out
    assert "madmom is left out: not installed in peers/madmom; beatgrid compare setup=madmom" in (
        printed
    )
    assert "beatgrid stands alone on 1 of 2 tracks" in printed
    found = json.loads((folder / "out/comparison.json").read_text())
    rates = {s["name"]: s["summary"]["level_ok"]["value"] for s in found["systems"]}
    assert rates == {"beatgrid": 0.5, "librosa": 1.0, "aubio": 1.0}
    assert set(found["left_out"]) >= {"madmom", "beat_this", "deeprhythm"}
    assert (folder / "out/alone.txt").read_text() == "audio/two.wav\n"
    for name in ("comparison.html", "comparison.md"):
        assert "librosa" in (folder / "out" / name).read_text()


def test_without_labels_there_is_agreement(folder, capsys):
    run("data.audio_dir=audio", "systems=[aubio,librosa]")
    printed = capsys.readouterr().out
    assert "left out" not in printed
    assert "same tempo" in printed
    assert not json.loads((folder / "out/comparison.json").read_text())["labelled"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "data.audio_dir=null: name a folder of audio"),
        (("data.audio_dir=audio", "systems=[traktor]"), "systems=traktor: must be one of beatgrid"),
        (("data.audio_dir=audio", "data.split=val"), "data.split=val: needs labels"),
        (("setup=traktor",), "setup=traktor: must be all, or of madmom, mixxx, essentia"),
        (("data.audio_dir=audio", "time_limit_s=0"), "time_limit_s=0: must be"),
        (("data.audio_dir=audio", "weights.beat_this=x.ckpt"), "x.ckpt: no such file"),
    ],
)
def test_mistakes_are_one_line(folder, capsys, arguments, says):
    if "weights.beat_this=x.ckpt" in arguments:
        installed(folder / "peers", "beat_this")
    with pytest.raises(SystemExit) as exit:
        run(*arguments)
    assert exit.value.code == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert says in error
    assert error.count("\n") == 1


@pytest.mark.slow
def test_beatgrid_runs_in_a_process_of_its_own(folder, capsys):
    import soundfile

    from beatgrid.rendering.generator import click_track

    (folder / "more").mkdir()
    soundfile.write(folder / "more/clicks.wav", click_track(125.0, 0.2, 20.0), 44100)
    run("data.audio_dir=more", "systems=[]")
    (line,) = (folder / "out/estimates/beatgrid.jsonl").read_text().splitlines()[-1:]
    found = json.loads(line)
    assert found["bpm"] == pytest.approx(125.0, abs=0.01)
    assert found["beats_s"][0] == pytest.approx(0.2, abs=0.005)
    assert found["cpu_s"] > 0
