"""What speaks for and against one label: measurements, no judgement."""

from __future__ import annotations

from dataclasses import dataclass

from beatgrid.audit.bars import BarFit, fit_bars
from beatgrid.audit.fit import NEAR_SHARE, Fit, fit_label
from beatgrid.evaluation import LEVELS
from beatgrid.grid import Activation, Grid
from beatgrid.search import GridEstimate, GridSearch, Ranker

# Enough for the probabilities of all candidate tempi to be known: 5 peaks and 9 ratios.
N_ALTERNATIVES = 20
SAME_TEMPO_SHARE = 0.015
# Where label and search are each wrong by a level, in opposite directions.
_FAR_LEVELS = {"3": 3.0, "1/3": 1 / 3, "4": 4.0, "1/4": 1 / 4}
# Two unrelated tempi are this near to one of the ratios in 7 % of all cases; at the 2 % of
# ``beatgrid.evaluation`` it would be 28 %.
LEVEL_SHARE = 0.005


@dataclass(frozen=True, eq=False)
class Evidence:
    """One label, measured against its track.

    Attributes:
        grid: The label's.
        duration_s: Where the label ends, at the end of the audio at the latest.
        found: What the grid search finds in the track by itself.
        level: Ratio of the found tempo to the label's: "ok", "2", "1/2", "3/2" and the like, or
            "other"; "none" where nothing was found.
        level_probability: Of the label's tempo among all candidates of that search.
        fit: The grid nearest to the label; None if no tempo near the label's stands out.
        strength_share: Evidence per second on the fit's beats, as a share of that on the found
            grid's; 0 without a fit, None without a found grid.
        bars: Where the downbeat is best; None if there is nothing to tell it by.
        excess_s: Length of the audio less the label's duration; None where the label has none.
    """

    grid: Grid
    duration_s: float
    found: GridEstimate
    level: str
    level_probability: float
    fit: Fit | None
    strength_share: float | None
    bars: BarFit | None
    excess_s: float | None


def search() -> GridSearch:
    """Return the search that is free of the label."""
    return GridSearch(n_alternatives=N_ALTERNATIVES)


def measure(
    grid: Grid,
    activation: Activation,
    found: GridEstimate,
    ranker: Ranker | None,
    label_duration_s: float | None = None,
) -> Evidence:
    """Measure a label against its track.

    Args:
        grid: The label's.
        activation: Of the track.
        found: What ``search()`` finds in it; does not depend on the label.
        ranker: Of the activation's source.
        label_duration_s: What the label says.
    """
    audio_s = activation.duration_s
    duration_s = audio_s if label_duration_s is None else min(audio_s, label_duration_s)
    fitted = fit_label(grid, activation, duration_s, ranker)
    fit, bars, share = None, None, None if found.score is None else 0.0
    if fitted is not None:
        fit, extractor = fitted
        model = None if ranker is None else ranker.bars
        bars = fit_bars(extractor, fit.line, fit.downbeat, grid.beats_per_bar, model)
        if found.score is not None:
            share = fit.strength / max(found.score, 1e-9)
    return Evidence(
        grid=grid,
        duration_s=duration_s,
        found=found,
        level=_level(grid.bpm, found.bpm),
        level_probability=_probability(grid.bpm, found),
        fit=fit,
        strength_share=share,
        bars=bars,
        excess_s=None if label_duration_s is None else audio_s - label_duration_s,
    )


def _level(bpm: float, found_bpm: float | None) -> str:
    if found_bpm is None:
        return "none"
    for name, ratio in {**LEVELS, **_FAR_LEVELS}.items():
        share = NEAR_SHARE if name == "ok" else LEVEL_SHARE
        if abs(found_bpm / bpm / ratio - 1) <= share:
            return name
    return "other"


def _probability(bpm: float, found: GridEstimate) -> float:
    """Return the probability of a tempo's level among the candidates of a search."""
    if found.bpm is None:
        return 0.0
    rivals = [(a.bpm, a.level_probability) for a in found.alternatives]
    levels = [(found.bpm, 1.0 - sum(p for _, p in rivals)), *rivals]
    return min(1.0, max(0.0, sum(p for b, p in levels if abs(b / bpm - 1) < SAME_TEMPO_SHARE)))
