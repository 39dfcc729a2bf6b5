"""Damaged audio: a grid or one line, never a crash, a hang or a hoard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from beatgrid.audio.extract import file_features
from beatgrid.audio.features import FeatureSpec
from tests.faults.fuzzing import fuzz, tiers
from tests.faults.mutations import Mutation, damaged, mutations
from tests.faults.sandbox import ANSWERED, Sandbox
from tests.faults.sounds import KINDS, make_sounds


@pytest.fixture(scope="module")
def sounds(tmp_path_factory) -> dict[str, bytes]:
    return make_sounds(tmp_path_factory.mktemp("sounds"))


def _reading() -> Callable[[Path], None]:
    spec = FeatureSpec()

    def read(path: Path) -> None:
        features, info = file_features(path, spec)
        assert features.shape[1] == spec.n_mels
        assert abs(len(features) - info.duration_s * spec.frame_rate) <= 2
        assert np.isfinite(features).all()

    return read


@pytest.fixture(scope="module")
def read():
    sandbox = Sandbox(_reading)
    yield sandbox
    sandbox.close()


@pytest.mark.parametrize("kind", KINDS)
def test_whole_sounds_are_read(kind, sounds, read, tmp_path):
    path = tmp_path / f"whole.{kind}"
    path.write_bytes(sounds[kind])
    assert read(path) == ANSWERED


@tiers(sample=6, slow=250)
@pytest.mark.parametrize("kind", KINDS)
def test_damaged_audio(kind, n_cases, sounds, read, record, tmp_path):
    path = tmp_path / f"damaged.{kind}"
    outcomes: Counter[str] = Counter()

    def check(changes: list[Mutation]) -> None:
        path.write_bytes(damaged(sounds[kind], changes))
        message = read(path)
        if message != ANSWERED:
            assert message.startswith(f"{path}: "), message
        outcomes["answered" if message == ANSWERED else "one line"] += 1

    fuzz(mutations, n_cases, check)
    for outcome, count in outcomes.items():
        record(f"audio: {kind}", "damaged bytes", outcome, count)
