"""From an activation to the constant-tempo grid that explains it best."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, Any

from beatgrid.checks import Interval, Name, NotNegative, Some, Tempo, Whole, checked
from beatgrid.grid import Activation, Grid
from beatgrid.search.attacks import attack_delay, delayed_segments, fit_attacks
from beatgrid.search.candidates import candidate_lines
from beatgrid.search.decision import Decision, TempoPrior, decide, phase_log_odds
from beatgrid.search.downbeat import BarPhase, bars_of
from beatgrid.search.estimate import GridEstimate, NoGridError
from beatgrid.search.evidence import FLAT, Evidence, evidence_from
from beatgrid.search.extractor import FeatureExtractor
from beatgrid.search.hint import TempoHint
from beatgrid.search.least_squares import find_peaks, fit_peaks
from beatgrid.search.line import Line
from beatgrid.search.odds import sigmoid
from beatgrid.search.onsets import lacks_onsets
from beatgrid.search.piecewise import piecewise_beats
from beatgrid.search.ranker import Ranker, packaged
from beatgrid.search.refine import maximise
from beatgrid.search.scan import scan
from beatgrid.search.segmentation import has_local_tempo
from beatgrid.search.snap import snap
from beatgrid.search.stability import tempo_stability


class GridSearch:
    """Finds the constant-tempo beatgrid of a track by likelihood.

    Args:
        bpm_min: Lowest tempo considered.
        bpm_max: Highest tempo considered; the same as ``bpm_min`` if the tempo is known.
        bpm: The tempo, where it is known: only its beat is looked for, ``bpm_min`` and
            ``bpm_max`` do not count.
        search_window: (start, end) in seconds; nothing outside it counts.
        ranker: ``auto`` takes the one that comes with the activation's source, or the generic
            one; ``generic`` and ``flux`` are packaged; ``none`` chooses by likelihood and prior
            alone.
        prior_bpm: Centre of the log-normal tempo prior.
        prior_octaves: Its standard deviation in octaves.
        prior_weight: Its weight against the likelihood per second; 0 switches it off. It
            chooses the scan's peaks, and the tempo where there is no ranker.
        miss_probability: Probability that a beat of the music leaves no peak; bounds what a
            missing peak costs.
        max_log_odds: Log-odds of the probabilities are clipped to +- this.
        smoothing_s: Timing spread forgiven by the likelihood, as a standard deviation.
        harmonics: Fourier components of the period used in scans, of the track and of its parts.
        oversampling: Zero-padding of the scans' FFT.
        least_squares: Fit the final line to the peaks' sub-frame times; otherwise keep the
            likelihood's optimum.
        max_snap_drift_ms: Drift over the track that rounding the tempo may cause; 0 switches
            rounding off.
        beats_per_bar: Bar lengths compared where there is a downbeat channel, the default
            first; without the channel the first is reported.
        min_duration_s: Shorter activations have no grid.
        min_contrast: How far the best tempo has to stand out of its neighbourhood, in
            standard deviations.
        n_alternatives: How many rivals are reported.
        piecewise: Where the tempo is not constant, the beats follow the segments; otherwise
            they are always those of the constant grid.

    Raises:
        ValueError: If the range of tempi cannot be searched or the ranker is unknown.
    """

    @checked
    def __init__(
        self,
        bpm_min: Tempo = 50.0,
        bpm_max: Tempo = 330.0,
        bpm: Tempo | None = None,
        search_window: tuple[float, float] | None = None,
        ranker: Name = "auto",
        prior_bpm: Tempo = 140.0,
        prior_octaves: Annotated[float, Interval(0.01, 100)] = 0.7,
        prior_weight: NotNegative = 1.0,
        miss_probability: Annotated[float, Interval(0, 1, above=True, below=True)] = 0.1,
        max_log_odds: Annotated[float, Interval(0, 100, above=True)] = 5.0,
        smoothing_s: Annotated[float, Interval(0, 1)] = 0.01,
        harmonics: Annotated[int, Interval(1, 100)] = 12,
        oversampling: Annotated[int, Interval(1, 64)] = 8,
        least_squares: bool = True,
        max_snap_drift_ms: NotNegative = 5.0,
        beats_per_bar: Annotated[Sequence[Annotated[int, Interval(1, 64)]], Some()] = (4, 3),
        min_duration_s: NotNegative = 4.0,
        min_contrast: float = 7.0,
        n_alternatives: Whole = 5,
        piecewise: bool = True,
    ) -> None:
        if bpm is not None:
            bpm_min = bpm_max = bpm
        if not bpm_min <= bpm_max:
            raise ValueError(f"need bpm_min <= bpm_max, not {bpm_min!r} and {bpm_max!r}")
        if ranker not in ("auto", "none"):
            packaged(ranker)
        self.bpm_range = (float(bpm_min), float(bpm_max))
        self.search_window = None if search_window is None else _window(search_window)
        self.ranker = ranker
        self.prior = TempoPrior(prior_bpm, prior_octaves, prior_weight)
        self.miss_probability = miss_probability
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
        self.piecewise = piecewise

    def __call__(
        self,
        activation: Activation,
        ranker: Ranker | Mapping[str, Any] | None = None,
        hint: TempoHint | None = None,
    ) -> GridEstimate:
        """Find the grid of one track.

        Args:
            activation: Beat probability per frame; downbeat and onset channels are used
                where they exist.
            ranker: What was fitted for this source of activations (``ranker=auto`` uses it),
                e.g. from a checkpoint.
            hint: What somebody says of the tempo: it adds to the odds of the candidates that
                it names.

        Returns:
            The estimate; its ``grid`` is None if there is nothing to find.
        """
        chosen = self._ranker(ranker)
        try:
            decision = self.decide(activation, chosen, hint)
        except NoGridError as reason:
            return GridEstimate.none(str(reason))
        best = decision.best
        if lacks_onsets(activation, decision.candidates[best].line.times_s):
            return GridEstimate.none("nothing begins clearly enough to be a beat")
        raw = self.refined(activation, decision)
        final = snap(decision.evidence, raw, self.max_snap_drift_s, self.bpm_range)
        # Likelihood alone has no confidence model: the generic one reads its odds too.
        confidence_model = (chosen or packaged("generic")).confidence
        confidence = sigmoid(confidence_model.log_odds(decision.confidence_features(raw)))
        bar_model = None if chosen is None else chosen.bars
        bars = bars_of(decision.extractor, final, self.beats_per_bar, bar_model)
        stability = tempo_stability(
            decision.extractor,
            final,
            None if chosen is None else partial(phase_log_odds, chosen, decision.extractor),
            harmonics=self.harmonics,
            oversampling=self.oversampling,
        )
        beats = None
        if self.piecewise and len(stability.segments) > 1:
            beats = piecewise_beats(
                decision.evidence,
                decision.extractor,
                find_peaks(activation, self.smoothing_s),
                stability.segments,
                self.beats_per_bar,
                bar_model,
            )
        late = attack_delay(activation.attacks_s, stability.segments, decision.evidence)
        delay_s = 0.0 if late is None else late.delay_s
        segments = delayed_segments(stability.segments, delay_s)
        if beats is not None:
            beats = beats.delayed(delay_s, activation.duration_s)
        reported = final.delayed(delay_s)
        k = _first_reported(reported, bars)
        offset_std_ms = None
        if raw.errors is not None:
            delay_std_s = 0.0 if late is None else late.std_s
            offset_std_ms = 1000 * math.hypot(raw.errors.at_beat_s(k), delay_std_s)
        return GridEstimate(
            grid=Grid(
                final.bpm if final is raw else round(final.bpm, 2),
                reported.time_s + k * reported.period_s,
                self.beats_per_bar[0] if bars is None else bars.beats_per_bar,
            ),
            bpm_raw=raw.bpm,
            offset_raw_s=raw.delayed(delay_s).time_s + k * raw.period_s,
            bpm_std=raw.bpm_std,
            offset_std_ms=offset_std_ms,
            score=decision.candidates[best].likelihood * decision.evidence.scale,
            confidence=confidence * stability.agreement**2,
            offbeat_confidence=sigmoid(abs(float(decision.phase_logit[best]))),
            downbeat_confidence=None if bars is None else bars.probability,
            max_drift_ms=1000 * stability.max_drift_s,
            attack_delay_ms=None if late is None else 1000 * late.delay_s,
            alternatives=decision.alternatives(self.n_alternatives, confidence, delay_s),
            segments=tuple(segment.reported for segment in segments),
            beats=beats,
        )

    def evidence(self, activation: Activation) -> Evidence:
        """Compute the evidence of a track's beat channel under this search's settings.

        Raises:
            NoGridError: If no frame that counts differs from another.
        """
        return evidence_from(
            activation,
            miss_probability=self.miss_probability,
            max_log_odds=self.max_log_odds,
            smoothing_s=self.smoothing_s,
            search_window=self.search_window,
        )

    def decide(
        self, activation: Activation, ranker: Ranker | None, hint: TempoHint | None = None
    ) -> Decision:
        """Collect, describe and score the candidates of one track.

        Raises:
            NoGridError: If the track has no tempo in the range.
        """
        if activation.duration_s < self.min_duration_s:
            raise NoGridError(f"{activation.duration_s:.1f} s are too short for a grid")
        evidence = self.evidence(activation)
        if evidence.effective_s < self.min_duration_s:
            raise NoGridError(FLAT)
        scanned = scan(
            evidence,
            *self.bpm_range,
            harmonics=self.harmonics,
            oversampling=self.oversampling,
        )
        if not len(scanned.score):
            raise NoGridError("no tempo of the range fits into the track")
        contrast = float(scanned.contrast.max())
        if contrast < self.min_contrast and not has_local_tempo(
            evidence, self.bpm_range, self.min_contrast, harmonics=self.harmonics
        ):
            raise NoGridError("no tempo stands out")
        score = scanned.score / evidence.effective_s + self.prior.log(60 * scanned.frequency_hz)
        lines = candidate_lines(evidence, scanned, score, self.bpm_range, hint=hint)
        extractor = FeatureExtractor(
            evidence,
            activation,
            miss_probability=self.miss_probability,
            max_log_odds=self.max_log_odds,
        )
        return decide(lines, extractor, ranker, prior=self.prior, contrast=contrast, hint=hint)

    def refined(self, activation: Activation, decision: Decision) -> Line:
        """Move the chosen candidate to its optimum in the range, with standard errors."""
        line = maximise(decision.evidence, decision.candidates[decision.best].line)
        if not self.least_squares:
            return line.within(self.bpm_range)
        peaks = find_peaks(activation, self.smoothing_s)
        for _ in range(2):
            weight = decision.evidence.weight_at(line.times_s)
            line = fit_peaks(peaks, line, weight)
        return fit_attacks(activation.attacks_s, line, decision.evidence).within(self.bpm_range)

    def _ranker(self, given: Ranker | Mapping[str, Any] | None) -> Ranker | None:
        """Return the ranker that the settings ask for; None for none."""
        if self.ranker == "none":
            return None
        if self.ranker != "auto":
            return packaged(self.ranker)
        if given is None:
            return packaged("generic")
        return given if isinstance(given, Ranker) else Ranker.from_dict(given)


def _first_reported(line: Line, bars: BarPhase | None) -> int:
    """Return the index of the track's first downbeat, of its first beat where bars are unknown."""
    if bars is None:
        return line.first_in_track
    return bars.first_downbeat(line)


def _window(search_window: Sequence[float]) -> tuple[float, float]:
    start_s, end_s = (float(edge) for edge in search_window)
    if not start_s < end_s:
        raise ValueError(f"search_window needs start < end, not {list(search_window)}")
    return start_s, end_s
