"""The score that chooses the epoch."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from beatgrid.finetuning.validation import LOSS_WEIGHT, TwoSidedValidation
from beatgrid.search import GridSearch
from tests.data.test_dataset import make_track
from tests.evaluation.test_paired import RIGHT, WRONG

OWN = replace(make_track(), audio_path=Path("a.wav"))
RENDERED = make_track()


class Log(dict):
    """A module that keeps what is logged."""

    device = torch.device("cpu")

    def log(self, name, value, **_):
        self[name] = value

    def log_dict(self, values, **_):
        self.update(values)


def validated(tracks):
    """What is logged for (track, score, loss) of each track."""
    callback, log = TwoSidedValidation(GridSearch()), Log()
    callback.on_validation_epoch_start(SimpleNamespace(testing=False), log)
    for index, (track, score, loss) in enumerate(tracks):
        callback.add(track, score, {"loss": torch.tensor(loss)}, index)
    callback.on_validation_epoch_end(SimpleNamespace(testing=False), log)
    return log


def test_both_sides_count_alike_whatever_their_numbers():
    log = validated([(OWN, WRONG, 0.0), *[(RENDERED, RIGHT, 0.0)] * 9])
    assert log["val/score"] == pytest.approx(0.5)
    assert (log["val/own_grid_ok_21"], log["val/rendered_grid_ok_21"]) == (0.0, 1.0)
    assert log["val/grid_ok_21"] == pytest.approx(0.9)


def test_the_loss_decides_between_equally_right_grids_only():
    worse, better = (validated([(OWN, RIGHT, x), (RENDERED, RIGHT, x)]) for x in (0.5, 0.25))
    assert better["val/score"] - worse["val/score"] == pytest.approx(0.25 * LOSS_WEIGHT)
    wrong = validated([(OWN, RIGHT, 0.01), *[(RENDERED, RIGHT, 0.01)] * 9, (RENDERED, WRONG, 0.01)])
    assert wrong["val/score"] < worse["val/score"]


def test_one_side_alone_will_do():
    assert validated([(RENDERED, RIGHT, 0.0)])["val/score"] == pytest.approx(1.0)
