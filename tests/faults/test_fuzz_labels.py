"""Damaged and absurd labels: a grid or one line, and doubts of one line."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import strategies as st

from beatgrid.data.discovery import discover
from beatgrid.data.label_fields import KEYS
from tests.faults.fuzzing import fuzz, tiers
from tests.faults.mutations import damaged, mutations
from tests.faults.sandbox import ANSWERED, Sandbox, showable
from tests.faults.values import texts, values

WHOLE = {
    "fileName": "a.wav",
    "bpm": 120.5,
    "duration": 4.0,
    "downbeatOffset": 0.25,
    "beatsPerBar": 4,
    "downbeat": "likely",
    "split": "train",
    "group": "g",
    "suspect": "octave",
    "license": "CC0",
    "note": ["é", {"x": None}],
}


def _reading() -> Callable[[Path], None]:
    doubts: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            doubts.append(record.getMessage())

    logging.getLogger().addHandler(Keep())

    def read(folder: Path) -> None:
        doubts.clear()
        try:
            (track,) = discover(folder / "audio", folder / "labels")
            times_s = track.label.grid.beat_times(track.label.duration_within(4.0))
            assert ((times_s >= 0) & (times_s < 4.0)).all()
        finally:
            assert [doubt for doubt in doubts if not showable(doubt)] == []

    return read


@pytest.fixture(scope="module")
def read():
    sandbox = Sandbox(_reading)
    yield sandbox
    sandbox.close()


_labels = st.one_of(
    mutations.map(lambda changes: damaged(json.dumps(WHOLE).encode(), changes)),
    st.builds(
        lambda changed, others, ascii_only: json.dumps(
            WHOLE | changed | others, ensure_ascii=ascii_only
        ).encode("utf-8", "surrogatepass"),
        st.dictionaries(st.sampled_from(KEYS), values, min_size=1, max_size=3),
        st.dictionaries(st.one_of(texts, st.sampled_from(["BPM", "bpn", "offset"])), values),
        st.booleans(),
    ),
    values.map(lambda value: json.dumps(value).encode()),
    st.binary(max_size=200),
    st.integers(1, 200_000).map(lambda depth: b"[" * depth),
)


@tiers(sample=50, slow=1000)
def test_damaged_labels(n_cases, read, record, tmp_path):
    for name in ("audio", "labels"):
        (tmp_path / name).mkdir()
    soundfile.write(tmp_path / "audio/a.wav", np.zeros(4 * 8000), 8000)
    label = tmp_path / "labels/a.labels.json"
    outcomes: Counter[str] = Counter()

    def check(content: bytes) -> None:
        label.write_bytes(content)
        message = read(tmp_path)
        assert message == ANSWERED or str(tmp_path) in message, message
        outcomes["answered" if message == ANSWERED else "one line"] += 1

    fuzz(_labels, n_cases, check)
    for outcome, count in outcomes.items():
        record("labels", "damaged bytes, absurd values", outcome, count)
