"""Find labelled tracks in folders, pair labels with audio, and split them for training."""

from __future__ import annotations

import hashlib
import logging
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from beatgrid.audio.find import AUDIO_SUFFIXES
from beatgrid.data.labels import SPLITS, SUFFIX, Label, load_label
from beatgrid.errors import BeatgridError, LabelError

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class LabelledTrack:
    """A label and the audio it describes."""

    label: Label
    audio_path: Path

    @property
    def name(self) -> str:
        """The label's base name, which identifies the track within its folder."""
        return self.label.name


def discover(audio_dir: str | Path, label_dir: str | Path) -> list[LabelledTrack]:
    """Pair every label in ``label_dir`` with its audio in ``audio_dir``.

    The audio is the label's ``fileName``, else a file of the label's own name with a known
    audio suffix in any case. A label without audio is skipped, named and counted.

    Returns:
        The pairs, sorted by label name.

    Raises:
        BeatgridError: A folder is missing, holds no label, or no label has audio.
        LabelError: Labels that describe no beatgrid; all of them are named at once.
    """
    audio_dir, label_dir = Path(audio_dir), Path(label_dir)
    for kind, folder in (("audio", audio_dir), ("label", label_dir)):
        if not folder.is_dir():
            raise BeatgridError(
                f"data.{kind}_dir={folder}: no such folder; "
                f"create it or set data.{kind}_dir=... (see data/README.md)"
            )
    label_paths = sorted(label_dir.glob(f"*{SUFFIX}"))
    if not label_paths:
        raise BeatgridError(
            f"data.label_dir={label_dir}: no *{SUFFIX} file in it; "
            "write one label per track (see data/README.md)"
        )
    audio_by_name = {path.name.lower(): path for path in sorted(audio_dir.iterdir())}
    tracks: list[LabelledTrack] = []
    without_audio: list[str] = []
    errors: list[str] = []
    for label_path in label_paths:
        try:
            label = load_label(label_path)
            audio_path = _find_audio(label, audio_dir, audio_by_name)
        except LabelError as error:
            errors.append(str(error))
            continue
        if audio_path is None:
            without_audio.append(label_path.name)
        else:
            tracks.append(LabelledTrack(label, audio_path))
    if errors:
        raise LabelError("\n".join(errors))
    if without_audio:
        logger.warning(
            "skipped %d of %d labels, no audio in %s: %s",
            *(len(without_audio), len(label_paths), audio_dir, ", ".join(without_audio)),
        )
    if not tracks:
        raise BeatgridError(
            f"data.audio_dir={audio_dir}: none of the {len(label_paths)} labels in {label_dir} "
            "has audio here; check both folders, or the labels' fileName"
        )
    return tracks


def _find_audio(label: Label, audio_dir: Path, audio_by_name: dict[str, Path]) -> Path | None:
    path = label.audio_path(audio_dir)
    if path is not None and path.is_file():
        return path
    for suffix in AUDIO_SUFFIXES:
        found = audio_by_name.get((label.name + suffix).lower())
        if found is not None and found.is_file():
            return found
    return None


def of_split(tracks: Sequence[LabelledTrack], split: str | None) -> list[LabelledTrack]:
    """The tracks whose labels name ``split``; all of them for None.

    Raises:
        BeatgridError: No label names it.
    """
    chosen = [track for track in tracks if split is None or track.label.split == split]
    if not chosen:
        raise BeatgridError(
            f"data.split={split}: none of the {len(tracks)} labels has it; "
            "leave data.split out to take all"
        )
    return chosen


def split_tracks(
    tracks: Sequence[LabelledTrack], val_count: int, seed: int | None = None
) -> dict[str, list[LabelledTrack]]:
    """Divide tracks into ``train``, ``val`` and ``test``, no recording on two sides.

    Labels with a ``split`` key decide by it (those without join ``train``), and a training
    copy of a held-out recording is left out. Without any such key the last ``val_count``
    tracks validate, after a shuffle if ``seed`` is given; at least one track is left to
    train on, and a recording that would straddle the sides goes to ``train`` whole.

    Two tracks are one recording if their labels share a ``group`` or their audio files are
    equal byte by byte.

    Args:
        tracks: Tracks in the order of their names.
        val_count: How many validate where labels have no ``split``; >= 0.
        seed: Seed of the shuffle, None for none.

    Raises:
        BeatgridError: No track is left to train on.
    """
    if val_count < 0:
        raise BeatgridError(f"data.val_count={val_count}: must be 0 or more")
    recording = _recordings(tracks)
    explicit = any(track.label.split is not None for track in tracks)
    if explicit:
        side = {track: track.label.split or "train" for track in tracks}
        held_out = {recording[track] for track in tracks if side[track] != "train"}
        leaked = [t for t in tracks if side[t] == "train" and recording[t] in held_out]
        if leaked:
            logger.warning(
                "left %d training tracks out, the same recordings are held out: %s",
                *(len(leaked), ", ".join(track.name for track in leaked)),
            )
        tracks = [track for track in tracks if track not in leaked]
    else:
        tracks = list(tracks)
        if seed is not None:
            random.Random(seed).shuffle(tracks)
        if val_count >= len(tracks):
            logger.warning(
                "data.val_count=%d, but there are only %d tracks: %d validate, so that one is left",
                *(val_count, len(tracks), len(tracks) - 1),
            )
            val_count = len(tracks) - 1
        first_val = len(tracks) - val_count
        side = {t: "train" if i < first_val else "val" for i, t in enumerate(tracks)}
        trained = {recording[track] for track in tracks if side[track] == "train"}
        straddling = [t for t in tracks if side[t] == "val" and recording[t] in trained]
        if straddling:
            logger.warning(
                "moved %d tracks from val to train, their recordings are there: %s",
                *(len(straddling), ", ".join(track.name for track in straddling)),
            )
            side.update(dict.fromkeys(straddling, "train"))
    splits = {name: [t for t in tracks if side[t] == name] for name in SPLITS}
    if not splits["train"]:
        raise BeatgridError(
            "no track is left to train on: every label has split=val or split=test; "
            'set "split": "train" in some of them'
        )
    return splits


def _recordings(tracks: Sequence[LabelledTrack]) -> dict[LabelledTrack, int]:
    """Number the recordings: tracks linked by a group, by equal content, or by a chain of both."""
    sizes = Counter(track.audio_path.stat().st_size for track in tracks)
    number_of: dict[str, int] = {}  # of a group or a content
    recording: dict[LabelledTrack, int] = {}
    for index, track in enumerate(tracks):
        keys = [f"track {index}"]
        if track.label.group:
            keys.append(f"group {track.label.group}")
        if sizes[track.audio_path.stat().st_size] > 1:  # hash only what can be equal
            with open(track.audio_path, "rb") as file:
                keys.append(f"content {hashlib.file_digest(file, 'blake2b').hexdigest()}")
        linked = {number_of[key] for key in keys if key in number_of}
        number_of |= dict.fromkeys(keys, index)
        if linked:
            number_of = {k: index if n in linked else n for k, n in number_of.items()}
    for index, track in enumerate(tracks):
        recording[track] = number_of[f"track {index}"]
    return recording
