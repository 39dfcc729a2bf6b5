"""A library run: what is done is not done twice, one file's fault is its own, memory stays flat."""

import functools
import gc
import json
import os
import shutil
import sys
import tracemalloc
from importlib import resources
from pathlib import Path

import jsonschema
import pytest
import soundfile

import beatgrid
from beatgrid.audio.find import AudioFile, find_audio
from beatgrid.errors import BeatgridError
from beatgrid.files import check_writable, content_hash, write_json
from beatgrid.library import (
    Job,
    Library,
    accept_audio,
    finder,
    method_hash,
)
from beatgrid.output.index import NAME, Record, ResultIndex
from beatgrid.output.summary import DoubtfulFirst, write_summary
from beatgrid.processes import Failure
from beatgrid.rendering.generator import click_track
from tests.fake_finder import make_fake

METHOD = method_hash("weights", {"bpm_min": 60})


@pytest.fixture
def music(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in [("A/s.wav", "a"), ("A/t.wav", "aa"), ("u.wav", "aaa")]:
        write(f"music/{name}", text)
    return tmp_path / "music"


def write(path, text):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "w") as file:
        file.write(text)


def run(audio="music", out="out", num_workers=0, method=METHOD, picture=False, **limits):
    """Run a library; return what became of each file: (status, skipped, BPM) or the reason."""
    outcomes = {}

    def report(outcome):
        record = outcome.record
        told = record.reason or (record.status, outcome.skipped, record.bpm)
        assert outcomes.setdefault(record.file, told) is told, "told twice"

    os.makedirs(out, exist_ok=True)
    with ResultIndex(out) as index:
        library = Library(index.folder, index, method, picture, report)
        files = audio if isinstance(audio[0], AudioFile) else find_audio(audio)
        library.run(files, make_for(method, picture), num_workers, **limits)
    return outcomes


def make_for(method, picture):
    return functools.partial(make_fake, method, picture)


def result(place, out="out"):
    return json.loads(Path(f"{out}/{place}.beatgrid.json").read_text())


def results(out="out"):
    """Places of all results."""
    found = []
    for folder, _, names in os.walk(out):
        found += [os.path.relpath(os.path.join(folder, name), out) for name in names]
    return sorted(f.removesuffix(".beatgrid.json") for f in found if f.endswith(".json"))


def new(bpm):
    return ("done", False, bpm)


def kept(bpm):
    return ("done", True, bpm)


def test_a_second_run_has_nothing_to_do(music):
    first = run()
    assert first == {
        "music/A/s.wav": new(61.0),
        "music/A/t.wav": new(62.0),
        "music/u.wav": new(63.0),
    }
    assert results() == ["A/s.wav", "A/t.wav", "u.wav"]
    assert run() == {file: kept(bpm) for file, (_, _, bpm) in first.items()}


def test_no_audio_is_read_where_size_and_time_are_the_same(music, monkeypatch):
    run()
    monkeypatch.setattr("beatgrid.library.content_hash", None)
    assert {skipped for _, skipped, _ in run().values()} == {True}


def test_a_file_with_other_tags_and_the_same_sound_is_not_done_again(music):
    before = run()
    lock("A/t.wav")
    locked = Path("out/A/t.wav.beatgrid.json").read_bytes()
    for name in ("A/s.wav", "A/t.wav", "u.wav"):
        write(f"music/{name}", f"tagged {name}")
        with ResultIndex("out") as index:
            accept_audio(index, f"music/{name}")
    after = run()
    assert after["music/u.wav"] == kept(before["music/u.wav"][2])
    assert after["music/A/s.wav"] == kept(before["music/A/s.wav"][2])
    assert result("u.wav")["content_hash"] == content_hash("music/u.wav")
    assert Path("out/A/t.wav.beatgrid.json").read_bytes() == locked
    Path("out", NAME).unlink()  # the results alone say as much
    assert run() == after


def test_tags_of_files_without_result_are_of_no_interest(music):
    run()
    with ResultIndex("out") as index:
        accept_audio(index, "music/none.wav")
        Path("out/u.wav.beatgrid.json").unlink()
        accept_audio(index, "music/u.wav")
    assert run()["music/u.wav"][1] is False


def test_only_what_is_missing_is_done(music):
    run("music/A")
    os.remove("out/s.wav.beatgrid.json")
    assert run("music/A") == {"music/A/s.wav": new(61.0), "music/A/t.wav": kept(62.0)}


def test_changed_files_and_other_methods_are_done_again(music):
    run()
    write("music/u.wav", "aaaaa")
    assert run() == {
        "music/A/s.wav": kept(61.0),
        "music/A/t.wav": kept(62.0),
        "music/u.wav": new(65.0),
    }
    other = method_hash("weights", {"bpm_min": 70})
    assert {skipped for _, skipped, _ in run(method=other).values()} == {False}
    assert result("u.wav")["method_hash"] == other


def test_a_picture_that_is_wanted_and_missing_is_drawn(music):
    run()
    assert {skipped for _, skipped, _ in run(picture=True).values()} == {False}
    assert {skipped for _, skipped, _ in run(picture=True).values()} == {True}
    os.remove("out/u.wav.beatgrid.png")
    assert run(picture=True)["music/u.wav"] == new(63.0)


def test_a_renamed_or_moved_file_costs_a_hash(music):
    run(picture=True)
    os.rename("music/u.wav", "music/A/v.wav")
    os.rename("music/A", "music/B")
    found = run(picture=True)
    assert found == {
        "music/B/s.wav": kept(61.0),
        "music/B/t.wav": kept(62.0),
        "music/B/v.wav": kept(63.0),
    }
    assert results() == ["B/s.wav", "B/t.wav", "B/v.wav"]
    assert result("B/v.wav")["file"] == "music/B/v.wav"
    assert os.path.exists("out/B/v.wav.beatgrid.png")
    assert not os.path.exists("out/u.wav.beatgrid.png")


def test_numbered_files_that_move_up_by_one_cost_hashes(music):
    for i in range(1, 6):
        write(f"album/{i}.wav", "x" * i)
    run("album")
    for i in range(5, 0, -1):
        os.rename(f"album/{i}.wav", f"album/{i + 1}.wav")
    write("album/1.wav", "y" * 9)
    found = run("album")
    assert found["album/1.wav"] == new(69.0)
    assert [found[f"album/{i}.wav"] for i in range(2, 7)] == [kept(60.0 + i) for i in range(1, 6)]
    assert [result(f"{i}.wav")["bpm"] for i in range(1, 7)] == [69.0, 61, 62, 63, 64, 65]
    assert results() == [f"{i}.wav" for i in range(1, 7)]


@pytest.mark.parametrize("num_workers", [0, 2])
def test_equal_files_are_analysed_once(music, num_workers):
    for i in range(4):
        shutil.copy("music/u.wav", f"music/copy {i}.wav")
    found = run(num_workers=num_workers)
    of_one_content = [told for file, told in found.items() if told[2] == 63.0]
    assert len(of_one_content) == 5
    assert of_one_content.count(new(63.0)) == 1
    assert result("copy 3.wav")["file"] == "music/copy 3.wav"
    os.remove("music/copy 3.wav")  # the others keep theirs
    assert {skipped for _, skipped, _ in run().values()} == {True}


def test_copies_of_a_bad_file_fail_as_it_does(music):
    write("music/bad 1.wav", "bad")
    write("music/bad 2.wav", "bad")
    found = run(num_workers=2)
    assert found["music/bad 1.wav"] == "damaged"
    assert found["music/bad 2.wav"] in ("damaged", "the same file as music/bad 1.wav, which failed")


def lock(place, **changes):
    write_json(f"out/{place}.beatgrid.json", {**result(place), "locked": True, **changes})


def test_what_a_person_has_locked_is_never_touched(music):
    run()
    lock("u.wav", bpm=99.0)
    before = Path("out/u.wav.beatgrid.json").read_bytes()
    other = method_hash("other weights", {})
    assert run()["music/u.wav"] == ("locked", True, 99.0)
    assert run(method=other)["music/u.wav"] == ("locked", True, 99.0)
    write("music/u.wav", "changed")
    assert run()["music/u.wav"] == ("locked", True, 99.0)
    os.remove(f"out/{NAME}")
    assert run(method=other)["music/u.wav"] == ("locked", True, 99.0)
    assert Path("out/u.wav.beatgrid.json").read_bytes() == before


def test_a_renamed_file_takes_a_locked_result_along(music):
    run()
    lock("u.wav", bpm=99.0)
    before = Path("out/u.wav.beatgrid.json").read_bytes()
    os.rename("music/u.wav", "music/v.wav")
    assert run(method=method_hash("other", {}))["music/v.wav"] == ("locked", True, 99.0)
    assert (result("v.wav")["file"], result("v.wav")["locked"]) == ("music/v.wav", True)
    assert Path("out/u.wav.beatgrid.json").read_bytes() == before


def test_a_files_result_has_one_place_whatever_else_is_in_the_run(music):
    run("music/A")
    assert results() == ["s.wav", "t.wav"]
    write("music/B/s.wav", "bbbbbb")
    run("music")
    assert results() == ["B/s.wav", "s.wav", "t.wav", "u.wav"]
    run("music/A/s.wav")
    run("music/*/s.wav")
    assert results() == ["B/s.wav", "s.wav", "t.wav", "u.wav"]


def test_files_of_one_name_in_separate_runs_do_not_overwrite_each_other(music):
    write("music/B/s.wav", "bbbbbb")
    run("music/A/s.wav")
    run("music/B/s.wav")
    places = results()
    assert len(places) == 2
    assert places[0] == "s.wav"
    assert places[1].startswith("s.wav~")
    assert [result(place)["file"] for place in places] == ["music/A/s.wav", "music/B/s.wav"]
    assert run("music/A/s.wav") == {"music/A/s.wav": kept(61.0)}
    assert run("music/B/s.wav") == {"music/B/s.wav": kept(66.0)}


def test_names_that_differ_in_case_only_stay_apart(music):
    write("music/U.wav", "capital")
    run()
    assert len({place.casefold() for place in results()}) == 4


def test_an_index_of_the_version_before_goes_on(music):
    import sqlite3

    first = run()
    with sqlite3.connect(f"out/{NAME}") as db:
        db.execute("ALTER TABLE files DROP COLUMN reviewed")
        db.execute("PRAGMA user_version = 1")
        (n_hashed,) = db.execute("SELECT count(*) FROM files WHERE size > 0").fetchone()
    db.close()
    assert n_hashed == len(first) > 0
    assert {skipped for _, skipped, _ in run().values()} == {True}
    with ResultIndex("out") as index:
        assert {record.reviewed for record in index.records()} == {None}
        assert all(record.size for record in index.records())  # not built again


@pytest.mark.parametrize("damage", ["missing", "garbage", "empty", "other version", "cut"])
def test_the_index_is_built_from_the_results(music, damage, monkeypatch):
    run()
    index = f"out/{NAME}"
    content = Path(index).read_bytes()
    if damage == "missing":
        os.remove(index)
    elif damage == "other version":
        import sqlite3

        with sqlite3.connect(index) as db:
            db.execute("PRAGMA user_version = 99")
        db.close()
    else:
        data = {"garbage": b"x" * 9999, "empty": b"", "cut": content[: len(content) // 2]}
        with open(index, "wb") as file:
            file.write(data[damage])
    assert {skipped for _, skipped, _ in run().values()} == {True}
    os.remove(index)
    os.mkdir("elsewhere")
    monkeypatch.chdir("elsewhere")  # where the names in the results mean nothing
    assert {skipped for _, skipped, _ in run("../music", "../out").values()} == {True}
    assert results("../out") == ["A/s.wav", "A/t.wav", "u.wav"]


def test_a_damaged_result_is_made_again(music):
    run()
    write("out/u.wav.beatgrid.json", "{")
    assert run()["music/u.wav"] == new(63.0)


@pytest.mark.parametrize("num_workers", [0, 2])
def test_a_fault_costs_its_own_file(music, num_workers):
    write("music/bug.wav", "bug")
    write("music/bad.wav", "bad")
    write("music/empty.wav", "")
    faults = {"bug": "KeyError: 'a bug'", "bad": "damaged"}
    faults["empty"] = "empty (0 bytes); copy it again from its source"
    if num_workers:
        write("music/crash.wav", "crash")
        write("music/hang.wav", "hang")
        faults["crash"] = "its process died of SIGSEGV"
        faults["hang"] = "took longer than 5 s, its time limit"
    found = run(num_workers=num_workers, limit_s=5)
    assert {name: found.pop(f"music/{name}.wav") for name in faults} == faults
    assert {status for status, _, _ in found.values()} == {"done"}
    again = run(["music/bug.wav", "music/u.wav"])
    assert again["music/bug.wav"] == faults["bug"]  # what failed is tried again
    assert again["music/u.wav"] == kept(63.0)


def test_files_that_vanish_are_named(music):
    files = find_audio("music")
    os.remove("music/u.wav")
    assert run([*files, AudioFile("gone.wav", "gone.wav")]) == {
        "music/A/s.wav": new(61.0),
        "music/A/t.wav": new(62.0),
        "music/u.wav": "no such file; check the path",
        "gone.wav": "no such file; check the path",
    }


def test_names_that_are_no_text(music):
    name = os.fsdecode(b"caf\xe9.wav")
    write(f"music/{name}", "aaaa")
    assert run()[f"music/{name}"] == new(64.0)
    assert run()[f"music/{name}"] == kept(64.0)


def test_a_stopped_run_goes_on(music):
    def stop_after_one(outcome):
        raise KeyboardInterrupt

    os.makedirs("out")
    with ResultIndex("out") as index, pytest.raises(KeyboardInterrupt):
        Library(index.folder, index, METHOD, False, stop_after_one).run(
            find_audio("music"), make_for(METHOD, False), 0
        )
    found = run()
    assert sorted(skipped for _, skipped, _ in found.values()) == [False, False, True]


def test_two_runs_share_an_output(music):
    """Each sees what the other has done."""
    os.makedirs("out")
    files = find_audio("music")
    with ResultIndex("out") as one, ResultIndex("out") as two:
        told = []
        first = Library(one.folder, one, METHOD, False, told.append)
        second = Library(two.folder, two, METHOD, False, told.append)
        first.run(files[:2], make_for(METHOD, False), 0)
        second.run(files, make_for(METHOD, False), 0)
    assert [outcome.skipped for outcome in told] == [False, False, True, True, False]


def test_a_folder_that_cannot_be_written_to_is_one_line(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("beatgrid.files.os.fsync", full)
    with pytest.raises(BeatgridError, match=r"out=.*: cannot be written to \(No space left"):
        check_writable(tmp_path)
    assert os.listdir(tmp_path) == []


def blocks_kept(n_files, folder):
    """Blocks of memory that a run over links to one file leaves allocated, beside their names."""
    write(f"{folder}/audio", "a track")
    files = []
    for i in range(n_files):
        os.symlink(os.path.abspath(f"{folder}/audio"), f"{folder}/{i:05d}.wav")
        files.append(AudioFile(f"{folder}/{i:05d}.wav", f"{i:05d}.wav"))
    os.makedirs(f"{folder}/out")
    doubtful = DoubtfulFirst()
    with ResultIndex(f"{folder}/out") as index:
        library = Library(index.folder, index, METHOD, False, lambda o: doubtful.add(o.record))
        tracemalloc.start()
        try:
            library.run(files, make_for(METHOD, False), 0)
            write_summary(index)
            gc.collect()
            snapshot = tracemalloc.take_snapshot()
            if sys.version_info[:2] == (3, 12):  # its pathlib keeps the name of every path for good
                snapshot = snapshot.filter_traces([tracemalloc.Filter(False, "*/pathlib.py")])
            n_blocks = len(snapshot.traces)
        finally:
            tracemalloc.stop()
    assert doubtful.n_seen == n_files
    return n_blocks


@pytest.mark.parametrize("n_files", [600, pytest.param(20_000, marks=pytest.mark.slow)])
def test_memory_does_not_grow_with_the_files(n_files, tmp_path, monkeypatch):
    monkeypatch.setattr("beatgrid.files.os.fsync", lambda _: None)
    few, many = (blocks_kept(n, str(tmp_path / str(n))) for n in (100, n_files))
    assert many < few + 400  # caches of the libraries; less than a block for each file


def test_content_hashes_tell_contents_apart(music):
    shutil.copy("music/u.wav", "music/v.wav")
    assert content_hash("music/u.wav") == content_hash("music/v.wav")
    assert content_hash("music/u.wav") != content_hash("music/A/s.wav")


def click_job(folder, name="a.wav", bpm=120.0):
    """A file of clicks as a job; its result goes beside it."""
    path = folder / name
    soundfile.write(path, click_track(bpm, 0.25, 12.0, accent=1.5), 44100)
    record = Record(str(path), "", content_hash=content_hash(path), size=path.stat().st_size)
    return Job(AudioFile(str(path), name), record, folder / "out" / f"{name}.json")


def real_find(picture=False):
    return finder(lambda: beatgrid.load(activation="flux"), {"bpm_min": 55}, METHOD, picture)


def test_a_result_is_written_and_told_in_short(tmp_path):
    job = click_job(tmp_path)
    record = real_find()(job)
    result = json.loads(job.out.read_text("utf-8"))
    text = resources.files("beatgrid.output").joinpath("result.schema.json").read_text("utf-8")
    jsonschema.Draft202012Validator(json.loads(text)).validate(result)
    assert (result["bpm"], result["settings"]) == (120.0, {"bpm_min": 55})
    assert result["content_hash"] == content_hash(job.file.path)
    assert result["method_hash"] == METHOD
    assert (record.status, record.bpm, record.file) == ("done", 120.0, job.file.path)
    assert record.result_mtime_ns == job.out.stat().st_mtime_ns
    assert [path.name for path in job.out.parent.iterdir()] == ["a.wav.json"]


def test_a_broken_file_is_one_line_and_the_next_has_its_grid(tmp_path):
    find = real_find()
    broken = click_job(tmp_path, "broken.wav")
    Path(broken.file.path).write_bytes(b"no audio")
    failure = find(broken)
    assert isinstance(failure, Failure)
    assert failure.reason.startswith(f"{broken.file.path}: ")
    assert "\n" not in failure.reason
    assert not broken.out.exists()
    assert find(click_job(tmp_path, bpm=97.0)).bpm == 97.0


def test_a_picture_stands_beside_its_result(tmp_path):
    job = click_job(tmp_path)
    real_find(picture=True)(job)
    assert job.out.with_suffix(".png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
