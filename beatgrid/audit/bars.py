"""Whether a label's downbeats are where the music has them.

For bars of four the model decides by which the search chooses its own first beat
(``Ranker.bars``), where there is one; elsewhere the network's downbeats do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from beatgrid.grid import FloatArray
from beatgrid.search.bar_features import BEATS_PER_BAR, bar_features
from beatgrid.search.extractor import FeatureExtractor
from beatgrid.search.line import Line
from beatgrid.search.ranker import LinearModel

Scores = Callable[[slice], FloatArray]
"""Evidence for each place in the bar as its first, by those beats of a line that a slice takes."""


@dataclass(frozen=True)
class BarFit:
    """The best place of the downbeat for bars of the label's length.

    Attributes:
        later_beats: Beats by which the best downbeat is later than the label's,
            0..beats_per_bar - 1; 0 where they agree.
        margin: Evidence for the best place less that for the label's, in nats; where they
            agree, less that for the second best, and negative. Of the fitted model it is the
            log-odds of the one place against the other, of the network's downbeats nats per bar.
        lasting: In each half of the track, too, the best place is better than the label's, by the
            network's downbeats than every other.
        fitted: The evidence is that of the fitted model.
    """

    later_beats: int
    margin: float
    lasting: bool
    fitted: bool


def fit_bars(
    extractor: FeatureExtractor,
    line: Line,
    downbeat: int,
    beats_per_bar: int,
    model: LinearModel | None = None,
) -> BarFit | None:
    """Compare the places that a downbeat may have in the bar.

    Args:
        extractor: Holds the channels.
        line: The beats.
        downbeat: Number k of a beat of ``line`` that the label says is a downbeat.
        beats_per_bar: Of the label.
        model: Scores the beats of a bar of four by their ``bar_features``.

    Returns:
        None where there is no downbeat channel, or not two bars in each half.
    """
    n_beats = len(line.k)
    half = n_beats // 2
    if extractor.downbeat is None or beats_per_bar < 2 or half < 2 * beats_per_bar:
        return None
    by_model = None
    if model is not None and beats_per_bar == BEATS_PER_BAR and extractor.spectrum_db is not None:
        by_model = _by_model(extractor, line, downbeat, model)
    scores_of = by_model or _by_downbeats(extractor, line, downbeat, beats_per_bar)
    scores = scores_of(slice(0, n_beats))
    best = int(np.argmax(scores))
    others = np.delete(np.arange(beats_per_bar), best)
    rivals = others if best == 0 else np.array([0])
    margin = float(scores[best] - scores[rivals].max())
    halves = [scores_of(part) for part in (slice(0, half), slice(half, n_beats))]
    # The model weighs boundaries, of which a half has few: it answers for the label's place alone.
    in_halves = others if by_model is None else rivals
    lasting = all(bool(of_half[best] > of_half[in_halves].max()) for of_half in halves)
    return BarFit(best, margin if best else -margin, lasting, fitted=by_model is not None)


def _by_model(extractor: FeatureExtractor, line: Line, downbeat: int, model: LinearModel) -> Scores:
    """Return what gives the model's scores, log-odds of the places up to a constant, (4,)."""

    def scores(part: slice) -> FloatArray:
        features = bar_features(extractor, line.times_s[part], int(line.k[part][0]))
        assert features is not None  # both channels are there
        if part.start:
            # The music began long before: where this part of it does says nothing of bars.
            features = [{**of_beat, "first": 0.0} for of_beat in features]
        return np.roll(model.scores(features), -downbeat)

    return scores


def _by_downbeats(
    extractor: FeatureExtractor, line: Line, downbeat: int, beats_per_bar: int
) -> Scores:
    """Return what gives the means of the network's downbeats, in nats per bar, (beats_per_bar,)."""
    assert extractor.downbeat is not None
    at_beats = extractor.sample(extractor.downbeat, line.times_s)
    places = (line.k - downbeat) % beats_per_bar

    def scores(part: slice) -> FloatArray:
        return np.array(
            [at_beats[part][places[part] == place].mean() for place in range(beats_per_bar)]
        )

    return scores
