"""What files cannot make the program do: run code, open other files, go out to the network."""

from __future__ import annotations

import ast
import ctypes
import hashlib
import io
import json
import os
import pickle
import select
import socket
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from beatgrid.audio.cache import FeatureCache, StoredFeatures
from beatgrid.audio.features import FeatureSpec
from beatgrid.audio.reader import load_audio
from beatgrid.data.discovery import discover
from beatgrid.errors import AudioError, BeatgridError, CheckpointError, LabelError
from beatgrid.networks.checkpoint import load_model
from beatgrid.networks.description import SHIPPED
from tests.audio.test_reader import clicks, encode
from tests.conftest import ROOT

# --- playlists -------------------------------------------------------------------------------

# "{other}" is a sound beside it, "{url}" an address that answers.
PLAYLISTS = {
    "m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\n{other}\n#EXT-X-ENDLIST\n",
    "key.m3u8": (
        "#EXTM3U\n#EXT-X-TARGETDURATION:6\n"
        '#EXT-X-KEY:METHOD=AES-128,URI="{other}"\n#EXTINF:6,\n{other}\n#EXT-X-ENDLIST\n'
    ),
    "m3u": "#EXTM3U\n#EXTINF:6,\n{other}\n",
    "ffconcat": "ffconcat version 1.0\nfile {other}\n",
    "pls": "[playlist]\nFile1={other}\nNumberOfEntries=1\n",
    "asx": '<asx version="3.0"><entry><ref href="{other}"/></entry></asx>',
    "svg": '<svg xmlns="http://www.w3.org/2000/svg"><image href="{other}"/></svg>',
    "xspf": (
        "<playlist><trackList><track><location>{other}</location></track></trackList></playlist>"
    ),
    "mpd": (
        '<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        'mediaPresentationDuration="PT6S" profiles="urn:mpeg:dash:profile:isoff-main:2011">'
        '<Period><AdaptationSet mimeType="audio/mp4"><Representation id="1" bandwidth="9000">'
        "<BaseURL>{other}</BaseURL><SegmentList><SegmentURL/></SegmentList></Representation>"
        "</AdaptationSet></Period></MPD>\n"
    ),
    "sdp": (
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio {port} RTP/AVP 0\n"
    ),
    "rtsp": "RTSPtextRTSP://127.0.0.1:{port}/x\n",
    "ram": "rtsp://127.0.0.1:{port}/x\n{other}\n",
    "smil": '<smil><body><audio src="{other}"/></body></smil>',
    "cue": 'FILE "{other}" WAVE\n  TRACK 01 AUDIO\n    INDEX 01 00:00:00\n',
}
DISGUISES = ("", ".mp3", ".wav", ".m4a", ".ogg")


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A port of this machine; a connection to it would be one to anywhere."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


class Watch:
    """Tells whether anything opens a file (inotify: decoders are not Python)."""

    _IN_OPEN = 0x20

    def __init__(self, path: Path) -> None:
        libc = ctypes.CDLL(None)
        self._fd = libc.inotify_init()
        assert libc.inotify_add_watch(self._fd, os.fsencode(path), self._IN_OPEN) >= 0

    def was_opened(self) -> bool:
        return bool(select.select([self._fd], [], [], 0)[0])

    def close(self) -> None:
        os.close(self._fd)


@pytest.mark.skipif(sys.platform != "linux", reason="inotify")
@pytest.mark.parametrize("kind", PLAYLISTS)
def test_a_playlist_opens_nothing(kind, listener, tmp_path, record):
    sounds = [
        encode(tmp_path / "other.ts", "mp2", clicks(), bit_rate=128_000),
        encode(tmp_path / "other.m4a", "aac", clicks()),
        encode(tmp_path / "other.wav", "pcm_s16le", clicks()),
    ]
    watches = [Watch(sound) for sound in sounds]
    port = listener.getsockname()[1]
    others = [str(sound) for sound in sounds] + [sound.name for sound in sounds]
    others += [f"http://127.0.0.1:{port}/a.ts", f"tcp://127.0.0.1:{port}", f"file:{sounds[0]}"]
    for other in others:
        for disguise in DISGUISES:
            path = tmp_path / f"list.{kind}{disguise}"
            path.write_text(PLAYLISTS[kind].format(other=other, port=port))
            with pytest.raises(AudioError, match=r"^.*: .*; .*$"):
                load_audio(path)
    assert not any(watch.was_opened() for watch in watches)
    assert not select.select([listener], [], [], 0)[0]
    load_audio(sounds[0])
    assert watches[0].was_opened()  # they do see what happens
    for watch in watches:
        watch.close()
    record("playlists in disguise", kind, "nothing opened", len(others) * len(DISGUISES))


def test_numbered_pictures_open_no_others(tmp_path):
    for name in ("cover%d.png", "cover1.png"):
        (tmp_path / name).write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    with pytest.raises(AudioError, match="without sound of its own"):
        load_audio(tmp_path / "cover%d.png")


def test_a_name_like_an_address_is_a_file(tmp_path, monkeypatch, listener):
    monkeypatch.chdir(tmp_path)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/a.mp3"
    Path(os.path.dirname(url)).mkdir(parents=True)
    encode(tmp_path / "b.mp3", "libmp3lame", clicks()).rename(url)
    assert load_audio(url).duration_s == pytest.approx(6.0, abs=0.1)
    assert not select.select([listener], [], [], 0)[0]


# --- checkpoints -----------------------------------------------------------------------------


class Payload:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


class BuildsPayload(Payload):
    """The same by an object's state."""

    def __reduce__(self):
        return eval, (f"__import__('os').mkdir({str(self.folder)!r})",)


@pytest.mark.parametrize("payload", [Payload, BuildsPayload])
@pytest.mark.parametrize("place", ["whole", "state_dict", "beatgrid", "calibration"])
@pytest.mark.parametrize("form", ["zip", "legacy", "bare"])
def test_no_pickle_runs(payload, place, form, tmp_path):
    harm = payload(tmp_path / "harm")
    contents = torch.load(SHIPPED, weights_only=True)
    match place:
        case "whole":
            contents = harm
        case "calibration":
            contents["beatgrid"]["calibration"] = harm
        case _:
            contents[place]["harm"] = harm
    path = tmp_path / "hostile.ckpt"
    if form == "bare":
        path.write_bytes(pickle.dumps(contents if place == "whole" else {"harm": harm}))
    else:
        torch.save(contents, path, _use_new_zipfile_serialization=form == "zip")
    with pytest.raises(CheckpointError, match="cannot be read as a checkpoint") as refusal:
        load_model(path)
    assert "\n" not in str(refusal.value)
    assert not (tmp_path / "harm").exists()


def test_no_name_in_a_checkpoint_is_imported(tmp_path, monkeypatch):
    (tmp_path / "hostile_module.py").write_text("import os; os.mkdir('harm')\nThing = dict\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("hostile_module.Thing", "hostile_module:Thing"):
        for key in ("_target_", "name", "class_path", "module"):
            contents = torch.load(SHIPPED, weights_only=True)
            contents["beatgrid"]["network"][key] = name
            torch.save(contents, "hostile.ckpt")
            with pytest.raises(CheckpointError):
                load_model("hostile.ckpt")
    # As a pickle's global too.
    with zipfile.ZipFile("global.ckpt", "w") as archive:
        archive.writestr("a/data.pkl", b"\x80\x02chostile_module\nThing\n.")
        archive.writestr("a/version", b"3\n")
    with pytest.raises(CheckpointError):
        load_model("global.ckpt")
    assert "hostile_module" not in sys.modules
    assert not Path("harm").exists()


def test_torch_loads_nothing_but_weights():
    """Resuming reads checkpoints as well, through Lightning."""
    asked = {
        f"{path.name}:{call.lineno}": {word.arg: ast.unparse(word.value) for word in call.keywords}
        for path in (ROOT / "beatgrid").rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call)
        and ast.unparse(call.func) in ("torch.load", "trainer.fit", "trainer.test")
    }
    assert len(asked) >= 4
    assert [where for where, words in asked.items() if words.get("weights_only") != "True"] == []


# --- caches ----------------------------------------------------------------------------------


@pytest.fixture
def cached(tmp_path):
    """A cache with the entry of one sound: (cache, sound, features, JSON)."""
    sound = encode(tmp_path / "a.wav", "pcm_s16le", clicks())
    cache = FeatureCache(tmp_path / "cache", FeatureSpec())
    features = cache.get(sound).path
    return FeatureCache(tmp_path / "cache", FeatureSpec()), sound, features


def test_a_cache_entry_is_no_pickle(cached, tmp_path):
    cache, sound, path = cached
    whole = np.load(path)
    np.save(path, np.array([Payload(tmp_path / "harm")], dtype=object), allow_pickle=True)
    entry = json.loads(path.with_suffix(".json").read_text())
    entry["checksum"] = hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()
    path.with_suffix(".json").write_text(json.dumps(entry))
    assert np.array_equal(cache.get(sound).load(), whole)  # computed anew
    assert not (tmp_path / "harm").exists()


def test_a_cache_entry_with_one_wrong_bit_is_computed_anew(cached):
    cache, sound, path = cached
    whole = path.read_bytes()
    path.write_bytes(whole[:-7] + bytes([whole[-7] ^ 1]) + whole[-6:])
    cache.get(sound)
    assert path.read_bytes() == whole


def test_pickled_arrays_are_refused_wherever_features_are_kept(tmp_path):
    buffer = io.BytesIO()
    np.save(buffer, np.array([Payload(tmp_path / "harm")], dtype=object), allow_pickle=True)
    (tmp_path / "a.npy").write_bytes(buffer.getvalue())
    with pytest.raises(ValueError, match="Python objects"):
        StoredFeatures(tmp_path / "a.npy", 1, 1.0).load()
    assert not (tmp_path / "harm").exists()


# --- labels ----------------------------------------------------------------------------------


@pytest.fixture
def folders(tmp_path):
    """Folders of audio and labels, and a sound outside of both."""
    for name in ("audio", "labels", "outside"):
        (tmp_path / name).mkdir()
    encode(tmp_path / "outside" / "secret.wav", "pcm_s16le", clicks())
    return tmp_path


def _refused(folders: Path, match: str) -> None:
    with pytest.raises(BeatgridError, match=match) as refusal:
        discover(folders / "audio", folders / "labels")
    assert "\n" not in str(refusal.value)


def _label(folders: Path, name: str = "a", **keys: object) -> None:
    text = json.dumps({"bpm": 120, **keys})
    (folders / "labels" / f"{name}.labels.json").write_text(text)


@pytest.mark.parametrize(
    "name",
    [
        *("../outside/secret.wav", "x/../../outside/secret.wav", "..\\outside\\secret.wav"),
        *("{outside}/secret.wav", "C:\\secret.wav", "//host/share/secret.wav"),
    ],
)
def test_a_file_name_cannot_leave_the_audio_folder(name, folders):
    _label(folders, fileName=name.replace("{outside}", str(folders / "outside")))
    _refused(folders, "leaves the audio folder")


@pytest.mark.parametrize("by", ["fileName", "the label's own name"])
def test_nor_can_a_link_in_it(by, folders):
    link = folders / "audio" / "a.wav"
    link.symlink_to(folders / "outside" / "secret.wav")
    _label(folders, **({"fileName": "a.wav"} if by == "fileName" else {}))
    _refused(folders, f"leads to {folders}/outside/secret.wav, outside")


def test_nor_can_a_linked_folder(folders):
    (folders / "audio" / "sub").symlink_to(folders / "outside")
    _label(folders, fileName="sub/secret.wav")
    _refused(folders, "outside")


def test_labels_are_read_where_they_lie_only(folders):
    """A link out of the label folder to any file is read as a label and shows nothing of it."""
    (folders / "outside" / "secret.txt").write_text("a secret")
    (folders / "labels" / "a.labels.json").symlink_to(folders / "outside" / "secret.txt")
    with pytest.raises(LabelError) as refusal:
        discover(folders / "audio", folders / "labels")
    assert "a secret" not in str(refusal.value)
