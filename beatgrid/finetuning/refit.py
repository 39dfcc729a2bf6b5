"""The search's ranker, half-beat and bar decisions and confidence, moved to fit a tuned network.

They were fitted to hundreds of tracks that no user has. So they are not fitted anew: each weight is
held near its former value, and moves as far as the tracks are evidence for. The tracks are the
user's and rendered ones that the network did not learn from, both sides alike. Of the user's, those
that it did learn from are among them: the network is surer of them than of what it will meet, but
without them a few tracks would say how a genre is counted (``experiments/finetune`` has both).
Temperatures stay: the former ranker was fitted under them.

What the network answered before it learnt is no substitute: it may be wrong in just the way that
it was to unlearn, and would teach the ranker to undo it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from beatgrid.activation.evidence import Calibration
from beatgrid.activation.network import NetworkSource
from beatgrid.calibration.examples import Example, LabelledCandidates, TrackOutcome, judge
from beatgrid.calibration.temperature import calibrated
from beatgrid.data.track import Track
from beatgrid.networks.checkpoint import LoadedModel
from beatgrid.search import GridSearch, Ranker
from beatgrid.search.ranker import packaged

# A few tracks do not stand for a genre: none of the user's counts more than so many rendered ones.
MAX_WEIGHT = 4.0


@dataclass(frozen=True)
class Outcomes:
    """What became of the tracks that a choice is made by.

    Attributes:
        own: Of the user's.
        rendered: Of the rendered ones.
    """

    own: tuple[TrackOutcome, ...]
    rendered: tuple[TrackOutcome, ...]


def outcomes(
    model: LoadedModel, own: Sequence[Track], rendered: Sequence[Track], search: GridSearch
) -> Outcomes:
    """Return what a model makes of tracks."""
    source, ranker = NetworkSource(model), ranker_of(model)

    def outcome(track: Track) -> TrackOutcome:
        activation = source(track.load_features(), track.duration_s)
        example = Example(activation, track.grid)
        if LabelledCandidates.of(example, search) is None:
            return TrackOutcome()
        return judge(example, search, ranker).outcome

    return Outcomes(tuple(map(outcome, own)), tuple(map(outcome, rendered)))


def refitted(
    model: LoadedModel,
    own: Sequence[Track],
    rendered: Sequence[Track],
    taught: Sequence[Track],
    search: GridSearch,
    pull: float,
) -> tuple[LoadedModel, Outcomes]:
    """Return a model with ranker and confidence fitted on from its own.

    Args:
        model: A fine-tuned network with the calibration of the one before.
        own: Tracks of the user's that it did not learn from.
        rendered: Rendered ones that it did not learn from.
        taught: Tracks of the user's that it did learn from.
        search: The search that will use its activations.
        pull: How strongly the fit is held near to what it starts from, in tracks.

    Returns:
        (the model, what became of ``own`` and ``rendered``, each judged by a fit to others).

    Raises:
        ValueError: Too few tracks, or labels that no candidate meets.
    """
    weight = min(MAX_WEIGHT, len(rendered) / max(1, len(own) + len(taught)))
    # A tempo that is a guess would teach the ranker to guess.
    users = [replace(t, weight=weight * (t.label.suspect != "octave")) for t in (*own, *taught)]
    tracks = [*users, *(replace(t, weight=1.0) for t in rendered)]
    temperatures = Calibration.from_dict(model.calibration, model.model_id).temperatures
    fitted, report = calibrated(
        model, tracks, search, start=ranker_of(model), pull=pull, temperatures=temperatures
    )
    judged = iter(report.tracks)
    found = [next(judged) if track.weight > 0 else None for track in tracks]
    left_out = [track for track, outcome in zip(tracks, found, strict=True) if outcome is None]
    others = iter(outcomes(fitted, left_out, [], search).own)
    complete = tuple(next(others) if outcome is None else outcome for outcome in found)
    return fitted, Outcomes(complete[: len(own)], complete[len(users) :])


def ranker_of(model: LoadedModel) -> Ranker:
    """Return a model's ranker, or the one for any source of activations where it has none."""
    return Calibration.from_dict(model.calibration, model.model_id).ranker or packaged("generic")
