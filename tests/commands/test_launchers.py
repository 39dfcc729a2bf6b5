"""What starts the runs of a sweep: in turn, side by side, in Slurm, on a Ray cluster."""

import json
import os
import signal
import sys
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra._internal.callbacks import Callbacks
from hydra.core.global_hydra import GlobalHydra
from hydra.core.plugins import Plugins
from hydra.types import HydraContext, RunMode

from beatgrid.commands.configs import CONF
from beatgrid.commands.signatures import register
from beatgrid.errors import BeatgridError, MissingPackageError
from tests.commands.test_scripts import TINY

LAUNCHERS = {
    "basic": "BasicLauncher",
    "joblib": "JoblibLauncher",
    "submitit_local": "LocalLauncher",
    "submitit_slurm": "SlurmLauncher",
    "ray": "RayLauncher",
}


def launcher(*overrides):
    """Make the launcher that a command line asks for, as Hydra does."""
    register()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose("train", ["output_dir=.", *overrides], return_hydra_config=True)
    return Plugins.instance().instantiate_launcher(
        hydra_context=HydraContext(config_loader=None, callbacks=None),
        task_function=print,
        config=config,
    )


@pytest.mark.parametrize("name", LAUNCHERS)
def test_every_launcher_is_made_of_its_configuration(name):
    assert type(launcher(f"hydra/launcher={name}")).__name__ == LAUNCHERS[name]


def test_a_run_on_ray_takes_what_it_is_told_to():
    assert launcher("hydra/launcher=ray").needs == {"CPU": 1, "GPU": 0}
    asked = ("hydra/launcher=ray", "hydra.launcher.num_cpus=4", "hydra.launcher.num_gpus=0.5")
    assert launcher(*asked).needs == {"CPU": 4, "GPU": 0.5}


@pytest.mark.parametrize("argument", ["num_cpus=many", "num_gpus=-1"])
def test_what_a_run_cannot_take_is_one_line(argument, run_script):
    done = run_script("train.py", "-m", "hydra/launcher=ray", f"hydra.launcher.{argument}")
    assert done.status == 1
    (line,) = done.err.splitlines()
    key, _, value = argument.partition("=")
    assert key in line
    assert value in line


def test_without_ray_it_is_said_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "ray", None)
    ours = launcher("hydra/launcher=ray", f"hydra.sweep.dir={tmp_path}")
    with pytest.raises(MissingPackageError, match=r"hydra/launcher=ray: .*beatgrid\[cluster\]"):
        ours.launch([["seed=0"]], 0)


def die_with_seed_1(cfg):
    """A run; on some machines it is the last thing that they do."""
    if cfg.seed == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return 10 * cfg.seed


@pytest.mark.slow
def test_a_run_whose_machine_is_lost_has_failed_and_the_others_go_on(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(CONF.parent))
    monkeypatch.chdir(tmp_path)
    register()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        loader = GlobalHydra.instance().config_loader()
        config = loader.load_configuration(
            "train",
            overrides=["hydra/launcher=ray", "hydra.sweep.dir=sweep", "output_dir=."],
            run_mode=RunMode.MULTIRUN,
        )
    config.hydra.job.name = "train"
    ours = Plugins.instance().instantiate_launcher(
        hydra_context=HydraContext(config_loader=loader, callbacks=Callbacks()),
        task_function=die_with_seed_1,
        config=config,
    )
    done = ours.launch([["seed=0"], ["seed=1"], ["seed=2"]], 5)
    assert [done[0].return_value, done[2].return_value] == [0, 20]
    assert sorted(os.listdir("sweep")) == ["5", "6", "7"]
    with pytest.raises(BeatgridError, match="hydra/launcher=ray: seed=1: "):
        _ = done[1].return_value


@pytest.mark.slow
def test_the_runs_of_a_sweep_are_done_on_ray(click_folder, run_script, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(CONF.parent))
    common = [*TINY, *click_folder.overrides, "data.val_count=1", "data.batch_size=5"]
    common += ["-m", "hydra/launcher=ray", "hydra.sweep.dir=sweep"]
    done = run_script("train.py", *common, "seed=0,1", "logger=csv")
    assert done.status == 0, done.err
    losses = [json.loads(Path(f"sweep/{n}/metrics.json").read_text())["val/loss"] for n in (0, 1)]
    assert 0 < losses[0] != losses[1]
    for n in (0, 1):
        assert f"seed={n}" in Path(f"sweep/{n}/.hydra/overrides.yaml").read_text()

    # One run's mistake is told in a line and leaves the other's result.
    done = run_script("train.py", *common, "hydra.sweep.dir=other", "model.lr=0.001,-1")
    assert done.status == 1
    assert "error: model.lr" in done.err
    assert Path("other/0/metrics.json").is_file()
    assert "Traceback" not in done.err

    done = run_script("train.py", *common, "hydra.launcher.num_gpus=1", "seed=0,1")
    assert done.status == 1
    assert "error: hydra.launcher.num_gpus=1: the Ray cluster has 0" in done.err
