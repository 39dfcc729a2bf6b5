"""The package as ``pip install .`` puts it elsewhere: command, configurations, weights."""

import json
import os
import subprocess
import sys
import tarfile
import venv
from pathlib import Path

import pytest
import soundfile

import beatgrid
from beatgrid.rendering.generator import click_track
from tests.conftest import ROOT


def run(*command, cwd):
    """Run a command that sees neither the checkout nor the tests' environment."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    done = subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env={**environment, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
OFFLINE = ("--no-deps", "--no-index", "--no-build-isolation")


WHERE = (
    "import beatgrid; from beatgrid.commands.configs import CONF; "
    "print(beatgrid.__file__, CONF, sep='\\n')"
)


def environment(folder):
    """Make an environment that borrows the dependencies of this one; returns its ``bin``."""
    venv.create(folder, with_pip=False, symlinks=True)
    site = next(folder.rglob("site-packages"))
    # Files in it that lead back to the checkout are not followed from here.
    (site / "dependencies.pth").write_text(str(Path(soundfile.__file__).parent))
    return folder / ("Scripts" if os.name == "nt" else "bin")


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The ``bin`` folder of an environment that holds the wheel."""
    folder = tmp_path_factory.mktemp("installed")
    run(*PIP, "wheel", ROOT, *OFFLINE, "--wheel-dir", folder, cwd=folder)
    bin_folder = environment(folder / "venv")
    wheel = next(folder.glob("*.whl"))
    run(*PIP, "--python", bin_folder / "python", "install", *OFFLINE, wheel, cwd=folder)
    return bin_folder


def test_the_command_predicts_in_an_empty_folder(installed, tmp_path):
    soundfile.write(tmp_path / "clicks.wav", click_track(125.0, 0.2, 12.0), 44100)
    out = run(installed / "beatgrid", "predict", "audio=clicks.wav", "picture=false", cwd=tmp_path)
    assert "1 file in outputs/predict" in out
    result = json.loads((tmp_path / "outputs/predict/clicks.wav.beatgrid.json").read_text())
    assert result["bpm"] == 125.0
    assert result["offset_s"] == pytest.approx(0.2, abs=0.006)
    assert result["model"].endswith("shipped.onnx")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clicks.wav", "outputs"]


def test_the_wheel_and_not_the_checkout_is_used(installed, tmp_path):
    paths = run(installed / "python", "-c", WHERE, cwd=tmp_path).splitlines()
    package = next((installed.parent).rglob("site-packages")) / "beatgrid"
    assert paths == [str(package / "__init__.py"), str(package / "conf")]
    configs = sorted(p.relative_to(package / "conf") for p in package.glob("conf/**/*.yaml"))
    assert configs == sorted(p.relative_to(ROOT / "conf") for p in ROOT.glob("conf/**/*.yaml"))
    assert (package / "py.typed").is_file()
    assert [p.name for p in (package.parent / "hydra_plugins").glob("*.py")] == [
        "beatgrid_ray_launcher.py"
    ]


def test_an_editable_install_leads_to_the_checkout(tmp_path):
    bin_folder = environment(tmp_path / "venv")
    run(*PIP, "--python", bin_folder / "python", "install", *OFFLINE, "-e", ROOT, cwd=tmp_path)
    paths = run(bin_folder / "python", "-c", WHERE, cwd=tmp_path).splitlines()
    assert paths == [str(ROOT / "beatgrid" / "__init__.py"), str(ROOT / "conf")]
    version = run(bin_folder / "beatgrid", "--version", cwd=tmp_path)
    assert version == f"beatgrid {beatgrid.__version__}\n"


def test_the_source_archive_holds_the_configurations(tmp_path):
    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", tmp_path, cwd=ROOT)
    with tarfile.open(next(tmp_path.glob("*.tar.gz"))) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"conf/predict.yaml", "conf/grid/default.yaml", "beatgrid/weights/shipped.ckpt"} <= names
    assert "beatgrid/weights/shipped.onnx" in names
    assert not any(name.startswith(("data/cache", "outputs/train", ".git/")) for name in names)


@pytest.mark.slow
def test_an_installation_of_its_own_predicts_without_torch(tmp_path):
    """From a package index, under the constraints that everything is tested with."""
    run(*PIP, "wheel", ROOT, *OFFLINE, "--wheel-dir", tmp_path, cwd=tmp_path)
    wheel = next(tmp_path.glob("*.whl"))
    venv.create(tmp_path / "venv", with_pip=False, symlinks=True)
    bin_folder = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin")
    python = bin_folder / "python"
    run(*PIP, "--python", python, "install", "-c", ROOT / "constraints.txt", wheel, cwd=tmp_path)
    site = next((tmp_path / "venv").rglob("site-packages"))
    installed = {path.name for path in site.iterdir()}
    assert {"onnxruntime", "hydra", "beatgrid"} <= installed
    assert not installed & {"torch", "lightning", "matplotlib", "tensorboard", "sklearn", "onnx"}

    soundfile.write(tmp_path / "clicks.wav", click_track(125.0, 0.2, 12.0), 44100)
    out = run(bin_folder / "beatgrid", "predict", "audio=clicks.wav", cwd=tmp_path)
    assert "1 file in outputs/predict" in out
    result = json.loads((tmp_path / "outputs/predict/clicks.wav.beatgrid.json").read_text())
    assert (result["bpm"], result["model"]) == (125.0, "beatgrid/shipped.onnx")
    assert not list((tmp_path / "outputs").rglob("*.png"))
