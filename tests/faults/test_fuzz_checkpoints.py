"""Damaged and hostile checkpoints: a grid or one line, at once."""

from __future__ import annotations

import copy
import io
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import strategies as st

import beatgrid
from beatgrid.networks.description import SHIPPED
from beatgrid.rendering.generator import click_track
from tests.faults.fuzzing import fuzz, tiers
from tests.faults.mutations import Mutation, damaged, mutations
from tests.faults.sandbox import ANSWERED, Sandbox
from tests.faults.values import values


def _predicting() -> Callable[[Path], None]:
    torch.set_num_threads(1)
    samples = click_track(120.0, 0.2, 6.0)

    def predict(path: Path) -> None:
        found = beatgrid.load(path)(samples, sample_rate=44100)
        found.to_dict({})

    return predict


@pytest.fixture(scope="module")
def predict():
    sandbox = Sandbox(_predicting)
    yield sandbox
    sandbox.close()


def _damaged_member(whole: bytes, changes: list[Mutation]) -> bytes:
    """Return the archive with a damaged pickle inside."""
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole)) as old, zipfile.ZipFile(written, "w") as new:
        for info in old.infolist():
            content = old.read(info)
            new.writestr(
                info, damaged(content, changes) if info.filename.endswith("data.pkl") else content
            )
    return written.getvalue()


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the ways to all values in nested dictionaries and lists."""
    found = [path] if path else []
    if isinstance(value, dict):
        for key, inner in value.items():
            found += _places(inner, (*path, key))
    elif isinstance(value, list) and len(value) < 50:
        for i, inner in enumerate(value):
            found += _places(inner, (*path, i))
    return found


def _tensors() -> st.SearchStrategy[torch.Tensor]:
    return st.builds(
        lambda shape, dtype: torch.zeros(shape, dtype=dtype),
        st.lists(st.integers(0, 3), max_size=4),
        st.sampled_from([torch.float32, torch.float64, torch.int64, torch.complex64, torch.bool]),
    )


def _changed(whole: dict[str, Any], place: tuple[Any, ...], value: Any, what: str) -> bytes:
    contents = copy.deepcopy(whole)
    node = contents
    for key in place[:-1]:
        node = node[key]
    if what == "removed":
        del node[place[-1]]
    elif what == "renamed" and isinstance(node, dict):
        node["x"] = node.pop(place[-1])
    else:
        node[place[-1]] = value
    written = io.BytesIO()
    torch.save(contents, written)
    return written.getvalue()


def _cases(part: str, whole: dict[str, Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    """Make changes, as the arguments that follow the whole file in ``_MAKERS``."""
    if part in ("bytes", "pickle"):
        return st.tuples(mutations)
    place = st.sampled_from(_places(whole[part], (part,)))
    other = values if part == "beatgrid" else st.one_of(_tensors(), values)
    what = st.sampled_from(["replaced", "replaced", "replaced", "removed", "renamed"])
    return st.tuples(place, other, what)


_MAKERS = {
    "bytes": damaged,
    "pickle": _damaged_member,
    "beatgrid": _changed,
    "state_dict": _changed,
}


@tiers(sample=10, slow=175)
@pytest.mark.parametrize("part", _MAKERS)
def test_damaged_checkpoints(part, n_cases, predict, record, tmp_path):
    path = tmp_path / "damaged.ckpt"
    outcomes: Counter[str] = Counter()

    whole = SHIPPED.read_bytes()
    contents = torch.load(SHIPPED, weights_only=True)
    maker = _MAKERS[part]
    given = contents if maker is _changed else whole

    def check(case: tuple[Any, ...]) -> None:
        path.write_bytes(maker(given, *case))
        message = predict(path)
        assert message == ANSWERED or path.name in message, message
        outcomes["answered" if message == ANSWERED else "one line"] += 1

    fuzz(_cases(part, contents), n_cases, check)
    for outcome, count in outcomes.items():
        record(f"checkpoints: {part}", "damaged bytes, absurd values", outcome, count)
