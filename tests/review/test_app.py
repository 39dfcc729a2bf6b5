"""The server of the review page: list, tracks, edits, saving, by requests."""

import json
import shutil
import struct

import jsonschema
import numpy as np
import pytest
import soundfile

from beatgrid.data.label_segments import parse_segments
from beatgrid.data.labels import load_label
from beatgrid.output.index import ResultIndex
from beatgrid.output.result import picture_path
from beatgrid.review.app import MAX_BODY_BYTES
from tests.output.test_result import SCHEMA
from tests.review.conftest import DATE, GRIDS

PLAIN = "plain.flac"


@pytest.fixture
def plain(page):
    """The track of 140 BPM, its activation known."""
    track_id = page.id_of(PLAIN)
    page.wait(track_id)
    return track_id


def result_at(page, track_id):
    path = page.run.result_path(page.run.record(track_id))
    return json.loads(path.read_text(encoding="utf-8"))


def label_at(page, name=PLAIN):
    return page.labels / f"{name}.labels.json"


def test_the_list_is_one_compact_answer(page):
    answer = page.get("/api/tracks").json()
    rows = [dict(zip(answer["columns"], row, strict=True)) for row in answer["rows"]]
    assert {row["name"] for row in rows} == {name.split("/")[-1] for name in GRIDS} | {"noise.wav"}
    of = {row["name"]: row for row in rows}
    assert (of[PLAIN]["bpm"], of[PLAIN]["tempo"], of[PLAIN]["state"]) == ("140", "steady", "new")
    assert of["noise.wav"]["tempo"] == "no grid"
    assert next(row for row in rows if row["name"].startswith("Ünï"))["folder"] == "sub"
    assert not any(row["draft"] for row in rows)


def test_a_track_shows_its_grid(page, plain):
    track = page.track(plain)
    truth = GRIDS[PLAIN]
    (stretch,) = track["stretches"]
    assert (stretch["bpm"], stretch["bpm_display"]) == (140.0, "140")
    assert abs(np.array(track["beats_s"]) - truth.beat_times(14.0)).max() < 0.01
    assert len(track["bar_positions"]) == len(track["beats_s"]) == len(track["residuals_ms"])
    inner = [r for r in track["residuals_ms"] if r is not None]
    # Grids of bare clicks are moved to their attacks, which the activation's peaks are not.
    assert np.abs(inner).max() < 12
    assert np.ptp(inner) < 6
    assert (track["revision"], track["can_undo"], track["draft"]) == (0, False, False)


def test_the_sound_is_the_programs_own_decode_and_is_served_in_pieces(page, plain, analysed):
    whole = page.get(f"/api/tracks/{plain}/audio.wav")
    assert whole.headers["content-type"] == "audio/wav"
    original, _ = soundfile.read(analysed / "music" / PLAIN)
    served = np.frombuffer(whole.content[44:], "<i2") / 32767
    assert len(served) == len(original)
    assert np.abs(served - original).max() < 1e-4
    part = page.get(f"/api/tracks/{plain}/audio.wav", headers={"Range": "bytes=1044-2043"})
    assert part.status_code == 206
    assert part.content == whole.content[1044:2044]
    assert part.headers["content-range"] == f"bytes 1044-2043/{len(whole.content)}"


def test_waveform_and_activation_are_as_long_as_the_track(page, plain):
    data = page.get(f"/api/tracks/{plain}/waveform").content
    (n_levels,) = struct.unpack_from("<I", data)
    sizes = struct.unpack_from(f"<{n_levels}I", data, 4)
    (n_samples,) = struct.unpack_from("<I", data, 4 + 4 * n_levels)
    assert n_samples == 14 * 44100
    assert sizes[0] == -(-n_samples // 256)
    assert len(data) == 8 + 4 * n_levels + 5 * sum(sizes)
    data = page.get(f"/api/tracks/{plain}/activation").content
    rate, n_frames, n_channels = struct.unpack_from("<dII", data)
    assert rate == 44100 / 512
    assert len(data) == 16 + n_frames * n_channels
    beat = np.frombuffer(data, np.uint8, n_frames, 16)
    strongest_s = np.argsort(beat)[-10:] / rate
    beats_s = GRIDS[PLAIN].beat_times(14.0)
    assert np.abs(strongest_s[:, None] - beats_s).min(axis=1).max() < 0.03


def test_edits_are_drafts_until_they_are_accepted(page, plain):
    before = result_at(page, plain)
    track = page.edit(plain, "nudge", at_s=1.0, ms=10).json()
    assert (track["revision"], track["draft"], track["can_undo"]) == (2, True, True)
    assert track["beats_s"][3] == pytest.approx(before["beats"][3]["time"] + 0.01, abs=2e-6)
    assert result_at(page, plain) == before
    assert next(row for row in page.run.rows() if row.id == plain).draft
    track = page.edit(plain, "undo").json()
    assert (track["draft"], track["can_redo"]) == (False, True)
    assert page.edit(plain, "redo").json()["draft"]


def test_a_closed_page_loses_nothing(page, plain, open_page, results):
    page.edit(plain, "scale", at_s=1.0, ratio=0.5)
    page.edit(plain, "nudge", at_s=1.0, ms=-1)
    shown = page.track(plain)
    again = open_page(results)
    again.wait(plain)
    track = again.track(plain)
    assert track == shown
    again.edit(plain, "undo")
    assert again.edit(plain, "undo").json()["stretches"][0]["bpm"] == 140.0


def test_two_windows_do_not_overwrite_each_other(page, plain):
    page.edit(plain, "nudge", at_s=1, ms=1)
    body = {"revision": 0, "edit": {"op": "nudge", "at_s": 1, "ms": 1}}
    answer = page.post(f"/api/tracks/{plain}/edit", body)
    assert answer.status_code == 409
    assert "another window" in answer.json()["error"]
    assert page.post(f"/api/tracks/{plain}/accept", {"revision": 0}).status_code == 409


def test_snap_finds_the_clicks_again(page, plain):
    found_s = page.track(plain)["beats_s"]
    page.edit(plain, "bpm", at_s=7.0, bpm=140.4)
    page.edit(plain, "nudge", at_s=7.0, ms=25)
    track = page.edit(plain, "snap", at_s=7.0).json()
    assert track["stretches"][0]["bpm"] == 140.0
    # The clicks' attacks tell, in the search and in snapping alike.
    assert np.abs(np.array(track["beats_s"]) - found_s).max() < 0.001


def test_accepting_what_was_found_locks_it_and_changes_nothing_else(page, plain):
    before = result_at(page, plain)
    track = page.accept(plain).json()
    assert (track["state"], track["draft"], track["can_withdraw"]) == ("accepted", False, True)
    after = result_at(page, plain)
    assert after.pop("locked") is True
    review = after.pop("reviewed")
    assert after == before
    assert (review["verdict"], review["changed"]) == ("accepted", [])
    assert review["date"] == "2026-01-02T03:04:05+00:00" == DATE.isoformat()
    label = load_label(label_at(page))
    assert label.grid.bpm == 140.0
    assert label.downbeat == "unknown"  # spectral flux knows no bars
    assert label.file_name == PLAIN
    assert label.doubts == ()


def test_a_picture_goes_with_the_grid_that_it_shows(page, plain):
    picture = picture_path(page.run.result_path(page.run.record(plain)))
    picture.write_bytes(b"found")
    page.edit(plain, "scale", at_s=1.0, ratio=2)
    page.accept(plain)
    assert not picture.exists()
    page.post(f"/api/tracks/{plain}/withdraw", {"revision": page.track(plain)["revision"]})
    assert picture.read_bytes() == b"found"
    page.accept(plain)
    assert page.track(plain)["state"] == "accepted"
    assert picture.exists()


def test_a_correction_is_the_result_and_a_label(page, plain, results):
    before = result_at(page, plain)
    page.edit(plain, "scale", at_s=1.0, ratio=0.5)
    page.edit(plain, "one", at_s=1.1)
    page.edit(plain, "beats_per_bar", at_s=1.1, beats=3)
    shown = page.track(plain)
    assert page.accept(plain).json()["state"] == "corrected"
    after = result_at(page, plain)
    jsonschema.validate(after, SCHEMA)
    assert list(after)[-1] == "beats"
    assert (after["bpm"], after["bpm_display"], after["beats_per_bar"]) == (70.0, "70", 3)
    assert (after["confidence"], after["bpm_std"], after["score"]) == (1.0, None, None)
    assert [beat["time"] for beat in after["beats"]] == shown["beats_s"]
    assert [beat["bar_position"] for beat in after["beats"]] == shown["bar_positions"]
    assert max(beat["prob_at_grid"] for beat in after["beats"]) > 0.3
    found = after["reviewed"]["found"]
    assert found["bpm"] == before["bpm"]
    assert found["confidence"] == before["confidence"]
    assert {"bpm", "downbeat_offset_s", "beats_per_bar", "downbeat_known"} <= set(
        after["reviewed"]["changed"]
    )
    for key in ("file", "duration_s", "content_hash", "method_hash", "settings", "model"):
        assert after[key] == before[key]
    label = load_label(label_at(page))
    assert label.grid.beats_per_bar == 3
    assert label.downbeat == "reliable"
    np.testing.assert_allclose(label.grid.beat_times(14.0), shown["beats_s"], atol=1e-6)
    with ResultIndex(results) as index:
        record = index.get(page.run.record(plain).audio)
    assert (record.status, record.reviewed, record.bpm) == ("locked", "corrected", 70.0)


def test_no_run_touches_what_was_reviewed(page, plain, results, analysed, run_script):
    page.edit(plain, "scale", at_s=1.0, ratio=0.5)
    page.accept(plain)
    before = result_at(page, plain)
    arguments = [f"audio={analysed}/music", f"out={results}", "activation=flux", "picture=false"]
    done = run_script("predict.py", *arguments, "num_workers=0", "grid.bpm_max=300")
    assert done.status == 0
    assert result_at(page, plain) == before


def test_several_tempi_become_a_piecewise_result_and_label(page, plain):
    page.edit(plain, "split", at_s=7.0)
    page.edit(plain, "bpm", at_s=10.0, bpm=150)
    shown = page.track(plain)
    assert len(shown["stretches"]) == 2
    page.accept(plain)
    after = result_at(page, plain)
    jsonschema.validate(after, SCHEMA)
    assert after["constant_tempo"] is False
    assert [segment["bpm"] for segment in after["segments"]] == [140.0, 150.0]
    assert [segment["start_s"] for segment in after["segments"]] == [0.0, 7.0]
    assert {beat["segment"] for beat in after["beats"]} == {0, 1}
    assert [beat["time"] for beat in after["beats"]] == shown["beats_s"]
    content = json.loads(label_at(page).read_text())
    segments = parse_segments(content, "x")
    assert [(s.start_s, s.grid.bpm) for s in segments] == [(0.0, 140.0), (7.0, 150.0)]
    assert page.track(plain)["beats_s"] == shown["beats_s"]


def test_an_acceptance_can_be_taken_back(page, plain, results):
    path = page.run.result_path(page.run.record(plain))
    before = path.read_bytes()
    page.edit(plain, "scale", at_s=1, ratio=2)
    page.accept(plain)
    page.edit(plain, "nudge", at_s=1, ms=3)
    page.accept(plain)
    revision = page.track(plain)["revision"]
    track = page.post(f"/api/tracks/{plain}/withdraw", {"revision": revision}).json()
    assert (track["state"], track["draft"], track["can_withdraw"]) == ("new", False, False)
    assert path.read_bytes() == before
    assert not label_at(page).exists()
    assert page.edit(plain, "undo").json()["draft"]  # what was done is not lost either
    answer = page.post(f"/api/tracks/{plain}/withdraw", {"revision": page.track(plain)["revision"]})
    assert answer.status_code == 400
    assert "not accepted here" in answer.json()["error"]


def test_reviewing_twice_keeps_what_the_search_said(page, plain):
    found = result_at(page, plain)["bpm"]
    page.edit(plain, "scale", at_s=1, ratio=2)
    page.accept(plain)
    page.edit(plain, "scale", at_s=1, ratio=0.5)
    page.accept(plain)
    review = result_at(page, plain)["reviewed"]
    assert review["found"]["bpm"] == found == 140.0
    assert "bpm" not in review["changed"]


def test_a_track_without_a_grid_gets_one(page):
    track_id = page.id_of("noise.wav")
    page.wait(track_id)
    track = page.track(track_id)
    assert track["beats_s"] == []
    assert track["reason"]
    assert page.accept(track_id).status_code == 400
    page.edit(track_id, "bpm", at_s=0.5, bpm=96)
    page.edit(track_id, "one", at_s=0.5)
    page.accept(track_id)
    after = result_at(page, track_id)
    jsonschema.validate(after, SCHEMA)
    assert (after["bpm"], after["downbeat_offset_s"], after["reason"]) == (96, 0.5, None)


def test_labels_of_equal_names_stay_apart_and_name_their_audio(page):
    name = next(name for name in GRIDS if "/" in name)
    page.accept(page.id_of(name))
    page.accept(page.id_of("<img src=x onerror=alert(1)>.wav"))
    labels = sorted(page.labels.iterdir())
    assert len(labels) == 2
    files = {load_label(path).file_name for path in labels}
    assert files == {name, "<img src=x onerror=alert(1)>.wav"}


def test_the_run_tells_how_far_the_review_is(page, plain, analysed):
    page.accept(plain)
    run = page.get("/api/run").json()
    assert (run["n_tracks"], run["n_checked"], run["finding"]) == (4, 1, None)
    assert run["audio_root"] == str(analysed / "music")


def test_a_full_disk_keeps_the_draft(page, plain, monkeypatch):
    page.edit(plain, "nudge", at_s=1, ms=1)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("beatgrid.review.tracks.write_result", full)
    answer = page.accept(plain)
    assert answer.status_code == 400
    assert "No space left" in answer.json()["error"]
    assert page.track(plain)["draft"]
    assert "locked" not in result_at(page, plain)


def test_audio_that_is_gone_is_said_and_the_grid_still_shown(analysed, tmp_path, open_page):
    shutil.copytree(analysed, tmp_path / "moved")
    results = tmp_path / "moved" / "grids"
    (results / ".beatgrid-index.sqlite").unlink()
    for path in results.rglob("*.beatgrid.json"):
        path.write_text(path.read_text().replace(str(analysed), "/nowhere"))
    page = open_page(results)
    track_id = page.id_of(PLAIN)
    assert len(page.track(track_id)["beats_s"]) > 10
    answer = page.get(f"/api/tracks/{track_id}/audio.wav")
    assert answer.status_code == 400
    assert "no such file" in answer.json()["error"]
    assert page.get(f"/api/tracks/{track_id}/activation").status_code == 400


def test_a_result_edited_by_hand_is_seen(page, plain):
    path = page.run.result_path(page.run.record(plain))
    result = json.loads(path.read_text()) | {"locked": True}
    path.write_text(json.dumps(result))
    page.get("/api/tracks?refresh=1")
    assert next(row for row in page.run.rows() if row.id == plain).state == "locked"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"bpm": 3}'])
def test_a_damaged_result_is_one_line(content, page, plain):
    page.run.result_path(page.run.record(plain)).write_text(content)
    answer = page.get(f"/api/tracks/{plain}")
    assert answer.status_code == 400
    assert len(answer.json()["error"].splitlines()) == 1


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (b"", 400, "no JSON object"),
        (b"[1]", 400, "no JSON object"),
        (b"[" * 50_000, 400, "no JSON object"),
        (b"x" * (MAX_BODY_BYTES + 1), 400, "more than 100000 bytes"),
        (b"{}", 400, "edit: must be an object"),
        (b'{"edit": {"op": "one"}}', 400, "revision: must be a whole number"),
        (b'{"edit": {"op": "one"}, "revision": true}', 400, "revision: must be a whole number"),
        (b'{"edit": {"op": "<b>"}, "revision": 0}', 400, "no such edit"),
        (b'{"edit": {"op": "one", "at_s": 1e999}, "revision": 0}', 400, "must be a number"),
    ],
)
def test_absurd_requests_are_one_line(body, status, message, page, plain):
    answer = page.post(f"/api/tracks/{plain}/edit", content=body)
    assert answer.status_code == status
    assert message in answer.json()["error"]
    assert page.track(plain)["revision"] == 0


def test_unknown_tracks_and_methods(page, plain):
    assert page.get("/api/tracks/0123").status_code == 404
    assert page.post("/api/tracks/0123/accept", {"revision": 0}).status_code == 404
    assert page.get(f"/api/tracks/{plain}/accept").status_code == 405
    assert page.post("/api/find", {"run": True}).status_code == 400
