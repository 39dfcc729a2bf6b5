"""Machines that share a library leave what one would have left, and stop and go on like one."""

import os
import shutil
from pathlib import Path

import pytest

from beatgrid.audio.find import find_audio
from beatgrid.cluster.shard import Shard
from beatgrid.cluster.shards import SHARDS, Merged, ShardIndex, merge, shard_folder, shard_run
from beatgrid.errors import BeatgridError
from beatgrid.library import ASIDE, Library
from beatgrid.output.index import NAME, ResultIndex
from beatgrid.output.summary import FAILED, SUMMARY, write_summary
from tests.test_library import METHOD, kept, lock, make_for, new, result, run, write


@pytest.fixture
def music(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for i, letter in enumerate("abcdefghi", start=1):
        write(f"music/{'A' if i % 2 else 'B'}/{letter}.wav", letter * i)
    write("music/B/bad.wav", "bad")
    return tmp_path / "music"


def run_shard(shard, out="out", audio="music"):
    """Run one share as a process of its own would; return what became of each file."""
    outcomes = {}

    def report(outcome):
        record = outcome.record
        outcomes[record.file] = record.reason or (record.status, outcome.skipped, record.bpm)

    os.makedirs(out, exist_ok=True)
    files = shard.of(find_audio(audio))
    with shard_run(Path(out), shard, len(files)) as own, ShardIndex(Path(out), shard) as index:
        aside = os.path.relpath(own / ASIDE, out)
        library = Library(Path(out), index, METHOD, False, report, aside=aside, is_alone=False)
        library.run(files, make_for(METHOD, False), 0)
        write_summary(index, beside=own)
    return outcomes


def run_shards(count, **where):
    return {
        k: v for n in range(1, count + 1) for k, v in run_shard(Shard(n, count), **where).items()
    }


def merged(out="out", **options):
    with ResultIndex(out) as index:
        found = merge(index, **options)
        write_summary(index)
    return found


def tree(folder):
    """All files below a folder that are not hidden, and their bytes."""
    paths = (p for p in Path(folder).rglob("*") if p.is_file())
    return {
        str(p.relative_to(folder)): p.read_bytes()
        for p in paths
        if not any(part.startswith(".") for part in p.relative_to(folder).parts)
    }


def test_shares_and_a_merge_leave_what_a_single_run_leaves(music):
    write("more/A/a.wav", "another of that name")
    single = run(["music", "more"], out="single")
    with ResultIndex("single") as index:
        write_summary(index)
        records = list(index.records())
    shares = run_shards(3, audio=["music", "more"])
    assert shares == single
    assert merged() == Merged()
    assert tree("out") == tree("single")
    with ResultIndex("out") as index:
        assert [(r.audio, r.place, r.status) for r in index.records()] == [
            (r.audio, r.place, r.status) for r in records
        ]
    assert not Path("out", SHARDS).exists()


def test_each_share_has_its_own_summary_until_they_are_merged(music):
    run_shards(2)
    assert not Path("out", SUMMARY).exists()
    lines = [shard_folder(Path("out"), Shard(n, 2)).joinpath(SUMMARY).read_text() for n in (1, 2)]
    rows = [text.splitlines()[1:] for text in lines]
    merged()
    assert sorted(rows[0] + rows[1]) == sorted(Path("out", SUMMARY).read_text().splitlines()[1:])
    assert Path("out", FAILED).read_text() == f"{music}/B/bad.wav\n"


@pytest.mark.parametrize("is_merged", [False, True])
@pytest.mark.parametrize("count", [2, 3])
def test_what_is_done_is_not_done_again(music, count, is_merged):
    first = run_shards(2)
    if is_merged:
        merged()
    again = run_shards(count)
    assert again == {
        file: told if told == "damaged" else kept(told[2]) for file, told in first.items()
    }


def test_a_run_over_all_files_goes_on_with_what_the_shares_did(music):
    run_shard(Shard(1, 2))
    done = {f"{music}/{name}" for name in tree("out")}
    assert merged(forget=True) == Merged()
    assert not Path("out", SHARDS).exists()
    whole = run()
    assert {
        f"{os.path.abspath(file)}.beatgrid.json" for file, t in whole.items() if t[1] is True
    } == done
    assert len(done) > 0


def test_a_moved_file_is_not_analysed_again_and_keeps_one_result(music):
    run_shards(4)
    merged()
    for name in ("a", "c", "e", "g"):  # to other shares, some of them
        shutil.move(f"music/A/{name}.wav", f"music/B/moved {name}.wav")
    lock("A/c.wav")
    moved = run_shards(4)
    assert moved["music/B/moved a.wav"] == kept(61.0)
    assert {skipped for told in moved.values() if told != "damaged" for skipped in [told[1]]} == {
        True
    }
    assert merged() == Merged()
    kept_results = {name for name in tree("out") if name.startswith("A/")}
    # What a person has locked is not removed, nor is what still belongs to a file.
    assert kept_results == {"A/c.wav.beatgrid.json", "A/i.wav.beatgrid.json"}
    assert result("B/moved c.wav")["locked"] is True


def test_files_that_are_exchanged_cost_hashes_and_leave_nothing_behind(music):
    write("music/A/k.wav", "k" * 20)
    run_shards(1)
    os.rename("music/A/k.wav", "swap")
    os.rename("music/A/a.wav", "music/A/k.wav")
    os.rename("swap", "music/A/a.wav")
    again = run_shards(1)
    assert again["music/A/a.wav"] == kept(80.0)
    assert again["music/A/k.wav"] == kept(61.0)
    assert list(Path("out", SHARDS).rglob(ASIDE)) == []


def test_a_share_is_run_once_at_a_time_and_merged_as_far_as_it_is(music):
    run_shard(Shard(2, 2))
    with shard_run(Path("out"), Shard(1, 2), 3):
        with pytest.raises(BeatgridError, match="shard=1/2: another process works on it"):
            run_shard(Shard(1, 2))
        assert merged() == Merged(running=(Shard(1, 2),))
        assert merged(forget=True) == Merged(running=(Shard(1, 2),))
    assert merged() == Merged()


def test_a_share_that_was_cut_off_or_not_begun_is_named(music):
    run_shard(Shard(4, 4))
    with pytest.raises(KeyboardInterrupt), shard_run(Path("out"), Shard(2, 4), 3):
        raise KeyboardInterrupt
    expected = Merged(unfinished=(Shard(2, 4),), missing=(Shard(1, 4), Shard(3, 4)))
    assert not expected.is_complete
    assert merged() == expected
    assert merged() == expected, "a merge forgets nothing of this"
    for n in (1, 2, 3):
        run_shard(Shard(n, 4))
    assert merged().is_complete


def test_shares_of_another_count_that_was_given_up_are_of_no_interest(music):
    run_shard(Shard(1, 5))
    run_shards(2)
    assert merged() == Merged()


def test_a_folder_without_shares_is_merged_as_it_is(music):
    run()
    assert merged() == Merged()
    assert len(Path("out", SUMMARY).read_text().splitlines()) == 11


def test_the_index_of_the_whole_folder_is_only_read(music):
    run_shard(Shard(1, 2))
    assert not Path("out", NAME).exists()
    merged(forget=True)
    before = Path("out", NAME).read_bytes()
    assert run_shards(2)["music/A/a.wav"] in (new(61.0), kept(61.0))
    assert Path("out", NAME).read_bytes() == before
