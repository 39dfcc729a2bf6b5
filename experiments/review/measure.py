"""How fast the review page is, and how many keys a correction takes.

    python experiments/review/measure.py keys          # ten faults, each corrected by keys
    python experiments/review/measure.py frames        # 2,000 grid lines
    python experiments/review/measure.py open          # a track of five minutes
    python experiments/review/measure.py list          # 20,000 rows

Each part runs alone and prints rows of the table in README.md.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from beatgrid.output.result import SUFFIX, write_result  # noqa: E402
from beatgrid.review.reviewed_grid import ReviewedGrid  # noqa: E402
from experiments.review.browser import launched, open_list, open_track, serving, until  # noqa: E402
from experiments.review.runs import read, rendered, with_fault, with_many_rows  # noqa: E402

SHOWN = "window.beatgridReview.track"
FOLDER = ROOT / "data" / "review"
OK_S = 0.010
N_LINES = 2000
N_ROWS = 20_000


@dataclass(frozen=True)
class Fault:
    """A typical fault and the keys that correct it.

    Attributes:
        name: Of the fault.
        edits: That make it of a right grid.
        keys: That correct it; text is typed, key by key.
        at_s: Where the cursor is put by a click before, if it needs to be: a click counts as a key.
    """

    name: str
    edits: Sequence[Mapping[str, Any]]
    keys: Sequence[str]
    at_s: float | None = None


def faults(result: Mapping[str, Any]) -> list[Fault]:
    """Return ten faults of a right result."""
    bpm = float(result["bpm"])
    middle_s = result["duration_s"] / 2
    edit_s = min((b["time"] for b in result["beats"]), key=lambda t: abs(t - middle_s)) - 0.02
    place = {"at_s": 0.0}
    return [
        Fault("half the tempo", [{"op": "scale", "ratio": 0.5, **place}], ["d"]),
        Fault("double the tempo", [{"op": "scale", "ratio": 2, **place}], ["Shift+D"]),
        Fault("2/3 of the tempo", [{"op": "scale", "ratio": 2 / 3, **place}], ["e"]),
        Fault("3/2 of the tempo", [{"op": "scale", "ratio": 1.5, **place}], ["Shift+E"]),
        Fault("off-beat", [{"op": "shift", "beats": -0.5, **place}], ["h"]),
        Fault("bars a beat early", [{"op": "shift", "beats": -1, **place}], ["b"]),
        Fault("25 ms late", [{"op": "nudge", "ms": 25, **place}], ["s"]),
        Fault("tempo 0.3 % off", [{"op": "bpm", "bpm": bpm * 1.003, **place}], ["s"]),
        Fault(
            "bars of three instead of four",
            [{"op": "beats_per_bar", "beats": 3, **place}],
            ["r", "4", "Enter"],
        ),
        Fault(
            "off-beat from the middle on, in a segment of its own",
            [
                {"op": "split", "at_s": edit_s},
                {"op": "shift", "beats": -0.5, "at_s": edit_s + 1},
            ],
            ["h"],
            edit_s + 1,
        ),
    ]


def is_right(found: Mapping[str, Any], truth: Mapping[str, Any]) -> bool:
    """Tell whether beats lie within 10 ms of the truth, bars as there."""
    one, two = (ReviewedGrid.from_result(r).beats() for r in (found, truth))
    inside = (two.times_s > 0.5) & (two.times_s < truth["duration_s"] - 0.5)
    if abs(len(one.times_s) - len(two.times_s)) > 1:
        return False
    nearest = np.argmin(np.abs(one.times_s[:, None] - two.times_s[inside]), axis=0)
    apart_s = np.abs(one.times_s[nearest] - two.times_s[inside])
    same_bars = one.bar_position[nearest] == two.bar_position[inside]
    return bool(apart_s.max() <= OK_S and same_bars.all())


def settled(page: Page) -> None:
    """Wait for all edits to be answered."""
    page.evaluate(f"{SHOWN}.edits")


def measure_keys(browser: Any) -> None:
    """Correct each fault in the page, and look at the result that is saved."""
    results = rendered(FOLDER, 12, (40, 60))
    truth = read(next(results.glob(f"techno*{SUFFIX}")))
    cases = faults(truth)
    print("| fault | keys, accepting included | right after |\n|---|---|---|")
    counts = []
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number, fault in enumerate(cases):
            audio = Path(folder) / "music" / f"{number}.flac"
            audio.parent.mkdir(exist_ok=True)
            shutil.copyfile(truth["file"], audio)
            paths.append(Path(folder) / "grids" / f"{audio.name}{SUFFIX}")
            faulty = with_fault(truth, *fault.edits) | {"file": str(audio)}
            write_result(paths[-1], faulty)
        wrong = [not is_right(read(path), truth) for path in paths]
        with serving(Path(folder) / "grids") as url:
            page = browser.new_page()
            page.set_default_timeout(120_000)
            open_list(page, url)
            rows = page.evaluate("window.beatgridReview.list.rows")
            for number, fault in enumerate(cases):
                track_id = next(row["id"] for row in rows if row["name"] == f"{number}.flac")
                open_track(page, track_id)
                if fault.at_s is not None:
                    page.evaluate(f"{SHOWN}.moveCursor({fault.at_s})")
                for key in fault.keys:
                    page.keyboard.press(key)
                    settled(page)
                page.keyboard.press("Shift+A")
                until(page, f"{SHOWN}.track.state === 'corrected'")
                right = is_right(read(paths[number]), truth)
                counts.append(len(fault.keys) + 1 + (fault.at_s is not None))
                verdict = "yes" if wrong[number] and right else "NO"
                print(f"| {fault.name} | {counts[-1]} | {verdict} |", flush=True)
    print(f"| mean | {statistics.mean(counts):.1f} | |")


FRAMES = """async (n) => {
  const t = window.beatgridReview.track;
  const { duration_s } = t.view;
  t.picture.minLinePx = 0;
  const beats = Array.from({ length: n }, (_, i) => ((i + 0.5) * duration_s) / n);
  t.track = { ...t.track, beats_s: beats, bar_positions: beats.map((_, i) => (i % 4) + 1),
    residuals_ms: beats.map((_, i) => 10 * Math.sin(i / 50)) };
  const lines = t.picture.drawGrid(t.view, t.track, t);
  const work = [], gaps = [];
  let last = performance.now();
  for (let i = 0; i < 120; i += 1) {
    await new Promise(requestAnimationFrame);
    const now = performance.now();
    gaps.push(now - last);
    last = now;
    t.view.set(0, duration_s * (1 - 0.001 * (i % 2)));
    t.cursor_s = (duration_s * i) / 120;
    t.drawNow();
    work.push(performance.now() - now);
  }
  return { lines, work, gaps: gaps.slice(1) };
}"""


def summary(values_ms: Sequence[float]) -> str:
    """Return 10th percentile (little disturbed by others), median and 95th percentile."""
    low, median, high = np.percentile(values_ms, [10, 50, 95])
    return f"{low:.1f}, {median:.1f}, {high:.1f} ms"


def measure_frames(browser: Any) -> None:
    """Draw 2,000 lines, waveform and strips in every frame, while the view moves."""
    results = rendered(FOLDER, 12, (40, 60))
    with serving(results) as url:
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(120_000)
        open_list(page, url)
        open_track(page, page.evaluate("window.beatgridReview.list.shown[0].id"))
        page.keyboard.press("f")
        page.wait_for_timeout(1000)
        found = page.evaluate(FRAMES, N_LINES)
    print(f"| {found['lines']} grid lines, all drawn anew | work {summary(found['work'])}; "
          f"from frame to frame {summary(found['gaps'])} |")  # fmt: skip


def measure_open(browser: Any) -> None:
    """Open three tracks of five minutes that nothing is known of yet."""
    results = rendered(FOLDER.with_name("review-long"), 3, 300.0)
    with serving(results) as url:
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(120_000)
        open_list(page, url)
        page.wait_for_timeout(8000)  # the weights are loaded in the background
        for track_id in page.evaluate("window.beatgridReview.list.shown.map((row) => row.id)"):
            marks = {}
            started = time.perf_counter()
            page.evaluate("id => { location.hash = id }", track_id)
            for part in ("track", "waveform", "activation"):
                until(page, f"{SHOWN}.{part} && location.hash.slice(1) === {SHOWN}.track.id")
                marks[part] = time.perf_counter() - started
            print("| 5 minutes: grid, waveform, activation after | "
                  + ", ".join(f"{s:.2f}" for s in marks.values()) + " s |")  # fmt: skip


SCROLL = """async () => {
  const rows = document.getElementById("rows");
  const gaps = [];
  let last = performance.now();
  for (let i = 0; i < 180; i += 1) {
    rows.scrollTop += 397;
    await new Promise(requestAnimationFrame);
    const now = performance.now();
    gaps.push(now - last);
    last = now;
  }
  const list = window.beatgridReview.list;
  const timed = (work) => {
    const started = performance.now();
    work();
    list.draw();
    return performance.now() - started;
  };
  const search = document.getElementById("search");
  const sorted = timed(() => list.sortBy("name"));
  const found = timed(() => { search.value = "artist 7 title"; list.arrange(); });
  return { gaps: gaps.slice(1), sorted, found, n: list.shown.length,
    elements: rows.querySelectorAll(".row").length };
}"""


def measure_list(browser: Any) -> None:
    """Open a list of 20,000 rows, scroll, sort and search it."""
    result = read(next(rendered(FOLDER, 12, (40, 60)).glob(f"*{SUFFIX}")))
    with tempfile.TemporaryDirectory() as folder:
        results = with_many_rows(Path(folder) / "grids", result, N_ROWS)
        for what in ("the first time (index built)", "from then on"):
            started = time.perf_counter()
            with serving(results) as url:
                served = time.perf_counter() - started
                page = browser.new_page(viewport={"width": 1280, "height": 800})
                page.set_default_timeout(300_000)
                started = time.perf_counter()
                open_list(page, url)
                shown = time.perf_counter() - started
                print(f"| {N_ROWS:,} rows, {what} | server {served:.1f} s, page {shown:.1f} s |")
                if what == "from then on":
                    done = page.evaluate(SCROLL)
                    print(f"| scrolling, {done['elements']} row elements | from frame to frame "
                          f"{summary(done['gaps'])} |")  # fmt: skip
                    print(f"| sorting by name, searching | {done['sorted']:.0f}, "
                          f"{done['found']:.0f} ms |")  # fmt: skip
                page.close()


PARTS: dict[str, Callable[[Any], None]] = {
    "keys": measure_keys,
    "frames": measure_frames,
    "open": measure_open,
    "list": measure_list,
}


def main() -> None:
    """Run the parts that the command line names."""
    for name in sys.argv[1:] or list(PARTS):
        print(f"load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        with launched() as browser:
            PARTS[name](browser)


if __name__ == "__main__":
    main()
