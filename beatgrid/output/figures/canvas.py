"""An empty figure, its headline and the look that all figures share."""

from __future__ import annotations

import functools

from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ft2font import FT2Font
from matplotlib.text import Text
from rich.cells import cell_len

from beatgrid.evaluation import TrackScore, evaluate_track
from beatgrid.grid import Activation, Grid
from beatgrid.output.result import bpm_display, displayable
from beatgrid.output.tables import shorten_middle
from beatgrid.search.estimate import GridEstimate

DPI = 100
LEFT, RIGHT = 0.065, 0.985

# Okabe and Ito's colours, which colour-blind people can tell apart.
FOUND = "#d55e00"
LABEL = "#0072b2"
CURVE = "#3b4252"
SOFT = "#aab2bf"

MIN_TITLE_CELLS = 8
# Common families beside matplotlib's own DejaVu Sans, for scripts which that lacks.
FALLBACK_FONTS = (
    "Noto Sans CJK JP",
    "Noto Sans JP",
    "Source Han Sans",
    "Hiragino Sans",
    "Yu Gothic",
    "Microsoft YaHei",
    "WenQuanYi Micro Hei",
    "Droid Sans Fallback",
    "IPAGothic",
    "Noto Sans Arabic",
    "Noto Sans Hebrew",
    "Arial Unicode MS",
)
_NO_GLYPH = "□"


def new_figure(width_px: int, height_px: int) -> Figure:
    """Return an empty white figure on the Agg canvas."""
    figure = Figure(figsize=(width_px / DPI, height_px / DPI), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def headline(
    figure: Figure,
    title: str,
    activation: Activation,
    estimate: GridEstimate,
    reference: Grid | None,
) -> None:
    """Draw the title, what was found, and how that compares to the label."""
    height_px = figure.get_figheight() * DPI
    first_y, second_y = 1 - 30 / height_px, 1 - 54 / height_px
    grid = estimate.grid
    room = RIGHT - LEFT
    if grid is None:
        facts = [f"no grid: {estimate.reason}"]
    else:
        tempo = figure.text(
            RIGHT,
            first_y,
            f"{bpm_display(grid.bpm, activation.duration_s, estimate.bpm_std)} BPM",
            fontsize=15, weight="bold", color=FOUND, ha="right",
        )  # fmt: skip
        room -= _width(tempo, figure) + 0.03
        beats = estimate.beats_in(activation.duration_s)
        facts = [
            f"confidence {100 * estimate.confidence:.1f} %",
            f"first beat {beats.first_s or 0:.3f} s",
        ]
        if estimate.downbeat_known:
            facts.append(f"first downbeat {beats.first_downbeat_s or 0:.3f} s")
        if not estimate.constant_tempo:
            facts.append("tempo is not constant")
    figure.text(LEFT, second_y, " · ".join(facts), fontsize=11, color=FOUND)
    if reference is not None and len(reference.beat_indices(activation.duration_s)):
        score = evaluate_track(reference, grid, activation.duration_s)
        figure.text(RIGHT, second_y, _verdict(score), fontsize=11, color=LABEL, ha="right")

    text, families = drawable(title)
    heading = figure.text(
        LEFT, first_y, text, family=families, fontsize=13, weight="bold", parse_math=False
    )
    cells = cell_len(text)
    while cells > MIN_TITLE_CELLS and (width := _width(heading, figure)) > room:
        cells = min(cells - 1, int(cells * room / width))
        heading.set_text(shorten_middle(text, cells))


def _width(text: Text, figure: Figure) -> float:
    """Return the width of a drawn text as a share of its figure's."""
    return text.get_window_extent().width / (figure.get_figwidth() * DPI)


def _verdict(score: TrackScore) -> str:
    """Return the label's tempo and how far off the estimate is, in a line."""
    facts = [f"label {bpm_display(score.bpm_true, 300.0)} BPM"]
    if score.level not in {"ok", "none"}:
        facts.append(f"level {score.level}")
    if score.offbeat:
        facts.append("OFF-BEAT")
    if score.phase_ms is not None:
        facts.append(f"phase {score.phase_ms:+.1f} ms")
    if score.max_error_ms is not None:
        facts.append(f"worst beat {score.max_error_ms:.1f} ms")
    return " · ".join(facts)


def style(axes: Axes, ylabel: str) -> None:
    """Style axes as all are: two spines, small ticks."""
    axes.set_ylabel(ylabel, fontsize=9.5)
    axes.tick_params(labelsize=9, length=3)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def legend(axes: Axes, from_left: bool = False) -> None:
    """Draw a legend in one line above the axes."""
    if axes.get_legend_handles_labels()[0]:
        axes.legend(
            loc="lower left" if from_left else "lower right",
            bbox_to_anchor=(0.0 if from_left else 1.0, 1.0), ncols=5, fontsize=8.5,
            frameon=False, borderaxespad=0, borderpad=0.2, handlelength=1.2, columnspacing=1.4,
        )  # fmt: skip


@functools.cache
def _fonts() -> list[tuple[str, frozenset[int]]]:
    """Return the families to draw bold text with, in order, and the characters of each."""
    installed = {font.name for font in font_manager.fontManager.ttflist}
    families = ["DejaVu Sans", *(family for family in FALLBACK_FONTS if family in installed)]
    fonts = []
    for family in families:
        path = font_manager.findfont(font_manager.FontProperties(family=[family], weight="bold"))
        fonts.append((family, frozenset(FT2Font(path).get_charmap())))
    return fonts


def drawable(text: str) -> tuple[str, list[str]]:
    """Return text with an empty box for what no installed font can draw, and the fonts for it.

    matplotlib would warn of each missing glyph, and take line breaks literally.
    """
    fonts = _fonts()
    characters = [
        c if c.isprintable() and any(ord(c) in glyphs for _, glyphs in fonts) else _NO_GLYPH
        for c in displayable(text)
    ]
    return "".join(characters), [family for family, _ in fonts]
