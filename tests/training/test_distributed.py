"""Two processes train as one: on the CPU, where any machine can show it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands.test_scripts import TINY
from tests.conftest import ROOT

SCRIPT = [sys.executable, str(ROOT / "train.py")]
PROGRAM = [str(Path(sys.executable).with_name("beatgrid")), "train"]


@pytest.mark.slow
@pytest.mark.parametrize("start", [SCRIPT, PROGRAM])
def test_two_processes_share_an_epoch_and_validate_every_track(start, click_folder, tmp_path):
    command = [*start, *click_folder.overrides, *TINY]
    command += ["trainer=ddp", "trainer.accelerator=cpu", "trainer.devices=2", "data.val_count=2"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*command, "output_dir=run"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics["val/n_tracks"] == 2
    assert (tmp_path / "run" / "checkpoints" / "best.ckpt").is_file()
