"""Files appear whole or not at all."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from beatgrid.files import replacing, temporary_folder, write_bytes, write_json, write_text


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


# --- what killed processes leave ---------------------------------------------------------------

WRITERS = {
    "a file": "with replacing('a.png') as new: new.write_text('half')",
    "a folder": "with temporary_folder(Path()) as new: (new / 'a').write_text('half')",
}


def _writer(kind, folder) -> subprocess.Popen:
    """Start a process that stops in the midst of writing."""
    program = f"import time\nfrom beatgrid.files import *\n{WRITERS[kind]}; time.sleep(60)"
    return subprocess.Popen([sys.executable, "-c", program], cwd=folder)


@pytest.mark.parametrize("kind", WRITERS)
def test_what_a_killed_process_leaves_goes_with_the_next_that_writes_there(kind, tmp_path):
    killed, alive = (_writer(kind, tmp_path) for _ in range(2))
    try:
        end = time.monotonic() + 60
        while len(left := set(tmp_path.glob(".*.tmp*"))) < 2 and time.monotonic() < end:
            time.sleep(0.01)
        time.sleep(0.1)  # both are locked
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        write = "from beatgrid.files import write_text; write_text('b.txt', 'b')"
        subprocess.run([sys.executable, "-c", write], cwd=tmp_path, check=True)
        # That of the other process is being written.
        assert len(left & set(tmp_path.iterdir())) == 1
        assert (tmp_path / "b.txt").read_text() == "b"
    finally:
        alive.kill()
        alive.wait()


def test_files_of_others_are_left_alone(tmp_path):
    others = [
        tmp_path / name for name in (".a.tmp", ".beatgrid.tmp", "beatgrid-1.tmp", "a.tmp.wav")
    ]
    for path in others:
        path.write_text("of another program")
    (tmp_path / ".beatgrid-0123.tmp.png").symlink_to(others[0])
    write_text(tmp_path / "b.txt", "b")
    assert len(list(tmp_path.iterdir())) == 6
    assert {path.read_text() for path in others} == {"of another program"}


def test_a_temporary_taken_for_a_rest_before_it_is_locked(tmp_path, monkeypatch):
    """Another process looks for rests between the making of a file and its lock."""
    lock, n_calls = fcntl.flock, 0

    def overtaken(file, operation):
        nonlocal n_calls
        n_calls += 1
        if n_calls == 1:
            (made,) = tmp_path.iterdir()
            made.unlink()
        lock(file, operation)

    monkeypatch.setattr(fcntl, "flock", overtaken)
    write_text(tmp_path / "a.txt", "a")
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert n_calls == 2


def test_a_file_system_without_locks(tmp_path, monkeypatch):
    def refused(file, operation):
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refused)
    (tmp_path / ".beatgrid-0123.tmp").touch()  # whose it is cannot be told
    write_text(tmp_path / "a.txt", "a")
    with temporary_folder(tmp_path) as fresh:
        os.rename(fresh, tmp_path / "b")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".beatgrid-0123.tmp", "a.txt", "b"]
