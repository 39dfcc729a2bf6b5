"""Trainings that are cut off, run out of disk or diverge keep what they have."""

import errno
import os
import signal
import warnings

import lightning as L
import pytest
import torch

from beatgrid.audio.features import FeatureSpec
from beatgrid.data.dataset import NOTEBOOK_TARGET, Crop, CropDataset, collate
from beatgrid.errors import BeatgridError
from beatgrid.networks.checkpoint import load_model
from beatgrid.training import checkpoints
from beatgrid.training.checkpoints import DurableCheckpointIO, SaveOnInterrupt, StopWhereDiverged
from beatgrid.training.module import BeatModule
from beatgrid.training.progress import read_progress
from beatgrid.training.signals import orderly_end
from tests.data.test_dataset import make_track
from tests.networks.small import module_arguments

SPEC = FeatureSpec(n_mels=4)


class At(L.Callback):
    """Does something after a step."""

    def __init__(self, step, action):
        self.step, self.action = step, action

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        if trainer.global_step == self.step:
            self.action(pl_module)


def fit(*callbacks, **options):
    """Train a tiny network for an epoch of five steps; returns it."""
    dataset = CropDataset([make_track()], SPEC, NOTEBOOK_TARGET)
    loader = torch.utils.data.DataLoader(
        dataset, sampler=[Crop(0, 50 * i, 50) for i in range(5)], collate_fn=collate
    )
    module = BeatModule(features=SPEC.to_dict(), **module_arguments("crnn"))
    trainer = L.Trainer(
        accelerator="cpu", max_epochs=1, logger=False, enable_progress_bar=False,
        enable_model_summary=False, use_distributed_sampler=False, callbacks=list(callbacks),
        plugins=[DurableCheckpointIO()],
        **{"enable_checkpointing": False, **options},
    )  # fmt: skip
    module.ended = None
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*have no `val_dataloader`")  # these train only
        try:
            trainer.fit(module, loader)
        except (SystemExit, KeyboardInterrupt, BeatgridError) as end:
            module.ended = end
    return module


def in_order(work):
    with orderly_end():
        return work()


def ended_by(train):
    """The network and the exit status of a training that is ended by a signal."""
    trained = []

    def work():
        trained.append(train())
        raise trained[0].ended

    with pytest.raises(SystemExit) as end:
        in_order(work)
    return trained[0], end.value.code


@pytest.mark.parametrize(("signum", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_training_after_the_step_and_keeps_what_was_learnt(tmp_path, signum, status):
    path = tmp_path / "interrupted.ckpt"
    before = signal.getsignal(signum)
    module, code = ended_by(
        lambda: fit(At(2, lambda _: signal.raise_signal(signum)), SaveOnInterrupt(str(path)))
    )
    assert code == status
    assert read_progress(path).steps == 2
    saved = load_model(path).network.state_dict()
    for name, tensor in module.network.state_dict().items():
        assert torch.equal(tensor, saved[name])
    assert signal.getsignal(signum) is before


@pytest.mark.parametrize(("signum", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_before_training_ends_the_process_at_once(signum, status):
    ends = []

    def work():
        try:
            signal.raise_signal(signum)
            ends.append("after it")
        finally:
            ends.append("cleaned up")

    with pytest.raises(SystemExit) as end:
        in_order(work)
    assert end.value.code == status
    assert ends == ["cleaned up"]


def test_a_second_ctrl_c_ends_training_at_once_and_saves_no_half_step(tmp_path):
    def twice(_):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    _, code = ended_by(lambda: fit(At(2, twice), SaveOnInterrupt(str(tmp_path / "a.ckpt"))))
    assert code == 130
    assert not (tmp_path / "a.ckpt").exists()


def test_the_last_checkpoint_leaves_the_one_before(tmp_path):
    writer = DurableCheckpointIO()
    for step in (1, 2, 3):
        writer.save_checkpoint({"step": step}, tmp_path / "last.ckpt")
        writer.save_checkpoint({"step": step}, tmp_path / "best.ckpt")
    assert torch.load(tmp_path / "last.ckpt")["step"] == 3
    assert torch.load(tmp_path / "previous.ckpt")["step"] == 2
    assert sorted(p.name for p in tmp_path.iterdir()) == ["best.ckpt", "last.ckpt", "previous.ckpt"]


def test_checkpoints_do_not_pass_through_tmpdir(tmp_path, monkeypatch):
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    DurableCheckpointIO().save_checkpoint({"step": 1}, tmp_path / "last.ckpt")
    assert torch.load(tmp_path / "last.ckpt")["step"] == 1


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), RuntimeError("unexpected pos 64")]
)
def test_a_full_disk_is_one_line_and_loses_nothing(tmp_path, monkeypatch, error):
    writer = DurableCheckpointIO()
    for step in (1, 2):
        writer.save_checkpoint({"step": step}, tmp_path / "checkpoints" / "last.ckpt")

    def half(contents, path):
        path.write_bytes(b"half")
        raise error

    monkeypatch.setattr(checkpoints.torch, "save", half)
    with pytest.raises(
        BeatgridError, match=r"last.ckpt: cannot be written \((No space|the disk).*make room, then"
    ):
        writer.save_checkpoint({"step": 3}, tmp_path / "checkpoints" / "last.ckpt")
    assert torch.load(tmp_path / "checkpoints" / "last.ckpt")["step"] == 2
    assert torch.load(tmp_path / "checkpoints" / "previous.ckpt")["step"] == 1
    assert len(list((tmp_path / "checkpoints").iterdir())) == 2


def set_weights(value):
    def action(module):
        with torch.no_grad():
            module.network.output.bias.fill_(value)

    return action


def test_a_loss_that_is_no_number_stops_the_training():
    module = fit(At(2, set_weights(float("nan"))), StopWhereDiverged())
    assert isinstance(module.ended, BeatgridError)
    assert str(module.ended).startswith("training diverged: train/loss is nan at step 3; ")
    assert str(module.ended).endswith("lower model.lr (now 0.001)")


def test_weights_gone_wrong_in_the_last_step_are_not_saved(tmp_path):
    module = fit(
        At(5, set_weights(float("inf"))),
        StopWhereDiverged(),
        L.pytorch.callbacks.ModelCheckpoint(tmp_path, "last", save_on_train_epoch_end=True),
        enable_checkpointing=True,
    )
    assert "network.output.bias is not finite at step 5" in str(module.ended)
    assert list(tmp_path.iterdir()) == []
