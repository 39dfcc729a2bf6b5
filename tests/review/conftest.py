"""A folder of results of generated tracks, and the review page over it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import soundfile
from starlette.testclient import TestClient

import beatgrid
from beatgrid.grid import Grid
from beatgrid.rendering.generator import click_track
from beatgrid.review.app import ReviewApp
from beatgrid.review.finding import Finding
from beatgrid.review.material import Materials
from beatgrid.review.run import Run
from beatgrid.review.tracks import Tracks
from tests.conftest import status_of

GRIDS = {
    "sub/Ünï – 日本 (mix) [1].wav": Grid(120.0, 0.31),
    "plain.flac": Grid(140.0, 0.2),
    "<img src=x onerror=alert(1)>.wav": Grid(100.0, 0.4),
}
DURATION_S = 14.0
PORT = 4321
ORIGIN = f"http://127.0.0.1:{PORT}"
TOKEN = "a" * 43
DATE = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def make_music(folder: Path) -> Path:
    """Click tracks of the names and grids above, and noise."""
    for name, grid in GRIDS.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        samples = click_track(grid.bpm, grid.offset_s, DURATION_S, accent=1.5)
        soundfile.write(path, samples, 44100)
    noise = np.random.default_rng(1).normal(0, 0.1, 44100 * 8)
    soundfile.write(folder / "noise.wav", noise, 44100)
    return folder


@pytest.fixture(scope="session")
def analysed(tmp_path_factory) -> Path:
    """Music and its results, made by ``predict.py``; nobody writes to it."""
    folder = tmp_path_factory.mktemp("analysed")
    make_music(folder / "music")
    arguments = [f"audio={folder}/music", f"out={folder}/grids", "activation=flux"]
    assert status_of("predict.py", *arguments, "picture=false", "num_workers=0") == 0
    return folder


@dataclass
class Page:
    """The server side of a review page, as its own page talks to it."""

    client: TestClient
    run: Run
    tracks: Tracks
    labels: Path

    def id_of(self, name: str) -> str:
        return next(row.id for row in self.run.rows() if row.name == Path(name).name)

    def get(self, path: str, **kwargs):
        return self.client.get(path, **kwargs)

    def post(self, path: str, json=None, **kwargs):
        headers = {"Origin": ORIGIN} | kwargs.pop("headers", {})
        return self.client.post(path, json=json, headers=headers, **kwargs)

    def track(self, track_id: str) -> dict:
        return self.get(f"/api/tracks/{track_id}").json()

    def edit(self, track_id: str, op: str, **arguments):
        revision = self.track(track_id)["revision"]
        body = {"revision": revision, "edit": {"op": op, **arguments}}
        return self.post(f"/api/tracks/{track_id}/edit", body)

    def accept(self, track_id: str):
        revision = self.track(track_id)["revision"]
        return self.post(f"/api/tracks/{track_id}/accept", {"revision": revision})

    def wait(self, track_id: str) -> None:
        self.tracks.material(track_id).heard.exception()


@pytest.fixture
def open_page(tmp_path):
    """Open a page over a folder; several may be open at once."""
    open_materials = []

    def open_(results: Path, music: Path | None = None, finding: Finding | None = None) -> Page:
        run = Run(results, music)
        sounds = tmp_path / f"sounds{len(open_materials)}"
        sounds.mkdir()
        materials = Materials(sounds, lambda: beatgrid.load(activation="flux"))
        open_materials.append(materials)
        labels = tmp_path / "labels"
        tracks = Tracks(run, labels, materials, now=lambda: DATE)
        app = ReviewApp(tracks, finding, TOKEN, PORT)
        client = TestClient(app.asgi, base_url=ORIGIN, cookies={f"beatgrid-review-{PORT}": TOKEN})
        return Page(client, run, tracks, labels)

    yield open_
    for materials in open_materials:
        materials.close()


@pytest.fixture
def results(analysed, tmp_path) -> Path:
    """A copy of the results, to write to; the audio is where it was."""
    return Path(shutil.copytree(analysed / "grids", tmp_path / "grids"))


@pytest.fixture
def page(open_page, results) -> Page:
    return open_page(results)
