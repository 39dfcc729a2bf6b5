"""Callbacks one by one, with a trainer that is only what they read of it."""

import logging
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import torch

from beatgrid.audio.features import FeatureSpec
from beatgrid.calibration.synthetic import noisy_activation
from beatgrid.grid import Grid
from beatgrid.search import GridSearch
from beatgrid.training import callbacks
from beatgrid.training.callbacks import EpochLines, Reproducible, TrackPictures
from beatgrid.training.module import BeatModule
from tests.data.test_dataset import make_track
from tests.networks.small import module_arguments


def fake_trainer(**values):
    """A trainer that stands at step 7 of the second of three epochs."""
    defaults = {"global_step": 7, "global_rank": 0, "is_global_zero": True}
    return SimpleNamespace(**(defaults | {"current_epoch": 1, "max_epochs": 3} | values))


def draw(seed, **values):
    Reproducible(seed).on_train_batch_start(fake_trainer(**values), None, None, 0)
    return torch.rand(4).tolist()


def test_a_step_draws_the_same_whatever_came_before():
    first = draw(0)
    torch.rand(100)
    assert draw(0) == first
    others = [draw(1), draw(0, global_step=8), draw(0, global_rank=1)]
    assert first not in others
    assert len({tuple(values) for values in others}) == 3


def test_an_epochs_line_names_its_metrics(caplog):
    lines = EpochLines(["train/loss", "val/loss", "missing"])
    values = {"train/loss": torch.tensor(0.25), "val/loss": torch.tensor(0.5)}
    trainer = fake_trainer(callback_metrics=values)
    with caplog.at_level(logging.INFO, "beatgrid"):
        lines.on_train_epoch_start(trainer, None)
        lines.on_validation_epoch_end(trainer, None)
        lines.on_train_epoch_end(trainer, None)
    assert "epoch 2/3: train/loss 0.25, val/loss 0.5 (" in caplog.text
    assert "missing" not in caplog.text


def test_a_line_repeats_no_validation_of_an_earlier_epoch(caplog):
    lines = EpochLines(["train/loss", "val/loss"])
    values = {"train/loss": torch.tensor(0.25), "val/loss": torch.tensor(0.5)}
    trainer = fake_trainer(callback_metrics=values)
    lines.on_validation_epoch_end(trainer, None)
    with caplog.at_level(logging.INFO, "beatgrid"):
        lines.on_train_epoch_start(trainer, None)
        lines.on_train_epoch_end(trainer, None)
    assert "train/loss 0.25 (" in caplog.text
    assert "val/loss" not in caplog.text


def test_other_processes_log_no_line(caplog):
    lines = EpochLines(["train/loss"])
    with caplog.at_level(logging.INFO, "beatgrid"):
        lines.on_train_epoch_end(fake_trainer(is_global_zero=False, callback_metrics={}), None)
    assert caplog.text == ""


class Board:
    """A TensorBoard logger that counts what it is given."""

    def __init__(self):
        self.experiment = self
        self.tags = []

    def add_figure(self, tag, *_, **__):
        self.tags.append(f"picture of {tag}")

    def add_audio(self, tag, *_, **__):
        self.tags.append(f"sound of {tag}")


def test_audio_that_is_gone_costs_a_sound_in_tensorboard(tmp_path, monkeypatch, caplog):
    track = make_track()
    track = replace(track, audio_path=tmp_path / "gone.wav")
    activation = noisy_activation(Grid(120.0, 0.2), 10.0, np.random.default_rng(0))
    monkeypatch.setattr(callbacks, "TensorBoardLogger", Board)
    monkeypatch.setattr(callbacks, "_track_and_activation", lambda *_: (track, activation, None))
    module = BeatModule(features=FeatureSpec(n_mels=4).to_dict(), **module_arguments("crnn"))
    pictures = TrackPictures(GridSearch(), n_tracks=1, excerpt_s=4.0, every_n_epochs=1)
    board = Board()
    batch = {"features": torch.zeros(1, len(activation), 4)}
    pictures.on_validation_batch_end(
        fake_trainer(logger=board), module, {"logits": torch.zeros(1, 1, 2)}, batch, 0
    )
    assert board.tags == [f"picture of tracks/{track.name}"]
    assert "no such file" in caplog.text
