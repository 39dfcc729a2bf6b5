"""The grids of many files: results on disk, and failures that are one line each."""

import json

import pytest
import soundfile

import beatgrid
from beatgrid.library import Job, finder
from beatgrid.rendering.generator import click_track


@pytest.fixture(scope="module")
def find():
    """Finds grids by spectral flux, without pictures."""
    return finder(lambda: beatgrid.load(activation="flux"), {"bpm_min": 55}, False, 1)


def click_file(path, bpm=120.0):
    soundfile.write(path, click_track(bpm, 0.25, 12.0, accent=1.5), 44100)
    return path


def test_a_result_is_returned_and_written(tmp_path, find):
    job = Job(click_file(tmp_path / "a.wav"), tmp_path / "grids" / "a.json")
    result = find(job)
    assert json.loads(job.out.read_text("utf-8")) == json.loads(json.dumps(result))
    assert result["bpm"] == 120.0
    assert result["settings"] == {"bpm_min": 55}
    assert [path.name for path in job.out.parent.iterdir()] == ["a.json"]


def test_a_broken_file_is_one_line_and_the_next_has_its_grid(tmp_path, find):
    (tmp_path / "broken.wav").write_bytes(b"no audio")
    failure = find(Job(tmp_path / "broken.wav", tmp_path / "broken.json"))
    assert isinstance(failure, str)
    assert "broken.wav" in failure
    assert "\n" not in failure
    assert not (tmp_path / "broken.json").exists()
    following = find(Job(click_file(tmp_path / "b.wav", 97.0), tmp_path / "b.json"))
    assert following["bpm"] == 97.0


def test_a_picture_stands_beside_its_result(tmp_path):
    find = finder(lambda: beatgrid.load(activation="flux"), {}, True, 1)
    find(Job(click_file(tmp_path / "a.wav"), tmp_path / "out" / "a.json"))
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.json", "a.png"]
    assert (tmp_path / "out" / "a.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
