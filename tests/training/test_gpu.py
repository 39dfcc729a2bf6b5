"""What needs a CUDA device: ``pytest -m gpu``. docs/gpu.md has the rest."""

import json

import numpy as np
import pytest
import soundfile
import torch

import beatgrid
from beatgrid.activation import chunks
from beatgrid.rendering.generator import click_track
from tests.commands.test_scripts import TINY

NEEDS_GPU = (
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
)


def needs_gpu(test):
    """Mark a test that runs on a GPU alone."""
    for mark in NEEDS_GPU:
        test = mark(test)
    return test


@needs_gpu
@pytest.mark.parametrize("precision", ["32-true", "16-mixed", "bf16-mixed"])
def test_a_gpu_learns_as_a_cpu_does(precision, click_folder, run_script, tmp_path):
    common = [*(word for word in TINY if word != "trainer=cpu"), *click_folder.overrides]
    common += ["data.val_count=1", "data.batch_size=5", "model.dropout=0.0", "seed=3"]
    common += ["trainer.max_epochs=3", "callbacks.pictures=null", "logger=csv"]
    losses = {}
    for name, trainer in (
        ("cpu", ["trainer=cpu"]),
        ("gpu", ["trainer=gpu", f"trainer.precision={precision}"]),
    ):
        done = run_script("train.py", *common, *trainer, f"output_dir={name}")
        assert done.status == 0, done.err
        losses[name] = json.loads((tmp_path / name / "metrics.json").read_text())["val/loss"]
    assert losses["gpu"] == pytest.approx(losses["cpu"], rel=0.02)


# On the CPU as well: a test that no machine runs for long may be wrong itself, as this one was.
@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=NEEDS_GPU)])
def test_a_gpu_finds_the_grids_that_a_cpu_finds(device):
    samples = click_track(127.3, 0.21, 60.0)
    expected, found = (
        beatgrid.load("shipped", backend="torch", device=each)(samples, sample_rate=44100)
        for each in ("cpu", device)
    )
    np.testing.assert_allclose(found.activation.beat, expected.activation.beat, atol=2e-3)
    assert found.estimate.bpm_raw == pytest.approx(expected.estimate.bpm_raw, abs=1e-3)
    assert found.estimate.offset_raw_s == pytest.approx(expected.estimate.offset_raw_s, abs=1e-4)


@needs_gpu
def test_a_gpu_finds_in_batches_what_it_finds_track_by_track(tmp_path, monkeypatch):
    monkeypatch.setattr(chunks.in_chunks, "__defaults__", (1000,))
    files = [tmp_path / f"{bpm}.wav" for bpm in (100, 117, 125, 140)]
    for index, file in enumerate(files):
        soundfile.write(file, click_track(float(file.stem), 0.1, 10.0 + 30 * index), 44100)
    alone = beatgrid.load("shipped", backend="torch", device="cuda")
    batched = beatgrid.load("shipped", backend="torch", device="cuda", batch_size=16)
    for file, found in batched.map(files):
        expected = alone(file).estimate
        assert found.estimate.bpm == expected.bpm == float(file.stem)
        assert found.estimate.bpm_raw == pytest.approx(expected.bpm_raw, abs=1e-3)
        assert found.estimate.offset_raw_s == pytest.approx(expected.offset_raw_s, abs=1e-4)


@needs_gpu
def test_a_compiled_network_learns_on_a_gpu(click_folder, run_script):
    common = [*(word for word in TINY if word != "trainer=cpu"), *click_folder.overrides]
    done = run_script("train.py", *common, "data.val_count=1", "trainer=gpu", "compile=true")
    assert done.status == 0, done.err
