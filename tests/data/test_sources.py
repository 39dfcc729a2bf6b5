"""Music from elsewhere joins the training: a class, a YAML, this test."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from beatgrid.audio.cache import StoredFeatures
from beatgrid.audio.features import FeatureSpec, log_mel
from beatgrid.data.labels import Label, write_label
from beatgrid.data.track import Track
from beatgrid.grid import Grid
from beatgrid.rendering.generator import click_track
from tests.commands.test_scripts import TINY


@dataclass(frozen=True)
class Metronomes:
    """A toy source: a click track for each tempo, stored in a folder."""

    folder: str
    tempi_bpm: list[float]

    def tracks(self, features):
        for bpm in self.tempi_bpm:
            path = Path(self.folder) / f"{bpm:g}bpm.npy"
            log_mel_db = log_mel(click_track(bpm, 0.1, 8.0), features).astype(np.float16)
            np.save(path, log_mel_db)
            label = Label(path.with_suffix(".labels.json"), Grid(bpm, 0.1))
            yield Track(label, stored=StoredFeatures(path, len(log_mel_db), 8.0))


def test_a_data_source_is_one_class_and_one_yaml(run_script, tmp_path):
    (tmp_path / "conf" / "data").mkdir(parents=True)
    (tmp_path / "conf" / "data" / "metronomes.yaml").write_text(
        f"""
defaults: [default]
audio_dir: null
sources:
  metronomes:
    _target_: {__name__}.Metronomes
    folder: {tmp_path}
    tempi_bpm: [100, 120, 140]
"""
    )
    where = f"hydra.searchpath=[file://{tmp_path}/conf]"
    trained = run_script("train.py", *TINY, where, "data=metronomes", "output_dir=run")
    assert trained.status == 0, trained.err
    splits = json.loads((tmp_path / "run" / "splits.json").read_text())
    assert splits == {"train": ["100bpm", "120bpm", "140bpm"], "val": [], "test": []}
    source = f"{{_target_: {__name__}.Metronomes, folder: {tmp_path}, tempi_bpm: [90]}}"
    scored = run_script(
        *("evaluate.py", "data.audio_dir=null", f"+data.sources.mine={source}", "activation=flux")
    )
    assert scored.status == 0, scored.err
    summary = json.loads((tmp_path / "outputs" / "evaluate" / "evaluation.json").read_text())
    assert summary["n_tracks"] == 1


def test_training_on_rendered_folders_alone(run_script, tmp_path):
    folder, spec = tmp_path / "rendered", FeatureSpec()
    (folder / "features").mkdir(parents=True)
    (folder / "spec.json").write_text(json.dumps(spec.to_dict()))
    for bpm in (100, 140):
        features = log_mel(click_track(bpm, 0.1, 8.0), spec).astype(np.float16)
        np.save(folder / "features" / f"{bpm}.npy", features)
        write_label(folder / "labels" / f"{bpm}.labels.json", Grid(bpm, 0.1), 8.0, None)
    only = ["data.audio_dir=null", f"+data.rendered.clicks={{folder: {folder}}}"]
    trained = run_script("train.py", *TINY, *only, "output_dir=run")
    assert trained.status == 0, trained.err
    assert json.loads((tmp_path / "run/splits.json").read_text())["train"] == ["100", "140"]
    nothing = run_script("train.py", *TINY, "data.audio_dir=null", "output_dir=other")
    assert (nothing.status, nothing.err.count("\n")) == (1, 1)
    assert "data.audio_dir=null: name a folder" in nothing.err
