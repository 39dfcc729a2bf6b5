"""Pictures of the review page for the documentation.

    python experiments/review/pictures.py

Music is rendered and analysed on the spot; the pictures are quantised to 64 colours.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from experiments.review.browser import launched, open_list, open_track, serving, until  # noqa: E402
from experiments.review.runs import rendered  # noqa: E402

SHOWN = "window.beatgridReview.track"
N_COLOURS = 64


def take(page: Page, name: str) -> None:
    """Save what is on screen as a small PNG."""
    page.wait_for_timeout(500)
    picture = Image.open(io.BytesIO(page.screenshot()))
    path = ROOT / "docs" / f"review-{name}.png"
    picture.convert("RGB").quantize(N_COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1000:.0f} kB")


def main() -> None:
    """Take the pictures: list, track, dark, 400 pixels."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "data" / "review"
    results = rendered(folder, 12, (40, 60))
    with serving(results, f"labels={folder}/reviewed") as url, launched() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(120_000)
        open_list(page, url)
        rows = page.evaluate("window.beatgridReview.list.shown.map((row) => row.id)")
        open_track(page, rows[-1])
        page.keyboard.press("Shift+A")
        until(page, f"{SHOWN}.track.state === 'accepted'")
        open_track(page, rows[-2])
        page.keyboard.press("h")
        page.evaluate(f"{SHOWN}.edits")
        page.keyboard.press("Shift+A")
        until(page, f"{SHOWN}.track.state === 'corrected'")
        open_track(page, rows[1])
        page.evaluate(f"{SHOWN}.moveCursor({SHOWN}.track.beats_s[9])")
        page.keyboard.press("z")
        take(page, "track")
        page.set_viewport_size({"width": 400, "height": 800})
        take(page, "narrow")
        page.set_viewport_size({"width": 1280, "height": 800})
        page.emulate_media(color_scheme="dark")
        page.evaluate(f"{SHOWN}.moveCursor({SHOWN}.track.duration_s / 2)")
        page.keyboard.press("x")
        page.evaluate(f"{SHOWN}.edits")
        page.evaluate(f"{SHOWN}.edit({{ op: 'bpm', bpm: {SHOWN}.stretch().bpm * 1.002 }})")
        page.keyboard.press("f")
        take(page, "dark")
        while page.evaluate(f"{SHOWN}.track.can_undo"):
            page.evaluate(f"{SHOWN}.edit({{ op: 'undo' }})")
        page.emulate_media(color_scheme="light")
        page.keyboard.press("Escape")
        until(page, "!document.getElementById('list').hidden")
        page.wait_for_timeout(1000)
        take(page, "list")


if __name__ == "__main__":
    main()
