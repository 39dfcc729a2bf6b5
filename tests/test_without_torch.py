"""What an installation without ``beatgrid[train]`` does: it predicts, and names what is missing."""

import json
import subprocess
import sys

import pytest
import soundfile

from beatgrid.rendering.generator import click_track

# As if they were not installed: importing them fails, and nothing finds them.
CODE = """
import sys
absent = ("torch", "lightning", "torchmetrics", "tensorboard", "matplotlib", "sklearn", "onnx")
sys.modules.update(dict.fromkeys(absent))
from beatgrid.commands.program import main
for line in sys.stdin:
    sys.argv = ["beatgrid", *line.split()]
    try:
        main()
    except SystemExit as stop:
        print("status", stop.code)
import beatgrid
print(beatgrid.load("shipped")("clicks.wav").bpm)
"""
COMMANDS = [
    "predict audio=clicks.wav",
    "predict audio=clicks.wav picture=true",
    "predict audio=clicks.wav ckpt=a.ckpt",
    "predict audio=clicks.wav backend=torch",
    "train",
    "calibrate",
    "export-model",
]


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plain")
    soundfile.write(folder / "clicks.wav", click_track(125.0, 0.2, 12.0), 44100)
    finished = subprocess.run(
        [sys.executable, "-c", CODE],
        input="\n".join(COMMANDS),
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return folder, finished


def test_a_file_is_predicted_without_a_picture(done):
    folder, finished = done
    assert finished.returncode == 0, finished.stderr
    result = json.loads((folder / "outputs/predict/clicks.wav.beatgrid.json").read_text())
    assert (result["bpm"], result["model"]) == (125.0, "beatgrid/shipped.onnx")
    assert not list(folder.rglob("*.png"))
    assert finished.stdout.splitlines()[-1] == "125.0"


def test_what_needs_more_is_one_line_that_names_the_extra(done):
    _, finished = done
    assert finished.stdout.count("status 1") == len(COMMANDS) - 1
    remedy = "which is not installed: pip install 'beatgrid[{}]'"
    pictures, *others = finished.stderr.splitlines()
    assert pictures == f"error: picture=true: needs matplotlib, {remedy.format('pictures')}"
    checkpoint = "a checkpoint (export-model makes an .onnx file of it): needs torch"
    assert [line.partition(": ")[2].partition(", ")[0] for line in others] == [
        f"ckpt=a.ckpt: {checkpoint}",
        f"ckpt={others[1].partition('ckpt=')[2].partition(': ')[0]}: {checkpoint}",
        "beatgrid train: needs torch",
        "beatgrid calibrate: needs torch",
        "beatgrid export-model: needs torch",
    ]
    assert all(line.endswith(remedy.format("train")) for line in others)
