"""Whether anything in a track begins clearly enough to be a beat.

A network finds faint, regular beats in a tone, a tremolo or rumbling noise: their levels swell and
beat against each other. What nearly never happens in them is that a sound begins.
"""

from __future__ import annotations

import numpy as np

from beatgrid.grid import Activation, FloatArray

# The strongest band's onset strength that one frame in a hundred exceeds, as
# ``beatgrid.activation.flux.onset_strength`` measures it. Of 580 pieces of music none has less than
# 0.31; tones, vibrato and tremolo have up to 0.115, brown noise up to 0.31.
QUANTILE = 0.99
NO_ONSETS = 0.12
FEW_ONSETS = 0.35
# With few onsets the beats' own probability tells: music has 0.2 and more in the median, noise 0.1.
FAINT_PROBABILITY = 0.12
REACH_FRAMES = 2


def lacks_onsets(activation: Activation, beat_times_s: FloatArray) -> bool:
    """Tell whether beats were found where nothing begins.

    Args:
        activation: Of a source with an onset channel; without, the answer is no.
        beat_times_s: The beats found, (beats,).
    """
    onset, n_frames = activation.onset, len(activation)
    if onset is None or not onset.size or not np.any(onset):
        return False
    strength = float(np.quantile(np.max(onset, axis=1), QUANTILE))
    if strength < NO_ONSETS:
        return True
    if strength >= FEW_ONSETS or not len(beat_times_s):
        return False
    frames = np.round(beat_times_s * activation.frame_rate).astype(np.int64)
    around = frames[:, None] + np.arange(-REACH_FRAMES, REACH_FRAMES + 1)
    peaks = activation.beat[np.clip(around, 0, n_frames - 1)].max(axis=1)
    return float(np.median(peaks)) < FAINT_PROBABILITY
