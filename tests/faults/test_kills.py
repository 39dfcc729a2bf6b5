"""Killed at any moment: nothing half-written is taken for whole, nothing is left, all goes on."""

from __future__ import annotations

import random
import shutil
import signal
from pathlib import Path

import pytest

from beatgrid.errors import BeatgridError
from beatgrid.networks.checkpoint import load_model
from beatgrid.training.runs import find_run
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
    rests,
    results,
)

pytestmark = pytest.mark.slow

KILL, TERM, INT = signal.SIGKILL, signal.SIGTERM, signal.SIGINT
# What a program that is asked to end says by its status; unless it had ended already.
POLITE = {TERM: {-TERM, 128 + TERM, 0}, INT: {-INT, 128 + INT, 0}}


@pytest.fixture(scope="module")
def launch(tmp_path_factory):
    launcher = Launcher(tmp_path_factory.mktemp("terminal"))
    yield launcher
    launcher.close()


class Killer:
    """Draws moments and counts what came of them.

    Attributes:
        n_kills: Runs that a signal ended.
    """

    def __init__(self, launch: Launcher, chance: random.Random, folder: Path) -> None:
        self._launch, self.chance, self._folder = launch, chance, folder
        self.n_kills = 0

    def __call__(self, program: str, *arguments: str, moment: Moment | None = None) -> Ended:
        """Run a program, killed if a moment is given, and check how it ends."""
        ended = self._launch(program, *arguments, cwd=self._folder, moment=moment)
        print(f"{program} {' '.join(arguments)}: {moment} {ended}")  # seen where a test fails
        assert ended.left == (), "processes outlive the program"
        if moment is None:
            assert ended.status == 0
        elif moment.signal in POLITE:
            assert ended.status in POLITE[moment.signal]
            assert "Traceback" not in ended.err
        self.n_kills += moment is not None and ended.status != 0
        return ended


@pytest.fixture(scope="module")
def music(tmp_path_factory, launch):
    """Click tracks with their features cached, and what unbroken runs make of them."""
    folder = tmp_path_factory.mktemp("music")
    make_music(folder)
    for program, arguments in (
        (CACHE, ["0"]),
        (TRAIN, [*TINY, "output_dir=unbroken"]),
        (PREDICT, LIBRARY),
        (RENDER, PIECES),
    ):
        ended = launch(program, *arguments, cwd=folder)
        assert ended.status == 0, ended.err
    return folder


@pytest.fixture
def killer(launch, chance, music, tmp_path):
    """In a folder of its own, with the music and its cache but no results."""
    for name in ("audio", "labels"):
        (tmp_path / name).symlink_to(music / name)
    shutil.copytree(music / "cache", tmp_path / "cache")
    return Killer(launch, chance, tmp_path)


# --- training --------------------------------------------------------------------------------


def _at_any_time(chance: random.Random) -> Moment:
    return Moment(chance.choice([KILL, KILL, TERM, INT]), seconds=chance.uniform(0.05, 2.0))


def _in_validation(chance: random.Random) -> Moment:
    call = chance.choice(
        [
            "beatgrid.training.callbacks.GridValidation.on_validation_epoch_start",
            "beatgrid.training.callbacks.GridValidation.on_validation_batch_end",
            "beatgrid.training.callbacks.GridValidation.on_validation_epoch_end",
        ]
    )
    n = chance.randint(1, 4)
    return Moment(chance.choice([KILL, TERM]), call=call, n=n, after=chance.random() < 0.5)


def _in_checkpoint_writing(chance: random.Random) -> Moment:
    if chance.random() < 0.4:  # amid the bytes
        return Moment(file_bytes=chance.randint(2000, 80_000))
    call = chance.choice(["torch.save", "os.fsync", "os.replace"])
    match = "" if call == "os.fsync" else "ckpt" if call == "os.replace" else "state_dict"
    n = chance.randint(1, 6)
    return Moment(KILL, call=call, match=match, n=n, after=chance.random() < 0.5)


WHILE_TRAINING = {
    "training": _at_any_time,
    "validation": _in_validation,
    "checkpoint writing": _in_checkpoint_writing,
}


@pytest.mark.parametrize("chain", range(7))
@pytest.mark.parametrize("phase", WHILE_TRAINING)
def test_a_training_killed_again_and_again(phase, chain, killer, music, tmp_path, record):
    run, unbroken = tmp_path / "run", learnt(music / "unbroken/checkpoints/last.ckpt")
    for _ in range(5):
        arguments = _next_arguments(run, unbroken["global_step"])
        if arguments is None:
            break
        killer(TRAIN, *arguments, moment=WHILE_TRAINING[phase](killer.chance))
        for checkpoint in run.glob("checkpoints/[!.]*.ckpt"):
            load_model(checkpoint)
    if (arguments := _next_arguments(run, unbroken["global_step"])) is not None:
        killer(TRAIN, *arguments)
        assert rests(run / "checkpoints") == []
    assert learnt(run / "checkpoints/last.ckpt") == unbroken
    record(phase, "kill -9, SIGTERM", "resumed, equal bit by bit", killer.n_kills)


def _next_arguments(run: Path, n_steps: int) -> list[str] | None:
    """What a person types after a run was cut off; None if it has got to its end."""
    try:
        find_run(run)
    except BeatgridError:
        return [*TINY, f"output_dir={run}"]
    last = run / "checkpoints/last.ckpt"
    if last.exists() and learnt(last)["global_step"] == n_steps:
        return None
    return [*TINY, f"resume={run}"]


# --- caching ---------------------------------------------------------------------------------


@pytest.mark.parametrize("num_workers", [0, 2])
def test_caching_killed_again_and_again(num_workers, killer, music, tmp_path, record):
    whole = files(music / "cache")
    chance = killer.chance
    for _ in range(12 if num_workers == 0 else 4):
        shutil.rmtree(tmp_path / "cache")
        for _ in range(2):
            call = chance.choice(["os.replace", "os.fsync", "numpy.save"])
            moment = chance.choice(
                [
                    Moment(KILL, call=call, n=chance.randint(1, 8), after=chance.random() < 0.5),
                    Moment(KILL, file_bytes=chance.randint(100, 150_000)),
                    Moment(chance.choice([KILL, TERM]), seconds=chance.uniform(0.05, 0.6)),
                ]
                if num_workers == 0
                else [Moment(chance.choice([KILL, TERM]), seconds=chance.uniform(0.05, 8.0))]
            )
            killer(CACHE, str(num_workers), moment=moment)
            found = files(tmp_path / "cache") if (tmp_path / "cache").exists() else {}
            assert found.items() <= whole.items()
        killer(CACHE, str(num_workers))
        assert files(tmp_path / "cache") == whole
        assert rests(tmp_path / "cache") == []
    record("caching", "kill -9, SIGTERM", "gone on, equal bit by bit", killer.n_kills)


# --- rendering -------------------------------------------------------------------------------


def test_rendering_killed_again_and_again(killer, music, tmp_path, record):
    whole = files(music / "rendered")
    chance = killer.chance
    for _ in range(5):
        shutil.rmtree(tmp_path / "rendered", ignore_errors=True)
        for _ in range(2):
            moment = chance.choice(
                [
                    Moment(KILL, call="os.replace", n=chance.randint(1, 6), after=True),
                    Moment(KILL, file_bytes=chance.randint(100, 1_000_000)),
                    Moment(chance.choice([KILL, TERM, INT]), seconds=chance.uniform(0.05, 4.0)),
                ]
            )
            killer(RENDER, *PIECES, "num_workers=0", moment=moment)
            found = files(tmp_path / "rendered") if (tmp_path / "rendered").exists() else {}
            assert found.items() <= whole.items()
        killer(RENDER, *PIECES, "num_workers=0")
        assert files(tmp_path / "rendered") == whole
        assert rests(tmp_path / "rendered") == []
    record("rendering", "kill -9, SIGTERM", "gone on, equal bit by bit", killer.n_kills)


# --- a library -------------------------------------------------------------------------------


def _in_library(chance: random.Random) -> Moment:
    return chance.choice(
        [
            Moment(chance.choice([KILL, TERM, INT]), seconds=chance.uniform(0.05, 1.5)),
            Moment(KILL, call="os.replace", n=chance.randint(1, 6), after=chance.random() < 0.5),
            Moment(KILL, call="os.fsync", n=chance.randint(1, 6)),
            Moment(KILL, file_bytes=chance.randint(100, 6_000)),
        ]
    )


@pytest.mark.parametrize("num_workers", [0, 2])
def test_a_library_killed_again_and_again(num_workers, killer, music, tmp_path, record):
    whole = results(music / "grids")
    out = tmp_path / "grids"
    chance = killer.chance
    arguments = (*LIBRARY, f"num_workers={num_workers}")
    for _ in range(8 if num_workers == 0 else 3):
        shutil.rmtree(out, ignore_errors=True)
        for _ in range(3):
            moment = _in_library(chance)
            if num_workers:
                moment = Moment(chance.choice([KILL, TERM, INT]), seconds=chance.uniform(0.05, 12))
            killer(PREDICT, *arguments, moment=moment)
            assert results(out).items() <= whole.items()
        killer(PREDICT, *arguments)
        assert results(out) == whole
        assert rests(out) == []
    record("library prediction", "kill -9, SIGTERM", "gone on, equal bit by bit", killer.n_kills)


@pytest.mark.parametrize("signal_name", ["SIGKILL", "SIGTERM", "SIGINT"])
def test_killed_while_the_summary_is_written(signal_name, killer, music, tmp_path, record):
    number = signal.Signals[signal_name]
    for call, after in (("os.replace", False), ("os.replace", True), ("os.fsync", False)):
        moment = Moment(
            number, call=call, match="summary" if call == "os.replace" else "", after=after
        )
        killer(PREDICT, *LIBRARY, moment=moment)
        killer(PREDICT, *LIBRARY)
        summary = (tmp_path / "grids/summary.csv").read_text()
        assert all(name in summary for name in results(music / "grids"))
        assert results(tmp_path / "grids") == results(music / "grids")
    record("summary writing", signal_name, "written anew", killer.n_kills)
