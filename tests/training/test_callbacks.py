"""Callbacks one by one, with a trainer that is only what they read of it."""

import logging
from types import SimpleNamespace

import torch

from beatgrid.training.callbacks import EpochLines, Reproducible


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
