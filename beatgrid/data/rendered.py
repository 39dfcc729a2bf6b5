"""Folders of music rendered straight to features, without audio.

```
FOLDER/spec.json                the FeatureSpec of all of them
FOLDER/features/NAME.npy        float16 (frames, mels), as in the feature cache
FOLDER/labels/NAME.labels.json  written last: a label means a complete track
```
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from beatgrid.audio.cache import CachedTrack
from beatgrid.audio.features import FeatureSpec
from beatgrid.audio.reader import AudioInfo
from beatgrid.data.labels import SUFFIX, load_label
from beatgrid.data.track import Track, track_from
from beatgrid.errors import BeatgridError


def rendered_tracks(
    folder: str | Path,
    features: FeatureSpec,
    weight: float = 1.0,
    max_hours: float | None = None,
) -> Iterator[Track]:
    """The tracks of one folder, in the order of their names.

    Args:
        folder: As above.
        features: What the network expects; the folder must hold the same.
        weight: Of each track in training.
        max_hours: Stop after so much music, to measure what the amount brings.

    Raises:
        BeatgridError: The folder is missing, empty, or holds other features.
    """
    folder = Path(folder)
    try:
        found = FeatureSpec.from_dict(json.loads((folder / "spec.json").read_text("utf-8")))
    except (OSError, ValueError) as error:
        raise BeatgridError(
            f"{folder}: no folder of rendered features ({error}); see experiments/corpus"
        ) from error
    if found != features:
        raise BeatgridError(
            f"{folder}: rendered with {found}, but features are {features}; render it again"
        )
    label_paths = sorted((folder / "labels").glob(f"*{SUFFIX}"))
    if not label_paths:
        raise BeatgridError(f"{folder}: no labels in it; let the rendering go on first")
    seconds = 0.0
    for label_path in label_paths:
        label = load_label(label_path)
        path = folder / "features" / f"{label.name}.npy"
        n_frames = len(np.load(path, mmap_mode="r"))
        duration_s = label.duration_s or n_frames / features.frame_rate
        info = AudioInfo(path, duration_s, features.sample_rate, 1, "rendered", "", "", None, 1.0)
        track = track_from(label, CachedTrack(path, info, label.name, n_frames), duration_s)
        yield replace(track, weight=weight)
        seconds += duration_s
        if max_hours is not None and seconds >= 3600 * max_hours:
            return
