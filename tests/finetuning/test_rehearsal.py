"""The rendered music: made once, each part with seeds of its own."""

import pytest

from beatgrid.audio.features import FeatureSpec
from beatgrid.data.rendered import RenderedSource
from beatgrid.errors import BeatgridError
from beatgrid.finetuning import rehearsal as module
from beatgrid.finetuning.rehearsal import Rehearsal
from beatgrid.grid import Grid
from beatgrid.rendering.generator import ALL_GENRES, click_track
from beatgrid.rendering.piece import SAMPLE_RATE, Piece
from beatgrid.rendering.sources import rehearsal as source
from beatgrid.rendering.sources.rehearsal import DURATION_S, REHEARSED, UNREHEARSED

SPEC = FeatureSpec(n_mels=8)


def test_every_genre_is_rehearsed_but_a_few_of_all_tempi():
    assert set(REHEARSED) | UNREHEARSED == set(ALL_GENRES)
    assert not set(REHEARSED) & UNREHEARSED
    assert len(ALL_GENRES) == len(set(ALL_GENRES))
    assert set(ALL_GENRES) > UNREHEARSED


@pytest.fixture
def clicks(monkeypatch):
    """Clicks in place of songs, and few of them; the seeds that were rendered, in order."""
    seeds = []

    def render(genre, name, seed, duration_s):
        seeds.append(seed)
        grid = Grid(100.0 + seed % 50, 0.1)
        return Piece(click_track(grid.bpm, 0.1, 4.0, SAMPLE_RATE), grid, genre)

    monkeypatch.setattr(source, "piece_of", render)
    monkeypatch.setattr(module, "N_TO_CHOOSE", 2)
    monkeypatch.setattr(module, "ALL_GENRES", ALL_GENRES[:3])
    return seeds


def test_what_is_there_is_not_rendered_again_and_more_only_adds(clicks, tmp_path):
    two = Rehearsal(tmp_path / "r", SPEC, 2 * DURATION_S / 3600)
    assert two.render(num_workers=0)
    assert clicks == [0, 1, 500_000, 500_001, 1_000_000, 1_000_001, 1_000_002]
    assert not two.render(num_workers=0)
    clicks.clear()
    three = Rehearsal(tmp_path / "r", SPEC, 3 * DURATION_S / 3600)
    assert three.render(num_workers=0)
    assert clicks == [2]
    # Less than is there: the first ones.
    found = RenderedSource(two.learn, max_hours=two.hours).tracks(SPEC)
    assert [t.name for t in found] == [
        "rehearsal-0000000",
        "rehearsal-0000001",
        "rehearsal-0000002",
    ]
    assert len(two.tracks_elsewhere()) == 3


def test_no_rehearsal_renders_only_what_judges(clicks, tmp_path):
    none = Rehearsal(tmp_path / "r", SPEC, 0.0)
    none.render(num_workers=0)
    assert min(clicks) == 500_000
    assert not none.learn.exists()


def test_other_features_have_a_folder_of_their_own(clicks, tmp_path):
    one, two = (Rehearsal(tmp_path, FeatureSpec(n_mels=n), 0.0) for n in (8, 16))
    one.render(num_workers=0)
    two.render(num_workers=0)
    assert one.choose != two.choose
    assert len(clicks) == 10


def test_a_piece_that_cannot_be_rendered_stops_it_with_a_line(
    clicks, tmp_path, monkeypatch, capsys
):
    def fails(*_):
        raise RuntimeError("no such groove")

    monkeypatch.setattr(source, "piece_of", fails)
    with pytest.raises(BeatgridError, match=r"finetune\.rehearsal_dir=.*2 pieces could not"):
        Rehearsal(tmp_path / "r", SPEC, 0.0).render(num_workers=0)
    assert "rehearsal-0500000: RuntimeError: no such groove" in capsys.readouterr().err
