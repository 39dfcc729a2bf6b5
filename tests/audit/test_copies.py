"""Corrected copies keep every key, say what was changed, and never replace the label."""

import json

import pytest

from beatgrid.audit.copies import KEY, check_elsewhere, correct, write_corrected
from beatgrid.data.labels import load_label
from beatgrid.errors import BeatgridError, LabelError
from beatgrid.grid import Grid

CONTENT = {
    "title": "é日",
    "bpm": 128,
    "downbeatOffset": 0.5,
    "split": "val",
    "mine": {"a": [1, None]},
}


def test_only_what_is_wrong_changes_and_its_former_value_is_kept(tmp_path):
    label, copy = tmp_path / "a.labels.json", tmp_path / "fixed" / "a.labels.json"
    label.write_text(json.dumps(CONTENT), encoding="utf-8")
    before = label.read_bytes()
    write_corrected(label, copy, Grid(128.0, 0.5251234), "offset", "25.1 ms later")
    assert label.read_bytes() == before
    written = json.loads(copy.read_text(encoding="utf-8"))
    note = written.pop(KEY)
    assert written == CONTENT | {"downbeatOffset": 0.52512}
    assert list(written) == list(CONTENT)
    assert (note["kind"], note["reason"]) == ("offset", "25.1 ms later")
    assert note["from"] == {"downbeatOffset": 0.5}
    assert load_label(copy).grid == Grid(128.0, 0.52512)
    assert load_label(copy).doubts == ()


def test_a_tempo_is_corrected_with_its_offset_and_a_missing_one_is_told():
    new = correct({"bpm": 128}, Grid(127.9612345, 0.4), "bpm", "drift")
    assert (new["bpm"], new["downbeatOffset"]) == (127.96123, 0.4)
    assert new[KEY]["from"] == {"bpm": 128, "downbeatOffset": None}


def test_a_label_is_never_its_own_copy(tmp_path):
    label = tmp_path / "a.labels.json"
    label.write_text(json.dumps(CONTENT))
    link = tmp_path / "link"
    link.symlink_to(tmp_path, target_is_directory=True)
    for target in (label, link / "a.labels.json"):
        with pytest.raises(LabelError, match="is the label itself"):
            write_corrected(label, target, Grid(100.0, 0.0), "bpm", "")
    for folder in (tmp_path, link):
        with pytest.raises(BeatgridError, match="need another folder"):
            check_elsewhere(folder, tmp_path)
    check_elsewhere(tmp_path / "labels", tmp_path)
    assert json.loads(label.read_text()) == CONTENT


@pytest.mark.parametrize("content", ["", "[1]", "{"])
def test_a_label_that_changed_meanwhile_is_one_line(tmp_path, content):
    label = tmp_path / "a.labels.json"
    label.write_text(content)
    with pytest.raises(LabelError):
        write_corrected(label, tmp_path / "b.labels.json", Grid(100.0, 0.0), "bpm", "")
    assert not (tmp_path / "b.labels.json").exists()
