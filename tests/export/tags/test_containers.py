"""Tags in files: the one that is written, and all others, which stay."""

import importlib
import shutil
import subprocess
import sys

import mutagen
import numpy as np
import pytest
from mutagen.id3 import ID3, TALB

from beatgrid.errors import BeatgridError
from beatgrid.export.tags import containers
from beatgrid.export.tags.bpm import bpm_tag
from beatgrid.export.tags.containers import write_tag
from beatgrid.export.tags.serato import beat_grid, beat_grid_tag
from tests.export.dj.tracks import constant
from tests.export.tags.sounds import KINDS, decoded, make

OURS = ("TBPM", "bpm", "tmpo", "GEOB:Serato BeatGrid", "serato_beatgrid")
TAGS = {"bpm": bpm_tag(127.97), "serato": beat_grid_tag(beat_grid(constant()))}


def all_tags(path):
    """Every tag that mutagen finds in a file, but for those written here."""
    tags = mutagen.File(path).tags
    if isinstance(tags, ID3):
        as_is = type(tags)(path, translate=False, load_v1=False)
        found = {key: repr(frame) for key, frame in as_is.items() if key not in OURS}
        return found, as_is.unknown_frames, as_is.version
    if hasattr(tags, "vendor"):
        return [(k, v) for k, v in tags if k.lower() not in OURS], tags.vendor
    return {k: repr(v) for k, v in (tags or {}).items() if k not in OURS and "beatgrid" not in k}


@pytest.mark.parametrize("tag", TAGS.values(), ids=TAGS)
@pytest.mark.parametrize("kind", KINDS)
def test_all_but_one_tag_stays(tmp_path, kind, tag):
    path = make(tmp_path, kind)
    before, samples, end = all_tags(path), decoded(path), path.read_bytes()[-128:]
    write_tag(path, bpm_tag(90.0))
    write_tag(path, tag)
    written = path.read_bytes()
    write_tag(path, tag)
    assert path.read_bytes() == written  # no second backup for nothing
    if "bare" not in kind:
        assert all_tags(path) == before
    np.testing.assert_array_equal(decoded(path), samples)
    if kind.startswith("mp3"):
        assert path.read_bytes()[-128:] == end
        assert ID3(path, translate=False).version == (2, 4 if "2.4" in kind else 3, 0)


def test_pictures_and_other_blocks_of_flac_stay(tmp_path):
    path = make(tmp_path, "flac")
    before = [(block.code, block.write()) for block in mutagen.File(path).metadata_blocks]
    write_tag(path, TAGS["bpm"])
    after = [(block.code, block.write()) for block in mutagen.File(path).metadata_blocks]
    comments, padding = 4, 1
    kept = [[b for b in blocks if b[0] not in (comments, padding)] for blocks in (before, after)]
    assert kept[0] == kept[1]


def test_the_outdated_version_of_id3_is_raised_by_one(tmp_path):
    path = make(tmp_path, "mp3 bare")
    frame = b"TT2\x00\x00\x06\x00title"
    path.write_bytes(
        b"ID3\x02\x00\x00\x00\x00\x00" + bytes([len(frame)]) + frame + path.read_bytes()
    )
    write_tag(path, TAGS["bpm"])
    tags = ID3(path, translate=False)
    assert tags.version == (2, 3, 0)
    assert (str(tags["TIT2"]), str(tags["TBPM"])) == ("title", "127.97")


def test_a_tag_that_would_change_is_an_error(tmp_path, monkeypatch):
    path = make(tmp_path, "mp3")

    def save(self, *args, _save=ID3.save, **kwargs):
        self.add(TALB(encoding=0, text=["another"]))
        _save(self, *args, **kwargs)

    monkeypatch.setattr(ID3, "save", save)
    with pytest.raises(BeatgridError, match="would not stay as they are"):
        write_tag(path, TAGS["bpm"])


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.aac", b"\xff\xf1\x50\x80\x02\x1f\xfc" * 500, "AAC files"),
        ("a.bin", b"nothing", "no kind whose tags"),
        ("empty.mp3", b"", "cannot be written"),
        ("cut.flac", b"fLaC\x00\x00", "cannot be written"),
    ],
)
def test_files_that_hold_no_tags(tmp_path, name, data, message):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(BeatgridError, match=message) as error:
        write_tag(tmp_path / name, TAGS["bpm"])
    assert "\n" not in str(error.value)
    assert name in str(error.value)


def test_wma_is_named(tmp_path):
    from tests.export.tags.sounds import encode

    encode(tmp_path / "a.wma", "wmav2", np.zeros(48000))
    with pytest.raises(BeatgridError, match="no BPM into ASF files; MP3, AIFF"):
        write_tag(tmp_path / "a.wma", TAGS["bpm"])


def test_without_mutagen_the_extra_is_named(tmp_path, monkeypatch):
    path = make(tmp_path, "mp3 bare")
    before = path.read_bytes()

    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(BeatgridError, match=r'pip install "beatgrid\[tags\]"'):
        write_tag(path, TAGS["bpm"])
    assert path.read_bytes() == before


def test_mutagen_is_imported_only_to_write():
    modules = [containers.__name__, "beatgrid.export.tags.bpm", "beatgrid.export.tags.serato"]
    code = f"import sys, {', '.join(modules)}; sys.exit('mutagen' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_file_under_another_suffix(tmp_path):
    path = make(tmp_path, "flac")
    shutil.copy(path, tmp_path / "flac.mp3")
    write_tag(tmp_path / "flac.mp3", TAGS["bpm"])
    assert mutagen.flac.FLAC(tmp_path / "flac.mp3")["bpm"] == ["127.97"]
