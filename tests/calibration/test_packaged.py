"""Fitting the packaged rankers, on few examples."""

import json

import pytest

from beatgrid.calibration.packaged import flux_examples, generic_examples, write_ranker
from beatgrid.search import Ranker
from beatgrid.search.ranker import packaged


def test_a_packaged_ranker_is_written_as_it_is_read(tmp_path):
    report = write_ranker(tmp_path / "generic.json", generic_examples(30))
    assert report.n_tracks >= 25
    assert report.level_right > 0.6
    plain = json.loads((tmp_path / "generic.json").read_text())
    assert Ranker.from_dict(plain).to_dict() == plain
    shipped = packaged("generic").to_dict()
    # Fitted to a thirtieth of the shipped one's tracks, and of the same mind.
    weight = dict(zip(plain["phase"]["names"], plain["phase"]["weights"], strict=True))
    before = dict(zip(shipped["phase"]["names"], shipped["phase"]["weights"], strict=True))
    assert weight["on"] * before["on"] > 0


@pytest.mark.parametrize(
    ("suspect", "n", "reliable"), [("octave", 0, None), ("beat phase", 1, False)]
)
def test_doubtful_labels_teach_no_more_than_they_know(click_folder, tmp_path, suspect, n, reliable):
    """A doubtful level is left out; a doubtful phase counts for the level alone."""
    folder = click_folder.path
    (tmp_path / "audio").symlink_to(folder / "audio")
    (tmp_path / "labels").mkdir()
    label = next((folder / "labels").iterdir())
    plain = json.loads(label.read_text()) | {"split": "train", "suspect": suspect}
    (tmp_path / "labels" / label.name).write_text(json.dumps(plain))
    examples = list(flux_examples(tmp_path))
    assert [e.phase_reliable for e in examples] == [reliable] * n
    assert [e.grid.bpm for e in examples] == [plain["bpm"]] * n
