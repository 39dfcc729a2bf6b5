"""The review page in headless Chromium: keys, sound to the sample, saving, a training after it."""

import itertools
import json
import re
import threading

import numpy as np
import pytest
import soundfile

from beatgrid.data.labels import load_label
from beatgrid.grid import Grid
from beatgrid.rendering.generator import click_track
from experiments.review.browser import chromium, launched, open_list, open_track, serving, until
from tests.conftest import status_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(chromium() is None, reason="Chromium is not installed"),
]

N_TRACKS = 30
DURATION_S = 20.0
EVIL = "<img src=x onerror=window.hacked=1>"
SHOWN = "window.beatgridReview.track"


def grid_of(number):
    return Grid(90.0 + 3.7 * number, 0.1 + 0.013 * number)


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    """Thirty tracks of clicks with noise and a bass."""
    folder = tmp_path_factory.mktemp("review")
    (folder / "music" / "sub").mkdir(parents=True)
    rng = np.random.default_rng(4)
    for number in range(N_TRACKS):
        grid = grid_of(number)
        samples = click_track(grid.bpm, grid.offset_s, DURATION_S, accent=1.5)
        time_s = np.arange(len(samples)) / 44100
        samples = 0.6 * samples + 0.1 * np.sin(2 * np.pi * 55 * time_s)
        samples += rng.normal(0, 0.003, len(samples))
        name = f"sub/{EVIL}.wav" if number == 7 else f"track {number:02}.wav"
        soundfile.write(folder / "music" / name, samples, 44100)
    arguments = [f"audio={folder}/music", f"out={folder}/grids", "picture=false", "num_workers=0"]
    assert status_of("predict.py", *arguments) == 0
    return folder


@pytest.fixture(scope="module")
def browser():
    """Chromium in a thread of its own: its event loop must not meet the other tests' ones."""
    with launched() as opened:
        yield opened


@pytest.fixture(scope="module")
def address(music):
    with serving(music / "grids", f"labels={music}/labels") as url:
        yield url


@pytest.fixture
def page(browser, address):
    """The list at 1280 pixels; any error in the console fails the test."""
    page = browser.new_page(viewport={"width": 1280, "height": 860})
    page.set_default_timeout(120_000)
    errors = []
    page.on("console", lambda m: errors.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    open_list(page, address)
    yield page
    page.close()
    assert errors == []


def id_of(page, name):
    return page.evaluate(
        "name => window.beatgridReview.list.rows.find((row) => row.name === name).id", name
    )


def opened(page, number):
    open_track(page, id_of(page, f"track {number:02}.wav"))
    return shown(page)


def shown(page):
    """What the page knows of the track, after all edits are answered."""
    page.evaluate(f"{SHOWN}.edits")
    return page.evaluate(f"{SHOWN}.track")


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)
    return shown(page)


def test_the_list_leads_with_the_lowest_confidence_and_can_be_searched(page):
    rows = page.evaluate("window.beatgridReview.list.shown")
    assert len(rows) == N_TRACKS
    confidence = [row["confidence"] for row in rows]
    assert confidence == sorted(confidence)
    assert page.url.endswith("/")  # the token is out of sight
    page.fill("#search", "TRACK 1")
    assert page.evaluate("window.beatgridReview.list.shown.length") == 12  # 01, 10 to 19, 21
    page.fill("#search", "sub/")
    page.wait_for_timeout(100)
    assert page.locator("#rows .row:visible .name").inner_text().startswith(f"{EVIL}.wav")
    assert page.evaluate("window.hacked") is None
    assert page.locator("#rows img").count() == 0
    page.fill("#search", "")
    page.click("[data-sort=bpm]")
    tempi = page.evaluate("window.beatgridReview.list.shown.map((row) => Number(row.bpm))")
    assert tempi == sorted(tempi)
    page.focus("#rows")
    page.keyboard.press("End")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    until(page, f"{SHOWN}.track !== null")
    page.keyboard.press("Escape")
    page.wait_for_selector("#list:not([hidden])")


# Key, and what it must make of the beats before it; None for keys that only move the view.
EDITS = {
    "ArrowLeft": lambda before: before - 0.001,
    "ArrowRight": lambda before: before + 0.001,
    "Shift+ArrowLeft": lambda before: before - 0.010,
    "Shift+ArrowRight": lambda before: before + 0.010,
}


def test_nudges_move_every_beat(page):
    before = np.array(opened(page, 3)["beats_s"])[1:-1]
    for key, moved in EDITS.items():
        after = np.array(press(page, key)["beats_s"])
        nearest = after[np.argmin(np.abs(after[:, None] - moved(before)), axis=0)]
        np.testing.assert_allclose(nearest, moved(before), atol=2e-6)
        press(page, "u")
    assert not shown(page)["can_undo"]
    press(page, "Shift+U", "Control+z")


def test_every_other_key_does_what_it_says(page):
    track = opened(page, 5)
    bpm, n = track["stretches"][0]["bpm"], len(track["beats_s"])
    period_s = 60 / bpm

    def tempo(*keys):
        return press(page, *keys)["stretches"][0]["bpm"] / bpm

    assert tempo("d") == pytest.approx(2)
    assert tempo("Shift+D") == pytest.approx(1)
    assert tempo("e") == pytest.approx(1.5)
    assert tempo("Shift+E") == pytest.approx(1)
    first_s = shown(page)["beats_s"][2]
    assert press(page, "h")["beats_s"][2] == pytest.approx(first_s + period_s / 2, abs=1e-5)
    assert press(page, "Shift+H")["beats_s"][2] == pytest.approx(first_s, abs=1e-5)
    bars = shown(page)["bar_positions"]
    assert press(page, "b")["bar_positions"] != bars
    assert press(page, "Shift+B")["bar_positions"] == bars
    press(page, "Home", "Shift+ArrowDown", "Shift+ArrowDown")
    cursor_s = page.evaluate(f"{SHOWN}.cursor_s")
    at = int(np.argmin(np.abs(np.array(track["beats_s"]) - cursor_s)))
    assert track["beats_s"][at] == pytest.approx(cursor_s, abs=1e-3)
    assert press(page, "o")["bar_positions"][at] == 1
    press(page, "Control+ArrowRight")
    assert page.evaluate(f"{SHOWN}.cursor_s") == pytest.approx(cursor_s + 0.005, abs=1e-9)
    press(page, "Control+ArrowLeft")
    # Fields: a BPM, beats of a bar.
    page.keyboard.press("g")
    page.keyboard.type("123,4")
    assert press(page, "Enter")["stretches"][0]["bpm"] == 123.4
    page.keyboard.press("r")
    page.keyboard.type("3")
    assert press(page, "Enter")["stretches"][0]["beats_per_bar"] == 3
    # Alternatives, and back to what was found.
    assert press(page, "1")["stretches"][0]["bpm"] == track["alternatives"][0]["bpm"]
    assert press(page, "0")["beats_s"] == track["beats_s"]
    # Two segments and one again.
    page.evaluate(f"{SHOWN}.moveCursor(9.0)")
    assert len(press(page, "x")["stretches"]) == 2
    assert len(press(page, "j")["stretches"]) == 1
    # Two points: beat 4 and the last but one, of the true grid.
    truth = grid_of(5).beat_times(DURATION_S)
    press(page, "g")
    page.keyboard.type(f"{bpm * 1.004:.3f}")
    press(page, "Enter")
    page.evaluate(f"{SHOWN}.moveCursor({truth[4]})")
    press(page, "i")
    page.evaluate(f"{SHOWN}.moveCursor({truth[-2]})")
    fitted = press(page, "i")
    assert fitted["stretches"][0]["bpm"] == pytest.approx(grid_of(5).bpm, abs=1e-3)
    # Snap, from 15 ms away.
    press(page, "Shift+ArrowRight", *["ArrowRight"] * 5)
    snapped = press(page, "s")
    assert snapped["stretches"][0]["bpm"] == pytest.approx(grid_of(5).bpm, abs=0.02)
    apart_s = np.array(snapped["beats_s"])[:, None] - truth
    assert np.abs(apart_s).min(axis=1).max() < 0.005
    # Taps beside the music.
    for _ in range(6):
        page.keyboard.press("t")
        page.wait_for_timeout(500)
    page.wait_for_timeout(1800)
    assert 20 < shown(page)["stretches"][0]["bpm"] < 140
    while shown(page)["can_undo"]:
        press(page, "u")
    assert shown(page)["beats_s"] == track["beats_s"]
    assert not shown(page)["draft"]
    assert len(shown(page)["beats_s"]) == n


def test_keys_of_the_view(page):
    opened(page, 6)

    def view():
        return page.evaluate(f"[{SHOWN}.view.start_s, {SHOWN}.view.span_s]")

    press(page, "f")
    assert view() == [0, DURATION_S]
    for _ in range(14):
        press(page, "+")
    assert view()[1] == pytest.approx(0.01)
    page.wait_for_timeout(200)
    press(page, "-")
    assert view()[1] == pytest.approx(0.02)
    press(page, "z")
    assert view()[1] == pytest.approx(16 * 60 / grid_of(6).bpm, rel=0.01)
    start_s = view()[0]
    press(page, "PageDown")
    assert view()[0] > start_s
    press(page, "PageUp")
    press(page, "End")
    assert page.evaluate(f"{SHOWN}.cursor_s") > DURATION_S - 0.1
    press(page, "Home", "ArrowDown", "ArrowDown")
    assert re.fullmatch(r"bar 2, beat 1", page.inner_text("#place"))
    press(page, "ArrowUp", "Shift+ArrowUp")
    press(page, "?")
    assert page.evaluate("document.getElementById('help').open")
    keys = page.locator("#help kbd").all_inner_texts()
    assert {"Space", "A", "Shift A", "S", "Ctrl Z", "1 … 9"} <= set(keys)
    page.uncheck("#keys-on")
    page.click("#help-close")
    track = shown(page)
    assert press(page, "d", "h")["revision"] == track["revision"]  # single keys are off
    press(page, "Tab")
    page.click("#track [data-action=help]")
    page.check("#keys-on")
    page.keyboard.press("Escape")
    press(page, "n")
    until(page, f"id => {SHOWN}.track && {SHOWN}.track.id !== id", track["id"])
    press(page, "p")
    until(page, f"id => {SHOWN}.track && {SHOWN}.track.id === id", track["id"])


def test_playing_moves_the_clock_and_a_loop_stays_in_its_bar(page):
    opened(page, 8)
    press(page, "Home", "Space")
    until(page, f"{SHOWN}.cursor_s > 0.7")
    press(page, "l", "m", "m", "c", "c")
    loop = page.evaluate(f"{SHOWN}.loop")
    assert (loop["end"] - loop["start"]) / 44100 == pytest.approx(240 / grid_of(8).bpm, abs=0.02)
    page.wait_for_timeout(4000)
    cursor_s = page.evaluate(f"{SHOWN}.cursor_s")
    assert loop["start"] / 44100 <= cursor_s <= loop["end"] / 44100
    spans = page.evaluate(f"{SHOWN}.transport.spans")
    for one, two in itertools.pairwise(spans):
        assert two["frame"] == one["frame"] + one["length"]  # no gap, no overlap
    press(page, "l", "Space")
    assert not page.evaluate(f"{SHOWN}.transport.playing")
    stopped_s = page.evaluate(f"{SHOWN}.cursor_s")
    page.wait_for_timeout(300)
    assert page.evaluate(f"{SHOWN}.cursor_s") == stopped_s
    press(page, "Enter")
    until(page, f"{SHOWN}.transport.playing")
    press(page, "Space")


RENDERED = """async ({ beats, positions, n_samples, spans }) => {
  const { clickTones, scheduleClicks } = await import("/static/clicks.js");
  const context = new OfflineAudioContext(1, n_samples, 44100);
  const tones = clickTones(context);
  const grid = { times: beats, positions, accents: true };
  for (const span of spans) scheduleClicks(context, context.destination, tones, grid, span);
  const samples = (await context.startRendering()).getChannelData(0);
  const onsets = [];
  let quiet = 1e9;
  for (let i = 0; i < samples.length; i += 1) {
    if (Math.abs(samples[i]) > 1e-4) { if (quiet > 400) onsets.push(i); quiet = 0; }
    else quiet += 1;
  }
  return onsets;
}"""


@pytest.mark.parametrize("number", [0, 9, 29])
def test_clicks_are_heard_within_a_sample_of_the_grid(number, page):
    track = opened(page, number)
    n_samples = round(DURATION_S * 44100)
    cuts = [0, 44100, 123457, 400000, n_samples]
    spans = [
        {"frame": low, "sample": low, "length": high - low}
        for low, high in itertools.pairwise(cuts)
    ]
    arguments = {"beats": track["beats_s"], "positions": track["bar_positions"]}
    onsets = page.evaluate(RENDERED, {**arguments, "n_samples": n_samples, "spans": spans})
    # The first sample of a click is 0, the second the first that can be heard.
    expected = np.array(track["beats_s"]) * 44100 + 1
    assert len(onsets) == len(expected)
    assert np.abs(np.array(onsets) - expected).max() <= 1.0


PIECES = """async ({ id }) => {
  const { Sound } = await import("/static/sound.js");
  const { Transport } = await import("/static/transport.js");
  const sound = new Sound(`/api/tracks/${id}/audio.wav`);
  const transport = new Transport();
  await Promise.all([sound.chunkAt(0), sound.chunkAt(5 * 44100), sound.chunkAt(10 * 44100)]);
  transport.context = new OfflineAudioContext(1, 12 * 44100, 44100);
  transport.music = transport.click = transport.context.destination;
  transport.tones = { beat: null, downbeat: null };
  transport.nextFrame = 44100;
  transport.nextSample = 12345;
  for (const end of [5 * 44100, 10 * 44100, 10 * 44100 + 777]) {
    transport.addSpan(sound.chunkNow(transport.nextSample), end);
  }
  const heard = (await transport.context.startRendering()).getChannelData(0);
  let worst = 0;
  for (let i = 0; i < 10 * 44100 + 777 - 12345; i += 1) {
    const sample = 12345 + i;
    const { first, samples } = sound.chunkNow(sample);
    worst = Math.max(worst, Math.abs(heard[44100 + i] - samples[sample - first]));
  }
  return worst;
}"""


def test_music_in_pieces_is_the_music_sample_by_sample(page):
    track = opened(page, 1)
    assert page.evaluate(PIECES, {"id": track["id"]}) < 1e-6


def test_a_correction_is_saved_survives_a_reload_and_can_be_taken_back(page, music):
    track = opened(page, 11)
    press(page, "d", "Shift+ArrowRight")
    page.reload()
    until(page, f"{SHOWN}.track?.residuals_ms")
    again = shown(page)
    assert again["draft"]
    assert again["revision"] == 3
    press(page, "Shift+A")
    until(page, f"{SHOWN}.track.state === 'corrected'")
    path = music / "grids" / "track 11.wav.beatgrid.json"
    result = json.loads(path.read_text())
    assert result["locked"] is True
    assert result["bpm"] == pytest.approx(2 * track["stretches"][0]["bpm"])
    label = music / "labels" / "track 11.wav.labels.json"
    assert load_label(label).grid.bpm == result["bpm"]
    assert press(page, "v")["state"] == "new"
    assert not label.exists()
    assert "locked" not in json.loads(path.read_text())


def test_accept_and_next_goes_through_the_list_and_the_labels_train(page, music, tmp_path):
    first = page.evaluate("window.beatgridReview.list.shown[0].id")
    open_track(page, first)
    for _ in range(4):
        current = page.evaluate(f"{SHOWN}.track.id")
        page.keyboard.press("a")
        until(page, f"id => {SHOWN}.track && {SHOWN}.track.id !== id", current)
    page.keyboard.press("Escape")
    page.wait_for_selector("#list:not([hidden])")
    until(page, "document.getElementById('progress').value === 4")
    assert page.inner_text("#progress-text") == "4 of 30 checked"
    page.select_option("#shown", "accepted")
    assert page.evaluate("window.beatgridReview.list.shown.length") == 4
    status = []
    arguments = (
        "debug=fast",
        f"data.audio_dir={music}/music",
        f"data.label_dir={music}/labels",
        f"data.cache_dir={tmp_path}/cache",
        f"output_dir={tmp_path}/run",
        "data.val_count=1",
    )
    # Playwright's loop belongs to this thread.
    thread = threading.Thread(target=lambda: status.append(status_of("train.py", *arguments)))
    thread.start()
    thread.join()
    assert status == [0]


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_the_window_and_text_can_be_read(width, scheme, page):
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 800})

    def check():
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(CONTRAST) == []
        assert page.evaluate(UNNAMED) == []

    page.wait_for_timeout(200)
    check()
    opened(page, 2)
    check()


# Elements with text of their own whose contrast is below 4.5 (WCAG 2.2 AA).
CONTRAST = """() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgb = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return canvas.getImageData(0, 0, 1, 1).data;
  };
  const linear = (v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const luminance = ([r, g, b]) =>
    0.2126 * linear(r / 255) + 0.7152 * linear(g / 255) + 0.0722 * linear(b / 255);
  const low = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !element.checkVisibility()) continue;
    if (element.closest(".visually-hidden, .skip, [hidden]")) continue;
    let behind = element;
    let back = [0, 0, 0, 0];
    while (behind && back[3] < 255) {
      back = rgb(getComputedStyle(behind).backgroundColor);
      behind = behind.parentElement;
    }
    const both = [luminance(rgb(getComputedStyle(element).color)), luminance(back)];
    const ratio = (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05);
    if (ratio < 4.5) low.push(`${element.tagName} ${element.textContent} ${ratio.toFixed(2)}`);
  }
  return low;
}"""

# Controls without a name for those who do not see them.
UNNAMED = """() => [...document.querySelectorAll("button, input, select, [tabindex='0']")]
  .filter((e) => e.checkVisibility())
  .filter((e) => !(e.textContent.trim() || e.getAttribute("aria-label") || e.labels?.length))
  .map((e) => e.outerHTML)"""


def test_the_keyboard_reaches_everything_and_focus_is_seen(page):
    opened(page, 4)
    wanted = page.evaluate(
        "[...document.querySelectorAll('#track button, #track input')]"
        ".filter((e) => e.checkVisibility() && !e.disabled).length"
    )
    reached = set()
    for _ in range(wanted + 8):
        page.keyboard.press("Tab")
        seen = page.evaluate(
            "(() => { const e = document.activeElement; const s = getComputedStyle(e);"
            " return [e.outerHTML, s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2,"
            " e.matches('#track button, #track input')] })()"
        )
        if seen[2]:
            assert seen[1], seen[0]
            reached.add(seen[0])
    assert len(reached) >= wanted
