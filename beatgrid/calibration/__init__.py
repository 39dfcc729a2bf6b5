"""Fitting what turns a network's output into decisions: temperatures, ranker, bars, confidence."""

from beatgrid.lazy import offer

__all__, __getattr__ = offer(
    __name__,
    temperature=("calibrated", "fit_temperature"),
    examples=("Example", "TrackOutcome"),
    fit=("FitReport", "fit_ranker"),
)
