"""Full disks, files that vanish, and two runs in one place: one line, and nothing is lost."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from beatgrid.networks.checkpoint import load_model
from tests.faults.launcher import Ended, Launcher, Moment
from tests.faults.programs import (
    CACHE,
    LIBRARY,
    PIECES,
    PREDICT,
    RENDER,
    TINY,
    TRAIN,
    files,
    learnt,
    make_music,
    results,
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def launchers(tmp_path_factory):
    """Two, for programs that run side by side."""
    pair = [Launcher(tmp_path_factory.mktemp("terminal")) for _ in range(2)]
    yield pair
    for launcher in pair:
        launcher.close()


@pytest.fixture(scope="module")
def music(tmp_path_factory, launchers):
    """Click tracks, and what undisturbed runs make of them."""
    folder = tmp_path_factory.mktemp("music")
    make_music(folder)
    for program, arguments in (
        (CACHE, ["0"]),
        (TRAIN, [*TINY, "output_dir=unbroken"]),
        (PREDICT, LIBRARY),
        (RENDER, PIECES),
    ):
        ended = launchers[0](program, *arguments, cwd=folder)
        assert ended.status == 0, ended.err
    return folder


@pytest.fixture
def place(music, tmp_path):
    """A folder with the music, its cache, and no results."""
    for name in ("audio", "labels"):
        shutil.copytree(music / name, tmp_path / name)
    shutil.copytree(music / "cache", tmp_path / "cache")
    return tmp_path


def in_lines(ended: Ended) -> bool:
    """Tell whether a program failed with one-line errors and nothing else."""
    print(ended)  # seen where the test fails
    said = any(line.startswith("error: ") for line in ended.err.splitlines())
    return ended.status == 1 and ended.left == () and said and "Traceback" not in ended.err


# --- a full disk -----------------------------------------------------------------------------


class SmallDisk:
    """A disk of memory that is as good as full."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def make_read_only(self) -> None:
        subprocess.run(["mount", "-o", "remount,ro", str(self.path)], check=True)

    def resize(self, n_bytes: int) -> None:
        subprocess.run(["mount", "-o", f"remount,size={n_bytes}", str(self.path)], check=True)


@contextlib.contextmanager
def small_disk(path: Path, n_bytes: int) -> Iterator[SmallDisk]:
    """Mount one; needs root's rights, without which the test is skipped."""
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={n_bytes}", "tmpfs", str(path)]
    if os.getuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("mounting a small disk is not permitted")
    try:
        yield SmallDisk(path)
    finally:
        subprocess.run(["umount", str(path)], check=True)


KB = 1024


@pytest.mark.parametrize("n_bytes", [4 * KB, 12 * KB, 24 * KB])
def test_a_library_on_a_full_disk(n_bytes, place, music, launchers, record):
    whole = results(music / "grids")
    with small_disk(place / "disk", n_bytes) as disk:
        arguments = [*LIBRARY, "out=disk/grids"]
        del arguments[arguments.index("out=grids")]
        ended = launchers[0](PREDICT, *arguments, cwd=place)
        assert in_lines(ended)
        assert results(disk.path).items() <= whole.items()
        disk.resize(4000 * KB)
        assert launchers[0](PREDICT, *arguments, cwd=place).status == 0
        assert results(disk.path) == whole
    record("library prediction", "disk full", "one line, gone on")


@pytest.mark.parametrize("n_bytes", [4 * KB, 100 * KB, 500 * KB])
def test_caching_on_a_full_disk(n_bytes, place, music, launchers, record):
    shutil.rmtree(place / "cache")
    with small_disk(place / "cache", n_bytes) as disk:
        ended = launchers[0](CACHE, "0", cwd=place)
        assert ended.status == 1
        assert "BeatgridError: cache/" in ended.err
        assert "make room or choose another data.cache_dir" in ended.err
        assert files(disk.path).items() <= files(music / "cache").items()
        disk.resize(8000 * KB)
        assert launchers[0](CACHE, "0", cwd=place).status == 0
        assert files(disk.path) == files(music / "cache")
    record("caching", "disk full", "one line, gone on")


@pytest.mark.parametrize("n_bytes", [4 * KB, 30 * KB, 90 * KB, 150 * KB, 220 * KB])
def test_a_training_on_a_full_disk(n_bytes, place, music, launchers, record):
    unbroken = learnt(music / "unbroken/checkpoints/last.ckpt")
    with small_disk(place / "disk", n_bytes) as disk:
        run = disk.path / "run"
        ended = launchers[0](TRAIN, *TINY, f"output_dir={run}", cwd=place)
        assert in_lines(ended)
        checkpoints = list(run.glob("checkpoints/[!.]*.ckpt"))
        for checkpoint in checkpoints:
            load_model(checkpoint)
        disk.resize(8000 * KB)
        begun = run.exists() and checkpoints
        again = [f"resume={run}"] if begun else [f"output_dir={disk.path}/run2"]
        assert launchers[0](TRAIN, *TINY, *again, cwd=place).status == 0
        last = (run if begun else disk.path / "run2") / "checkpoints/last.ckpt"
        assert learnt(last) == unbroken
    record("training", "disk full", "one line, resumed, equal bit by bit")


def test_rendering_on_a_full_disk(place, music, launchers, record):
    with small_disk(place / "rendered", 1000 * KB) as disk:
        ended = launchers[0](RENDER, *PIECES, "num_workers=0", cwd=place)
        assert in_lines(ended)
        assert files(disk.path).items() <= files(music / "rendered").items()
        disk.resize(100_000 * KB)
        assert launchers[0](RENDER, *PIECES, "num_workers=0", cwd=place).status == 0
        assert files(disk.path) == files(music / "rendered")
    record("rendering", "disk full", "one line, gone on")


@pytest.mark.parametrize("file_bytes", [10, 1000, 5000, 20_000])
def test_files_that_may_not_grow(file_bytes, place, music, launchers, record):
    """The same where nothing can be mounted: writing fails beyond so many bytes of a file."""
    limit = Moment(signal=0, file_bytes=file_bytes)
    ended = launchers[0](TRAIN, *TINY, "output_dir=run", cwd=place, moment=limit)
    assert in_lines(ended)
    for checkpoint in place.glob("run/checkpoints/[!.]*.ckpt"):
        load_model(checkpoint)
    ended = launchers[0](PREDICT, *LIBRARY, cwd=place, moment=limit)
    assert in_lines(ended) or ended.status == 0
    assert results(place / "grids").items() <= results(music / "grids").items()
    record("training, library prediction", "writing fails", "one line")


LABELLED = ("data.audio_dir=audio", "data.label_dir=labels")


@pytest.mark.parametrize(
    ("program", "arguments"),
    [
        (PREDICT, (*LIBRARY[:-2], "out=disk/grids", "num_workers=0")),
        (PREDICT, (*LIBRARY[:-2], "out=disk", "num_workers=1")),
        (RENDER, ("hours.own=0.05", "genres=[house]", "out_dir=disk/rendered", "num_workers=0")),
        (TRAIN, (*TINY, "output_dir=disk/run")),
        (TRAIN, (*TINY, "output_dir=disk")),
        (TRAIN, (*(a for a in TINY if "cache" not in a), "data.cache_dir=disk/cache")),
        ("beatgrid.commands.evaluate:main", ("activation=flux", *LABELLED, "out=disk")),
        ("beatgrid.commands.evaluate:main", ("activation=flux", *LABELLED, "data.cache_dir=disk")),
        ("beatgrid.commands.calibrate:main", (*LABELLED, "ckpt=shipped", "out=disk/new.ckpt")),
    ],
)
def test_a_read_only_disk(program, arguments, place, launchers, record):
    with small_disk(place / "disk", 4000 * KB) as disk:
        disk.make_read_only()
        ended = launchers[0](program, *arguments, cwd=place)
        assert in_lines(ended)
        assert "disk" in ended.err
        assert "Read-only file system" in ended.err
        assert len(ended.err.splitlines()) <= 5  # each track may say so, but for a summary
    record(program.split(":")[0].rpartition(".")[2], "read-only disk", "one line")


# --- vanishing files -------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["one", "all that is left"])
def test_audio_that_vanishes_from_a_library(what, place, music, launchers, record):
    """Found, but gone when its turn comes."""
    gone = sorted((place / "audio").iterdir())[2:]
    names = [path.name for path in (gone[:1] if what == "one" else gone)]
    moment = Moment(
        call="beatgrid.predictor.file_features",
        n=2,
        removes=[str(place / "audio" / name) for name in names],
    )
    ended = launchers[0](PREDICT, *LIBRARY, cwd=place, moment=moment)
    assert in_lines(ended)
    whole = results(music / "grids")
    kept = {name: result for name, result in whole.items() if name not in names}
    assert results(place / "grids") == kept
    for name in names:
        assert f"{name}: no such file" in ended.err
    record("library prediction", "vanishing audio", "one line each, the rest done", len(names))


def test_a_cache_that_vanishes_from_a_training(place, launchers, record):
    entries = [str(path) for path in (place / "cache").rglob("*.npy")]
    moment = Moment(
        call="beatgrid.training.callbacks.GridValidation.on_validation_epoch_end",
        n=1,
        removes=entries,
    )
    ended = launchers[0](TRAIN, *TINY, "output_dir=run", cwd=place, moment=moment)
    assert in_lines(ended)
    resumed = launchers[0](TRAIN, *TINY, "resume=run", cwd=place)
    assert resumed.status in (0, 1)
    record("training", "vanishing cache", "one line")


# --- processes that read the data of a training -------------------------------------------------

READING = "beatgrid.data.track.Track.load_features"


def _trained_in_workers(launcher: Launcher, place: Path, moment: Moment | None) -> Ended:
    arguments = [a for a in TINY if not a.startswith("data.num_workers")]
    return launcher(
        TRAIN, *arguments, "data.num_workers=1", "output_dir=run", cwd=place, moment=moment
    )


@pytest.mark.parametrize("fault", ["killed", "entries damaged", "entries vanish"])
def test_workers_of_a_training_that_fail(fault, place, music, launchers, record):
    entries = sorted((place / "cache").rglob("*.npy"))
    n_before = 5  # of the first epoch, for each of two workers that count on their own
    moments = {
        "killed": Moment(call=READING, n=n_before),
        "entries vanish": Moment(call=READING, n=n_before, removes=[str(e) for e in entries]),
        "entries damaged": Moment(call=READING, n=n_before, cuts=[str(e) for e in entries]),
    }
    ended = _trained_in_workers(launchers[0], place, moments[fault])
    assert in_lines(ended)
    assert len(ended.err.splitlines()) == 1, ended.err
    for checkpoint in place.glob("run/checkpoints/[!.]*.ckpt"):
        load_model(checkpoint)
    again = launchers[0](TRAIN, *TINY, "resume=run", cwd=place)
    assert again.status == 0, again.err
    assert learnt(place / "run/checkpoints/last.ckpt") == learnt(
        music / "unbroken/checkpoints/last.ckpt"
    )
    record("training with workers", fault, "one line, resumed, equal bit by bit")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_all_processes_of_a_training(number, place, music, launchers, record):
    """As a terminal's Ctrl-C and a batch system's SIGTERM: what was learnt is kept."""
    step = "beatgrid.training.module.BeatModule.training_step"
    moment = Moment(number, call=step, n=4, group=True)
    ended = _trained_in_workers(launchers[0], place, moment)
    assert ended.status == 128 + number, ended.err
    assert ended.left == ()
    assert "Traceback" not in ended.err
    kept = learnt(place / "run/checkpoints/interrupted.ckpt")
    assert kept["global_step"] == 4
    assert launchers[0](TRAIN, *TINY, "resume=run", cwd=place).status == 0
    assert learnt(place / "run/checkpoints/last.ckpt") == learnt(
        music / "unbroken/checkpoints/last.ckpt"
    )
    record("training with workers", "a signal to all processes", "resumed, equal bit by bit")


# --- two at once -----------------------------------------------------------------------------


def together(launchers: list[Launcher], *calls: tuple[str, ...], cwd: Path) -> list[Ended]:
    with ThreadPoolExecutor() as pool:
        futures = [
            pool.submit(launcher, *call, cwd=cwd)
            for launcher, call in zip(launchers, calls, strict=True)
        ]
        return [future.result() for future in futures]


def test_two_runs_on_one_cache(place, music, launchers, record):
    for _ in range(5):
        shutil.rmtree(place / "cache")
        ended = together(launchers, (CACHE, "0"), (CACHE, "0"), cwd=place)
        assert [e.status for e in ended] == [0, 0], ended
        assert files(place / "cache") == files(music / "cache")
    record("caching", "two runs on one cache", "equal bit by bit", 5)


def test_two_libraries_into_one_folder(place, music, launchers, record):
    for _ in range(5):
        shutil.rmtree(place / "grids", ignore_errors=True)
        ended = together(launchers, (PREDICT, *LIBRARY), (PREDICT, *LIBRARY), cwd=place)
        assert [e.status for e in ended] == [0, 0], ended
        assert results(place / "grids") == results(music / "grids")
    record("library prediction", "two runs into one folder", "both whole", 5)


def test_two_trainings_into_one_folder(place, music, launchers, record):
    """Each has its own: the second is refused, or goes elsewhere."""
    unbroken = learnt(music / "unbroken/checkpoints/last.ckpt")
    for i in range(3):
        call = (TRAIN, *TINY, f"output_dir=run{i}")
        ended = together(launchers, call, call, cwd=place)
        assert sorted(e.status for e in ended) == [0, 1], ended
        assert in_lines(max(ended, key=lambda e: e.status))
        assert learnt(place / f"run{i}/checkpoints/last.ckpt") == unbroken
    call = (TRAIN, *TINY)  # a folder by the time of day
    ended = together(launchers, call, call, cwd=place)
    assert [e.status for e in ended] == [0, 0], ended
    runs = sorted((place / "outputs/train").iterdir())
    assert len(runs) == 2
    for run in runs:
        assert learnt(run / "checkpoints/last.ckpt") == unbroken
    record("training", "two runs into one folder", "each its own", 4)
