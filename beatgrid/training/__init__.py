"""Batches to weights: the Lightning module, its callbacks and metrics, and run folders."""

from beatgrid.lazy import offer

__all__, __getattr__ = offer(
    __name__,
    module=("BeatModule",),
    metrics=("GridMetrics",),
)
