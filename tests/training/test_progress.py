"""How far a run has come: the checkpoint to go on from."""

import pytest
import torch

from beatgrid.errors import BeatgridError
from beatgrid.training.progress import last_progress, read_progress


def write_checkpoint(path, steps, epochs=0, callbacks=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    contents = {
        "global_step": steps,
        "loops": {"fit_loop": {"epoch_progress": {"current": {"processed": epochs}}}},
        "callbacks": callbacks or {},
        "state_dict": {"network.weight": torch.arange(1000.0)},
    }
    torch.save(contents, path)


def test_the_checkpoint_that_has_come_furthest_counts(tmp_path):
    folder = tmp_path / "checkpoints"
    assert last_progress(tmp_path) is None
    write_checkpoint(folder / "best.ckpt", steps=9)
    assert last_progress(tmp_path) is None  # not where the run stopped
    write_checkpoint(folder / "interrupted.ckpt", steps=3)
    assert last_progress(tmp_path).path.name == "interrupted.ckpt"
    write_checkpoint(folder / "last.ckpt", steps=3, epochs=1)
    assert last_progress(tmp_path).path.name == "last.ckpt"
    write_checkpoint(folder / "interrupted.ckpt", steps=5)
    assert last_progress(tmp_path).path.name == "interrupted.ckpt"
    write_checkpoint(tmp_path / "hpc_ckpt_1.ckpt", steps=6)
    assert last_progress(tmp_path).path.name == "hpc_ckpt_1.ckpt"


@pytest.mark.parametrize("damage", ["empty", "cut", "flipped"])
def test_a_damaged_checkpoint_gives_way_to_the_one_before(tmp_path, damage, caplog):
    write_checkpoint(tmp_path / "checkpoints/previous.ckpt", steps=4)
    path = tmp_path / "checkpoints/last.ckpt"
    write_checkpoint(path, steps=8)
    whole = path.read_bytes()
    values = whole.index(torch.arange(1000.0).numpy().tobytes())
    damaged = {
        "empty": b"",
        "cut": whole[: len(whole) // 2],
        "flipped": whole[:values] + b"\xff" * 8 + whole[values + 8 :],
    }
    path.write_bytes(damaged[damage])
    assert last_progress(tmp_path).steps == 4
    (record,) = caplog.records
    assert record.getMessage().startswith(f"{path}: damaged, or no checkpoint (")
    assert record.getMessage().endswith("; the run goes on from previous.ckpt")
    (tmp_path / "checkpoints/previous.ckpt").write_bytes(b"")
    with pytest.raises(BeatgridError, match=r"last.ckpt: damaged.*previous.ckpt: damaged"):
        last_progress(tmp_path)


def test_progress_says_how_far_a_training_has_come(tmp_path):
    callbacks = {
        "Timer": {"time_elapsed": {"train": 12.5}},
        "EarlyStopping{'monitor': 'val/loss'}": {"stopped_epoch": 6, "wait_count": 3},
    }
    write_checkpoint(tmp_path / "a.ckpt", steps=70, epochs=7, callbacks=callbacks)
    progress = read_progress(tmp_path / "a.ckpt")
    assert (progress.steps, progress.epochs, progress.elapsed_s) == (70, 7, 12.5)
    assert progress.stopped_early
