"""The feature cache: keys, damage, many processes at once."""

import json
import os
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import soundfile

from beatgrid.audio import cache as cache_module
from beatgrid.audio.cache import FeatureCache
from beatgrid.audio.features import FeatureSpec, log_mel
from beatgrid.audio.reader import load_audio
from beatgrid.errors import AudioError, BeatgridError
from beatgrid.files import replacing, write_json, write_text
from beatgrid.processes import Failure

SPEC = FeatureSpec(sample_rate=22050, n_fft=1024, hop_length=256, n_mels=32)


def write_audio(path: Path, seed: int = 0, duration_s: float = 2.0) -> Path:
    rng = np.random.default_rng(seed)
    soundfile.write(path, rng.normal(0, 0.1, round(22050 * duration_s)), 22050)
    return path


@pytest.fixture
def audio_path(tmp_path: Path) -> Path:
    return write_audio(tmp_path / "song.wav")


@pytest.fixture
def cache(tmp_path: Path) -> FeatureCache:
    return FeatureCache(tmp_path / "cache", SPEC)


@pytest.fixture
def computed(monkeypatch) -> list[int]:
    """Grows by one entry whenever features are really computed."""
    calls: list[int] = []
    compute = cache_module.file_features
    monkeypatch.setattr(
        cache_module, "file_features", lambda *args: calls.append(1) or compute(*args)
    )
    return calls


def entry_files(cache: FeatureCache) -> list[Path]:
    return sorted(path for path in cache.directory.glob("*/*") if path.is_file())


def test_an_entry_holds_the_features(cache, audio_path):
    entry = cache.get(audio_path)
    expected = log_mel(load_audio(audio_path, 22050).samples, SPEC)
    assert isinstance(entry.load(), np.memmap)
    assert entry.load().dtype == np.float16
    assert entry.n_frames == len(entry.load()) == len(expected)
    np.testing.assert_allclose(entry.load(), expected, atol=0.032)
    assert entry.duration_s == 2.0
    assert entry_files(cache) == [entry.path.with_suffix(".json"), entry.path]
    assert entry.path.parent == cache.directory / entry.path.name[:2]
    sidecar = json.loads(entry.path.with_suffix(".json").read_text())
    info = asdict(load_audio(audio_path, 22050).info)
    assert info.pop("path") == audio_path
    assert sidecar["info"] == info
    assert str(audio_path) not in str(sidecar)


def test_computed_once_per_content_and_spec(cache, audio_path, computed):
    first = cache.get(audio_path)
    assert cache.get(audio_path) == first
    assert FeatureCache(cache.directory, SPEC).get(audio_path) == first
    copy = Path(shutil.copy(audio_path, audio_path.with_name("copy.wav")))
    assert cache.get(copy) == first
    assert len(computed) == 1

    other_spec = FeatureSpec(**{**SPEC.to_dict(), "n_mels": 33})
    other = FeatureCache(cache.directory, other_spec).get(audio_path)
    assert other.path != first.path
    write_audio(audio_path, seed=1, duration_s=3.0)
    changed = cache.get(audio_path)
    assert (changed.path != first.path, changed.duration_s) == (True, 3.0)
    assert len(computed) == 3


@pytest.mark.parametrize("part", ["npy", "json"])
@pytest.mark.parametrize(
    "damage", ["cut", "empty", "missing", "garbage", "lost block", "header cut", "nested", "other"]
)
def test_a_damaged_entry_is_computed_again(cache, audio_path, computed, part, damage):
    entry = cache.get(audio_path)
    expected = np.array(entry.load())
    path = entry.path.with_suffix(f".{part}")
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    elif damage == "other" and part == "npy":
        np.save(path, expected[:-1])
    elif damage == "other":
        sidecar = json.loads(content)
        del sidecar["info"]["peak"]
        path.write_text(json.dumps(sidecar))
    else:
        path.write_bytes(
            {
                "cut": content[: len(content) // 2],
                "empty": b"",
                "garbage": b"x" * 999,
                "header cut": content[:8] + content[58:],  # a TokenError of numpy
                "nested": b"[" * 100_000,  # a RecursionError of json
                "lost block": content[:-512] + b"\xff" * 512,
            }[damage]
        )
    # Another run: within one, an entry is compared with its checksum once.
    again = FeatureCache(cache.directory, cache.spec).get(audio_path)
    assert len(computed) == 2
    np.testing.assert_array_equal(again.load(), expected)


@pytest.mark.parametrize("content", ["[]", "null", '{"info": []}', '{"info": {}, "shape": 3}'])
def test_any_json_in_the_sidecar_is_survived(cache, audio_path, content):
    entry = cache.get(audio_path)
    entry.path.with_suffix(".json").write_text(content)
    assert cache.get(audio_path).duration_s == 2.0


def test_bad_audio_leaves_nothing_behind(cache, tmp_path):
    soundfile.write(tmp_path / "silent.wav", np.zeros(22050), 22050)
    (tmp_path / "text.wav").write_text("no sound in here")
    with pytest.raises(AudioError, match=r"silent.wav: silent"):
        cache.get(tmp_path / "silent.wav")
    with pytest.raises(AudioError, match=r"text.wav: no audio"):
        cache.get(tmp_path / "text.wav")
    with pytest.raises(AudioError, match=r"none.wav: no such file"):
        cache.get(tmp_path / "none.wav")
    assert not cache.directory.exists()


@pytest.mark.parametrize("num_workers", [0, 2])
def test_prepare_fills_the_cache_and_collects_errors(cache, tmp_path, num_workers, computed):
    good = [write_audio(tmp_path / f"{i}.wav", seed=i, duration_s=1.0) for i in range(3)]
    twin = Path(shutil.copy(good[0], tmp_path / "twin.wav"))
    bad = tmp_path / "bad.wav"
    bad.write_text("no sound in here")
    bad_twin = Path(shutil.copy(bad, tmp_path / "bad twin.wav"))
    missing = tmp_path / "none.wav"
    errors = cache.prepare([*good, twin, bad, bad_twin, missing], num_workers=num_workers)
    assert set(errors) == {bad, bad_twin, missing}
    assert all(isinstance(error, AudioError) for error in errors.values())
    assert len(entry_files(cache)) == 6
    n_computed = len(computed)
    assert {cache.get(path).n_frames for path in [*good, twin]} == {1 + 22050 // 256}
    assert cache.prepare(good, num_workers=num_workers) == {}
    assert len(computed) == n_computed


def test_a_file_that_ends_its_worker_has_failed(cache, tmp_path, monkeypatch):
    bad, good = (write_audio(tmp_path / f"{name}.wav", duration_s=1) for name in ("bad", "good"))
    bad.write_text("not even tried")

    def results(make, jobs, num_workers, **_):
        compute = make()
        for job in jobs:
            crashes = job[0] == bad
            yield job, Failure("its process died of SIGSEGV") if crashes else compute(job)

    monkeypatch.setattr("beatgrid.audio.cache.results", results)
    errors = cache.prepare([bad, good], num_workers=1)
    assert {path: str(error) for path, error in errors.items()} == {
        bad: f"{bad}: its process died of SIGSEGV"
    }
    assert len(entry_files(cache)) == 2


@pytest.mark.parametrize("num_workers", [0, 1])
def test_prepare_ends_where_entries_cannot_be_written(tmp_path, audio_path, num_workers):
    (tmp_path / "file").touch()
    with pytest.raises(BeatgridError, match=r"cannot write to the feature cache .*cache_dir"):
        FeatureCache(tmp_path / "file", SPEC).prepare([audio_path], num_workers=num_workers)


def test_prepare_shows_progress(cache, audio_path, capsys):
    cache.prepare([audio_path], progress=True)
    assert "Computing features" in capsys.readouterr().out
    cache.prepare([audio_path], progress=True)  # nothing to do, nothing to show
    assert capsys.readouterr().out == ""


def test_several_may_compute_the_same_entry_at_once(cache, audio_path, computed):
    barrier = threading.Barrier(4)

    def get(_: int) -> np.ndarray:
        own = FeatureCache(cache.directory, SPEC)
        barrier.wait()
        return np.array(own.get(audio_path).load())

    expected = log_mel(load_audio(audio_path, 22050).samples, SPEC).astype(np.float16)
    with ThreadPoolExecutor(4) as pool:
        for _ in range(5):
            shutil.rmtree(cache.directory, ignore_errors=True)
            for features in pool.map(get, range(4)):
                np.testing.assert_array_equal(features, expected)
            assert len(entry_files(cache)) == 2
    assert len(computed) > 5  # they did meet


def test_processes_that_prepare_at_once_compute_each_entry_once(cache, tmp_path, computed):
    paths = [write_audio(tmp_path / f"{seed}.wav", seed) for seed in range(3)]
    with ThreadPoolExecutor(4) as threads:
        caches = [FeatureCache(cache.directory, SPEC) for _ in range(4)]
        assert list(threads.map(lambda each: each.prepare(paths), caches)) == [{}] * 4
    assert len(computed) == 3
    assert len(entry_files(cache)) == 6


def test_a_cache_that_cannot_be_written(tmp_path, audio_path):
    (tmp_path / "file").touch()
    with pytest.raises(BeatgridError, match=r"cannot write to the feature cache .*cache_dir"):
        FeatureCache(tmp_path / "file", SPEC).get(audio_path)


def test_many_entries_hold_no_files_open(cache, audio_path):
    entry = cache.get(audio_path)
    entries = [cache.get(audio_path) for _ in range(50)]
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    for entry in entries:
        assert entry.load()[0].shape == (32,)
    after = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    assert after <= before + 1


def test_replacing_is_all_or_nothing(tmp_path):
    path = tmp_path / "new" / "x.txt"
    write_text(path, "é")
    assert path.read_text(encoding="utf-8") == "é"

    def fail_midway() -> None:
        with replacing(path) as temporary:
            temporary.write_text("half")
            assert temporary.parent == path.parent
            assert temporary.suffix == ".txt"
            raise RuntimeError("midway")

    with pytest.raises(RuntimeError, match="midway"):
        fail_midway()
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(path, {"x": float("nan")})
    assert path.read_text(encoding="utf-8") == "é"
    assert list(path.parent.iterdir()) == [path]
    write_text(tmp_path / ("n" * 250 + ".txt"), "long names are legal")


def test_features_that_vanish_after_they_were_found(cache, audio_path):
    stored = cache.get(audio_path)
    stored.path.unlink()
    with pytest.raises(BeatgridError, match=r"cannot be read \(FileNotFoundError: .*start again"):
        stored.load()
