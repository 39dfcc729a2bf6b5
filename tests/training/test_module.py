"""The Lightning module: its arguments, its step, its optimiser, weights to begin with."""

from types import SimpleNamespace

import pytest
import torch

from beatgrid.errors import BeatgridError, CheckpointError
from beatgrid.networks.checkpoint import LoadedModel
from beatgrid.networks.description import KEY
from beatgrid.tempo_classes import N_CLASSES
from beatgrid.training.module import BeatModule
from tests.networks.small import module_arguments

FEATURES = {"n_mels": 8}


def module_of(name="tcn", features=FEATURES, **changes):
    torch.manual_seed(0)
    return BeatModule(features=features, **module_arguments(name, **changes))


def batch_of(n_frames=20, extra=0):
    return {
        "features": torch.randn(1, n_frames, 8),
        "n_frames": torch.tensor([n_frames]),
        "target": torch.rand(1, n_frames + extra, 2),
        "mask": torch.ones(1, n_frames + extra, 2),
        "tempo": torch.zeros(1, N_CLASSES),
    }


def test_arguments_reach_network_and_loss():
    module = module_of("crnn", hidden_size=7, pos_weight=3.0)
    assert module.network.rnn.hidden_size == 7
    assert module.loss.pos_weight == 3.0
    assert module.network_args["n_mels"] == 8


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hidden_size": 48}, "model.hidden_size=48: neither network 'tcn' nor loss 'bce' has"),
        ({"n_mels": 9}, "model.n_mels=9: neither network 'tcn'"),
        ({"network": "lstm"}, "model.network=lstm: must be one of crnn, tcn, tcn_lstm"),
        ({"loss": "l2"}, "model.loss=l2: must be one of bce"),
        ({"optimizer": "sgd"}, "model.optimizer=sgd: must be one of adamw, adam"),
        ({"schedule": "step"}, "model.schedule=step: must be one of cosine, constant"),
        ({"lr": "fast"}, "model.lr=fast: must be a number from 0"),
        ({"lr": float("nan")}, "model.lr=nan: must be a number from 0"),
        ({"lr": -1.0}, "model.lr=-1.0: must be a number from 0"),
        ({"weight_decay": -0.1}, "model.weight_decay=-0.1: must be a number from 0"),
        ({"warmup": 1.0}, "model.warmup=1.0: must be a number from 0 below 1"),
    ],
)
def test_a_setting_that_cannot_be_is_one_line(changes, message):
    with pytest.raises(BeatgridError) as caught:
        module_of(**changes)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("extra", [0, 1])
def test_the_step_trims_logits_and_targets_to_the_shorter(extra):
    module, batch = module_of().eval(), batch_of(20, extra)
    loss, (logits, _) = module._step(batch)
    assert logits.shape == (1, 20, 2)
    expected = module.loss(logits, batch["target"][:, :20], batch["mask"][:, :20])
    assert torch.equal(loss, expected)
    with pytest.raises(ValueError, match="lengths differ by more than 1 frame"):
        module._step(batch_of(20, 2))


@pytest.fixture
def four_steps(monkeypatch):
    """A training of four steps."""
    monkeypatch.setattr(BeatModule, "trainer", SimpleNamespace(estimated_stepping_batches=4))


@pytest.mark.parametrize("optimizer", ["adam", "adamw"])
def test_only_matrices_and_kernels_decay(optimizer, four_steps):
    module = module_of(optimizer=optimizer, weight_decay=0.1)
    built = module.configure_optimizers()["optimizer"]
    assert [group["weight_decay"] for group in built.param_groups] == [0.1, 0.0]
    decayed, spared = (group["params"] for group in built.param_groups)
    assert all(p.ndim >= 2 for p in decayed)
    assert all(p.ndim < 2 for p in spared)
    assert len(decayed) + len(spared) == len(list(module.parameters()))


@pytest.mark.parametrize(
    ("changes", "rates"),
    [
        ({}, [0.1, 0.1, 0.1, 0.1]),
        # (1 + cos(pi * step / 4)) / 2
        ({"schedule": "cosine"}, [0.1, 0.0853553, 0.05, 0.0146447]),
        ({"warmup": 0.5}, [0.1 / 3, 0.2 / 3, 0.1, 0.1]),
        ({"schedule": "cosine", "warmup": 0.5}, [0.1 / 3, 0.2 / 3, 0.1, 0.05]),
    ],
)
def test_learning_rate_of_every_step(changes, rates, four_steps):
    configured = module_of(lr=0.1, **changes).configure_optimizers()
    optimizer, scheduler = configured["optimizer"], configured["lr_scheduler"]["scheduler"]
    found = []
    for _ in rates:
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    assert found == pytest.approx(rates, rel=1e-5)


def loaded(module):
    return LoadedModel(module.network, module.spec, module.network_args, "run/best.ckpt", {"h": 1})


def test_begins_with_the_weights_of_another_whatever_its_dropout():
    first, second = module_of(), module_of(dropout=0.3)
    torch.nn.init.normal_(first.network.output.weight)
    second.begin_with(loaded(first))
    for name, tensor in first.network.state_dict().items():
        assert torch.equal(tensor, second.network.state_dict()[name])
    assert second.training_data["init_from"] == {"model": "run/best.ckpt", "h": 1}


def test_begins_with_no_other_network_sizes_or_features():
    first = module_of("tcn")
    with pytest.raises(CheckpointError, match=r"with model\.tcn_layers=3; train with that too"):
        module_of("tcn", tcn_layers=4).begin_with(loaded(first))
    with pytest.raises(CheckpointError, match=r"with model\.network=tcn model\.tcn_kernel_size=5"):
        module_of("crnn").begin_with(loaded(first))
    with pytest.raises(CheckpointError, match=r"with features\.n_mels=8; train"):
        module_of("tcn", features={"n_mels": 9}).begin_with(loaded(first))


def test_a_resumed_training_keeps_what_it_began_with():
    module, contents = module_of(), {}
    module.training_data["init_from"] = {"model": "run/best.ckpt"}
    module.on_save_checkpoint(contents)
    assert contents[KEY]["network"] == module.network_args
    resumed = module_of()
    resumed.on_load_checkpoint(contents)
    assert resumed.training_data["init_from"] == {"model": "run/best.ckpt"}
