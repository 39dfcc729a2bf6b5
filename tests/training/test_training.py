"""Training as such: it learns, it goes on where it was cut off, it keeps what it has."""

import json
import shutil
import signal

import pytest
import torch

from beatgrid.training.module import BeatModule
from beatgrid.training.progress import read_progress
from tests.commands.test_scripts import TINY


def weights(run, name="last.ckpt"):
    return torch.load(run / "checkpoints" / name, weights_only=True)["state_dict"]


def assert_equal(expected, found):
    for name, tensor in expected.items():
        assert torch.equal(tensor, found[name]), name


class Once:
    """Raises a signal after a step or a validation track, the first time it comes there."""

    def __init__(self, signum, step, validating):
        self.signum, self.step, self.validating = signum, step, validating

    def __call__(self, module, *batch):
        trainer = module.trainer
        if self.signum and (trainer.global_step, trainer.validating) == (
            self.step,
            self.validating,
        ):
            signal.raise_signal(self.signum)
            self.signum = None


@pytest.mark.parametrize(
    ("num_workers", "ends"),
    [
        (0, ["validation", "killed"]),
        pytest.param(0, ["step", "early"], marks=pytest.mark.slow),
        pytest.param(1, ["step", "killed"], marks=pytest.mark.slow),
    ],
)
def test_a_resumed_run_ends_with_the_weights_of_an_unbroken_one(
    num_workers, ends, click_folder, run_script, tmp_path, monkeypatch
):
    common = [*click_folder.overrides, *TINY, "data.val_count=2", "data.batch_size=3"]
    common += ["data.crop_s=2", "model.dropout=0.3", "callbacks.pictures=null", "model.lr=1e-3"]
    common += ["data.target.shape=box", "model.schedule=constant", "trainer.max_epochs=3"]
    common += [f"data.num_workers={num_workers}"]
    unbroken = run_script("train.py", *common, "output_dir=outputs/train/unbroken")
    assert unbroken.status == 0, unbroken.err
    expected = tmp_path / "outputs/train/unbroken"
    n_steps = read_progress(expected / "checkpoints/last.ckpt").steps // 3
    assert n_steps > 2

    cases = {
        "step": (n_steps + 2, False, signal.SIGINT, 130, "interrupted.ckpt"),
        "validation": (2 * n_steps, True, signal.SIGTERM, 143, "interrupted.ckpt"),
        "killed": (n_steps + 2, False, signal.SIGTERM, 143, "last.ckpt"),
        "early": (1, False, signal.SIGTERM, 143, "its beginning"),
    }
    for name in ends:
        step, validating, signum, status, where = cases[name]
        run = tmp_path / "outputs/train" / name
        with monkeypatch.context() as patch:
            cut_off = Once(signum, step, validating)
            patch.setattr(BeatModule, "on_train_batch_end", lambda *a, cut=cut_off: cut(*a))
            patch.setattr(BeatModule, "on_validation_batch_end", lambda *a, cut=cut_off: cut(*a))
            cut = run_script("train.py", *common, f"output_dir={run}")
        assert cut.status == status, cut.err
        assert "Traceback" not in cut.err
        if name in ("killed", "early"):  # as if it had had no time to save anything
            (run / "checkpoints/interrupted.ckpt").unlink()
        record = {file: (run / file).read_bytes() for file in (".hydra/config.yaml", "splits.json")}

        # Bare: another network, other targets and other tracks are the defaults.
        resumed = run_script("train.py", "resume=true")
        assert resumed.status == 0, resumed.err
        assert where in resumed.out
        assert_equal(weights(expected), weights(run))
        metrics = json.loads((run / "metrics.json").read_text())
        assert metrics == json.loads((expected / "metrics.json").read_text()), name
        assert {file: (run / file).read_bytes() for file in record} == record

    names = sorted(path.name for path in (tmp_path / "outputs/train").iterdir())
    assert names == sorted([*ends, "unbroken"])
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


@pytest.mark.parametrize(
    ("devices", "asked"),
    [
        (["trainer=ddp", "trainer.accelerator=cpu"], "trainer.devices=2 trainer.num_nodes=1"),
        (["trainer.num_nodes=2"], "trainer.devices=1 trainer.num_nodes=2"),
        (["trainer.devices=[0,1]"], "trainer.devices=[0, 1] trainer.num_nodes=1"),
    ],
)
def test_a_sweep_over_several_devices_is_refused(devices, asked, run_script, tmp_path):
    done = run_script("train.py", "-m", *TINY, "seed=0,1", *devices)
    assert done.status == 1
    assert f"error: {asked}: the runs of a sweep (-m) have one device each" in done.err
    assert "Traceback" not in done.err
    assert not list(tmp_path.rglob("splits.json"))


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
    begun = weights(tmp_path / "outputs/train/a", "best.ckpt")
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
    assert other.err.endswith("model.tempo_size=64; train with that too\n")


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


@pytest.mark.slow
def test_a_compiled_network_learns_the_same(click_folder, run_script, tmp_path):
    common = [
        *click_folder.overrides,
        "model=tcn",
        "model.tcn_layers=3",
        "trainer=cpu",
        "logger=csv",
    ]
    common += ["model.channels=[4]", "model.frequency_strides=[4]", "model.frequency_pools=[1]"]
    common += ["model.projection_size=8", "model.dropout=0.0", "data.crop_s=4", "data.val_count=1"]
    common += ["trainer.max_epochs=1", "callbacks.pictures=null", "data.num_workers=0"]
    losses = []
    for compiled in ("false", "true"):
        done = run_script("train.py", *common, f"compile={compiled}", f"output_dir={compiled}")
        assert done.status == 0, done.err
        losses.append(json.loads((tmp_path / compiled / "metrics.json").read_text())["val/loss"])
    # Rounding errors of gradients near zero become whole steps of Adam's.
    assert losses[1] == pytest.approx(losses[0], rel=5e-3)
    assert weights(tmp_path / "true").keys() == weights(tmp_path / "false").keys()
