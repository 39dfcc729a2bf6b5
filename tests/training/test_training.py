"""Training as such: it learns, it goes on where it was cut off, it keeps what it has."""

import json

import pytest
import torch

from tests.commands.test_scripts import TINY


def weights(path):
    return torch.load(path, weights_only=True)["state_dict"]


def test_a_resumed_run_ends_with_the_weights_of_an_unbroken_one(click_folder, run_script, tmp_path):
    common = [*click_folder.overrides, *TINY, "data.val_count=1", "data.batch_size=3"]
    common += ["data.crop_s=2", "model.dropout=0.3", "callbacks.pictures=null"]
    common += ["trainer.max_epochs=3", "model.schedule=constant"]
    unbroken = run_script("train.py", *common, "output_dir=outputs/train/a")
    assert unbroken.status == 0, unbroken.err

    cut = run_script("train.py", *common, "trainer.max_epochs=1", "output_dir=outputs/train/b")
    assert cut.status == 0, cut.err
    after_one = weights(tmp_path / "outputs/train/b/checkpoints/last.ckpt")
    resumed = run_script("train.py", *common, "resume=true")
    assert resumed.status == 0, resumed.err

    expected = weights(tmp_path / "outputs/train/a/checkpoints/last.ckpt")
    found = weights(tmp_path / "outputs/train/b/checkpoints/last.ckpt")
    assert not torch.equal(after_one["network.output.weight"], found["network.output.weight"])
    for name, tensor in expected.items():
        assert torch.equal(tensor, found[name]), name
    metrics = json.loads((tmp_path / "outputs/train/b/metrics.json").read_text())
    assert metrics == json.loads((tmp_path / "outputs/train/a/metrics.json").read_text())


def test_training_can_begin_with_the_weights_of_another(click_folder, run_script, tmp_path):
    common = [*click_folder.overrides, *TINY, "data.val_count=1", "callbacks.pictures=null"]
    first = run_script("train.py", *common, "output_dir=outputs/train/a")
    assert first.status == 0, first.err
    # A rate of zero moves nothing: what is saved is what the training began with.
    still = ["model.lr=0", "seed=1", "model.dropout=0.2", "trainer.max_epochs=1"]
    second = run_script(
        "train.py", *common, *still, "init_from=latest", "output_dir=outputs/train/b"
    )
    assert second.status == 0, second.err
    assert "Epoch 0/0" not in first.out + first.err  # callbacks.progress=null: no bar at all
    begun = weights(tmp_path / "outputs/train/a/checkpoints/best.ckpt")
    found = torch.load(tmp_path / "outputs/train/b/checkpoints/last.ckpt", weights_only=True)
    for name, tensor in begun.items():
        if "running" not in name and "num_batches" not in name:  # batch norm's own statistics
            assert torch.equal(tensor, found["state_dict"][name]), name
    data = found["beatgrid"]["training_data"]
    assert data["init_from"]["model"] == "a/best.ckpt"
    assert data["init_from"]["splits"] == data["splits"]

    # A run that goes on still says what it began with, not that it began with itself.
    resumed = run_script(
        "train.py", *common, *still, "init_from=latest", "resume=true", "trainer.max_epochs=2"
    )
    assert resumed.status == 0, resumed.err
    found = torch.load(tmp_path / "outputs/train/b/checkpoints/last.ckpt", weights_only=True)
    assert found["beatgrid"]["training_data"] == data

    other = run_script("train.py", *common, "init_from=shipped", "output_dir=outputs/train/c")
    assert other.status == 1
    assert other.err.startswith("error: init_from=beatgrid/shipped.ckpt: trained with model.")
    assert "model.channels=[16,32,32]" in other.err
    assert other.err.endswith("model.tcn_layers=9; train with that too\n")


def test_interruption_keeps_what_was_learnt(tmp_path):
    import lightning as L

    from beatgrid.audio.features import FeatureSpec
    from beatgrid.data.dataset import NOTEBOOK_TARGET, Crop, CropDataset, collate
    from beatgrid.networks.checkpoint import load_model
    from beatgrid.training.callbacks import SaveOnInterrupt
    from beatgrid.training.module import BeatModule
    from tests.data.test_dataset import make_track

    class CtrlC(L.Callback):
        def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
            if batch_idx == 1:
                raise KeyboardInterrupt

    spec = FeatureSpec(n_mels=4)
    dataset = CropDataset([make_track()], spec, NOTEBOOK_TARGET)
    loader = torch.utils.data.DataLoader(
        dataset, sampler=[Crop(0, 50 * i, 50) for i in range(5)], collate_fn=collate
    )
    module = BeatModule(
        spec.to_dict(), channels=[2], frequency_strides=[1], frequency_pools=[1], hidden_size=3
    )
    path = tmp_path / "interrupted.ckpt"
    trainer = L.Trainer(
        accelerator="cpu", max_epochs=1, logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, use_distributed_sampler=False,
        callbacks=[CtrlC(), SaveOnInterrupt(str(path))],
    )  # fmt: skip
    with pytest.raises(SystemExit), pytest.warns(UserWarning, match="num_workers"):
        trainer.fit(module, loader)
    saved = load_model(path).network.state_dict()
    for name, tensor in module.network.state_dict().items():
        assert torch.equal(tensor, saved[name])


@pytest.mark.slow
def test_a_small_network_learns_click_tracks_and_finds_their_grids(
    click_folder, run_script, tmp_path
):
    trained = run_script(
        "train.py", *click_folder.overrides, "trainer=cpu", "data.num_workers=0",
        "data.val_count=0", "data.crop_s=4", "data.batch_size=4", "trainer.max_epochs=40",
        "callbacks.progress=null", "output_dir=outputs/train/a",
    )  # fmt: skip
    assert trained.status == 0, trained.err
    metrics = json.loads((tmp_path / "outputs/train/a/metrics.json").read_text())
    assert metrics["train/loss"] < 0.3
    found = run_script(
        "evaluate.py", *click_folder.overrides, "ckpt=latest", "grid.ranker=none", "out=scores"
    )
    assert found.status == 0, found.err
    summary = json.loads((tmp_path / "scores/evaluation.json").read_text())
    assert summary["grid_ok_10_multi"] == 1.0
    assert summary["phase_p95_ms"] < 3.0
