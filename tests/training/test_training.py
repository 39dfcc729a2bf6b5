"""Training as such: it learns, it goes on where it was cut off, it keeps what it has."""

import json
import shutil

import pytest
import torch

from tests.commands.test_scripts import TINY


def weights(path):
    return torch.load(path, weights_only=True)["state_dict"]


def assert_equal(expected, found):
    for name, tensor in expected.items():
        assert torch.equal(tensor, found[name]), name


def test_a_resumed_run_ends_with_the_weights_of_an_unbroken_one(click_folder, run_script, tmp_path):
    common = [*click_folder.overrides, *TINY, "data.val_count=1", "data.batch_size=3"]
    common += ["data.crop_s=2", "model.dropout=0.3", "callbacks.pictures=null", "model.lr=1e-3"]
    common += ["data.target.shape=box", "model.schedule=constant", "trainer.max_epochs=3"]
    unbroken = run_script("train.py", *common, "output_dir=outputs/train/a")
    assert unbroken.status == 0, unbroken.err

    run = tmp_path / "outputs/train/b"
    cut = run_script("train.py", *common, "trainer.max_epochs=1", "output_dir=outputs/train/b")
    assert cut.status == 0, cut.err
    after_one = weights(run / "checkpoints/last.ckpt")
    record = {name: (run / name).read_bytes() for name in (".hydra/config.yaml", "splits.json")}
    # Bare: another network, other targets and other tracks are the defaults.
    resumed = run_script("train.py", "resume=true", "trainer.max_epochs=3")
    assert resumed.status == 0, resumed.err

    expected = weights(tmp_path / "outputs/train/a/checkpoints/last.ckpt")
    assert not torch.equal(after_one["network.output.weight"], expected["network.output.weight"])
    assert_equal(expected, weights(run / "checkpoints/last.ckpt"))
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics == json.loads((tmp_path / "outputs/train/a/metrics.json").read_text())
    assert "goes on after step" in (run / "train.log").read_text()

    # Cut off before its first checkpoint, it starts again from its beginning.
    for path in (run / "checkpoints").iterdir():
        path.unlink()
    resumed = run_script("train.py", f"resume={run}", "trainer.max_epochs=3")
    assert resumed.status == 0, resumed.err
    assert "has no checkpoint yet: it starts again from its beginning" in resumed.out
    assert_equal(expected, weights(run / "checkpoints/last.ckpt"))

    assert {name: (run / name).read_bytes() for name in record} == record
    assert sorted(path.name for path in (tmp_path / "outputs/train").iterdir()) == ["a", "b"]
    assert [path.name for path in tmp_path.iterdir()] == ["outputs"]


def test_a_run_cannot_go_on_otherwise_than_it_began(click_folder, run_script, tmp_path):
    shutil.copytree(click_folder.path, tmp_path / "data")
    data = [o.replace(str(click_folder.path), "data") for o in click_folder.overrides]
    begun = run_script("train.py", *data, *TINY, "data.val_count=1", "callbacks.pictures=null")
    assert begun.status == 0, begun.err
    (run,) = (tmp_path / "outputs/train").iterdir()
    names = (".hydra/config.yaml", "splits.json", "metrics.json", "checkpoints/last.ckpt")
    before = {name: (run / name).read_bytes() for name in names}

    (tmp_path / "data/labels/click_d.labels.json").unlink()  # another track would be the last one
    more = "trainer.max_epochs=2"
    for arguments, message in (
        (["resume=true"], "complete, trainer.max_epochs=1 is reached; give more"),
        (["resume=true", "model.lr=9"], "model.lr=0.003, not model.lr=9. Only trainer."),
        (["-m", "resume=true", "seed=0,1"], "resume=true: goes on with one run; leave -m out"),
        (["resume=true", more], "train lacks click_c, val lacks click_d, val has in addition"),
    ):
        done = run_script("train.py", *arguments)
        assert done.status == 1
        assert message in done.err
        assert sum(line.startswith("error: ") for line in done.err.splitlines()) == 1
        assert "Traceback" not in done.err
    assert before == {name: (run / name).read_bytes() for name in names}
    assert list((tmp_path / "outputs/train").iterdir()) == [run]


def test_each_job_of_a_sweep_has_a_folder_of_its_own(click_folder, run_script, tmp_path):
    sweep = run_script(
        "train.py", "-m", *click_folder.overrides, *TINY, "callbacks.pictures=null", "logger=csv",
        "data.val_count=1", "seed=0,1",
    )  # fmt: skip
    assert sweep.status == 0, sweep.err
    (folder,) = (tmp_path / "outputs/sweeps").iterdir()
    assert sorted(path.name for path in folder.iterdir()) == ["0", "1", "multirun.yaml"]
    for seed in ("0", "1"):
        assert (folder / seed / "metrics.json").is_file()
        assert f"seed: {seed}\n" in (folder / seed / ".hydra/config.yaml").read_text()


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
    from tests.networks.small import module_arguments

    class CtrlC(L.Callback):
        def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
            if batch_idx == 1:
                raise KeyboardInterrupt

    spec = FeatureSpec(n_mels=4)
    dataset = CropDataset([make_track()], spec, NOTEBOOK_TARGET)
    loader = torch.utils.data.DataLoader(
        dataset, sampler=[Crop(0, 50 * i, 50) for i in range(5)], collate_fn=collate
    )
    module = BeatModule(features=spec.to_dict(), **module_arguments("crnn"))
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
