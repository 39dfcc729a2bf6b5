import numpy as np
import pytest
import soundfile

from beatgrid.activation import FluxSource, chunks
from beatgrid.errors import BeatgridError
from beatgrid.networks.description import SHIPPED, SHIPPED_ONNX
from beatgrid.predictor import Predictor, find_model, load
from beatgrid.rendering.generator import click_track, render
from beatgrid.search import GridSearch


def test_flux_finds_the_tempo_of_a_rendered_house_track(tmp_path):
    track = render("house", seed=3, duration_s=30.0)
    path = tmp_path / "house.flac"
    soundfile.write(path, track.samples, track.sample_rate)
    found = Predictor(FluxSource(), GridSearch())(path)
    assert found.info.duration_s == pytest.approx(30.0)
    assert found.estimate.bpm == pytest.approx(track.grid.bpm, rel=1e-3)
    assert found.log_mel.shape == (len(found.activation), 128)
    offset = (found.estimate.offset_s - track.grid.offset_s) / track.grid.period_s
    assert abs(offset - np.round(offset)) * track.grid.period_s < 0.0215


@pytest.fixture(scope="module")
def clicks(tmp_path_factory):
    """A click track of 120 BPM whose tag says something else."""
    path = tmp_path_factory.mktemp("tagged") / "clicks.wav"
    soundfile.write(path, click_track(bpm=120.0, offset_s=0.2, duration_s=20.0), 44100)
    return path


def test_a_hint_is_reported_and_not_copied(clicks):
    for hint, plain, agrees in ((119.0, 119.0, True), ([100, 110], [100.0, 110.0], False)):
        found = Predictor(FluxSource(), GridSearch(), hint=hint)(clicks)
        assert found.bpm == 120.0
        assert found.hint_agrees is agrees
        result = found.to_dict()
        assert (result["hint"], result["hint_agrees"]) == (plain, agrees)


def test_the_files_tag_is_the_hint_if_asked_for(clicks, monkeypatch):
    monkeypatch.setattr("beatgrid.predictor.read_bpm_tag", lambda path: 60.2)
    found = Predictor(FluxSource(), GridSearch(), hint="tag")(clicks)
    assert found.to_dict()["hint"] == 60.2
    assert Predictor(FluxSource(), GridSearch())(clicks).to_dict()["hint"] is None
    # A file without a tag: nothing was said.
    monkeypatch.undo()
    found = Predictor(FluxSource(), GridSearch(), hint="tag")(clicks)
    assert found.hint is found.hint_agrees is None


@pytest.fixture(scope="module")
def tracks(tmp_path_factory):
    """Clicks of 125, 100 and 140 BPM, of very different length; among them what is no music."""
    folder = tmp_path_factory.mktemp("tracks")
    for bpm, duration_s in ((125.0, 6.0), (100.0, 40.0), (140.0, 12.0)):
        soundfile.write(folder / f"{bpm:.0f}.wav", click_track(bpm, 0.2, duration_s), 44100)
    (folder / "none.wav").write_text("no music")
    return [folder / name for name in ("125.wav", "100.wav", "none.wav", "140.wav")]


def test_several_files_at_a_time_come_in_order_each_with_its_own_fault(tracks):
    predictor = Predictor(FluxSource(), GridSearch())
    found = list(predictor.map(iter(tracks), num_threads=2))
    assert [file for file, _ in found] == tracks
    assert [getattr(p, "bpm", None) for _, p in found] == [125.0, 100.0, None, 140.0]
    assert isinstance(found[2][1], BeatgridError)
    assert "none.wav" in str(found[2][1])
    assert list(predictor.map([])) == []


def test_files_are_taken_as_threads_become_free(tracks):
    taken = []

    def files():
        for _ in range(20):
            taken.append(tracks[2])
            yield tracks[2]

    found = Predictor(FluxSource(), GridSearch()).map(files(), num_threads=2)
    next(found)
    assert len(taken) == 3
    found.close()
    assert len(taken) == 3


def test_tracks_in_batches_have_the_grids_that_each_has_alone(tracks, monkeypatch):
    monkeypatch.setattr(chunks.in_chunks, "__defaults__", (1200,))  # the longest has 3 pieces
    batched = load(backend="torch", batch_size=3)
    sizes, compute = [], batched.source.compute._compute
    monkeypatch.setattr(
        batched.source.compute,
        "_compute",
        lambda pieces: sizes.append(len(pieces)) or compute(pieces),
    )
    found = dict(batched.map(tracks))
    alone = load(backend="torch")
    for file in tracks:
        if file.name == "none.wav":
            assert isinstance(found[file], BeatgridError)
            continue
        expected = alone(file).estimate
        estimate = found[file].estimate
        assert estimate.bpm_raw == pytest.approx(expected.bpm_raw, rel=0, abs=1e-6)
        assert estimate.offset_raw_s == pytest.approx(expected.offset_raw_s, rel=0, abs=1e-6)
        assert estimate.bpm == expected.bpm == float(file.stem)
    assert max(sizes) > 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"batch_size": 8}, "batch_size=8: .*ONNX Runtime.*take backend=torch"),
        ({"batch_size": 8, "backend": "onnx"}, "batch_size=8: .*take backend=torch"),
        ({"batch_size": 8, "activation": "flux"}, "batch_size=8: activation=flux has no network"),
        ({"batch_size": 0, "backend": "torch"}, "batch_size=0: must be 1 or more"),
    ],
)
def test_batches_where_there_are_none_are_one_line(arguments, message):
    with pytest.raises(BeatgridError, match=message):
        load(**arguments)


def test_evaluation_takes_no_hint(clicks):
    predictor = Predictor(FluxSource(), GridSearch(), hint=60.0)
    hinted = predictor(clicks)
    _, estimate = predictor.find(hinted.log_mel, hinted.duration_s)
    assert estimate.bpm == Predictor(FluxSource(), GridSearch())(clicks).bpm == 120.0


@pytest.mark.parametrize("hint", ["fast", 0, [100, 80], [1, 2, 3]])
def test_a_hint_that_is_none_is_one_line(hint):
    with pytest.raises(BeatgridError, match="hint="):
        Predictor(FluxSource(), GridSearch(), hint=hint)


@pytest.mark.parametrize(
    ("ckpt", "backend", "device", "file"),
    [
        ("shipped", "auto", "cpu", SHIPPED_ONNX),
        ("shipped", "onnx", "cpu", SHIPPED_ONNX),
        ("shipped", "torch", "cpu", SHIPPED),
        ("shipped", "auto", "cuda", SHIPPED),
        (SHIPPED, "auto", "cpu", SHIPPED),
        (str(SHIPPED_ONNX), "auto", "cpu", SHIPPED_ONNX),
    ],
)
def test_the_backend_chooses_among_files(ckpt, backend, device, file):
    assert find_model(ckpt, backend, device) == file


@pytest.mark.parametrize(
    ("ckpt", "backend", "device", "message"),
    [
        ("a.ckpt", "onnx", "cpu", "backend=onnx: a.ckpt is a checkpoint of torch; .* out='a.onnx'"),
        ("a.onnx", "torch", "cpu", "backend=torch: a.onnx is for ONNX Runtime; name the"),
        ("a.onnx", "auto", "cuda", "device=cuda: a.onnx runs on the cpu; name a checkpoint"),
        ("shipped", "onnx", "cuda", "device=cuda: .*shipped.onnx runs on the cpu"),
        ("shipped", "tensorflow", "cpu", "backend=tensorflow: must be one of auto, onnx, torch"),
    ],
)
def test_a_file_that_a_backend_does_not_run_is_one_line(ckpt, backend, device, message):
    with pytest.raises(BeatgridError, match=message):
        load(ckpt, backend=backend, device=device)


def test_both_backends_find_the_same_grid():
    """Raw values within what rounding does: 1e-6 of the tempo and 0.05 ms."""
    track = render("techno", seed=5, duration_s=40.0)
    found, expected = (
        load("shipped", backend=backend)(track.samples, sample_rate=track.sample_rate).to_dict()
        for backend in ("onnx", "torch")
    )
    assert found["bpm_raw"] == pytest.approx(expected["bpm_raw"], rel=1e-6)
    assert found["offset_raw_s"] == pytest.approx(expected["offset_raw_s"], abs=5e-5)
    assert found["model"] == "beatgrid/shipped.onnx"
    assert expected["model"] == "beatgrid/shipped.ckpt"
