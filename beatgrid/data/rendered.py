"""Folders of music rendered straight to features: their format, and the tracks in them.

```
FOLDER/spec.json                the FeatureSpec of all of them
FOLDER/features/NAME.npy        float16 (frames, mels), as in the feature cache
FOLDER/audio/NAME.flac          only if audio was kept; not read
FOLDER/labels/NAME.labels.json  written last: a label means a complete track
```

``beatgrid.rendering.store`` writes them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from beatgrid.audio.cache import StoredFeatures
from beatgrid.audio.features import FeatureSpec
from beatgrid.checks import Name, NotNegative, Positive, check_fields
from beatgrid.data.labels import SUFFIX, Label, load_label
from beatgrid.data.track import Track
from beatgrid.errors import BeatgridError
from beatgrid.processes import describe


@dataclass(frozen=True)
class RenderedFolder:
    """The files of a folder of rendered features.

    Attributes:
        path: The folder; it need not exist.
    """

    path: Path

    @property
    def spec_path(self) -> Path:
        """The file with the feature spec of all tracks."""
        return self.path / "spec.json"

    def features_path(self, name: str) -> Path:
        """Return where a track's log-mel is."""
        return self.path / "features" / f"{name}.npy"

    def audio_path(self, name: str) -> Path:
        """Return where a track's audio is, if it was kept."""
        return self.path / "audio" / f"{name}.flac"

    def label_path(self, name: str) -> Path:
        """Return the label, whose existence means that the track is complete."""
        return self.path / "labels" / f"{name}{SUFFIX}"

    def label_paths(self) -> list[Path]:
        """Return the labels of all complete tracks, sorted by name."""
        return sorted((self.path / "labels").glob(f"*{SUFFIX}"))

    def read_spec(self) -> FeatureSpec:
        """Read the feature spec.

        Raises:
            BeatgridError: The folder has none that can be read.
        """
        try:
            return FeatureSpec.from_dict(json.loads(self.spec_path.read_text("utf-8")))
        except (OSError, ValueError) as error:
            raise BeatgridError(
                f"{self.path}: no folder of rendered features ({error}); see experiments/corpus"
            ) from error


@dataclass(frozen=True)
class RenderedSource:
    """The tracks of a folder of rendered features, a ``TrackSource``.

    Attributes:
        folder: As above.
        weight: Of each track in training.
        max_hours: Stop after so much music, to measure what the amount brings.
    """

    folder: Name | Path
    weight: NotNegative = 1.0
    max_hours: Positive | None = None

    def __post_init__(self) -> None:
        check_fields(self)

    def tracks(self, features: FeatureSpec) -> Iterator[Track]:
        """Yield the tracks in the order of their names.

        Args:
            features: What the network expects; the folder must hold the same.

        Raises:
            BeatgridError: The folder is missing, empty, or holds other features.
        """
        files = RenderedFolder(Path(self.folder))
        found = files.read_spec()
        if found != features:
            raise BeatgridError(
                f"{self.folder}: rendered with {found}, but features are {features}; "
                "render it again"
            )
        label_paths = files.label_paths()
        if not label_paths:
            raise BeatgridError(f"{self.folder}: no labels in it; let the rendering go on first")
        seconds = 0.0
        for label_path in label_paths:
            label = load_label(label_path)
            path = files.features_path(label.name)
            track = Track(
                label, stored=_stored(path, label, features.frame_rate), weight=self.weight
            )
            yield track
            seconds += track.duration_s
            if self.max_hours is not None and seconds >= 3600 * self.max_hours:
                return


def _stored(path: Path, label: Label, frame_rate: float) -> StoredFeatures:
    try:
        n_frames = len(np.load(path, mmap_mode="r", allow_pickle=False))
    except Exception as error:  # on arbitrary bytes numpy fails in any way
        raise BeatgridError(
            f"{path}: no features of {label.path} ({describe(error)}); "
            "delete the label and render it again"
        ) from error
    return StoredFeatures(path, n_frames, label.duration_s or n_frames / frame_rate)
