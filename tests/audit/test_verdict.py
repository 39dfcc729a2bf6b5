"""Each kind of fault has its verdict, and right labels have none."""

from dataclasses import replace

import pytest

from beatgrid.audit.verdict import judge
from beatgrid.evaluation import evaluate_track
from beatgrid.grid import Grid
from beatgrid.search import GridEstimate
from tests.audit.tracks import DURATION_S, TRUTH, evidence_of

BEAT_S = TRUTH.period_s


@pytest.mark.parametrize(
    "label",
    [
        TRUTH,
        Grid(124.0, TRUTH.offset_s + 8 * BEAT_S),
        Grid(124.0, TRUTH.offset_s - 40 * BEAT_S),
        Grid(124.0, TRUTH.offset_s + 0.006),
        Grid(124.01, TRUTH.offset_s),
    ],
)
def test_a_right_label_is_ok(label):
    verdict = judge(evidence_of(label))
    assert (verdict.kind, verdict.is_suspect, verdict.correction) == ("ok", False, None)
    assert verdict.score < 0.5


@pytest.mark.parametrize(
    ("kind", "label"),
    [
        ("offset", Grid(124.0, TRUTH.offset_s - 0.025)),
        ("offset", Grid(124.0, TRUTH.offset_s + 0.060)),
        ("bpm", Grid(124.5, TRUTH.offset_s)),
        ("bpm", Grid(123.87, TRUTH.offset_s)),
        ("off-beat", Grid(124.0, TRUTH.offset_s + BEAT_S / 2)),
        ("level", Grid(62.0, TRUTH.offset_s)),
        ("level", Grid(248.0, TRUTH.offset_s)),
        ("level", Grid(186.0, TRUTH.offset_s)),
        ("level", Grid(124.0 * 2 / 3, TRUTH.offset_s)),
        ("recording", Grid(137.0, 0.2)),
        ("bars", Grid(124.0, TRUTH.offset_s + BEAT_S)),
    ],
)
def test_a_fault_is_named(kind, label):
    verdict = judge(evidence_of(label))
    assert verdict.kind == kind
    assert 0.5 <= verdict.score <= 1.0
    assert verdict.reason


def test_the_worse_the_fault_the_higher_the_score():
    scores = [
        judge(evidence_of(Grid(124.0, TRUTH.offset_s - ms / 1000))).score
        for ms in (0, 6, 15, 30, 60)
    ]
    assert scores == sorted(scores)
    assert scores[1] < 0.5 < scores[2]


def test_tempo_and_offset_are_corrected_and_what_has_two_answers_is_not():
    for label in (Grid(124.0, TRUTH.offset_s - 0.025), Grid(124.4, TRUTH.offset_s)):
        evidence = evidence_of(label)
        sure = replace(evidence, found=replace(evidence.found, confidence=0.99))
        corrected = judge(sure).correction
        score = evaluate_track(TRUTH, corrected, DURATION_S, downbeat_reliable=True)
        assert score.max_error_ms < 3.0
        assert score.downbeat_ok
        unsure = replace(evidence, found=replace(evidence.found, confidence=0.6))
        assert judge(unsure).correction is None
    for label in (
        Grid(124.0, TRUTH.offset_s + BEAT_S / 2),
        Grid(62.0, TRUTH.offset_s),
        Grid(124.0, TRUTH.offset_s + BEAT_S),
    ):
        assert judge(evidence_of(label)).correction is None


def test_onsets_that_contradict_the_network_forbid_a_correction():
    evidence = evidence_of(Grid(124.0, TRUTH.offset_s - 0.025))
    evidence = replace(evidence, found=replace(evidence.found, confidence=0.99))
    assert judge(evidence).correction is not None
    for fit in (
        replace(evidence.fit, onset_offset_s=-0.025),
        replace(evidence.fit, onset_offset_s=None),
        replace(evidence.fit, onset_gain=0.9),
    ):
        assert judge(replace(evidence, fit=fit)).correction is None


def test_a_label_of_another_length_is_not_corrected():
    label = Grid(124.0, TRUTH.offset_s - 0.025)
    for duration_s, is_corrected in ((DURATION_S, True), (DURATION_S + 30.0, False)):
        evidence = evidence_of(label, label_duration_s=duration_s)
        evidence = replace(evidence, found=replace(evidence.found, confidence=0.99))
        assert (judge(evidence).correction is not None) == is_corrected


def test_bars_that_the_label_does_not_know_are_not_judged():
    turned = evidence_of(Grid(124.0, TRUTH.offset_s + BEAT_S))
    assert judge(turned, bars_known=False).kind == "ok"


def test_length_alone_is_a_note_and_beside_a_foreign_tempo_evidence():
    assert judge(evidence_of(TRUTH, label_duration_s=57.0)).kind == "length"
    assert judge(evidence_of(TRUTH, label_duration_s=DURATION_S - 0.5)).kind == "ok"
    other = judge(evidence_of(Grid(137.0, 0.2), label_duration_s=57.0))
    assert other.kind == "recording"
    assert "3.0 s longer" in other.reason
    assert "length" in other.also


def test_several_faults_come_with_the_gravest_first():
    verdict = judge(evidence_of(Grid(62.0, TRUTH.offset_s - 0.03)))
    assert verdict.kind == "level"
    assert "offset" in verdict.also


def test_a_track_without_a_grid_leaves_the_label_unclear():
    evidence = replace(evidence_of(TRUTH), found=GridEstimate.none("no tempo stands out"))
    assert judge(evidence).kind == "unclear"
    assert "no tempo stands out" in judge(evidence).reason
