"""The entry scripts as a user runs them: the whole chain, bad input, awkward names."""

import json
import re
import shutil

import numpy as np
import pytest
import soundfile
import torch

from beatgrid.audio.features import FeatureSpec, log_mel
from beatgrid.data.labels import write_label
from beatgrid.grid import Grid
from beatgrid.rendering.generator import click_track
from tests.conftest import CLICK_GRIDS, status_of

TINY = [
    *("trainer=cpu", "trainer.max_epochs=1", "data.num_workers=0", "data.crop_s=4"),
    *("model.channels=[4]", "model.frequency_strides=[4]", "model.frequency_pools=[1]"),
    *("model.projection_size=8", "model.hidden_size=8", "callbacks.progress=null"),
    "trainer.log_every_n_steps=1",
]


@pytest.fixture(scope="module")
def trained(tmp_path_factory, click_folder):
    """A run folder after two training steps on the click tracks."""
    cwd = tmp_path_factory.mktemp("train")
    arguments = [*click_folder.overrides, *TINY, "data.batch_size=5", "data.val_count=1"]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(cwd)
        assert status_of("train.py", *arguments, "output_dir=run") == 0
    return cwd / "run"


def test_training_leaves_a_complete_run_folder(trained):
    assert (trained / "checkpoints" / "best.ckpt").is_file()
    assert (trained / "checkpoints" / "last.ckpt").is_file()
    splits = json.loads((trained / "splits.json").read_text())
    assert splits == {"train": ["click_a", "click_b", "click_c"], "val": ["click_d"], "test": []}
    metrics = json.loads((trained / "metrics.json").read_text())
    assert metrics["val/n_tracks"] == 1
    assert 0 < metrics["val/loss"] < 2
    assert list((trained / "tensorboard").glob("events.out.tfevents.*"))


def test_tensorboard_has_curves_a_picture_and_clicks(trained):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    board = EventAccumulator(str(trained / "tensorboard"), {"images": 0, "audio": 0})
    board.Reload()
    tags = board.Tags()
    assert {"train/loss_epoch", "val/loss", "val/level_ok", "hp_metric"} <= set(tags["scalars"])
    assert any(tag.startswith("lr") for tag in tags["scalars"])
    assert tags["images"] == ["tracks/click_d"]
    image = board.Images("tracks/click_d")[0]
    assert (image.width, image.height) > (500, 200)


def test_checkpoint_loads_safely_and_holds_no_path(trained):
    contents = torch.load(trained / "checkpoints" / "best.ckpt", weights_only=True)
    about = contents["beatgrid"]
    assert about["format"] == 2
    assert about["network"]["name"] == "crnn"
    assert about["licence"] == "MIT"
    assert about["features"]["hop_length"] == 512
    assert about["training_data"]["splits"]["train"]["tracks"] == 3
    assert "/" not in json.dumps(about)


def test_predicting_needs_the_checkpoint_and_nothing_else(
    trained, click_folder, run_script, tmp_path
):
    shutil.copy(trained / "checkpoints" / "best.ckpt", tmp_path / "weights.ckpt")
    audio = click_folder.path / "audio" / "click_a.wav"
    done = run_script("predict.py", f"audio={audio}", "ckpt=weights.ckpt", "out=found")
    assert done.status == 0, done.err
    result = json.loads((tmp_path / "found" / "click_a.wav.beatgrid.json").read_text())
    assert result["duration_s"] == pytest.approx(12.0)
    assert (tmp_path / "found" / "click_a.wav.beatgrid.png").is_file()
    assert "click_a.wav" in done.out
    assert sorted(p.name for p in tmp_path.iterdir()) == ["found", "weights.ckpt"]


def test_flux_finds_clicks_to_the_millisecond(click_folder, run_script, tmp_path):
    done = run_script(
        "predict.py",
        f"audio={click_folder.path}/audio",
        "activation=flux",
        "out=found",
        "picture=false",
        "num_workers=0",
    )
    assert done.status == 0, done.err
    for name, grid in CLICK_GRIDS.items():
        result = json.loads((tmp_path / "found" / f"{name}.wav.beatgrid.json").read_text())
        ratio = result["bpm"] / grid.bpm
        assert min(abs(ratio - r) for r in (0.5, 1, 2)) < 2e-3, name
        times_s = np.array([beat["time"] for beat in result["beats"]])
        nearest = np.abs(times_s[:, None] - grid.beat_times(12.0)).min(axis=1)
        assert np.median(nearest) < 0.010 or ratio > 1.5, name


@pytest.mark.parametrize("name", ["a (b), c = [d] & #1.wav", "l'été 日本.wav", "${x} $y.wav"])
def test_awkward_names_work_on_the_command_line(name, run_script, tmp_path):
    soundfile.write(tmp_path / name, click_track(125.0, 0.1, 8.0), 44100)
    done = run_script("predict.py", f"audio={name}", "activation=flux")
    assert done.status == 0, done.err
    assert (tmp_path / "outputs" / "predict" / f"{name}.beatgrid.json").is_file()


def test_evaluate_writes_metrics_and_tracks(click_folder, run_script, tmp_path):
    done = run_script("evaluate.py", *click_folder.overrides, "activation=flux", "out=scores")
    assert done.status == 0, done.err
    summary = json.loads((tmp_path / "scores" / "evaluation.json").read_text())
    assert list(summary) == [
        *("n_tracks", "level_ok", "grid_ok_10", "grid_ok_21", "grid_ok_10_multi"),
        *("grid_ok_21_multi", "drift_ok_multi", "offbeat", "bias_ms", "phase_median_ms"),
        *("phase_p95_ms", "f_measure", "cmlt", "amlt", "acc1", "acc2", "downbeat_accuracy"),
        "confidence_auroc",
    ]
    assert summary["n_tracks"] == 4
    assert summary["downbeat_accuracy"] is None  # flux claims no bars
    lines = (tmp_path / "scores" / "tracks.csv").read_text().splitlines()
    assert len(lines) == 5
    assert max(map(len, done.out.splitlines())) <= 80


def test_evaluate_takes_rendered_folders_and_groups_by_tempo(click_folder, run_script, tmp_path):
    spec = FeatureSpec()
    folder = tmp_path / "rendered"
    (folder / "features").mkdir(parents=True)
    (folder / "spec.json").write_text(json.dumps(spec.to_dict()))
    for bpm in (75.5, 128.0, 140.0, 216.0):
        name = f"clicks-{bpm}"
        features = log_mel(click_track(bpm, 0.1, 12.0), spec)
        np.save(folder / "features" / f"{name}.npy", features.astype(np.float16))
        write_label(folder / "labels" / f"{name}.labels.json", Grid(bpm, 0.1), 12.0, None)
    only = ["activation=flux", f"+data.rendered.clicks={{folder: {folder}}}", "group_by=bpm"]
    done = run_script("evaluate.py", "data.audio_dir=null", *only)
    assert done.status == 0, done.err
    for line in (r"0 to 90 BPM +1 ", r"120 to 150 BPM +2 ", r"from 210 BPM +1 "):
        assert re.search(line, done.out), done.out
    lines = (tmp_path / "outputs/evaluate/tracks.csv").read_text().splitlines()
    assert [line.rsplit(",", 1)[1] for line in lines] == [
        *("group", "120 to 150 BPM", "120 to 150 BPM", "from 210 BPM", "0 to 90 BPM"),
    ]
    both = run_script("evaluate.py", *click_folder.overrides, *only)
    assert json.loads((tmp_path / "outputs/evaluate/evaluation.json").read_text())["n_tracks"] == 8
    assert both.status == 0
    nothing = run_script("evaluate.py", "data.audio_dir=null", "activation=flux")
    assert (nothing.status, nothing.err.count("\n")) == (1, 1)
    assert "data.audio_dir=null: name a folder" in nothing.err


def test_tracks_without_weight_are_not_fitted_to(click_folder, run_script):
    few = run_script("calibrate.py", *click_folder.overrides, "ckpt=shipped")
    none = run_script("calibrate.py", *click_folder.overrides, "ckpt=shipped", "data.weight=0")
    assert (few.status, none.status) == (1, 1)
    assert "need at least 5 labelled tracks" in few.err
    assert "no track to calibrate on" in none.err


def bad_audio(folder):
    """Files that cannot have a grid, and one that can."""
    samples = click_track(120.0, 0.0, 6.0)
    soundfile.write(folder / "good.wav", samples, 44100)
    (folder / "empty.wav").touch()
    (folder / "text.mp3").write_text("this is not music\n" * 100)
    soundfile.write(folder / "short.wav", samples[:8820], 44100)
    soundfile.write(folder / "silent.wav", samples * 0, 44100)
    soundfile.write(folder / "cut.flac", samples, 44100)
    whole = (folder / "cut.flac").read_bytes()
    (folder / "cut.flac").write_bytes(whole[: len(whole) // 2])
    return ["empty.wav", "text.mp3", "short.wav", "silent.wav", "cut.flac"]


# Workers on bad audio: test_predict's test_a_library_leaves_a_summary in the fast tier.
@pytest.mark.parametrize("num_workers", [0, pytest.param(2, marks=pytest.mark.slow)])
def test_bad_audio_is_named_and_the_rest_of_the_batch_goes_on(num_workers, run_script, tmp_path):
    (tmp_path / "music").mkdir()
    bad = bad_audio(tmp_path / "music")
    done = run_script(
        "predict.py", "audio=music", "activation=flux", "out=found", f"num_workers={num_workers}"
    )
    assert done.status == 1
    errors = [line for line in done.err.splitlines() if line.startswith("error: music/")]
    assert len(errors) == len(bad)
    for name in bad:
        assert sum(f"music/{name}: " in line for line in errors) == 1, name
    assert "Traceback" not in done.err
    assert sorted(p.name for p in (tmp_path / "found").iterdir()) == [
        ".beatgrid-index.sqlite",
        "failed.txt",
        "good.wav.beatgrid.json",
        "good.wav.beatgrid.png",
        "summary.csv",
    ]


@pytest.mark.parametrize(("rate", "channels"), [(8000, 1), (192000, 2), (44100, 6)])
def test_unusual_formats_just_work(rate, channels, run_script, tmp_path):
    samples = np.repeat(click_track(120.0, 0.25, 10.0, rate)[:, None], channels, axis=1)
    soundfile.write(tmp_path / "a.wav", samples, rate)
    done = run_script("predict.py", "audio=a.wav", "activation=flux", "picture=false")
    assert done.status == 0, done.err
    result = json.loads((tmp_path / "outputs/predict/a.wav.beatgrid.json").read_text())
    assert result["sample_rate"] == rate
    assert result["bpm"] in (
        pytest.approx(60, abs=0.05),
        pytest.approx(120, abs=0.05),
        pytest.approx(240, abs=0.05),
    )


@pytest.mark.parametrize(
    ("script", "arguments", "message"),
    [
        ("predict.py", ["audio=nowhere.mp3", "activation=flux"], "audio=nowhere.mp3: no such"),
        ("predict.py", ["audio=.", "activation=flux"], "audio=.: no audio in this folder"),
        ("predict.py", ["audio=x", "activation=magic"], "activation=magic: must be"),
        ("predict.py", ["audio=x", "ckpt=gone.ckpt"], "ckpt=gone.ckpt: no such file"),
        ("predict.py", ["audio=x", "ckpt=latest"], "train first"),
        ("predict.py", ["audio=x", "gird=wide"], "gird"),
        ("predict.py", ["audio=x", "grid.bpm_mni=70"], "bpm_mni"),
        (
            "predict.py",
            ["audio=x", "grid=wild"],
            "grid=wild: must be one of default, notebook, wide",
        ),
        ("predict.py", ["audio={folder}/audio", "activation=flux", "out={file}"], "cannot be a"),
        ("evaluate.py", ["activation=flux", "out={file}"], "cannot be a folder (File exists)"),
        (
            "evaluate.py",
            [
                *("activation=flux", "group_by=mood"),
                *("data.audio_dir={folder}/audio", "data.label_dir={folder}/labels"),
            ],
            "group_by=mood: no label has this key",
        ),
        ("train.py", ["data.audio_dir=no where"], "data.audio_dir=no where: no such folder"),
        ("train.py", ["modle.hidden_size=1"], "modle"),
        ("train.py", ["model=transformer"], "transformer"),
        ("train.py", ["resume=true"], "resume=true: no run in outputs/train"),
        ("train.py", ["resume=gone.ckpt"], "resume=gone.ckpt: no such run folder or checkpoint"),
        ("train.py", ["seed=null"], "seed=null: must be a whole number from 0 to"),
        ("train.py", ["seed=-1"], "seed=-1: must be a whole number from 0 to"),
        ("train.py", ["num_threads=0"], "num_threads=0: must be a whole number from 1 to"),
        ("train.py", ["logger=null"], "logger=null: must be one of csv, tensorboard"),
        ("train.py", ["monitor=val/nope"], "monitor=val/nope: must be one of train/loss, val/"),
        ("train.py", ["data.crop_s=0.001"], "data.crop_s=0.001: shorter than a frame of 0.0116 s"),
        ("train.py", ["trainer.devices=999"], "trainer.devices=999: as many processes as the"),
        ("train.py", ["data.batch_size=0"], "data.batch_size=0: must be a whole number from 1"),
        ("train.py", ["data.num_workers=-1"], "data.num_workers=-1: must be a whole number from"),
        ("train.py", ["data.target.width_s=0"], "data.target.width_s=0: must be a number above 0"),
        ("train.py", ["model.lr=nan"], "model.lr=nan: must be a number"),
        ("train.py", ["init_from=gone.ckpt"], "init_from=gone.ckpt: no such file; train one"),
        ("train.py", ["resume={file}"], "is missing; init_from={file} begins a new run"),
        ("train.py", ["output_dir={file}"], "output_dir={file}: cannot hold a run"),
        ("train.py", ["ckpt_path=a.ckpt"], "ckpt_path=a.ckpt: now resume=RUN_FOLDER or"),
        ("train.py", ["model.optimizer=sgd"], "model.optimizer=sgd: must be one of adamw, adam"),
        (
            "train.py",
            ["model=tcn", "model.hidden_size=48"],
            "Could not override 'model.hidden_size'",
        ),
        ("train.py", ["model.hidden_size=wide"], "model.hidden_size=wide: must be a whole number"),
        ("train.py", ["model.lr=abc"], "model.lr=abc: must be a number from 0"),
    ],
)
def test_a_users_mistake_is_one_line_without_traceback(
    script, arguments, message, run_script, tmp_path, click_folder
):
    if script == "train.py" and not any("data.audio_dir" in a for a in arguments):
        arguments = [*click_folder.overrides, *arguments]
    file = click_folder.path / "audio" / "click_a.wav"
    done = run_script(script, *(a.format(folder=click_folder.path, file=file) for a in arguments))
    message = message.format(file=file)
    assert done.status == 1
    errors = done.err.splitlines()
    assert len(errors) == 1, done.err
    assert errors[0].startswith("error: ")
    assert message in errors[0]
    assert "Traceback" not in done.err
    assert not list(tmp_path.glob("outputs/train/*"))  # no run was begun


def test_bad_labels_stop_training_and_are_all_named(run_script, tmp_path):
    (tmp_path / "audio").mkdir()
    (tmp_path / "labels").mkdir()
    contents = {
        "nojson": "{",
        "nobpm": "{}",
        "negative": '{"bpm": -1}',
        "nan": '{"bpm": NaN}',
        "text": '{"bpm": "fast"}',
        "duration": '{"bpm": 120, "duration": -5}',
        "absurd": '{"bpm": 120, "duration": 1e9}',
        "escape": '{"bpm": 120, "fileName": "../../x.wav"}',
    }
    for name, text in contents.items():
        (tmp_path / "labels" / f"{name}.labels.json").write_text(text)
    done = run_script("train.py", "data.audio_dir=audio", "data.label_dir=labels")
    assert done.status == 1
    errors = [line for line in done.err.splitlines() if line.startswith("error: ")]
    assert len(errors) == len(contents)
    for name in contents:
        assert any(f"{name}.labels.json" in line for line in errors), name
    assert "Traceback" not in done.err


def test_bad_audio_stops_training_unless_told_to_go_on(run_script, tmp_path, click_folder):
    shutil.copytree(click_folder.path / "audio", tmp_path / "audio")
    shutil.copytree(click_folder.path / "labels", tmp_path / "labels")
    (tmp_path / "audio" / "click_b.wav").write_bytes(b"")
    folders = ["data.audio_dir=audio", "data.label_dir=labels", "data.cache_dir=cache"]
    done = run_script("train.py", *folders, *TINY)
    assert done.status == 1
    assert "error: audio/click_b.wav: empty" in done.err
    assert "data.skip_bad_audio=true" in done.err
    done = run_script(
        "train.py", *folders, *TINY, "data.skip_bad_audio=true", "debug=fast", "output_dir=run"
    )
    assert done.status == 0, done.err
    splits = json.loads((tmp_path / "run" / "splits.json").read_text())
    assert "click_b" not in splits["train"] + splits["val"]
