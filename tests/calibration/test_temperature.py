from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from beatgrid.activation.chunks import TrackLogits
from beatgrid.activation.evidence import track_activation
from beatgrid.audio.features import FeatureSpec
from beatgrid.calibration.synthetic import noisy_activation
from beatgrid.calibration.temperature import by_fold, calibrated, fit_temperature
from beatgrid.data.split import fold_of
from beatgrid.errors import CheckpointError
from beatgrid.grid import Grid
from beatgrid.networks.checkpoint import LoadedModel
from beatgrid.networks.network import NetworkOutput
from beatgrid.search import GridSearch
from tests.data.memory import track_of

SPEC = FeatureSpec(n_mels=8)


class Loud(torch.nn.Module):
    """A network that puts out its first mel band, times a factor: over-confident above 1."""

    context_frames = 0

    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, features, n_frames=None):
        return NetworkOutput(self.factor * features[..., :1])


def slow_track(seed):
    """Busy off-beats at 66 to 90 BPM, which likelihood and prior double."""
    rng = np.random.default_rng(seed)
    grid = Grid(float(rng.uniform(66, 90)), rng.uniform(0, 1))
    beat = noisy_activation(grid, 40.0, rng, frame_rate=SPEC.frame_rate, offbeat=0.6).beat
    features = np.zeros((len(beat), 8), np.float32)
    features[:, 0] = np.log(beat / (1 - beat))
    return track_of(features, grid, 40.0, str(seed))


def model_of(factor):
    target = {"shape": "soft", "width_s": 0.015}
    return LoadedModel(Loud(factor), SPEC, {}, "loud", training_data={"target": target})


def test_calibrated_model_is_less_sure_and_knows_the_level():
    tracks = [slow_track(seed) for seed in range(12)]
    honest, _ = calibrated(model_of(1.0), tracks, GridSearch())
    loud, report = calibrated(model_of(2.5), tracks, GridSearch())
    ratio = loud.calibration["temperatures"][0] / honest.calibration["temperatures"][0]
    assert ratio == pytest.approx(2.5, rel=1e-3)
    assert (report.n_tracks, len(report.tracks)) == (12, 12)
    assert report.level_plain < 0.6 < report.level_right
    unseen = slow_track(99)
    logits = TrackLogits(2.5 * unseen.load_features()[:, :1])
    temperatures = loud.calibration["temperatures"]
    found = GridSearch()(
        track_activation(logits, unseen.load_features(), SPEC, 40.0, temperatures),
        loud.calibration["ranker"],
    )
    assert found.bpm == pytest.approx(unseen.grid.bpm, abs=0.05)


def test_track_without_weight_teaches_nothing():
    tracks = [slow_track(seed) for seed in range(8)]
    wrong = replace(slow_track(50), weight=0.0)
    with_it, _ = calibrated(model_of(1.0), [*tracks, wrong], GridSearch())
    without, _ = calibrated(model_of(1.0), tracks, GridSearch())
    assert with_it.calibration["ranker"] == without.calibration["ranker"]


@pytest.mark.parametrize("truth", [0.5, 1.0, 3.0])
def test_finds_by_how_much_logits_are_too_sure(truth):
    rng = np.random.default_rng(0)
    honest = rng.normal(-2, 2, 200_000)
    events = (rng.random(len(honest)) < 1 / (1 + np.exp(-honest))).astype(float)
    found = fit_temperature([(truth * honest[:90_000], events[:90_000]),
                             (truth * honest[90_000:], events[90_000:])])  # fmt: skip
    assert found == pytest.approx(truth, rel=0.03)


def test_without_frames_nothing_changes():
    assert fit_temperature([]) == 1.0
    assert fit_temperature([(np.zeros(0), np.zeros(0))]) == 1.0


def fold_model(k, n, factor=1.0):
    fold = None if n is None else [k, n]
    return replace(model_of(factor), training_data={"fold": fold}, model_id=f"fold{k}")


def test_networks_are_arranged_by_what_they_have_not_heard():
    models = [fold_model(k, 3) for k in (2, 0, 1)]
    assert [m.model_id for m in by_fold(models, model_of(1.0))] == ["fold0", "fold1", "fold2"]
    assert by_fold([], model_of(1.0)) == []


@pytest.mark.parametrize("folds", [[(0, 3), (1, 3)], [(0, 2), (0, 2)], [(0, None)]])
def test_folds_that_are_no_whole_are_refused(folds):
    with pytest.raises(CheckpointError, match=r"folds: fold\d was trained with data\.fold="):
        by_fold([fold_model(*fold) for fold in folds], model_of(1.0))


def test_folds_of_other_features_are_refused():
    other = replace(fold_model(1, 2), features=FeatureSpec(n_mels=9))
    with pytest.raises(CheckpointError, match="folds: fold1 takes other features than loud"):
        by_fold([fold_model(0, 2), other], model_of(1.0))


def test_each_track_is_answered_for_by_the_network_that_did_not_hear_it():
    """The network to calibrate is deaf: all that is learnt comes from the folds' answers."""
    tracks = [replace(slow_track(seed), audio_path=Path(f"{seed}.wav")) for seed in range(12)]
    deaf = model_of(0.0)
    with pytest.raises(ValueError, match="labelled tracks"):
        calibrated(deaf, tracks, GridSearch())
    folds = [fold_model(k, 2) for k in range(2)]
    fitted, report = calibrated(deaf, tracks, GridSearch(), folds)
    assert report.n_tracks == 12
    expected, _ = calibrated(model_of(1.0), tracks, GridSearch())
    assert fitted.calibration["ranker"] == expected.calibration["ranker"]
    assert {fold_of(track, 2) for track in tracks} == {0, 1}
