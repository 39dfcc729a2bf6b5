"""Every file belongs to one share, which nothing but its place decides."""

from collections import Counter

import pytest

from beatgrid.audio.find import AudioFile, find_audio
from beatgrid.cluster.shard import Shard
from beatgrid.errors import BeatgridError


def numbers(place, count):
    return [n for n in range(1, count + 1) if Shard(n, count).takes(place)]


def test_a_share_is_written_as_number_and_count():
    assert Shard.parse("3/16") == Shard(3, 16)
    assert str(Shard(3, 16)) == "3/16"


@pytest.mark.parametrize("text", ["", "3", "3/", "/16", "3/16/2", "-1/16", "1.5/3", "a/b", "3 /16"])
def test_what_is_no_share_is_refused(text):
    with pytest.raises(BeatgridError, match="must be a number and a count"):
        Shard.parse(text)


@pytest.mark.parametrize("text", ["0/16", "17/16", "0/0"])
def test_shares_count_from_one(text):
    with pytest.raises(BeatgridError, match=f"shard={text}: the number must lie between 1 and"):
        Shard.parse(text)


def test_every_file_has_one_share_and_shares_are_of_like_size():
    places = [f"artist {i % 97}/album {i % 31}/{i}.mp3" for i in range(8000)]
    shares = Counter(n for place in places for n in numbers(place, 16))
    assert sum(shares.values()) == len(places)
    # 500 each; a binomial count is beyond five standard deviations (22) once in two million.
    assert all(abs(shares[n] - 500) < 110 for n in range(1, 17))


def test_a_files_share_never_changes():
    assert [numbers(place, 16) for place in ("a.mp3", "B/c.flac", "é/日.ogg")] == [
        [9],
        [15],
        [6],
    ]


def test_a_share_does_not_depend_on_where_the_library_is_mounted(tmp_path):
    for mount in ("here", "there"):
        for name in "abcdefgh":
            path = tmp_path / mount / "music" / f"{name}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(mount)
    places = [
        [file.place for file in Shard(2, 3).of(find_audio(str(tmp_path / mount / "music")))]
        for mount in ("here", "there")
    ]
    assert places[0] == places[1] != []


@pytest.mark.parametrize(("place", "other"), [("A/x.mp3", "a/X.mp3"), ("é.mp3", "é.mp3")])
def test_files_that_want_one_place_for_their_results_are_in_one_share(place, other):
    files = [AudioFile(f"/{i}/{name}", name) for i, name in enumerate((place, other))]
    assert sorted(len(Shard(n, 64).of(files)) for n in range(1, 65)) == [0] * 63 + [2]
