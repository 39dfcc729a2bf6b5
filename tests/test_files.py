"""Files appear whole or not at all."""

import json
import threading

import pytest

from beatgrid.files import replacing, write_bytes, write_json, write_text


def test_what_is_written_is_there_and_nothing_else(tmp_path):
    write_text(tmp_path / "new" / "a.txt", "é日\n")
    write_bytes(tmp_path / "new" / "b.bin", b"\x00\xff")
    write_json(tmp_path / "new" / "c.json", {"bpm": 128.0, "name": "é"})
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == [
        "a.txt",
        "b.bin",
        "c.json",
    ]
    assert (tmp_path / "new/a.txt").read_bytes() == "é日\n".encode()
    assert (tmp_path / "new/b.bin").read_bytes() == b"\x00\xff"
    assert json.loads((tmp_path / "new/c.json").read_text("utf-8")) == {"bpm": 128.0, "name": "é"}


def test_a_failure_leaves_the_old_file_and_no_rest(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def write_half_of_it():
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half_of_it()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_old_file_stays_until_the_new_one_is_complete(tmp_path):
    path = tmp_path / "a.png"
    path.write_text("old")
    with replacing(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
        assert (temporary.parent, temporary.suffix) == (tmp_path, ".png")
        assert temporary.name.startswith(".")
    assert path.read_text() == "new"


def test_the_longest_legal_name_can_be_written(tmp_path):
    name = "x" * 251 + ".txt"
    write_text(tmp_path / name, "a")
    assert (tmp_path / name).read_text() == "a"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [1.0, float("-inf")]])
def test_numbers_that_json_lacks_are_refused_before_anything_is_written(tmp_path, value):
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(tmp_path / "a.json", value)
    assert list(tmp_path.iterdir()) == []


def test_several_writers_leave_one_whole_file(tmp_path):
    texts = [letter * 20_000 for letter in "abcdefgh"]
    threads = [threading.Thread(target=write_text, args=(tmp_path / "a", text)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "a").read_text() in texts
    assert len(list(tmp_path.iterdir())) == 1
