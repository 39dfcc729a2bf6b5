"""Divide tracks into training, validation and test, no recording on two sides."""

from __future__ import annotations

import hashlib
import logging
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from beatgrid.data.labels import SPLITS
from beatgrid.data.track import Track
from beatgrid.errors import BeatgridError

logger = logging.getLogger(__name__)

# Files of one size are told apart by so much of their beginning; only what agrees is read whole.
HEAD_BYTES = 1 << 16
MAX_NAMED = 10
HELD_OUT = ("val", "test")
# Of what is drawn to choose by and to judge by: fewer than four tell nothing, more than eighty
# would teach more than they tell.
MIN_HELD_OUT = 4
MAX_HELD_OUT = 80
MIN_RECORDINGS = 5


def split_tracks(
    tracks: Sequence[Track], val_count: int, seed: int | None = None
) -> dict[str, list[Track]]:
    """Divide tracks into ``train``, ``val`` and ``test``.

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
    recording = dict(zip(tracks, recordings(tracks), strict=True))
    explicit = any(track.label.split is not None for track in tracks)
    if explicit:
        side = {track: track.label.split or "train" for track in tracks}
        held_out = {recording[track] for track in tracks if side[track] != "train"}
        leaked = {t for t in tracks if side[t] == "train" and recording[t] in held_out}
        if leaked:
            logger.warning(
                "left %d training tracks out, the same recordings are held out: %s",
                *(len(leaked), _names(t for t in tracks if t in leaked)),
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
                *(len(straddling), _names(straddling)),
            )
            side.update(dict.fromkeys(straddling, "train"))
    splits = {name: [t for t in tracks if side[t] == name] for name in SPLITS}
    if not splits["train"]:
        raise BeatgridError(
            "no track is left to train on: every label has split=val or split=test; "
            'set "split": "train" in some of them'
        )
    return splits


def hold_out(tracks: Sequence[Track], share: float, seed: int) -> list[Track]:
    """Return tracks whose labels say of each on which side it is, ``val`` and ``test`` not empty.

    What labels say is kept. Where they hold nothing out, a share of the recordings is drawn and
    divided between both sides; where they name one side only, half of it, drawn, is the other.

    Args:
        tracks: At least ``MIN_RECORDINGS`` recordings.
        share: Of all recordings, to be held out; ``MIN_HELD_OUT`` to ``MAX_HELD_OUT`` of them,
            and never more than half.
        seed: Of the draw.

    Raises:
        BeatgridError: There are too few recordings.
    """
    number = recordings(tracks)
    order = list(dict.fromkeys(number))
    if len(order) < MIN_RECORDINGS:
        raise BeatgridError(
            f"{len(order)} labelled recordings: {MIN_RECORDINGS} are needed at least, to learn "
            "from, to choose by and to judge by"
        )
    random.Random(seed).shuffle(order)
    said = {
        side: {n for track, n in zip(tracks, number, strict=True) if track.label.split == side}
        for side in HELD_OUT
    }
    named = {side: [recording for recording in order if recording in said[side]] for side in said}
    full = [side for side in HELD_OUT if named[side]]
    if len(full) == 2:
        return list(tracks)
    if full and len(named[full[0]]) > 1:
        drawn = named[full[0]]
    else:
        wanted = min(max(round(share * len(order)), MIN_HELD_OUT), MAX_HELD_OUT, len(order) // 2)
        drawn = [*named[full[0]], *(r for r in order if r not in named[full[0]])] if full else order
        drawn = drawn[: max(wanted, 2)]
    # With one side named its first half stays there; ``val`` gets the odd one otherwise.
    first = full[0] if full else "val"
    second = next(side for side in HELD_OUT if side != first)
    n_first = (len(drawn) + 1) // 2
    side_of = dict.fromkeys(drawn[:n_first], first) | dict.fromkeys(drawn[n_first:], second)
    return [
        replace(track, label=replace(track.label, split=side_of.get(n, "train")))
        for track, n in zip(tracks, number, strict=True)
    ]


def fold_of(track: Track, n_folds: int) -> int:
    """Return which of ``n_folds`` parts of a folder a track belongs to, 0 .. n_folds - 1.

    It follows from its group, or its name, alone: the same in training and in calibration,
    whatever other tracks there are.
    """
    key = (track.label.group or track.name).encode("utf-8", "surrogateescape")
    digest = hashlib.blake2b(key, digest_size=8).digest()
    return int.from_bytes(digest, "little") % n_folds


def recordings(tracks: Sequence[Track]) -> list[int]:
    """Assign recording numbers: tracks linked by group, equal content or a chain of both share one.

    Returns:
        The number of each track's recording, (tracks,).
    """
    number_of: dict[tuple[str, str | bytes], int] = {}
    links: list[tuple[int, int]] = []  # of a track and of a group or content that it has
    contents = _contents([track.audio_path for track in tracks])
    for index, (track, content) in enumerate(zip(tracks, contents, strict=True)):
        keys: list[tuple[str, str | bytes]] = []
        if track.label.group:
            keys.append(("group", track.label.group))
        if content is not None:
            keys.append(("content", content))
        links += [(index, len(tracks) + number_of.setdefault(k, len(number_of))) for k in keys]
    n_nodes = len(tracks) + len(number_of)
    # SciPy before 1.11.3 takes 32-bit indices alone: of others it makes one component and no error.
    rows, columns = np.array(links, dtype=np.int32).reshape(-1, 2).T
    graph = coo_array((np.ones(len(links)), (rows, columns)), shape=(n_nodes, n_nodes))
    _, component = connected_components(graph, directed=False)
    return component[: len(tracks)].tolist()


def _contents(paths: Sequence[Path | None]) -> list[bytes | None]:
    """Return a hash of each file that may equal another; None for those that cannot."""
    keys: list[object] = [_size(path) for path in paths]
    hashes: list[bytes | None] = [None] * len(paths)
    for n_bytes in (HEAD_BYTES, None):
        counts = Counter(keys)
        hashes = [
            None if path is None or key is None or counts[key] == 1 else _hash(path, n_bytes)
            for path, key in zip(paths, keys, strict=True)
        ]
        keys = [None if h is None else (k, h) for k, h in zip(keys, hashes, strict=True)]
    return hashes


def _size(path: Path | None) -> int | None:
    try:
        return None if path is None else path.stat().st_size
    except OSError:  # gone since it was found: whoever opens it says so
        return None


def _hash(path: Path, n_bytes: int | None) -> bytes | None:
    try:
        with path.open("rb") as file:
            if n_bytes is None:
                return hashlib.file_digest(file, "blake2b").digest()
            return hashlib.blake2b(file.read(n_bytes)).digest()
    except OSError:
        return None


def _names(tracks: Iterable[Track]) -> str:
    names = [track.name for track in tracks]
    n_more = len(names) - MAX_NAMED
    return ", ".join(names[:MAX_NAMED]) + (f" and {n_more} more" if n_more > 0 else "")
