"""Sequence scores and summaries over tracks: parity with mir_eval and sklearn, known rates."""

import mir_eval
import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from beatgrid.evaluation import (
    STATISTICS,
    auroc,
    bootstrap,
    continuity_totals,
    evaluate_track,
    f_measure,
    reliability,
    reliability_of,
    summarise,
    tempo_range,
)
from beatgrid.grid import Grid
from tests.evaluation.test_track import DURATION_S, TRUE, score

EVALUATION_KEYS = [
    "n_tracks",
    "level_ok",
    "grid_ok_10",
    "grid_ok_21",
    "grid_ok_10_multi",
    "grid_ok_21_multi",
    "drift_ok_multi",
    "offbeat",
    "bias_ms",
    "phase_median_ms",
    "phase_p95_ms",
    "f_measure",
    "cmlt",
    "amlt",
    "acc1",
    "acc2",
    "downbeat_accuracy",
    "confidence_auroc",
]


def random_pair(rng) -> tuple[np.ndarray, np.ndarray]:
    true = Grid(rng.uniform(40, 240), rng.uniform(0, 2))
    ratio = rng.choice([1.0, 1.001, 1.03, 2.0, 0.5, 1.5, 0.75])
    found = Grid(true.bpm * ratio, true.offset_s + rng.choice([0, 0.01, 0.1, 0.5]) * true.period_s)
    duration_s = rng.uniform(3, 60)
    jitter_s = rng.choice([0.0, 0.02])
    pair = [g.beat_times(duration_s) for g in (true, found)]
    return tuple(np.sort(t + rng.normal(size=len(t)) * jitter_s + 1) for t in pair)


def test_sequence_scores_equal_mir_eval():
    rng = np.random.default_rng(0)
    compared = 0
    for _ in range(150):
        true_s, found_s = random_pair(rng)
        if min(len(true_s), len(found_s)) < 2:
            continue
        _, cmlt, _, amlt = mir_eval.beat.continuity(true_s, found_s)
        assert continuity_totals(true_s, found_s) == pytest.approx((cmlt, amlt), abs=1e-12)
        expected = mir_eval.beat.f_measure(true_s, found_s)
        assert f_measure(true_s, found_s) == pytest.approx(expected, abs=1e-12)
        compared += 1
    assert compared > 130


def test_continuity_of_the_shortest_sequences_equals_mir_eval():
    rng = np.random.default_rng(1)
    for n_true in (2, 3, 4):
        for n_found in (2, 3, 4):
            true_s = np.cumsum(rng.uniform(0.4, 0.6, n_true))
            found_s = np.cumsum(rng.uniform(0.4, 0.6, n_found))
            _, cmlt, _, amlt = mir_eval.beat.continuity(true_s, found_s)
            assert continuity_totals(true_s, found_s) == pytest.approx((cmlt, amlt), abs=1e-12)


def test_sequence_scores_leave_out_5_s_like_mir_eval():
    found = Grid(121.0, 0.2)
    s = evaluate_track(TRUE, found, 60.0)
    expected = mir_eval.beat.evaluate(TRUE.beat_times(60.0), found.beat_times(60.0))
    assert s.f_measure == pytest.approx(expected["F-measure"])
    assert s.cmlt == pytest.approx(expected["Correct Metric Level Total"])
    assert s.amlt == pytest.approx(expected["Any Metric Level Total"])


def test_auroc_equals_sklearn_with_ties():
    rng = np.random.default_rng(0)
    for n in (5, 50, 500):
        confidence = rng.integers(0, 8, n) / 7
        right = rng.random(n) < 0.5
        right[:2] = True, False
        assert auroc(confidence, right) == pytest.approx(roc_auc_score(right, confidence))
    assert auroc([0.1, 0.9], [True, True]) is None
    assert auroc([], []) is None
    assert auroc([0.5, 0.5], [True, False]) == 0.5


def test_summary_of_known_tracks():
    scores = [
        score(120.0, 0.252, confidence=0.9, downbeat_reliable=True),
        score(120.0, 0.256, confidence=0.8, downbeat_reliable=True),
        score(120.0, 0.262, confidence=0.7),  # 12 ms late: Grid-OK@21.5 only
        score(240.0, 0.25, confidence=0.4),
        score(120.0, 0.5, confidence=0.8),  # off-beat, as sure of itself as the second
        score(180.0, confidence=0.1),
        evaluate_track(TRUE, None, DURATION_S, confidence=0.0, downbeat_reliable=True),
        score(60.0, 0.25, confidence=0.3),
    ]
    summary = summarise(scores)
    assert list(summary) == EVALUATION_KEYS
    assert summary["n_tracks"] == 8
    assert summary["level_ok"] == 4 / 8
    assert summary["grid_ok_10"] == 2 / 8
    assert summary["grid_ok_21"] == 3 / 8
    assert summary["grid_ok_10_multi"] == 4 / 8
    assert summary["grid_ok_21_multi"] == 5 / 8
    assert summary["drift_ok_multi"] == 6 / 8
    assert summary["offbeat"] == 1 / 8
    assert summary["bias_ms"] == pytest.approx(6)
    assert summary["phase_median_ms"] == pytest.approx(6)
    assert summary["phase_p95_ms"] == pytest.approx(np.percentile([2, 6, 12], 95))
    assert summary["acc1"] == 4 / 8
    assert summary["acc2"] == 6 / 8
    assert summary["downbeat_accuracy"] == pytest.approx(2 / 3)
    # 3 right x 5 wrong pairs: 0.9 beats 5, 0.8 beats 4 and ties 1, 0.7 beats 4.
    assert summary["confidence_auroc"] == pytest.approx(13.5 / 15)


def test_summary_is_none_where_nothing_applies():
    assert summarise([]) == {key: 0 if key == "n_tracks" else None for key in EVALUATION_KEYS}
    summary = summarise([score(180.0)])
    for key in ("bias_ms", "phase_median_ms", "downbeat_accuracy", "confidence_auroc"):
        assert summary[key] is None
    assert summary["level_ok"] == 0
    assert summarise([score(120.0, confidence=0.9)])["confidence_auroc"] is None  # one class


def test_reliability_bins():
    scores = [
        score(120.0, confidence=1.0),
        score(120.0, confidence=0.8),
        score(180.0, confidence=0.9),
        score(180.0, confidence=0.1),
        score(180.0),
    ]
    low, middle, high = reliability(scores, n_bins=3)
    assert (low.n_tracks, middle.n_tracks, high.n_tracks) == (1, 0, 3)
    assert high.confidence == pytest.approx(0.9)
    assert high.accuracy == pytest.approx(2 / 3)
    assert middle.confidence is middle.accuracy is None
    assert (low.low, high.high) == (0, 1)


def test_reliability_of_any_probabilities():
    low, high = reliability_of([0.3, 0.3, 0.3, 1.0], [True, False, False, True], n_bins=2)
    assert (low.n_tracks, low.confidence, low.accuracy) == (3, pytest.approx(0.3), 1 / 3)
    assert (high.n_tracks, high.accuracy) == (1, 1.0)


def test_bootstrap_interval_of_a_rate():
    scores = [score(120.0)] * 80 + [score(180.0)] * 20
    interval = bootstrap(scores, "level_ok", n=1000, seed=1)
    half_width = 1.96 * np.sqrt(0.8 * 0.2 / 100)  # the binomial's own, 0.078
    assert interval == pytest.approx((0.8 - half_width, 0.8 + half_width), abs=0.02)
    assert bootstrap(scores, "level_ok", n=1000, seed=1) == interval
    assert bootstrap(scores, "downbeat_accuracy", n=10) is None
    assert bootstrap([], "level_ok", n=10) is None
    for key in STATISTICS:
        bootstrap(scores, key, n=2)
    with pytest.raises(ValueError, match="unknown statistic 'levelok'; there are level_ok"):
        bootstrap(scores, "levelok")


@pytest.mark.parametrize(
    ("bpm", "name"),
    [
        (10.0, "0 to 90 BPM"),
        (89.999, "0 to 90 BPM"),
        (90.0, "90 to 120 BPM"),
        (209.9, "180 to 210 BPM"),
        (210.0, "from 210 BPM"),
        (999.0, "from 210 BPM"),
    ],
)
def test_tempo_ranges_meet_at_their_lower_edges(bpm, name):
    assert tempo_range(bpm) == name
