"""Which configuration a resumed run has: its own, but for what may change."""

from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from beatgrid.commands.configs import CONF
from beatgrid.commands.resume import refuse_complete, resumed_config
from beatgrid.commands.signatures import register
from beatgrid.errors import BeatgridError
from beatgrid.training.progress import Progress
from beatgrid.training.runs import begin_run

BEGUN = ["experiment=box_targets", "model=tcn", "model.lr=1e-4", "trainer.max_epochs=9"]


def composed(overrides):
    register()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("train", overrides=overrides)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run that was begun with BEGUN."""
    config = OmegaConf.to_yaml(composed(BEGUN))
    return begin_run(tmp_path_factory.mktemp("runs") / "run", config, OmegaConf.to_yaml(BEGUN))


@pytest.fixture
def resumed(folder):
    """Configure the resumption of the run."""

    def configure(*overrides, output_dir=None):
        asked = composed(list(overrides))
        asked.output_dir = output_dir
        return resumed_config(folder, asked, list(overrides))

    return configure


def test_bare_it_is_the_runs_own(resumed, folder):
    cfg = resumed("resume=true")
    expected = composed([*BEGUN, f"output_dir={folder}", "resume=true"])
    assert OmegaConf.to_container(cfg, resolve=True) == OmegaConf.to_container(
        expected, resolve=True
    )
    assert cfg.data.target.shape == "box"


def test_the_same_command_line_again_is_the_runs_own(resumed):
    assert resumed(*BEGUN, "resume=true") == resumed("resume=true")


def test_limits_and_the_way_of_running_may_change(resumed, folder):
    cfg = resumed(
        *("trainer.max_epochs=30", "trainer.max_time=00:01:00:00", "trainer.devices=2"),
        *("trainer.strategy=ddp", "data.num_workers=7", "num_threads=3", "logger=csv"),
        *("callbacks.progress=null", "callbacks.pictures.n_tracks=1", "test=true"),
    )
    assert (cfg.trainer.max_epochs, cfg.trainer.max_time) == (30, "00:01:00:00")
    assert (cfg.trainer.devices, cfg.trainer.strategy) == (2, "ddp")
    assert (cfg.data.num_workers, cfg.num_threads, cfg.test) == (7, 3, True)
    assert cfg.logger == composed(["logger=csv", f"output_dir={folder}"]).logger
    assert cfg.callbacks.progress is None
    assert (cfg.callbacks.pictures.n_tracks, cfg.callbacks.pictures.excerpt_s) == (1, 12.0)
    assert cfg.model == resumed("resume=true").model


def test_a_trainer_for_other_hardware_keeps_the_number_of_epochs(resumed):
    cfg = resumed("trainer=cpu")
    assert (cfg.trainer.accelerator, cfg.trainer.devices) == ("cpu", 1)
    assert cfg.trainer.max_epochs == 9


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("model.lr=0.003", "model.lr=0.0001, not model.lr=0.003"),
        ("model.projection_size=7", "model.projection_size=64, not model.projection_size=7"),
        ("model=crnn_small", "model.network=tcn, not model.network=crnn"),
        ("data.val_count=5", "data.val_count=2, not data.val_count=5"),
        ("data.target.shape=soft", "data.target.shape=box, not data.target.shape=soft"),
        ("seed=1", "seed=0, not seed=1"),
        ("experiment=notebook", "not experiment=notebook"),
        ("debug=fast", "not debug=fast"),
        ("trainer=gpu", "trainer.precision=32-true, not trainer.precision=16-mixed"),
        ("+trainer.max_steps=5", "no trainer.max_steps, not trainer.max_steps=5"),
        ("~callbacks.early_stopping", "not no callbacks.early_stopping"),
        ("init_from=shipped", "init_from=None, not init_from=shipped"),
    ],
)
def test_anything_else_is_named_and_refused(resumed, override, message, folder):
    with pytest.raises(BeatgridError) as error:
        resumed(override, "trainer.max_epochs=30")
    assert str(error.value).startswith(f"resume={folder}: this run has ")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_all_differences_are_named_at_once(resumed):
    with pytest.raises(BeatgridError, match=r"model\.lr=.*; seed=0, not seed=1\. Only"):
        resumed("model.lr=1", "seed=1")


def test_another_folder_is_refused(resumed, folder):
    assert resumed(output_dir=f"{folder}/.") == resumed()
    with pytest.raises(BeatgridError, match=r"output_dir=.*run, not elsewhere"):
        resumed(output_dir="elsewhere")


def test_a_complete_run_says_which_limit_it_has_reached(resumed):
    def progress(epochs=9, stopped_early=False):
        return Progress(Path("last.ckpt"), 50, epochs, elapsed_s=61.0, stopped_early=stopped_early)

    cfg = resumed()
    with pytest.raises(BeatgridError, match=r"run: complete, trainer.max_epochs=9 is reached"):
        refuse_complete(cfg, progress())
    refuse_complete(resumed("trainer.max_epochs=10"), progress())
    refuse_complete(resumed("trainer.max_epochs=-1"), progress())
    refuse_complete(cfg, progress(epochs=8))
    with pytest.raises(BeatgridError, match="max_time=00:00:01:01 is reached"):
        refuse_complete(resumed("trainer.max_time=00:00:01:01"), progress(epochs=8))
    refuse_complete(resumed("trainer.max_time=00:00:01:02"), progress(epochs=8))
    with pytest.raises(BeatgridError, match="stopped early after 8 epochs"):
        refuse_complete(cfg, progress(epochs=8, stopped_early=True))
