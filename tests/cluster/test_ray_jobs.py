"""Jobs on a Ray cluster of two nodes, which are two groups of processes on this machine."""

import functools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import soundfile

from beatgrid.cluster.ray_jobs import Workplace, ray_results
from beatgrid.errors import BeatgridError, MissingPackageError
from beatgrid.rendering.generator import click_track
from tests.conftest import ROOT


def test_without_ray_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingPackageError, match=r"workers=ray: needs ray, .*beatgrid\[cluster\]"):
        list(ray_results(lambda: abs, [1], 1, shared="."))


@pytest.mark.parametrize(
    ("workplace", "message"),
    [
        (Workplace("/", "/nowhere"), "does not see /nowhere: music, out and working folder must"),
        (Workplace("/nowhere", "/"), "does not see /nowhere: music, out and working folder must"),
        (Workplace("/", "/", version="0.0.1"), "and this machine 0.0.1: install the same on all"),
    ],
)
def test_a_machine_that_cannot_work_is_named(workplace, message):
    with pytest.raises(BeatgridError, match=f"workers=ray: {os.uname().nodename} .*{message}"):
        workplace.enter()


class Cluster:
    """A head without cores, and nodes of one core each."""

    def __init__(self):
        from ray.cluster_utils import Cluster as RayCluster

        self.ray = RayCluster(
            initialize_head=True, head_node_args={"num_cpus": 0, **self.of_a_node}
        )
        self.nodes = [self.add(), self.add()]

    of_a_node = {  # noqa: RUF012
        "object_store_memory": 80_000_000,
        "include_dashboard": False,
    }

    def add(self):
        return self.ray.add_node(num_cpus=1, **self.of_a_node)

    def lose(self, node):
        """End a node at once, as a machine that loses power."""
        self.ray.remove_node(node, allow_graceful=False)


@pytest.fixture(scope="module")
def cluster():
    pytest.importorskip("ray")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        made = Cluster()
        patch.setenv("RAY_ADDRESS", made.ray.address)
        yield made
        made.ray.shutdown()


def work(folder, job):
    """Note who does it, and do as the job says."""
    Path(folder, f"{job}-{os.getpid()}").touch()
    if job == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if job == "hang":
        time.sleep(600)
    if job == "bug":
        raise KeyError("a bug")
    if job.startswith("slow"):
        time.sleep(4)
    return f"{job} done"


def make_work(folder):
    return functools.partial(work, folder)


@pytest.mark.slow
def test_predict_on_a_cluster_is_predict(cluster, tmp_path):
    for i in range(5):
        path = tmp_path / "music" / f"{i % 2}" / f"{i}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, click_track(100.0 + i, 0.1, 8.0), 22050)
    (tmp_path / "music" / "bad.mp3").write_text("no music")

    def predict(out, *arguments):
        return subprocess.run(
            [sys.executable, str(ROOT / "predict.py"), "audio=music", f"out={out}", *arguments],
            cwd=tmp_path, capture_output=True, text=True, check=False, timeout=200,
        )  # fmt: skip

    single = predict("single", "picture=false", "num_workers=0")
    first = predict("out", "picture=false", "workers=ray")
    assert first.returncode == single.returncode == 1, first.stderr
    error = "error: 1 of 6 files failed; try them again with audio=@out/failed.txt"
    assert error in first.stderr
    assert "6 of 6 files: 5 done, 1 failed, 0 skipped" in first.stderr
    for path in (tmp_path / "single").rglob("*.beatgrid.json"):
        other = tmp_path / "out" / path.relative_to(tmp_path / "single")
        assert other.read_bytes() == path.read_bytes()
    assert (tmp_path / "out/failed.txt").read_text() == f"{tmp_path}/music/bad.mp3\n"

    again = predict("out", "picture=false", "workers=ray", "shard=1/1")
    assert "0 done, 1 failed, 5 skipped" in again.stderr


@pytest.mark.slow
def test_a_fault_costs_its_job_and_a_lost_machine_a_second_try(cluster, tmp_path):
    make = functools.partial(make_work, tmp_path)
    jobs = ["good", "crash", "bug", "hang"]
    done = dict(ray_results(make, jobs, None, shared=tmp_path, time_limit_s=2))
    assert done.pop("good") == "good done"
    assert {job: failure.reason for job, failure in done.items()} == {
        "crash": "its process died of SIGSEGV",
        "bug": "KeyError: 'a bug'",
        "hang": "took longer than 2 s, its time limit",
    }

    jobs = [f"slow{i}" for i in range(4)]
    found = {}
    for job, result in ray_results(make, jobs, None, shared=tmp_path):
        found[job] = result
        if len(found) == 1:  # both nodes have a job now, or will have one in a moment
            time.sleep(1)
            cluster.lose(cluster.nodes[0])
    assert found == {job: f"{job} done" for job in jobs}
    assert len(list(tmp_path.glob("slow*"))) == 5, "the job of the node that was lost came twice"

    with pytest.raises(BeatgridError, match="does not see"):
        list(ray_results(make, jobs, 1, shared=tmp_path / "elsewhere"))
