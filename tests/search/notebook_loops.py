"""The notebook's search as it was, loop by loop: what NotebookSearch has to equal.

Only the frames' times are given by the caller, who passes their centres.
"""

import numpy as np


def original_offset(times_s, probs, bpm, duration_s, window, n_offsets):
    """The original's loop over offsets, line by line."""
    period_s = 60.0 / bpm
    scored_times, scored_probs, scored_s = times_s, probs, duration_s
    if window is not None:
        mask = (times_s >= window[0]) & (times_s <= window[1])
        scored_times, scored_probs = times_s[mask], probs[mask]
        scored_s = min(window[1], duration_s) - window[0]
    if scored_s <= 0 or len(scored_times) == 0:
        return 0.0, -np.inf
    best_offset_s, best_score = 0.0, -np.inf
    for offset_s in np.linspace(0.0, period_s, num=n_offsets, endpoint=False):
        start_s = offset_s if window is None else max(offset_s, window[0])
        if start_s > duration_s:
            continue
        beats_s = np.arange(start_s, duration_s, period_s)
        if window is not None:
            beats_s = beats_s[(beats_s >= window[0]) & (beats_s <= window[1])]
        if len(beats_s) == 0:
            continue
        right = np.clip(np.searchsorted(scored_times, beats_s), 0, len(scored_times) - 1)
        left = np.clip(right - 1, 0, len(scored_times) - 1)
        nearer_left = np.abs(scored_times[left] - beats_s) < np.abs(scored_times[right] - beats_s)
        score = scored_probs[np.where(nearer_left, left, right)].mean()
        if score > best_score:
            best_offset_s, best_score = offset_s, score
    return best_offset_s, best_score


def original_search(activation, bpm_min, bpm_max, bpm_step, window, n_offsets):
    """The original's loop over tempi."""
    arguments = (activation.times_s, activation.beat)
    best_bpm, best_score = None, -np.inf
    for bpm in np.arange(bpm_min, bpm_max + 1e-6, bpm_step):
        _, score = original_offset(*arguments, float(bpm), activation.duration_s, window, n_offsets)
        if score > best_score:
            best_bpm, best_score = float(bpm), score
    if best_bpm is None:
        best_bpm = float(bpm_min)
    return best_bpm, *original_offset(*arguments, best_bpm, activation.duration_s, window, 200)
