"""Framewise targets: parity with the notebook's, and unbiased soft ones."""

import numpy as np
import pytest

from beatgrid.data.targets import beat_target
from beatgrid.grid import Grid

FRAME_RATE = 44100 / 512


def notebook_box(beat_times, frame_times, tolerance_s):
    """The rule of the notebook's ``beat_times_to_frame_labels``, written out frame by frame."""
    labels = np.zeros(len(frame_times), dtype=np.float32)
    beat = 0
    for i, time_s in enumerate(frame_times):
        while (
            beat + 1 < len(beat_times)
            and beat_times[beat] < time_s
            and abs(beat_times[beat + 1] - time_s) < abs(beat_times[beat] - time_s)
        ):
            beat += 1
        labels[i] = abs(beat_times[beat] - time_s) <= tolerance_s
    return labels


@pytest.mark.parametrize("bpm", [61.7, 128.0, 174.3, 239.9])
@pytest.mark.parametrize("tolerance_s", [0.005, 0.03, 0.2])
def test_box_equals_the_notebooks(bpm, tolerance_s):
    times_s = Grid(bpm, 0.173).beat_times(60.0)
    n_frames = 1 + 60 * 44100 // 512
    ours = beat_target(times_s, n_frames, FRAME_RATE, "box", tolerance_s)
    assert ours.dtype == np.float32
    np.testing.assert_array_equal(
        ours, notebook_box(times_s, np.arange(n_frames) / FRAME_RATE, tolerance_s)
    )


def test_box_marks_frames_within_the_width():
    target = beat_target([0.5], 100, 100.0, "box", 0.032)
    assert np.flatnonzero(target).tolist() == [47, 48, 49, 50, 51, 52, 53]


@pytest.mark.parametrize("fraction", [0.0, 0.1, 0.37, 0.5, 0.93])
@pytest.mark.parametrize("width_frames", [1.0, 1.7])
def test_soft_centroid_is_the_beats_fractional_time(fraction, width_frames):
    # The period is a whole number of frames: rounding would bias every beat alike.
    period_s, first_s = 40 / FRAME_RATE, (20 + fraction) / FRAME_RATE
    times_s = first_s + period_s * np.arange(10)
    target = beat_target(times_s, 400, FRAME_RATE, "soft", width_frames / FRAME_RATE)
    for i, time_s in enumerate(times_s):
        window = slice(40 * i, 40 * (i + 1))
        frames_s = np.arange(400)[window] / FRAME_RATE
        assert np.average(frames_s, weights=target[window]) == pytest.approx(time_s, abs=1e-6)


def test_soft_is_a_gaussian_of_the_distance():
    target = beat_target([0.5, 0.9], 101, 100.0, "soft", 0.02)
    assert target[50] == target[90] == 1
    assert target[52] == pytest.approx(np.exp(-0.5))
    assert target[46] == pytest.approx(np.exp(-2.0))
    assert target[70] == pytest.approx(0, abs=1e-12)


def test_beats_outside_the_frames_still_reach_in():
    target = beat_target([-0.01, 1.02], 100, 100.0, "box", 0.035)
    assert np.flatnonzero(target).tolist() == [0, 1, 2, 99]


def test_order_of_the_beats_is_irrelevant():
    times_s = np.array([0.7, 0.1, 0.4])
    for shape in ("box", "soft"):
        np.testing.assert_array_equal(
            beat_target(times_s, 100, 100.0, shape, 0.02),
            beat_target(np.sort(times_s), 100, 100.0, shape, 0.02),
        )


def test_no_beats_and_no_frames():
    assert beat_target([], 5, 100.0, "soft", 0.02).tolist() == [0] * 5
    assert beat_target([1.0], 0, 100.0, "box", 0.02).shape == (0,)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1.0], 9, 100.0, "hat", 0.02), "shape must be 'box' or 'soft', not 'hat'"),
        (([1.0], 9, 100.0, "box", 0.0), "width_s must be a positive number"),
        (([1.0], 9, 100.0, "box", float("nan")), "width_s must be a positive number"),
        (([1.0], 9, 0.0, "box", 0.02), "frame_rate must be positive"),
        (([np.nan, 1.0], 9, 100.0, "box", 0.02), "with 1 that are not finite"),
        (([[1.0]], 9, 100.0, "box", 0.02), r"got shape \(1, 1\)"),
    ],
)
def test_wrong_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        beat_target(*arguments)
