"""``experiment=finetune`` as a user types it: refusals, stages, verdict, and the whole loop."""

import json

import numpy as np
import pytest
import soundfile

import beatgrid
from beatgrid.data.labels import write_label
from beatgrid.finetuning import rehearsal
from beatgrid.rendering.generator import ALL_GENRES
from beatgrid.review.material import Materials
from beatgrid.review.run import Run
from beatgrid.review.tracks import Tracks, labels_folder
from experiments.finetune.music import FIRST_HELD_OUT_SEED, song

SONG_S = 30.0
FINETUNE = ["experiment=finetune", "callbacks.progress=null", "finetune.render_workers=0"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["init_from=null"], "init_from=null: name the weights to fine-tune"),
        (["data.audio_dir=null"], "data.audio_dir=null: name the folder of your labelled music"),
        (["trainer.devices=2"], "trainer.devices=2: fine-tuning takes one process"),
        (["grid=notebook"], "grid: has no ranker to fit"),
        (["init_from=none.ckpt"], "init_from=none.ckpt: no such file"),
        (["finetune.pull=0"], "finetune.pull=0: must be a number above 0"),
        ([], "4 labelled recordings: 5 are needed at least"),
        (
            ["model.projection_size=64"],
            "model.projection_size=64: the weights to fine-tune have 96",
        ),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_rendered(
    arguments, message, click_folder, run_script, tmp_path
):
    given = {argument.partition("=")[0] for argument in arguments}
    folder = [o for o in click_folder.overrides if o.partition("=")[0] not in given]
    done = run_script("train.py", *FINETUNE, *folder, *arguments)
    assert done.status == 1
    assert done.err.startswith("error: ")
    assert message in done.err
    assert not (tmp_path / "data").exists()
    assert not list(tmp_path.glob("outputs/train/*"))


@pytest.fixture
def little_rehearsal(monkeypatch):
    """Only some pieces to rehearse, choose by and judge by: seconds to render, not minutes."""
    monkeypatch.setattr(rehearsal, "N_TO_CHOOSE", 5)
    monkeypatch.setattr(rehearsal, "ALL_GENRES", ALL_GENRES[:6])


@pytest.mark.slow
def test_predict_correct_fine_tune_and_be_better_on_what_nobody_corrected(
    little_rehearsal, run_script, tmp_path
):
    """The whole loop, on songs whose off-beats the shipped weights take for the beat."""
    grids = write_songs(tmp_path / "music/audio", range(24))
    held_out = range(FIRST_HELD_OUT_SEED, FIRST_HELD_OUT_SEED + 10)
    for name, grid in write_songs(tmp_path / "later/audio", held_out).items():
        write_label(tmp_path / f"later/labels/{name}.labels.json", grid, SONG_S, name)
    found = run_script(
        "predict.py", "audio=music/audio", "out=grids", "picture=false", "num_workers=0"
    )
    assert found.status == 0, found.err
    n_corrected = correct(tmp_path / "grids", tmp_path / "sounds", grids)
    assert n_corrected >= 8  # they are heard wrongly indeed
    done = run_script(
        "train.py", *FINETUNE, "data.audio_dir=music/audio", "data.label_dir=grids/labels",
        "finetune.rehearsal_hours=0.06", "data.epoch_hours=0.3", "trainer.max_epochs=3",
        "trainer.precision=bf16-mixed", "data.crop_s=12", "data.batch_size=3",
        "data.held_out=0.5", "finetune.pull=3",
    )  # fmt: skip
    assert done.status == 0, done.err
    (run,) = (tmp_path / "outputs/train").iterdir()
    verdict = json.loads((run / "verdict.json").read_text())
    assert verdict["own"]["n_tracks"] == 6
    assert verdict["elsewhere"]["n_tracks"] == 6
    assert verdict["verdict"][0].startswith("on yours ")
    # Cut off after its training, it goes on with what is left to do, to the same end.
    (run / "verdict.json").unlink()
    (run / "checkpoints/best.ckpt").unlink()
    resumed = run_script("train.py", "resume=true")
    assert resumed.status == 0, resumed.err
    again = json.loads((run / "verdict.json").read_text())
    assert {**again, "notes": []} == {**verdict, "notes": []}
    right = {}
    for ckpt in ("shipped", "latest"):
        scored = run_script(
            "evaluate.py", f"ckpt={ckpt}", f"out={ckpt}", "backend=torch",
            "data.audio_dir=later/audio", "data.label_dir=later/labels",
        )  # fmt: skip
        assert scored.status == 0, scored.err
        right[ckpt] = json.loads((tmp_path / ckpt / "evaluation.json").read_text())["grid_ok_21"]
    assert verdict["use"] == "tuned"
    assert right["latest"] >= right["shipped"] + 0.3


def write_songs(folder, seeds):
    """Write unlabelled songs; their true grids by file name."""
    folder.mkdir(parents=True)
    grids = {}
    for seed in seeds:
        track = song(seed, SONG_S)
        grids[f"{seed}.flac"] = track.grid
        soundfile.write(folder / f"{seed}.flac", track.samples, track.sample_rate)
    return grids


def correct(results, sounds, grids):
    """Accept every result through the review page's own code, corrected where it is wrong."""
    run = Run(results, None)
    n_corrected = 0
    sounds.mkdir()
    materials = Materials(sounds, lambda: beatgrid.load(activation="flux"))
    tracks = Tracks(run, labels_folder(results), materials)
    for row in run.rows():
        truth = grids[row.name]
        shown = tracks.describe(row.id)
        middle_s = shown["duration_s"] / 2
        for edit in edits_towards(truth, shown, middle_s):
            shown = tracks.edit(row.id, shown["revision"], edit)
            n_corrected += edit["op"] == "shift"
        tracks.accept(row.id, shown["revision"])
    materials.close()
    return n_corrected


def edits_towards(truth, shown, middle_s):
    """What a person does: half or double, half a beat on, this beat is one."""
    bpm = shown["stretches"][0]["bpm"]
    ratio = 2.0 ** round(np.log2(truth.bpm / bpm))
    if ratio != 1:
        yield {"op": "scale", "at_s": middle_s, "ratio": ratio}
    downbeats_s = truth.downbeat_times(shown["duration_s"])
    one_s = float(downbeats_s[np.argmin(np.abs(downbeats_s - middle_s))])
    beats_s = np.array(shown["beats_s"])
    if np.abs(beats_s - one_s).min() > truth.period_s / 4:
        yield {"op": "shift", "at_s": middle_s, "beats": 0.5}
    yield {"op": "one", "at_s": one_s}
