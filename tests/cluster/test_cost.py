"""The cost model of experiments/scaling: its arithmetic, and which limit counts."""

import dataclasses
import importlib.util
import sys

import pytest

from tests.conftest import ROOT

SPEC = importlib.util.spec_from_file_location("cost", ROOT / "experiments/scaling/cost.py")
model = importlib.util.module_from_spec(SPEC)
sys.modules["cost"] = model  # dataclasses look their module up
SPEC.loader.exec_module(model)

LIBRARY = model.Library(n_tracks=36_000, minutes=5.0, megabytes=10.0)
CLUSTER = model.Cluster(
    n_machines=2, cores=4, core_s_per_minute=0.2, core_s_per_track=0.0, start_s=0.0,
    storage_mb_s=1e9, machine_mb_s=1e9, walk_files_s=1e9, files_s=1e9, merge_rows_s=1e9,
    efficiency=0.5,
)  # fmt: skip


def with_limit(**changes):
    return model.cost(LIBRARY, dataclasses.replace(CLUSTER, **changes))


def test_processors_alone():
    found = model.cost(LIBRARY, CLUSTER)
    assert found.core_hours == pytest.approx(10.0)
    # 8 cores at half their speed.
    assert found.hours == pytest.approx(2.5, rel=1e-3)
    assert found.limit == "processors"


@pytest.mark.parametrize(
    ("changes", "limit", "hours"),
    [
        ({"storage_mb_s": 20.0}, "storage", 5.0),
        ({"machine_mb_s": 10.0}, "network of a machine", 5.0),
        ({"files_s": 2.0}, "results", 5.0),
    ],
)
def test_the_slowest_counts(changes, limit, hours):
    found = with_limit(**changes)
    assert (found.limit, found.hours) == (limit, pytest.approx(hours, rel=1e-3))
    assert found.limits_h["processors"] == pytest.approx(2.5)


@pytest.mark.parametrize(
    ("changes", "step"), [({"walk_files_s": 10.0}, "walk"), ({"merge_rows_s": 10.0}, "merge")]
)
def test_walk_and_merge_come_on_top(changes, step):
    found = with_limit(**changes)
    assert found.steps_h[step] == pytest.approx(1.0, rel=1e-3)
    assert found.hours == pytest.approx(3.5, rel=1e-3)


def test_with_ray_files_are_read_twice_and_once_by_one_machine():
    cluster = dataclasses.replace(CLUSTER, storage_mb_s=20.0)
    assert model.cost(LIBRARY, cluster, "ray").hours == pytest.approx(10.0, rel=1e-3)
    cluster = dataclasses.replace(CLUSTER, machine_mb_s=20.0)
    found = model.cost(LIBRARY, cluster, "ray")
    assert (found.limit, found.hours) == ("network of the first machine", pytest.approx(5.0, 1e-3))
    with pytest.raises(ValueError, match="engine=dask: must be shards or ray"):
        model.cost(LIBRARY, cluster, "dask")


def test_the_readme_holds_the_table():
    text = (ROOT / "experiments/scaling/README.md").read_text(encoding="utf-8")
    assert "\n".join(model.table(model.Library(), model.Cluster())) in text
