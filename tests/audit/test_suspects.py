"""The folder of suspects is one of results; what a person has locked in it stays."""

import json

import pytest

from beatgrid.audit.suspects import Suspects
from beatgrid.output.index import ResultIndex

RESULT = {"bpm": 124.0, "confidence": 0.9, "constant_tempo": True, "beats": []}


def write(folder, *names):
    with Suspects(folder) as suspects:
        for name in names:
            suspects.write(folder.parent / name, RESULT | {"file": name})
        assert suspects.n_written == len(names)


def names(folder):
    return sorted(path.name for path in folder.glob("*.beatgrid.json"))


def test_results_are_found_by_the_index_that_review_and_predict_share(tmp_path):
    folder = tmp_path / "suspects"
    write(folder, "a.mp3", "b.wav")
    with ResultIndex(folder) as index:
        found = {record.audio: record.bpm for record in index.records()}
    assert found == {str(tmp_path / "a.mp3"): 124.0, str(tmp_path / "b.wav"): 124.0}


def test_the_next_audit_removes_what_it_does_not_suspect_but_nothing_locked(tmp_path):
    folder = tmp_path / "suspects"
    write(folder, "a.mp3", "b.wav", "c.ogg")
    locked = folder / "a.mp3.beatgrid.json"
    content = json.loads(locked.read_text()) | {"locked": True, "bpm": 62.0}
    locked.write_text(json.dumps(content))
    write(folder, "a.mp3", "c.ogg")
    assert names(folder) == ["a.mp3.beatgrid.json", "c.ogg.beatgrid.json"]
    write(folder)
    assert names(folder) == ["a.mp3.beatgrid.json"]
    assert json.loads(locked.read_text()) == content


def test_an_audit_that_was_stopped_removes_nothing(tmp_path):
    folder = tmp_path / "suspects"
    write(folder, "a.mp3")
    with pytest.raises(KeyboardInterrupt), Suspects(folder):
        raise KeyboardInterrupt
    assert names(folder) == ["a.mp3.beatgrid.json"]
