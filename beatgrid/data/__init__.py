"""Labels to batches: label files, discovery and splits, frame targets, crops, data module."""

from beatgrid.lazy import offer

__all__, __getattr__ = offer(
    __name__,
    labels=("Label", "load_label", "write_label"),
    discovery=("discover",),
    track=("Track",),
    split=("split_tracks",),
    sources=("TrackSource",),
    rendered=("RenderedFolder", "RenderedSource"),
    datamodule=("BeatDataModule",),
)
