"""What is fitted after training: temperatures, and the grid search's ranker.

The grid search adds log-odds over hundreds of beats, so over-confident frames would drown all
other evidence. One divisor per channel, fitted on tracks the network was not trained on, repairs
most of it (Guo et al., "On Calibration of Modern Neural Networks", ICML 2017).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from beatgrid.activation.chunks import TrackLogits
from beatgrid.activation.evidence import track_activation
from beatgrid.activation.network import network_logits
from beatgrid.calibration.examples import Example
from beatgrid.calibration.fit import FitReport, fit_ranker
from beatgrid.data.dataset import NOTEBOOK_TARGET, TargetSpec, frame_targets, whole_track
from beatgrid.data.split import fold_of
from beatgrid.data.track import Track
from beatgrid.errors import CheckpointError
from beatgrid.networks.checkpoint import LoadedModel
from beatgrid.search import GridSearch, Ranker

TEMPERATURE_RANGE = (0.2, 10.0)
# How much a track counts where bars are fitted, by what its label says of its downbeats: likely
# ones are right three times in four.
BARS_TRUST = {"reliable": 1.0, "likely": 0.5, "unknown": 0.0}


def by_fold(models: Sequence[LoadedModel], model: LoadedModel) -> list[LoadedModel]:
    """Arrange networks by the part of the labelled folder that each has not heard.

    Args:
        models: All of ``n``, each trained with ``data.fold=[k, n]``; or none.
        model: The network to calibrate, whose features they must have.

    Returns:
        The k-th has not heard part k.

    Raises:
        CheckpointError: One is missing, comes twice, or takes other features.
    """
    found: dict[int, LoadedModel] = {}
    for one in models:
        k, n = one.training_data.get("fold") or (-1, 0)
        if n != len(models) or k in found:
            raise CheckpointError(
                f"folds: {one.model_id} was trained with data.fold={[k, n] if n else 'null'}; give "
                f"{len(models)} checkpoints of [0,{len(models)}] to "
                f"[{len(models) - 1},{len(models)}], one each"
            )
        if one.features != model.features:
            raise CheckpointError(
                f"folds: {one.model_id} takes other features than {model.model_id}"
            )
        found[k] = one
    return [found[k] for k in sorted(found)]


def calibrated(
    model: LoadedModel,
    tracks: Sequence[Track],
    search: GridSearch,
    folds: Sequence[LoadedModel] = (),
    start: Ranker | None = None,
    pull: float = 10.0,
    temperatures: Sequence[float] | None = None,
) -> tuple[LoadedModel, FitReport]:
    """Return the model with temperatures, ranker and confidence fitted to labelled tracks.

    Args:
        model: A trained network.
        tracks: Best such as it was not trained on. Those whose tempo is in doubt should be left
            out: the ranker would be fitted to guesses.
        search: The search that will use the activations.
        folds: Networks by the part of the labelled folder that each has not heard (``by_fold``):
            for tracks with audio, that one answers instead of ``model``. A network is surer of
            what it was trained on than of anything it will meet.
        start: A ranker fitted to other tracks, to fit on from (``fit_ranker``).
        pull: How strongly the fit is held near to it.
        temperatures: Taken as they are; None: fitted.

    Returns:
        (the model with its new ``calibration``, how well the search does on these tracks, each
        judged by models that had not seen it).

    Raises:
        ValueError: Too few tracks, or labels that no candidate meets (``fit_ranker``).
    """
    tracks = [track for track in tracks if track.weight > 0]
    if not tracks:
        raise ValueError("no track to calibrate on")
    spec = model.features
    logits = [network_logits(_unheard(t, model, folds).network, t.load_features()) for t in tracks]
    if temperatures is None:
        temperatures = _temperatures(model, tracks, logits)
    examples = (
        Example(
            track_activation(z, t.load_features(), spec, t.duration_s, temperatures),
            t.grid,
            weight=t.weight,
            group=t.label.group or t.name,
            phase_reliable=t.label.suspect != "beat phase",
            bars_trust=BARS_TRUST[t.label.downbeat],
        )
        for t, z in zip(tracks, logits, strict=True)
    )
    ranker, report = fit_ranker(examples, search, start=start, pull=pull)
    calibration = {"temperatures": list(temperatures), "ranker": ranker.to_dict()}
    return replace(model, calibration=calibration), report


def _temperatures(
    model: LoadedModel, tracks: Sequence[Track], logits: Sequence[TrackLogits]
) -> list[float]:
    """Fit the temperature of each channel to the frames of all tracks."""
    target = TargetSpec(**asdict(NOTEBOOK_TARGET) | model.training_data.get("target", {}))
    rate = model.features.frame_rate
    framed = [frame_targets(t, whole_track(t), rate, target) for t in tracks]
    return [
        fit_temperature(
            (z.frames[mask[:, channel] > 0, channel], y[mask[:, channel] > 0, channel])
            for z, (y, mask) in zip(logits, framed, strict=True)
        )
        for channel in range(logits[0].frames.shape[1])
    ]


def _unheard(track: Track, model: LoadedModel, folds: Sequence[LoadedModel]) -> LoadedModel:
    """Return the network that answers for a track; rendered ones belong to no fold."""
    if not folds or track.audio_path is None:
        return model
    return folds[fold_of(track, len(folds))]


def fit_temperature(
    examples: Iterable[tuple[NDArray[np.floating], NDArray[np.floating]]],
) -> float:
    """Fit the temperature under which the logits predict the targets best.

    Args:
        examples: (logits, targets in [0, 1]) of each track, both (frames,), known frames only.

    Returns:
        Divisor of the logits, > 0; above 1 where the network is over-confident. 1 without frames.
    """
    pairs = [(np.asarray(z, np.float64), np.asarray(y, np.float64)) for z, y in examples]
    logits = np.concatenate([z for z, _ in pairs]) if pairs else np.zeros(0)
    targets = np.concatenate([y for _, y in pairs]) if pairs else np.zeros(0)
    if not len(logits):
        return 1.0

    def cross_entropy(log_temperature: float) -> float:
        scaled = logits / np.exp(log_temperature)
        return float(np.mean(np.logaddexp(0, scaled) - targets * scaled))

    low, high = np.log(TEMPERATURE_RANGE)
    found = minimize_scalar(cross_entropy, bounds=(low, high), method="bounded")
    return float(np.exp(found.x))
