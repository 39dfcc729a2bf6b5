"""Annotated beats: one tempo told from others, bars from positions."""

import numpy as np
import pytest

from beatgrid.data.annotated_beats import UnusableBeatsError, annotated_grid


def jittered(bpm, n, sigma_s, seed=0, offset_s=0.4):
    random = np.random.default_rng(seed)
    return offset_s + np.arange(n) * 60 / bpm + random.normal(0, sigma_s, n)


@pytest.mark.parametrize("sigma_s", [0.0, 0.002, 0.015])
@pytest.mark.parametrize("n", [40, 400])
def test_taps_of_a_constant_tempo(n, sigma_s):
    found = annotated_grid(jittered(97.3, n, sigma_s))
    assert found.grid.bpm == pytest.approx(97.3, abs=12 * sigma_s / n**1.5 * 97.3**2 / 60 + 1e-6)
    off_s = (found.grid.offset_s - 0.4 + 0.3) % found.grid.period_s - 0.3
    assert abs(off_s) < 5 * sigma_s / np.sqrt(n) + 1e-6
    assert found.jitter_s == pytest.approx(sigma_s, rel=0.3, abs=1e-9)
    assert found.is_coarse == (sigma_s > 0.005)
    assert not found.bars_known


def test_how_many_jittered_tracks_are_kept():
    kept = 0
    for seed in range(20):
        try:
            annotated_grid(jittered(120, 60, 0.015, seed))
        except UnusableBeatsError:
            continue
        kept += 1
    assert kept == 20


def ramp(change, n=240, period_s=0.5):
    """Beats whose tempo rises evenly, by a share over the track."""
    return 0.2 + np.concatenate(([0.0], np.cumsum(period_s * np.linspace(1, 1 - change, n - 1))))


def drifting(n=240):
    return 0.2 + np.arange(n) * 0.5 + 0.06 * np.sin(np.arange(n) / 25)


def with_jump(n=240):
    times_s = 0.2 + np.arange(n) * 0.5
    times_s[n // 2 :] += 0.2
    return times_s


@pytest.mark.parametrize(
    "times_s", [ramp(0.02), ramp(0.01), drifting(), with_jump()], ids=["2%", "1%", "wander", "jump"]
)
def test_a_tempo_that_moves_is_left_out(times_s):
    with pytest.raises(UnusableBeatsError, match="not constant"):
        annotated_grid(times_s + np.random.default_rng(0).normal(0, 0.005, len(times_s)))


def test_a_tempo_that_hardly_moves_is_kept():
    """0.1 % over two minutes: 15 ms at most from a line."""
    assert annotated_grid(ramp(0.001)).wander_s < 0.016


def test_missing_and_double_beats_do_no_harm():
    times_s = np.delete(0.3 + np.arange(200) * 0.45, [5, 6, 50, 51, 52, 120])
    found = annotated_grid(np.append(times_s, times_s[30] + 0.11))
    assert found.grid.bpm == pytest.approx(60 / 0.45, abs=1e-6)


@pytest.mark.parametrize("beats_per_bar", [2, 3, 4, 5, 6])
def test_positions_give_bars(beats_per_bar):
    times_s = 0.3 + np.arange(60) * 0.5
    positions = (np.arange(60) + 1) % beats_per_bar + 1  # begins on the second
    found = annotated_grid(times_s, positions)
    assert found.bars_known
    assert found.grid.beats_per_bar == beats_per_bar
    bar_s = beats_per_bar * 0.5
    first_s = 0.3 + (beats_per_bar - 1) * 0.5
    off_s = (found.grid.offset_s - first_s + bar_s / 2) % bar_s - bar_s / 2
    assert abs(off_s) < 1e-9


def test_a_wrong_position_or_two_do_not_turn_bars_and_a_mix_of_bars_is_unknown():
    times_s, positions = 0.3 + np.arange(60) * 0.5, np.arange(60) % 4 + 1
    positions[[10, 11]] = 0
    assert annotated_grid(times_s, positions).bars_known
    mixed = np.concatenate((np.arange(32) % 4, np.arange(28) % 3)) + 1
    assert not annotated_grid(times_s, mixed).bars_known
    assert not annotated_grid(times_s, np.zeros(60, dtype=int)).bars_known
    shifted = np.concatenate((np.arange(30) % 4, np.arange(30) % 4)) + 1  # a bar of two
    assert not annotated_grid(times_s, shifted).bars_known


@pytest.mark.parametrize(("step_s", "said"), [(0.01, 0.01), (0.001, 0.001), (1e-5, 0.0)])
def test_what_times_are_rounded_to(step_s, said):
    times_s = np.round((0.3 + np.arange(80) * 0.4567891) / step_s) * step_s
    found = annotated_grid(times_s)
    assert found.resolution_s == said
    assert found.is_coarse == (said == 0.01)


@pytest.mark.parametrize(
    "times_s", [[], [1.0] * 20, [0.5, 1.0], [np.nan] * 20, np.arange(10) * 60.0]
)
def test_what_is_no_sequence_of_beats(times_s):
    with pytest.raises(UnusableBeatsError):
        annotated_grid(np.array(times_s, dtype=float))


def test_random_times_are_no_tempo():
    random = np.random.default_rng(0)
    with pytest.raises(UnusableBeatsError):
        annotated_grid(np.sort(random.uniform(0, 60, 120)))
