"""Data sets of research, read by mirdata's own loaders from small trees in their formats."""

import json
import logging

import pytest
from hydra.utils import instantiate

from beatgrid.audio.features import FeatureSpec
from beatgrid.commands.labelled import labelled_tracks
from beatgrid.data.discovery import discover
from beatgrid.data.labels import load_label
from beatgrid.data.mirdata_labels import Dataset
from beatgrid.errors import BeatgridError, MissingPackageError
from tests.commands.test_configs import compose_config
from tests.commands.test_scripts import TINY
from tests.data.datasets import Tree, ballroom, taps

pytest.importorskip("mirdata")

BPM = {"Media-105901": 120.0, "Albums-Cafe_Paradiso-05": 97.0, "Waltz-01": 88.0}


@pytest.fixture(scope="module")
def dances(tmp_path_factory):
    """Ballroom with three tracks of one tempo, and three that cannot be used."""
    tree = Tree(tmp_path_factory.mktemp("mir") / "ballroom")
    for name, bpm in BPM.items():
        bar = 3 if name.startswith("Waltz") else 4
        ballroom(tree, name, taps(bpm), bar, first=2)
        tree.audio(name, f"B_1.0/audio/{name}.wav", bpm)
    slowing = 0.2 + 0.5 * 1.01 ** (1 + taps(120.0, 0.0)) * taps(120.0, 0.0)
    for name, beats in {
        "Rubato-01": slowing,
        "Short-01": [1.0, 1.5],
        "Silent-01": taps(100),
    }.items():
        ballroom(tree, name, beats)
        if name != "Silent-01":
            tree.audio(name, f"B_1.0/audio/{name}.wav", 120.0)
    ballroom(tree, "Lost-01", taps(100))
    (tree.home / "B_1.0/annotations/beats/Lost-01.beats").unlink()
    ballroom(tree, "Damaged-01", taps(100))
    (tree.home / "B_1.0/annotations/beats/Damaged-01.beats").write_text("one two\n")
    return tree


def labels_of(tree, name, tmp_path):
    folder = Dataset(name, tree.home, tree.index).labelled(tmp_path / "cache")
    return {track.name: track for track in discover(folder.audio_dir, folder.label_dir)}


def test_ballroom(dances, tmp_path, caplog):
    tracks = labels_of(dances, "ballroom", tmp_path)
    assert set(tracks) == set(BPM)
    for name, bpm in BPM.items():
        label = tracks[name].label
        beats_per_bar = 3 if name.startswith("Waltz") else 4
        assert label.grid.bpm == pytest.approx(bpm, abs=0.1)
        assert label.grid.beats_per_bar == beats_per_bar
        bar_s = beats_per_bar * 60 / bpm
        downbeat_s = 0.25 + (beats_per_bar - 1) * 60 / bpm
        off_s = (label.grid.offset_s - downbeat_s + bar_s / 2) % bar_s - bar_s / 2
        assert abs(off_s) < 0.004
        assert label.downbeat == "reliable"
        assert label.source == "mirdata ballroom 1.0"
        assert label.license.startswith("Creative Commons")
        assert label.get("annotation") == "coarse"
        assert label.get("beats")["resolution_ms"] == 10.0
        assert tracks[name].audio_path.is_file()
    said = [record.getMessage() for record in caplog.records]
    for reason, name in {
        "the tempo is not constant": "Rubato-01",
        "too few beats": "Short-01",
        "audio is missing": "Silent-01",
        "annotations are missing": "Lost-01",
        "annotations cannot be read": "Damaged-01",
    }.items():
        (line,) = (line for line in said if reason in line)
        assert line.startswith("ballroom: left out 1 of 8 tracks, ")
        assert line.endswith(f": {name}")


def test_labels_follow_the_data_set(dances, tmp_path):
    folder = Dataset("ballroom", dances.home, dances.index).labelled(tmp_path)
    path = folder.label_dir / "Waltz-01.labels.json"
    before = {p.name: p.stat().st_mtime_ns for p in folder.label_dir.iterdir()}
    (folder.label_dir / "Gone-01.labels.json").write_text("{}")
    path.write_text("{}")
    assert Dataset("ballroom", dances.home, dances.index).labelled(tmp_path) == folder
    assert load_label(path).grid.beats_per_bar == 3
    after = {p.name: p.stat().st_mtime_ns for p in folder.label_dir.iterdir()}
    assert after.keys() == before.keys()
    assert {n for n in after if after[n] != before[n]} == {path.name}  # the others stay


def test_beatles_and_gtzan(tmp_path):
    tree = Tree(tmp_path / "beatles")
    lines = "".join(f"{time:.3f}\t{i % 4 + 1}\n" for i, time in enumerate(taps(110.0)))
    tree.add(
        "0111",
        {
            "audio": None,
            "beat": ("annotations/beat/CD1/11_-_Song.txt", lines),
            "chords": None,
            "keys": None,
            "sections": ("annotations/seglab/CD1/11_-_Song.lab", "0.0 12.0 silence\n"),
        },
    )
    tree.audio("0111", "audio/CD1/11_-_Song.wav", 110.0)
    (track,) = labels_of(tree, "beatles", tmp_path).values()
    assert track.grid.bpm == pytest.approx(110.0, abs=0.1)
    assert track.label.downbeat == "reliable"
    assert track.audio_path.name == "11_-_Song.wav"

    tree = Tree(tmp_path / "gtzan")
    for number, bars in ((1, True), (2, False)):
        lines = "".join(
            f"{time:.2f}\t{i % 4 + 1}\n" if bars else f"{time:.2f}\n"
            for i, time in enumerate(taps(95.0))
        )
        name = f"hiphop.0000{number}"
        beats = (f"gtzan_tempo_beat-main/beats/{name}.beats", lines)
        tempo = (f"gtzan_tempo_beat-main/tempo/{name}.bpm", "95")
        tree.add(name, {"audio": None, "beats": beats, "tempo": tempo})
        tree.audio(name, f"gtzan_genre/genres/hiphop/{name}.wav", 95.0)
    one, two = labels_of(tree, "gtzan_genre", tmp_path).values()
    assert (one.label.genre, one.label.downbeat) == ("hip-hop", "reliable")
    assert (two.label.grid.beats_per_bar, two.label.downbeat) == (4, "unknown")


@pytest.mark.parametrize("name", ["giantsteps_tempo", "beatport_key"])
def test_a_tempo_without_beats_is_refused_in_one_line(name, tmp_path):
    with pytest.raises(BeatgridError, match="has tempi and no beats") as caught:
        Dataset(name, tmp_path).labelled(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "balroom"}, "did you mean ballroom"),
        ({"name": "ballroom", "data_home": "nowhere"}, "data.data_home=nowhere: no such folder"),
        ({"name": "ballroom", "data_home": "."}, "data.download=true fetches it"),
        ({"name": "ballroom", "data_home": ".", "index": "text"}, "is no index of it"),
        ({"name": "tinysol", "data_home": ".", "index": "tiny"}, "neither beats nor tempi"),
        ({"name": "ballroom", "data_home": ".", "index": "empty"}, "is no index of it"),
        ({"name": "ballroom", "data_home": ".", "index": "one"}, "none of its 1 tracks"),
    ],
)
def test_mistakes_are_one_line(arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text").write_text("no index")
    (tmp_path / "empty").write_text('{"version": "1.0", "tracks": {}}')
    files = {key: [f"x/{key}", ""] for key in ("audio", "beats", "tempo")}
    (tmp_path / "one").write_text(json.dumps({"tracks": {"a": files}}))
    (tmp_path / "tiny").write_text(json.dumps({"tracks": {"a": {"audio": ["a.wav", ""]}}}))
    with pytest.raises(BeatgridError, match=message) as caught:
        Dataset(**arguments).labelled(tmp_path)
    assert "\n" not in str(caught.value)


def test_without_mirdata_one_line_names_the_extra(monkeypatch, tmp_path):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingPackageError, match=r"mirdata.*beatgrid\[mirdata\]"):
        Dataset("ballroom", tmp_path).labelled(tmp_path)


def test_nothing_is_downloaded_unless_asked_for(dances, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr("mirdata.core.Dataset.download", lambda self, keys=None: asked.append(keys))
    monkeypatch.setattr("mirdata.core.Index.get_path", lambda self: str(tmp_path / "index.json"))
    with pytest.raises(BeatgridError, match="index of it is not at"):
        Dataset("ballroom", dances.home).labelled(tmp_path)
    assert asked == []
    with pytest.raises(BeatgridError, match="index of it is not at"):
        Dataset("ballroom", dances.home, download=True).labelled(tmp_path)
    assert asked == [["index"]]  # the data are there
    (tmp_path / "empty").mkdir()
    with pytest.raises(BeatgridError, match="index of it is not at"):
        Dataset("ballroom", tmp_path / "empty", download=True).labelled(tmp_path)
    assert asked == [["index"], None]

    def fail(self, keys=None):
        raise OSError("no network")

    monkeypatch.setattr("mirdata.core.Dataset.download", fail)
    with pytest.raises(BeatgridError, match=r"cannot be downloaded .*no network"):
        Dataset("ballroom", dances.home, download=True).labelled(tmp_path)


def test_commands_take_a_data_set(dances, tmp_path):
    """What evaluation, calibration and audit ask for, and the data module of training."""
    chosen = [
        *("data.dataset=ballroom", f"data.data_home={dances.home}", f"data.index={dances.index}"),
        f"data.cache_dir={tmp_path}/cache",
    ]
    tracks = labelled_tracks(compose_config("evaluate", chosen), FeatureSpec())
    assert {track.name for track in tracks} == set(BPM)
    cfg = compose_config("train", ["data=mirdata", *chosen], tmp_path)
    assert {track.name for track in instantiate(cfg.data).labelled} == set(BPM)
    with pytest.raises(BeatgridError, match=r"data\.dataset=\.\.\."):
        labelled_tracks(compose_config("evaluate", ["data.audio_dir=null"]), FeatureSpec())


@pytest.mark.slow
def test_training_and_evaluation_on_a_data_set(dances, run_script, tmp_path):
    chosen = [
        *("data.dataset=ballroom", f"data.data_home={dances.home}", f"data.index={dances.index}"),
        f"data.cache_dir={tmp_path}/cache",
    ]
    trained = run_script("train.py", *TINY, "data=mirdata", *chosen, "output_dir=run")
    assert trained.status == 0, trained.err
    splits = json.loads((tmp_path / "run" / "splits.json").read_text())
    assert {name for names in splits.values() for name in names} == set(BPM)
    scored = run_script("evaluate.py", *chosen, "activation=flux", "group_by=annotation")
    assert scored.status == 0, scored.err
    summary = json.loads((tmp_path / "outputs" / "evaluate" / "evaluation.json").read_text())
    assert summary["n_tracks"] == 3
    assert summary["grid_ok_10"] == 1.0
    assert "coarse" in scored.out
    audited = run_script("audit.py", *chosen, "activation=flux", "fix=true", "num_workers=0")
    assert audited.status == 0, audited.err
    for command in (["train.py", *TINY], ["evaluate.py"], ["audit.py"]):
        missing = run_script(*command, "data=mirdata")
        assert (missing.status, missing.err.count("\n")) == (1, 1)
        assert "data.dataset=" in missing.err


def test_the_logger_is_quiet_where_nothing_is_left_out(tmp_path, caplog):
    tree = Tree(tmp_path / "ballroom")
    ballroom(tree, "A-01", taps(120.0))
    tree.audio("A-01", "B_1.0/audio/A-01.wav", 120.0)
    with caplog.at_level(logging.WARNING):
        labels_of(tree, "ballroom", tmp_path)
    assert caplog.records == []
