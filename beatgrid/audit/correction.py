"""Which faults can be mended without a person, and the grid that a label then gets."""

from __future__ import annotations

from dataclasses import replace

from beatgrid.audit.evidence import Evidence
from beatgrid.data.track import SAME_RECORDING_S
from beatgrid.evaluation import evaluate_track
from beatgrid.grid import Grid
from beatgrid.search.odds import sigmoid

# Of the search, that tempo level and phase are right, and of the label's beats being on-beats.
MIN_CONFIDENCE = 0.9
MIN_ON_BEAT = 0.9
# Two ways to the grid, near the label and free of it, must end in the same one.
MAX_DISAGREEMENT_MS = 5.0
MAX_OFFSET_STD_S = 0.003
# Onsets are evidence that no network has touched. Their mean peak is within some ms of the beats
# that are played: the slower the attack, the later.
MAX_ONSET_OFFSET_S = 0.012
MIN_ONSET_GAIN = 1.05


def corrected_tempo(evidence: Evidence) -> Grid | None:
    """Return the grid of a label whose beats drift: the search's, with the label's bars.

    The beat nearest to the label's downbeat becomes the downbeat. None where it is not certain.
    """
    fit, found = evidence.fit, evidence.found.grid
    if fit is None or found is None or not is_certain(evidence):
        return None
    at_s = fit.grid(1).offset_s
    k = round((at_s - found.offset_s) / found.period_s)
    return Grid(found.bpm, found.offset_s + k * found.period_s, evidence.grid.beats_per_bar)


def corrected_offset(evidence: Evidence) -> Grid | None:
    """Return the label's grid moved by its offset; None where that is not certain."""
    if evidence.fit is None or not is_certain(evidence):
        return None
    return replace(evidence.grid, offset_s=evidence.grid.offset_s + evidence.fit.offset_s)


def is_certain(evidence: Evidence) -> bool:
    """Tell whether the evidence leaves no doubt of tempo and phase.

    There is doubt where the label is at another level, on off-beats or of another length, where the
    search is not sure, finds another grid or a changing tempo, and where onsets do not agree.
    """
    fit, found = evidence.fit, evidence.found
    if fit is None or found.grid is None or fit.onset_offset_s is None or fit.onset_gain is None:
        return False
    if evidence.level != "ok" or not found.constant_tempo:
        return False
    if evidence.excess_s is not None and abs(evidence.excess_s) > SAME_RECORDING_S:
        return False
    if found.confidence < MIN_CONFIDENCE or sigmoid(fit.phase_log_odds) < MIN_ON_BEAT:
        return False
    if not fit.offset_std_s <= MAX_OFFSET_STD_S:  # NaN is none
        return False
    if abs(fit.onset_offset_s) > MAX_ONSET_OFFSET_S or fit.onset_gain < MIN_ONSET_GAIN:
        return False
    score = evaluate_track(fit.grid(1), found.grid, evidence.duration_s)
    return score.max_error_ms is not None and score.max_error_ms <= MAX_DISAGREEMENT_MS
