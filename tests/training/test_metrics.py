"""The torchmetrics wrapper gives what evaluation gives, over batches, resets and processes."""

import pytest
import torch
import torch.distributed
import torch.multiprocessing

from beatgrid.evaluation import summarise
from beatgrid.training.metrics import GridMetrics
from tests.evaluation.test_codec import SCORES


def expected(scores):
    return {k: pytest.approx(v, rel=1e-5) for k, v in summarise(scores).items() if v is not None}


def test_equals_the_summary_of_all_tracks():
    metric = GridMetrics()
    scores = SCORES
    for index, score in enumerate(scores):
        metric.update(score, index)
    assert metric.compute() == expected(scores)
    assert [s.level for s in metric.scores()] == [s.level for s in scores]
    assert [s.downbeat_ok for s in metric.scores()] == [s.downbeat_ok for s in scores]


def test_a_repeated_track_counts_once():
    metric = GridMetrics()
    scores = SCORES
    for index in [0, 1, 2, 3, 0, 1]:
        metric.update(scores[index], index)
    assert metric.compute() == expected(scores[:4])


def test_reset_prefix_and_keys_that_do_not_apply():
    metric = GridMetrics(prefix="val/")
    metric.update(SCORES[3], 0)
    result = metric.compute()
    assert result["val/level_ok"] == 0
    assert "val/bias_ms" not in result
    metric.reset()
    assert metric.scores() == []
    metric.update(SCORES[0], 0)
    assert metric.compute()["val/level_ok"] == 1


def test_is_part_of_a_module_without_entering_its_state_dict():
    module = torch.nn.Module()
    module.metric = GridMetrics()
    module.metric.update(SCORES[0], 0)
    assert module.state_dict() == {}


def _process(rank: int, folder: str, n_processes: int) -> None:
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/store", rank=rank, world_size=n_processes
    )
    metric = GridMetrics()
    scores = SCORES
    # Uneven shares, one process without any track, and one track seen twice.
    shares = [[0, 1, 2, 3], [4, 5, 6, 7, 0], []]
    for index in shares[rank]:
        metric.update(scores[index], index)
    torch.save(metric.compute(), f"{folder}/{rank}.pt")
    torch.distributed.destroy_process_group()


@pytest.mark.slow
def test_sums_up_over_processes(tmp_path):
    torch.multiprocessing.spawn(_process, args=(str(tmp_path), 3), nprocs=3)
    for rank in range(3):
        assert torch.load(tmp_path / f"{rank}.pt") == expected(SCORES)
