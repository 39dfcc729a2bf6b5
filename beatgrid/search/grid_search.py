"""From an activation to the constant-tempo grid that explains it best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from beatgrid.grid import Activation, FloatArray, Grid
from beatgrid.search import ranker as ranking
from beatgrid.search.candidates import Describer, candidate_lines
from beatgrid.search.decision import Decision, confidence_features
from beatgrid.search.downbeat import BarPhase, bar_phase
from beatgrid.search.estimate import Alternative, GridEstimate
from beatgrid.search.evidence import Evidence, evidence_from
from beatgrid.search.pieces import has_local_tempo
from beatgrid.search.ranker import Coefficients, sigmoid, softmax
from beatgrid.search.refine import Line, find_peaks, fit_peaks, maximise
from beatgrid.search.scan import Scan, scan
from beatgrid.search.segments import steadiness
from beatgrid.search.snap import snap

# Without a ranker, likelihood per second times this is taken for a log-probability: it only
# shapes the confidence then, never the choice.
PLAIN_SHARPNESS = 2.0


class GridSearch:
    """Finds the constant-tempo beatgrid of a track.

    Args:
        bpm_min: Lowest tempo considered.
        bpm_max: Highest tempo considered.
        search_window: (start, end) in seconds; nothing outside it counts.
        ranker: ``auto`` takes the coefficients that come with the activation's source, or the
            generic ones; ``generic`` and ``flux`` are packaged; ``none`` chooses by
            likelihood and prior alone.
        prior_bpm: Centre of the log-normal tempo prior.
        prior_octaves: Its standard deviation in octaves.
        prior_weight: Its weight against the likelihood per second; 0 switches it off. It
            chooses the scan's peaks, and the tempo where there is no ranker.
        silence_chance: Chance that a beat of the music leaves no peak; bounds what a missing
            peak costs.
        max_log_odds: Log-odds of the probabilities are clipped to +- this.
        smoothing_s: Timing spread forgiven by the likelihood, as a standard deviation.
        harmonics: Fourier components of the period that the scan uses.
        oversampling: Zero-padding of the scan's FFT.
        least_squares: Fit the final line to the peaks' sub-frame times; otherwise keep the
            likelihood's optimum.
        max_snap_drift_ms: Drift over the track that rounding the tempo may cause; 0 switches
            rounding off.
        beats_per_bar: Bar lengths compared where there is a downbeat channel, the usual
            first; without the channel the first is reported.
        min_duration_s: Shorter activations have no grid.
        min_contrast: How far the best tempo has to stand out of its neighbourhood, in
            standard deviations.
        n_alternatives: How many rivals are reported.

    Raises:
        ValueError: If the range of tempi cannot be searched or the ranker is unknown.
    """

    def __init__(
        self,
        bpm_min: float = 55.0,
        bpm_max: float = 330.0,
        search_window: Sequence[float] | None = None,
        ranker: str = "auto",
        prior_bpm: float = 140.0,
        prior_octaves: float = 0.7,
        prior_weight: float = 1.0,
        silence_chance: float = 0.1,
        max_log_odds: float = 5.0,
        smoothing_s: float = 0.010,
        harmonics: int = 12,
        oversampling: int = 8,
        least_squares: bool = True,
        max_snap_drift_ms: float = 5.0,
        beats_per_bar: Sequence[int] = (4, 3),
        min_duration_s: float = 5.0,
        min_contrast: float = 7.0,
        n_alternatives: int = 5,
    ) -> None:
        if not 0 < bpm_min < bpm_max:
            raise ValueError(f"need 0 < bpm_min < bpm_max, not {bpm_min!r} and {bpm_max!r}")
        if not 0 < silence_chance < 1:
            raise ValueError(f"silence_chance must lie between 0 and 1, not {silence_chance!r}")
        if ranker not in ("auto", "none"):
            ranking.packaged(ranker)
        self.bpm_range = (float(bpm_min), float(bpm_max))
        self.search_window = None if search_window is None else _window(search_window)
        self.ranker = ranker
        self.prior_bpm = prior_bpm
        self.prior_octaves = prior_octaves
        self.prior_weight = prior_weight
        self.silence_chance = silence_chance
        self.max_log_odds = max_log_odds
        self.smoothing_s = smoothing_s
        self.harmonics = harmonics
        self.oversampling = oversampling
        self.least_squares = least_squares
        self.max_snap_drift_s = max_snap_drift_ms / 1000
        self.beats_per_bar = tuple(int(n) for n in beats_per_bar)
        self.min_duration_s = min_duration_s
        self.min_contrast = min_contrast
        self.n_alternatives = n_alternatives

    def __call__(
        self,
        activation: Activation,
        coefficients: Coefficients | Mapping[str, Any] | None = None,
    ) -> GridEstimate:
        """Find the grid of one track.

        Args:
            activation: Beat probability per frame; downbeat and onset channels are used
                where they exist.
            coefficients: What was fitted for this source of activations (``ranker=auto``
                uses it), e.g. from a checkpoint.

        Returns:
            The estimate; its ``bpm`` is None if there is nothing to find.
        """
        models = self._models(coefficients)
        decision = self.decide(activation, models)
        if isinstance(decision, str):
            return GridEstimate.none(decision)
        best = decision.best
        raw = self.refined(activation, decision, decision.candidates[best].line)
        final = snap(decision.evidence, raw, self.max_snap_drift_s)
        # The plain likelihood has no confidence of its own: the generic one reads its odds too.
        judge = (models or ranking.packaged("generic")).confidence
        confidence = sigmoid(float(judge(confidence_features(decision, raw))))
        bars = self._bars(decision, final)
        offset_k, offset_s, offset_raw_s = _first_downbeat(final, raw, bars)
        steady = steadiness(decision.evidence, final)
        return GridEstimate(
            bpm=final.bpm if final is raw else round(final.bpm, 2),
            offset_s=offset_s,
            beats_per_bar=bars.beats_per_bar,
            downbeat_known=decision.describer.downbeat is not None,
            bpm_raw=raw.bpm,
            offset_raw_s=offset_raw_s,
            bpm_std=raw.bpm * raw.period_std_s / raw.period_s,
            offset_std_ms=1000 * raw.std_s(offset_k),
            score=decision.candidates[best].likelihood * decision.evidence.scale,
            confidence=confidence * steady.agreement**2,
            offbeat_confidence=sigmoid(abs(float(decision.phase_logit[best]))),
            downbeat_confidence=bars.probability,
            constant_tempo=len(steady.segments) == 1,
            max_drift_ms=1000 * steady.max_drift_s,
            alternatives=self._alternatives(decision),
            segments=steady.segments,
        )

    def decide(self, activation: Activation, models: Coefficients | None) -> Decision | str:
        """Collect, describe and score the candidates of one track.

        Returns:
            The decision, or the reason why there is no grid.
        """
        if activation.duration_s < self.min_duration_s:
            return f"{activation.duration_s:.1f} s are too short for a grid"
        evidence = evidence_from(
            activation,
            silence_chance=self.silence_chance,
            max_log_odds=self.max_log_odds,
            smoothing_s=self.smoothing_s,
            search_window=self.search_window,
        )
        if evidence is None or evidence.effective_s < self.min_duration_s:
            return "the activation is flat"
        scanned = scan(
            evidence,
            *self.bpm_range,
            harmonics=self.harmonics,
            oversampling=self.oversampling,
        )
        if len(scanned.score) < 3:
            return "no tempo of the range fits into the track"
        contrast = float(scanned.contrast.max())
        if contrast < self.min_contrast and not has_local_tempo(
            evidence, self.bpm_range, self.min_contrast
        ):
            return "no tempo stands out"
        return self._compare(activation, evidence, scanned, contrast, models)

    def _compare(
        self,
        activation: Activation,
        evidence: Evidence,
        scanned: Scan,
        contrast: float,
        models: Coefficients | None,
    ) -> Decision:
        describer = Describer(
            evidence,
            activation,
            silence_chance=self.silence_chance,
            max_log_odds=self.max_log_odds,
        )
        prior = self._log_prior(60 * scanned.frequency_hz)
        score = scanned.score / evidence.effective_s + prior
        lines = candidate_lines(evidence, scanned, score, self.bpm_range)
        candidates = [describer(line) for line in lines]
        if models is None:
            bpm = np.array([c.line.bpm for c in candidates])
            likelihood = np.array([c.likelihood for c in candidates])
            level_score = PLAIN_SHARPNESS * (likelihood + self._log_prior(bpm))
            phase_logit = np.array([c.phase_features[0] for c in candidates])
        else:
            phase_logit = np.array([float(models.phase(c.phase_features)) for c in candidates])
            for i in np.flatnonzero(phase_logit < 0):
                candidates[i] = describer(_half_beat_later(candidates[i].line))
            level_score = models.level(np.stack([c.level_features for c in candidates]))
        return Decision(
            evidence,
            describer,
            tuple(candidates),
            level_score,
            softmax(level_score),
            np.abs(phase_logit),
            contrast,
        )

    def refined(self, activation: Activation, decision: Decision, line: Line) -> Line:
        """The line at its optimum, with standard errors."""
        line = maximise(decision.evidence, line)
        if not self.least_squares:
            return line
        peaks = find_peaks(activation, self.smoothing_s)
        for _ in range(2):
            weight = decision.evidence.weight_at(line.times_s)
            line = fit_peaks(peaks, line, weight)
        return line

    def _models(self, given: Coefficients | Mapping[str, Any] | None) -> Coefficients | None:
        if self.ranker == "none":
            return None
        if self.ranker != "auto":
            return ranking.packaged(self.ranker)
        if given is None:
            return ranking.packaged("generic")
        return given if isinstance(given, Coefficients) else Coefficients.from_dict(given)

    def _log_prior(self, bpm: FloatArray) -> FloatArray:
        octaves = np.log2(bpm / self.prior_bpm) / self.prior_octaves
        return -0.5 * self.prior_weight * octaves**2

    def _bars(self, decision: Decision, line: Line) -> BarPhase:
        downbeat = decision.describer.downbeat
        if downbeat is None:
            return BarPhase(self.beats_per_bar[0], 0, 0.0)
        at_beats = decision.describer.sample(downbeat, line.times_s)
        return bar_phase(at_beats, line.first, self.beats_per_bar)

    def _alternatives(self, decision: Decision) -> tuple[Alternative, ...]:
        order = np.argsort(-decision.score, kind="stable")
        best = decision.candidates[decision.best]
        rivals = []
        for i in order[1 : self.n_alternatives + 1]:
            line = decision.candidates[i].line
            rivals.append(
                Alternative(
                    bpm=line.bpm,
                    offset_s=_first_beat(line),
                    score=decision.candidates[i].likelihood * decision.evidence.scale,
                    ratio=line.bpm / best.line.bpm,
                    probability=float(decision.probability[i]),
                )
            )
        return tuple(rivals)


def _half_beat_later(line: Line) -> Line:
    return replace(line, time_s=line.time_s + line.period_s / 2)


def _first_beat(line: Line) -> float:
    return Grid(line.bpm, line.time_s).first_beat_s


def _first_downbeat(final: Line, raw: Line, bars: BarPhase) -> tuple[int, float, float]:
    """Number and time of the first downbeat at or after 0, and its time on the raw line."""
    if bars.probability == 0.0:  # unknown: the first beat
        k = int(np.ceil(-final.time_s / final.period_s))
    else:
        n = bars.beats_per_bar
        k = bars.phase + n * int(np.ceil((-final.time_s / final.period_s - bars.phase) / n))
    return k, final.time_s + k * final.period_s, raw.time_s + k * raw.period_s


def _window(search_window: Sequence[float]) -> tuple[float, float]:
    start_s, end_s = (float(edge) for edge in search_window)
    if not start_s < end_s:
        raise ValueError(f"search_window needs start < end, not {list(search_window)}")
    return start_s, end_s
