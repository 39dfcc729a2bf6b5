"""Damaged cache entries: computed anew, or whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import strategies as st

from beatgrid.audio.cache import FeatureCache
from beatgrid.audio.features import FeatureSpec
from beatgrid.rendering.generator import click_track
from tests.faults.fuzzing import fuzz, tiers
from tests.faults.mutations import Mutation, damaged, mutations
from tests.faults.sandbox import ANSWERED, Sandbox


def _caching() -> Callable[[Path], None]:
    def get(folder: Path) -> None:
        cache = FeatureCache(folder / "cache", FeatureSpec())
        found = cache.get(folder / "a.wav")
        assert np.array_equal(found.load(), np.load(folder / "whole.npy"))
        assert found.duration_s == 1.0

    return get


@pytest.fixture(scope="module")
def get():
    sandbox = Sandbox(_caching)
    yield sandbox
    sandbox.close()


@tiers(sample=20, slow=300)
def test_damaged_cache_entries(n_cases, get, record, tmp_path):
    soundfile.write(tmp_path / "a.wav", click_track(120.0, 0.1, 1.0), 44100)
    path = FeatureCache(tmp_path / "cache", FeatureSpec()).get(tmp_path / "a.wav").path
    whole = {part: part.read_bytes() for part in (path, path.with_suffix(".json"))}
    (tmp_path / "whole.npy").write_bytes(whole[path])
    outcomes: Counter[str] = Counter()

    def check(case: tuple[list[Mutation], list[Mutation]]) -> None:
        for (part, content), changes in zip(whole.items(), case, strict=True):
            part.write_bytes(damaged(content, changes))
        assert get(tmp_path) == ANSWERED
        outcomes["the right features"] += 1

    fuzz(
        st.tuples(st.one_of(st.just([]), mutations), st.one_of(st.just([]), mutations)),
        n_cases,
        check,
    )
    record("cache entries", "damaged bytes", "the right features", outcomes["the right features"])
