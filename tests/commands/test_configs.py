"""Every option of every config group composes, resolves and instantiates."""

import inspect

import lightning as L
import pytest
from hydra import compose, initialize_config_dir
from hydra.errors import ConfigCompositionException, InstantiationException
from hydra.utils import instantiate
from omegaconf import OmegaConf

from beatgrid.commands.configs import CONF
from beatgrid.commands.signatures import register
from beatgrid.data.datamodule import BeatDataModule
from beatgrid.networks import LOSSES, NETWORKS, count_parameters
from beatgrid.networks.arguments import arguments_of
from beatgrid.networks.legacy import NOTEBOOK
from beatgrid.training.module import BeatModule

OPTIONS = sorted(
    (path.parent.name, path.stem) for path in CONF.glob("*/*.yaml") if path.parent.name != "hydra"
)
ENTRIES = {
    "predict": ["audio=x"],
    "export": ["results=x", "format=csv"],
    "import": ["from=x", "out=y"],
    "evaluate": [],
    "calibrate": [],
    "export_model": [],
    "render": [],
    "modules": [],
    "train": [],
}


def compose_config(name, overrides, output_dir="."):
    if name == "train":  # otherwise Hydra's run folder, which exists in a run only
        overrides = [*overrides, f"output_dir={output_dir}"]
    register()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        cfg = compose(name, overrides=overrides)
    OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)
    return cfg


def test_there_are_options():
    assert {group for group, _ in OPTIONS} >= {
        *("features", "data", "model", "trainer", "grid", "callbacks", "logger"),
        *("experiment", "debug", "hparams_search"),
    }


@pytest.mark.parametrize(("group", "option"), OPTIONS)
def test_every_option_composes_and_instantiates(group, option, tmp_path):
    needed = ["data.dataset=ballroom"] if (group, option) == ("data", "mirdata") else []
    cfg = compose_config("train", [f"{group}={option}", *needed], tmp_path)
    data = instantiate(cfg.data, cache_dir=str(tmp_path))
    assert isinstance(data, BeatDataModule)
    module = instantiate(cfg.model)
    assert isinstance(module, BeatModule)
    assert module.spec == data.features
    assert callable(instantiate(cfg.grid))
    callbacks = list(instantiate(cfg.callbacks).values())
    assert all(isinstance(callback, L.Callback | None) for callback in callbacks)
    logger = instantiate(cfg.logger)
    if (group, option) in {("trainer", "gpu"), ("trainer", "ddp")}:
        assert cfg.trainer.devices in (1, 2)  # its hardware may not be here
        return
    assert isinstance(instantiate(cfg.trainer, callbacks=callbacks, logger=logger), L.Trainer)


@pytest.mark.parametrize("entry", ENTRIES)
def test_entry_configs_compose(entry):
    compose_config(entry, ENTRIES[entry])


def test_overrides_reach_the_network():
    cfg = compose_config("train", ["model.hidden_size=256", "features.n_mels=64"])
    module = instantiate(cfg.model)
    assert module.network.rnn.hidden_size == 256
    assert module.spec.n_mels == 64


def test_experiments_are_not_overruled_by_the_defaults():
    cfg = compose_config("train", ["experiment=notebook"])
    assert cfg.data.crop_s is None
    assert cfg.data.target.shape == "box"
    assert count_parameters(instantiate(cfg.model)) == 2_644_801


def test_the_light_network_has_a_fraction_of_the_parameters():
    light = count_parameters(instantiate(compose_config("train", ["model=crnn_small"]).model))
    assert 150_000 <= light <= 500_000


MODELS = sorted(option for group, option in OPTIONS if group == "model")


def test_crnn_is_the_network_that_the_notebooks_file_holds():
    assert instantiate(compose_config("train", ["model=crnn"]).model).network_args == NOTEBOOK


def test_every_network_of_the_table_has_a_model():
    found = {compose_config("train", [f"model={model}"]).model.network for model in MODELS}
    assert found == set(NETWORKS)


@pytest.mark.parametrize("model", MODELS)
def test_every_argument_of_a_model_can_be_overridden_and_none_is_idle(model):
    """Dropout, say, is an argument of every model, and hidden_size of those with an LSTM."""
    cfg = compose_config("train", [f"model={model}"]).model
    network, loss = (
        arguments_of(kind, table, cfg[kind])
        for kind, table in (("network", NETWORKS), ("loss", LOSSES))
    )
    training = inspect.signature(BeatModule.__init__).parameters
    own = (network.keys() | loss.keys() | training.keys()) - {"self", "arguments", "n_mels"}
    assert {key for key in cfg if key[0] != "_"} == own
    module = instantiate(compose_config("train", [f"model={model}", "model.dropout=0.25"]).model)
    assert module.network.dropout.p == 0.25


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("sweep", [o for group, o in OPTIONS if group == "hparams_search"])
def test_sweeps_change_what_every_model_has(model, sweep):
    swept = OmegaConf.load(CONF / "hparams_search" / f"{sweep}.yaml").hydra.sweeper.params
    for key, values in swept.items():
        compose_config("train", [f"model={model}", f"{key}={values.split(',')[0]}"])


def test_a_setting_of_another_network_is_refused():
    with pytest.raises(ConfigCompositionException, match=r"model\.hidden_size"):
        compose_config("train", ["model=tcn", "model.hidden_size=48"])
    cfg = compose_config("train", ["model=tcn", "+model.hidden_size=48"])
    with pytest.raises(InstantiationException, match="neither network 'tcn' nor loss 'bce'"):
        instantiate(cfg.model)
