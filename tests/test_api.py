"""beatgrid as a library: what ``import beatgrid`` offers, and predictions from Python."""

import ast
import doctest
import importlib
import json
import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import soundfile

import beatgrid
from beatgrid.errors import AudioError, CheckpointError
from beatgrid.grid import Grid
from beatgrid.rendering.generator import click_track
from tests.output.test_result import SCHEMA

GRID = Grid(125.0, 0.68)  # the first downbeat is the second beat: the first lies at 0.2 s
DURATION_S = 24.0


@pytest.fixture(scope="module")
def samples():
    return click_track(GRID.bpm, GRID.offset_s, DURATION_S, accent=2.0)


@pytest.fixture(scope="module")
def predictor():
    return beatgrid.load("shipped")


@pytest.fixture(scope="module")
def found(predictor, samples):
    return predictor(samples, sample_rate=44100)


@pytest.mark.parametrize("module", ["beatgrid", "beatgrid.predictor"])
def test_examples_in_docstrings(module):
    result = doctest.testmod(importlib.import_module(module))
    assert result.attempted > 0
    assert result.failed == 0


def test_python_blocks_of_the_readme_run(samples, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    soundfile.write("song.mp3", samples, 44100)
    text = (Path(__file__).parents[1] / "README.md").read_text()
    predict, search = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    exec(predict, {"samples": samples})
    assert capsys.readouterr().out.startswith("125.0 ")
    probabilities = np.full(18000, 0.01)
    probabilities[20::50] = 0.9
    assert "probabilities = ..." in search
    found: dict = {"given": probabilities}
    exec(search.replace("probabilities = ...", "probabilities = given"), found)
    np.testing.assert_allclose(found["times_s"], 0.2 + 0.5 * np.arange(360), atol=0.005)


def test_importing_the_package_imports_nothing_heavy():
    code = (
        "import sys; before = set(sys.modules); import beatgrid; "
        "print(*sorted({name.partition('.')[0] for name in set(sys.modules) - before}))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(run.stdout.split()) <= {"beatgrid", *sys.stdlib_module_names}


def test_every_offered_name_can_be_had_and_is_seen_by_type_checkers():
    assert beatgrid.__all__ == beatgrid._offered
    assert set(beatgrid.__all__) <= set(dir(beatgrid))
    for name in beatgrid.__all__:
        assert getattr(beatgrid, name).__name__ == name
    tree = ast.parse(Path(beatgrid.__file__).read_text())
    for_checkers = next(node for node in tree.body if isinstance(node, ast.If))
    seen = [
        alias.name
        for node in for_checkers.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    ]
    assert sorted(seen) == beatgrid.__all__
    with pytest.raises(AttributeError, match="no attribute 'laod'"):
        _ = beatgrid.laod


def test_the_result_holds_the_grid_of_clicks(found):
    assert found.bpm == 125.0
    assert found.beats_per_bar == 4
    assert found.offset_s == pytest.approx(0.2, abs=0.006)
    np.testing.assert_allclose(found.beat_times(), GRID.beat_times(DURATION_S), atol=0.006)
    assert found.duration_s == DURATION_S
    assert 0.5 < found.confidence <= 1
    assert found.constant_tempo is True
    assert [(s.start_s, s.end_s) for s in found.segments] == [(0.0, DURATION_S)]
    assert found.alternatives
    assert found.reason is None
    assert repr(found) == (
        f"Prediction('samples', bpm=125.0, offset_s={found.offset_s:.4f}, "
        f"confidence={found.confidence:.2f})"
    )


def test_downbeats_are_every_fourth_beat_from_the_first(found):
    assert found.downbeat_known
    downbeats_s = found.downbeat_times()
    assert downbeats_s[0] == found.downbeat_offset_s
    np.testing.assert_allclose(np.diff(downbeats_s), 4 * 60 / 125)
    assert set(downbeats_s) <= set(found.beat_times())


def test_a_file_and_its_samples_have_the_same_grid(predictor, found, samples, tmp_path):
    path = tmp_path / "clicks.wav"
    soundfile.write(path, samples, 44100, subtype="FLOAT")
    for name in (path, str(path)):
        of_file = predictor(name)
        assert of_file.estimate == found.estimate
        assert of_file.info.path == path


@pytest.mark.parametrize(
    "convert",
    [
        lambda samples: samples.astype(np.float64),
        lambda samples: np.repeat(samples[:, None], 2, axis=1),
        lambda samples: np.round(samples * 32767).astype(np.int16),
        lambda samples: np.round(samples * 32767).astype(np.int32)[:, None] << 16,
    ],
)
def test_samples_of_any_type_and_channels(convert, predictor, found, samples):
    other = predictor(convert(samples), sample_rate=44100)
    assert other.info.peak == pytest.approx(found.info.peak, abs=2e-4)
    assert other.bpm == found.bpm
    assert other.offset_s == pytest.approx(found.offset_s, abs=1e-4)


@pytest.mark.parametrize("rate", [22050, 48000])
def test_samples_are_resampled(rate, predictor):
    clicks = click_track(GRID.bpm, GRID.offset_s, DURATION_S, rate)
    other = predictor(clicks, sample_rate=rate)
    assert other.bpm == 125.0
    assert other.offset_s == pytest.approx(0.2, abs=0.006)
    assert (other.info.source_sample_rate, other.duration_s) == (rate, DURATION_S)


def test_the_plain_values_are_the_result_files(found):
    result = found.to_dict({"why": "test"})
    jsonschema.validate(json.loads(json.dumps(result)), SCHEMA)
    assert result["file"] is None
    assert (result["decoder"], result["codec"]) == ("array", "float32")
    assert result["settings"] == {"why": "test"}
    assert result["model"] == found.model_id
    for key in ("bpm", "offset_s", "downbeat_offset_s", "beats_per_bar", "confidence", "reason"):
        assert result[key] == getattr(found, key), key
    times_s = [beat["time"] for beat in result["beats"]]
    np.testing.assert_allclose(times_s, found.beat_times(), atol=1e-6)


def test_noise_has_no_grid_and_a_reason(predictor):
    noise = np.random.default_rng(0).normal(0, 0.1, 3 * 44100)
    found = predictor(noise, sample_rate=44100)
    assert found.grid is found.bpm is found.offset_s is found.downbeat_offset_s is None
    assert found.constant_tempo is None
    assert found.confidence == 0.0
    assert len(found.beat_times()) == len(found.downbeat_times()) == 0
    assert found.reason == "3.0 s are too short for a grid"
    assert repr(found) == f"Prediction('samples', bpm=None, reason={found.reason!r})"
    jsonschema.validate(found.to_dict(), SCHEMA)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (np.zeros((2, 3, 4)), r"shape \(2, 3, 4\): give"),
        (np.zeros((2, 44100)), r"shape \(2, 44100\): 44100 channels; .* samples\.T"),
        (np.zeros((44100, 0)), "0 channels"),
        (np.zeros(100), "at least 0.5 s"),
        (np.full(44100, np.nan), "not finite"),
        (np.zeros(44100, dtype=np.uint8), "type uint8"),
        (np.zeros(44100), "samples: silent"),
    ],
)
def test_samples_that_are_no_music_are_refused(wrong, message, predictor):
    with pytest.raises(AudioError, match=message):
        predictor(wrong, sample_rate=44100)


def test_a_sample_rate_goes_with_samples_only(predictor, samples):
    with pytest.raises(TypeError, match="samples need their rate"):
        predictor(samples)
    with pytest.raises(TypeError, match="a file says its own"):
        predictor("song.mp3", sample_rate=44100)
    with pytest.raises(AudioError, match="sample_rate=0"):
        predictor(samples, sample_rate=0)


def test_load_takes_a_file_and_the_newest_run(tmp_path, monkeypatch, predictor):
    from beatgrid.networks.description import SHIPPED

    monkeypatch.chdir(tmp_path)
    with pytest.raises(beatgrid.BeatgridError, match="no run"):
        beatgrid.load("latest")
    with pytest.raises(CheckpointError, match="no such file"):
        beatgrid.load("gone.ckpt")
    run = tmp_path / "outputs" / "train" / "today" / "checkpoints"
    run.mkdir(parents=True)
    (run / "best.ckpt").write_bytes(SHIPPED.read_bytes())
    assert beatgrid.load("latest").model_id == "today/best.ckpt"
    assert beatgrid.load(run / "best.ckpt").features == predictor.features


def test_flux_claims_no_bars(samples):
    found = beatgrid.load(activation="flux")(samples, sample_rate=44100)
    assert found.model_id == "flux"
    assert found.bpm is not None
    assert found.downbeat_offset_s is None
    assert len(found.beat_times()) > 0
    assert len(found.downbeat_times()) == 0
    assert {beat["bar_position"] for beat in found.to_dict()["beats"]} == {None}


def test_load_takes_another_search(samples):
    narrow = beatgrid.load(search=beatgrid.GridSearch(bpm_min=200, bpm_max=300))
    assert narrow(samples, sample_rate=44100).bpm == 250.0
