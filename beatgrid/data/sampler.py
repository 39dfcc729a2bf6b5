"""Which crops make an epoch: positions, speeds and weights, from a seed and the epoch alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from torch.utils.data import Sampler

from beatgrid.data.augment import Augment
from beatgrid.data.dataset import Crop, source_frames
from beatgrid.data.mixing import Second, Seconds


class CropSampler(Sampler[Crop]):
    """Draws an epoch of crops: positions anew each epoch, the same for a seed and an epoch.

    A track of weight 1 gives as many crops as fit into it, so an epoch is about all of the audio
    once; weights change how often each is drawn. Whole tracks (``crop_frames=None``) come
    once each, in a new order. The draw depends on nothing but ``seed`` and the epoch, which
    Lightning sets before each epoch: neither the number of workers or processes nor a resumed run
    changes it.

    Args:
        track_frames: Frames of each track.
        crop_frames: Length of a crop, or None for whole tracks.
        weights: Relative weight of each track.
        seed: Seed of all draws.
        rank: This process among ``world_size``; each takes its own share of the epoch.
        world_size: Processes that train together.
        augment: Gives the range of playback speeds; None leaves crops as they are.
        bpm: Tempo of each track, which playback keeps in the range of ``augment``; None: any tempo.
        bar_lengths: Beats per bar of each track, 0 where it is neither mixed nor mixed into; None
            mixes nothing.
    """

    def __init__(
        self,
        track_frames: Sequence[int],
        crop_frames: int | None,
        weights: Sequence[float],
        seed: int = 0,
        rank: int = 0,
        world_size: int = 1,
        augment: Augment | None = None,
        bpm: Sequence[float] | None = None,
        bar_lengths: Sequence[int] | None = None,
    ) -> None:
        self.augment = augment
        self.bpm = None if bpm is None else np.asarray(bpm, dtype=float)
        self.track_frames = np.asarray(track_frames)
        self.crop_frames = crop_frames
        self.seed, self.rank, self.world_size = seed, rank, world_size
        self.epoch = 0
        self.done = (0, 0)  # epoch, crops of it in all processes
        per_track = np.asarray(weights, dtype=float)
        if crop_frames is not None:
            per_track = per_track * np.maximum(1.0, self.track_frames / crop_frames)
        self.expected = per_track
        self.seconds = None
        if augment is not None and augment.mix > 0 and bpm is not None and bar_lengths is not None:
            self.seconds = Seconds(augment, bpm, per_track, bar_lengths)
        self.total = len(track_frames)
        if crop_frames is not None:
            self.total = max(1, round(per_track.sum()))
        # Every process must yield the same number of crops, or the others wait for ever.
        self.length = -(-self.total // world_size)

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose crops the next iteration yields."""
        self.epoch = epoch

    def go_on(self, epoch: int, n_done: int) -> None:
        """Choose the epoch that is next; a run cut off has learnt from its first crops already.

        Args:
            epoch: From 0.
            n_done: Of its crops, in all processes.
        """
        self.epoch = epoch
        self.done = (epoch, n_done)

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[Crop]:
        rng = np.random.default_rng((self.seed, self.epoch))
        total = self.total
        if self.crop_frames is None:
            tracks = rng.permutation(total)
        else:
            # Systematic sampling: each track comes floor or ceil of its expected count.
            edges = np.cumsum(self.expected) / self.expected.sum() * total
            tracks = np.searchsorted(edges, np.arange(total) + rng.random(), side="right")
            tracks = rng.permutation(np.minimum(tracks, len(edges) - 1))
        positions = rng.random(total)
        stretches = np.ones(total)
        if self.augment is not None:
            slowest, fastest = np.log(self.augment.stretch)
            varied = rng.random(total) < self.augment.probability
            drawn = np.exp(rng.uniform(slowest, fastest, total))
            if self.bpm is not None:
                slow_end, fast_end = (tempo / self.bpm[tracks] for tempo in self.augment.tempi)
                # A track outside of the range is left at its speed, or brought nearer to it.
                drawn = np.clip(drawn, np.minimum(slow_end, 1), np.maximum(fast_end, 1))
            stretches[varied] = drawn[varied]
        seconds: Sequence[Second | None] = [None] * total
        if self.seconds is not None:
            # A stream of its own: whether crops are mixed moves no other draw.
            stream = np.random.SeedSequence((self.seed, self.epoch), spawn_key=(0,))
            seconds = self.seconds.draw(tracks, stretches, np.random.default_rng(stream))
        epoch, n_done = self.done
        n_done = n_done if epoch == self.epoch else 0
        n_left = -(-(total - n_done) // self.world_size) * self.world_size
        for place in range(n_done + self.rank, n_done + n_left, self.world_size):
            i = place % total
            available, stretch = int(self.track_frames[tracks[i]]), float(stretches[i])
            n_frames = min(self.crop_frames or available, int((available - 1) / stretch) + 1)
            first = int(positions[i] * (available - source_frames(n_frames, stretch) + 1))
            seed = None if self.augment is None else (self.seed, self.epoch, i)
            # The last processes have one more, which does not count, where the others have one.
            yield Crop(int(tracks[i]), first, n_frames, stretch, seed, place < total, seconds[i])
