"""Two processes train as one: on the CPU, where any machine can show it."""

import contextlib
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from beatgrid.training.progress import read_progress
from tests.commands.test_scripts import TINY
from tests.conftest import ROOT

SCRIPT = [sys.executable, str(ROOT / "train.py")]
PROGRAM = [str(Path(sys.executable).with_name("beatgrid")), "train"]
DDP = ["trainer=ddp", "trainer.accelerator=cpu"]
# Steps of the same crops: no dropout, whose draws differ, and a constant rate.
COMPARABLE = [
    *("model.dropout=0.0", "model.schedule=constant", "model.warmup=0", "model.lr=1e-3"),
    *("data.crop_s=2", "trainer.max_epochs=2", "callbacks.pictures=null"),
]


def run(*commands, cwd, environment=None):
    """Run commands side by side to their end; all must succeed. Return what they said."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **(environment or {})}
    with contextlib.ExitStack() as stack:
        started = []
        for command in commands:
            process = subprocess.Popen(
                command, cwd=cwd, env=environment, text=True,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            )  # fmt: skip
            stack.callback(process.kill)
            started.append(process)
        said = [process.communicate(timeout=600) for process in started]
        for process, (out, err) in zip(started, said, strict=True):
            assert process.returncode == 0, out + err
    return [err for _, err in said]


def metrics(folder):
    return json.loads((folder / "metrics.json").read_text())


def weights(folder, name="last.ckpt"):
    return torch.load(folder / "checkpoints" / name, weights_only=True)["state_dict"]


def assert_same_run(folder, other):
    """Equal but for the order in which floats were added.

    Adam's steps are as long for gradients that are nothing but rounding errors (those of a bias
    before a norm): of all weights together the distance is small.
    """
    expected, found = (
        torch.cat([tensor.flatten() for tensor in weights(run).values()]) for run in (folder, other)
    )
    assert (found - expected).norm() < 2e-3 * expected.norm()
    expected, found = metrics(folder), metrics(other)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=2e-4, abs=1e-6), name


@pytest.mark.slow
@pytest.mark.parametrize("val_count", [1, 3])
def test_two_processes_train_and_validate_as_one(val_count, click_folder, tmp_path):
    """Tracks that cannot be shared out evenly, and a process without any, count once each."""
    common = [*SCRIPT, *click_folder.overrides, *TINY, *COMPARABLE]
    common += [f"data.val_count={val_count}", "monitor=val/phase_median_ms"]
    run([*common, "data.batch_size=4", "output_dir=one"], cwd=tmp_path)
    run([*common, *DDP, "data.batch_size=2", "output_dir=two"], cwd=tmp_path)
    assert metrics(tmp_path / "two")["val/n_tracks"] == val_count
    assert read_progress(tmp_path / "two/checkpoints/last.ckpt").steps > 2
    assert_same_run(tmp_path / "one", tmp_path / "two")


@pytest.mark.slow
def test_a_resumed_run_of_two_processes_ends_as_an_unbroken_one(click_folder, tmp_path):
    common = [*PROGRAM, *click_folder.overrides, *TINY, *COMPARABLE, *DDP]
    common += ["data.batch_size=2", "data.val_count=1"]
    run([*common, "output_dir=whole"], cwd=tmp_path)
    run([*common, "trainer.max_epochs=1", "output_dir=cut"], cwd=tmp_path)
    run([*PROGRAM, "resume=cut", "trainer.max_epochs=2"], cwd=tmp_path)
    assert_same_run(tmp_path / "whole", tmp_path / "cut")


@pytest.mark.slow
def test_two_nodes_of_torchrun_share_a_run_and_its_features(click_folder, tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def node(rank, *arguments):
        launch = [
            sys.executable,
            "-m",
            "torch.distributed.run",
            "--nnodes=2",
            f"--node-rank={rank}",
        ]
        launch += ["--nproc-per-node=1", "--master-addr=127.0.0.1", f"--master-port={port}"]
        return [
            *launch,
            str(ROOT / "train.py"),
            *arguments,
            "trainer.num_nodes=2",
            "trainer.devices=1",
        ]

    folders = [
        f"data.audio_dir={click_folder.path}/audio",
        f"data.label_dir={click_folder.path}/labels",
    ]
    common = [*folders, "data.cache_dir=cache", *TINY, *COMPARABLE, "data.val_count=1"]
    shared = [*common, *DDP, "data.batch_size=2", "output_dir=two"]
    local = {"GLOO_SOCKET_IFNAME": "lo"}
    run(node(0, *shared), node(1, *shared), cwd=tmp_path, environment=local)
    assert len(list(tmp_path.glob("cache/*/*.npy"))) == 4
    assert [path.name for path in tmp_path.iterdir() if path.name != "cache"] == ["two"]

    run([*SCRIPT, *common, "data.batch_size=4", "output_dir=one"], cwd=tmp_path)
    assert_same_run(tmp_path / "one", tmp_path / "two")
