"""What tells the first beat of a bar of four: features of each beat of the bar, by name.

A network's downbeats, summed over a track, err by half a bar where the third beat sounds like the
first. What rarely falls on the third beat is a new section, a new chord, the start of the music:
boundaries, found where the spectrum of the beats that follow differs most from that of the beats
before (novelty; Foote, "Automatic audio segmentation using a measure of audio novelty", ICME 2000).

Only differences between the beats of a bar count: each feature has mean 0 over them. The names
are stored with the coefficients (``Ranker.bars``), so a feature must not change its meaning under
the same name.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d

from beatgrid.grid import FloatArray
from beatgrid.search.extractor import FeatureExtractor
from beatgrid.search.features import LOW, MID

BEATS_PER_BAR = 4
"""The bars that the features are for: nearly all music that labels describe has bars of four."""

# Evidence of bars is repeated evidence for the same thing, and a network wrong about one bar
# is wrong about the next: only so many nats of it count.
MAX_NATS = 12.0
# Beats before and after that are compared: a bar, half a phrase, a phrase.
SPANS = (4, 8, 16)
# Bands of the spectrum as shares of the mels; for 128 up to 22 kHz below 400 Hz, 2.5 kHz, above.
BANDS: Mapping[str, tuple[float, float]] = {
    "bass": (0.0, 3 / 32),
    "mid": (3 / 32, 15 / 32),
    "high": (15 / 32, 1.0),
}
# A boundary has the largest change within this many beats.
BOUNDARY_REACH = 8
# Bars of a phrase: its first one has the clearest downbeat.
PHRASE_BARS = (2, 4, 8)
# Music begins with the first beat that is less than this below the loud ones.
BEGIN_DB = 25.0
LOUD_QUANTILE = 0.9
# Beats that do not count still have a say where no others are.
MIN_WEIGHT = 1e-3
MIN_DEVIATION = 1e-9

BAR_FEATURES = (
    "downbeat",
    *(f"downbeat_phrase_{bars}" for bars in PHRASE_BARS),
    *(f"{band}_{beats}" for band in ("low", "mid") for beats in range(BEATS_PER_BAR)),
    "first",
    *(f"{kind}_{span}_{band}" for kind in ("change", "shape") for span in SPANS for band in BANDS),
)
"""Names of the features. ``downbeat``: the network's log-odds, summed; ``downbeat_phrase_4``: the
highest mean of those among the beats of a phrase of 4 bars; ``low_1``: onset strength of the lowest
band one beat after; ``first``: the music begins here; ``change_8_bass``: share of the boundaries
that are here, by the change of the levels in the bass over 8 beats; ``shape_8_bass``: the same by
the shape of the spectrum alone, however loud it is."""


def bar_features(
    extractor: FeatureExtractor, times_s: FloatArray, first_k: int
) -> list[dict[str, float]] | None:
    """Compute the features of each beat of a bar of four.

    Args:
        extractor: Holds the channels.
        times_s: Beats in a row, at least two, (beats,).
        first_k: Number of the first of them.

    Returns:
        Entry p: what speaks for the beats k with ``k % 4 == p`` as downbeats. None where there is
        no downbeat channel or no spectrum.
    """
    if extractor.downbeat is None or extractor.spectrum_db is None:
        return None
    k = first_k + np.arange(len(times_s))
    weight = extractor.evidence.weight_at(times_s) + MIN_WEIGHT
    downbeat = extractor.sample(extractor.downbeat, times_s)
    onset = np.sqrt(extractor.sample(extractor.onset, times_s))
    spectrum_db = _beat_spectra(extractor, times_s)
    columns = {"downbeat": capped(_folded(downbeat - downbeat.mean(), k, BEATS_PER_BAR))}
    for bars in PHRASE_BARS:
        columns[f"downbeat_phrase_{bars}"] = _best_of_phrase(downbeat, weight, k, bars)
    for name, band in (("low", LOW), ("mid", MID)):
        mean = _mean(onset[:, band], weight, k, BEATS_PER_BAR)
        for beats in range(BEATS_PER_BAR):
            columns[f"{name}_{beats}"] = np.roll(mean, -beats)
    columns["first"] = np.eye(BEATS_PER_BAR)[k[_begin(spectrum_db)] % BEATS_PER_BAR]
    for span in SPANS:
        change_db = _change_db(spectrum_db, span)
        n_bands = change_db.shape[1]
        for name, (low, high) in BANDS.items():
            # Of few bands one stands for all that it overlaps.
            first, stop = math.floor(low * n_bands), math.ceil(high * n_bands)
            levels = change_db[:, first:stop]
            shape = levels - levels.mean(axis=1, keepdims=True)
            columns[f"change_{span}_{name}"] = _boundaries(levels, k)
            columns[f"shape_{span}_{name}"] = _boundaries(shape, k)
    return [
        {name: float(columns[name][p] - columns[name].mean()) for name in BAR_FEATURES}
        for p in range(BEATS_PER_BAR)
    ]


def capped(nats: FloatArray) -> FloatArray:
    """Scale scores of alternatives so that they differ by ``MAX_NATS`` at most."""
    return nats * min(1.0, MAX_NATS / max(float(np.ptp(nats)), 1e-9))


def _folded(values: FloatArray, k: NDArray[np.int64], n: int) -> FloatArray:
    """Return the sums over beats k of equal ``k % n``, (n,)."""
    return np.bincount(k % n, weights=values, minlength=n).astype(np.float64)


def _mean(values: FloatArray, weight: FloatArray, k: NDArray[np.int64], n: int) -> FloatArray:
    """Return weighted means over beats k of equal ``k % n``, (n,)."""
    return _folded(values * weight, k, n) / np.maximum(_folded(weight, k, n), MIN_WEIGHT)


def _best_of_phrase(
    values: FloatArray, weight: FloatArray, k: NDArray[np.int64], bars: int
) -> FloatArray:
    """Return the highest mean over phrases of each beat of the bar, in standard deviations."""
    n = bars * BEATS_PER_BAR
    if len(values) < 2 * n:
        return np.zeros(BEATS_PER_BAR)
    values = values - np.average(values, weights=weight)
    deviation = float(np.sqrt(np.average(values**2, weights=weight)))
    means = _mean(values, weight, k, n) / max(deviation, MIN_DEVIATION)
    return means.reshape(bars, BEATS_PER_BAR).max(axis=0)


def _beat_spectra(extractor: FeatureExtractor, times_s: FloatArray) -> FloatArray:
    """Return the mean spectrum from each beat to the next in dB, (beats, bands)."""
    spectrum_db = extractor.spectrum_db
    assert spectrum_db is not None
    edges_s = np.append(times_s, 2 * times_s[-1] - times_s[-2])
    edges = np.ceil(edges_s * extractor.evidence.frame_rate).astype(np.int64)
    starts = np.clip(edges[:-1], 0, len(spectrum_db) - 1)
    stop = int(np.clip(edges[-1], starts[-1] + 1, len(spectrum_db)))
    sums = np.add.reduceat(spectrum_db[:stop], starts, axis=0, dtype=np.float32)
    counts = np.maximum(np.diff(np.append(starts, stop)), 1)
    return sums.astype(np.float64) / counts[:, None]


def _begin(spectrum_db: FloatArray) -> int:
    """Return the index of the beat with which the music begins."""
    level_db = spectrum_db.mean(axis=1)
    return int(np.argmax(level_db > np.quantile(level_db, LOUD_QUANTILE) - BEGIN_DB))


def _change_db(spectrum_db: FloatArray, span: int) -> FloatArray:
    """Return the spectrum of the ``span`` beats from each on less that before, (beats, bands).

    Towards the ends, where there are fewer beats to compare, it is scaled down.
    """
    n_beats = len(spectrum_db)
    beat = np.arange(n_beats)
    total = np.concatenate((np.zeros((1, spectrum_db.shape[1])), np.cumsum(spectrum_db, axis=0)))
    before, after = np.minimum(beat, span), np.minimum(n_beats - beat, span)
    mean_after = (total[beat + after] - total[beat]) / after[:, None]
    mean_before = (total[beat] - total[beat - before]) / np.maximum(before, 1)[:, None]
    complete = before * after / span**2
    return (mean_after - mean_before) * complete[:, None]


def _boundaries(change_db: FloatArray, k: NDArray[np.int64]) -> FloatArray:
    """Return the share of boundaries on each beat of the bar, by their squared change, (4,)."""
    squared = (change_db**2).mean(axis=1)
    largest = maximum_filter1d(squared, 2 * BOUNDARY_REACH + 1, mode="nearest")
    shares = _folded(np.where(squared >= largest, squared, 0.0), k, BEATS_PER_BAR)
    return shares / max(float(shares.sum()), MIN_DEVIATION)
