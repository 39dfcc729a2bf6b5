"""Figures show beats where they are, in the size promised, without warnings or global state."""

import subprocess
import sys

import matplotlib.image
import numpy as np
import pytest
from matplotlib.collections import LineCollection

from beatgrid.calibration.synthetic import pulse_activation
from beatgrid.grid import Activation, Grid
from beatgrid.output.figures import beat_residuals, excerpt_figure, grid_figure, save_figure
from beatgrid.output.figures.canvas import FOUND, LABEL, drawable
from beatgrid.search import GridEstimate, Segment

BPM, OFFSET_S, DURATION_S = 128.03, 0.4, 60.0
ACTIVATION = pulse_activation(BPM, OFFSET_S, DURATION_S, beats_per_bar=4)
TRUE = Grid(BPM, OFFSET_S)
ESTIMATE = GridEstimate(grid=TRUE, downbeat_confidence=0.9, bpm_std=0.001, confidence=0.97)
LOG_MEL = np.random.default_rng(0).normal(-40, 10, (len(ACTIVATION), 40)).astype(np.float32)


def texts(figure) -> str:
    return "\n".join(text.get_text() for text in figure.texts)


def lines_at(axes, color: str) -> np.ndarray:
    """Times of the vertical lines of a colour, ascending."""
    rgba = matplotlib.colors.to_rgba(color)
    times = [
        segment[0, 0]
        for collection in axes.collections
        if isinstance(collection, LineCollection)
        and np.allclose(collection.get_color()[0][:3], rgba[:3])
        for segment in collection.get_segments()
    ]
    return np.sort(times)


def test_a_saved_grid_figure_is_1200_by_800(tmp_path):
    figure = grid_figure(LOG_MEL, ACTIVATION, ESTIMATE, TRUE, title="a.mp3")
    save_figure(figure, tmp_path / "new" / "a.png")
    assert matplotlib.image.imread(tmp_path / "new" / "a.png").shape == (800, 1200, 4)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.png"]


def test_the_headline_says_what_was_found_and_how_far_off_it_is():
    figure = grid_figure(LOG_MEL, ACTIVATION, ESTIMATE, Grid(BPM, OFFSET_S - 0.003), title="a.mp3")
    assert "a.mp3" in texts(figure)
    assert "128.03 BPM" in texts(figure)
    assert "confidence 97.0 %" in texts(figure)
    assert "first downbeat 0.400 s" in texts(figure)
    assert "phase +3.0 ms · worst beat 3.0 ms" in texts(figure)


def test_an_excerpt_draws_every_beat_of_both_grids_at_its_time():
    label = Grid(BPM, OFFSET_S + 0.1)
    figure = excerpt_figure(LOG_MEL, ACTIVATION, ESTIMATE, label, start_s=20.0, end_s=32.0)
    assert figure.get_size_inches() * figure.dpi == pytest.approx((1200, 560))
    for axes in figure.axes:
        for grid, color in ((TRUE, FOUND), (label, LABEL)):
            times_s = grid.beat_times(32.0)
            np.testing.assert_allclose(lines_at(axes, color), times_s[times_s >= 20.0])
        assert axes.get_xlim() == (20.0, 32.0)


def test_frames_of_the_log_mel_are_drawn_around_their_centres():
    log_mel = np.full((6000, 40), -80.0)
    log_mel[2500] = 0.0  # 25 s at 100 frames per second, not the activation's rate
    figure = excerpt_figure(
        log_mel, ACTIVATION, ESTIMATE, start_s=20.0, end_s=30.0, mel_frame_rate=100.0
    )
    image = figure.axes[0].images[0]
    left, right, _, _ = image.get_extent()
    column = int(np.argmax(image.get_array()[0]))
    n_columns = image.get_array().shape[1]
    assert left + (column + 0.5) / n_columns * (right - left) == pytest.approx(25.0, abs=1e-9)


def test_downbeats_are_marked_only_where_they_are_known():
    def labels(estimate) -> list[str]:
        figure = excerpt_figure(None, ACTIVATION, estimate, start_s=10.0, end_s=20.0)
        return [text.get_text() for text in figure.axes[-1].get_legend().get_texts()]

    assert labels(ESTIMATE) == ["activation", "grid", "grid downbeat"]
    unknown = GridEstimate(grid=TRUE)
    assert labels(unknown) == ["activation", "grid"]


@pytest.mark.parametrize("shift_ms", [-40.0, -3.0, 0.0, 12.0, 100.0])
def test_residuals_are_peak_minus_grid(shift_ms):
    times_s = Grid(BPM, OFFSET_S - shift_ms / 1000).beat_times(DURATION_S)
    residual_ms = 1000 * beat_residuals(ACTIVATION, times_s)[1:-1]
    assert residual_ms == pytest.approx(shift_ms, abs=1.0)


def test_residuals_of_a_wrong_tempo_grow_with_time():
    times_s = Grid(128.0, OFFSET_S).beat_times(DURATION_S)
    residual_s = beat_residuals(ACTIVATION, times_s)[1:-1]
    k = np.arange(1, len(times_s) - 1)
    assert np.polyfit(k, residual_s, 1)[0] == pytest.approx(60 / BPM - 60 / 128.0, rel=0.02)


def test_no_residual_where_there_is_no_peak():
    beat = ACTIVATION.beat.copy()
    beat[: len(beat) // 2] = 0.001
    silent = Activation(beat, ACTIVATION.frame_rate, DURATION_S)
    residual_s = beat_residuals(silent, TRUE.beat_times(DURATION_S))
    assert np.isnan(residual_s[:60]).all()
    assert np.isfinite(residual_s[66:-1]).all()


@pytest.mark.parametrize(
    ("log_mel", "activation", "estimate", "reference"),
    [
        (LOG_MEL, ACTIVATION, GridEstimate.none("silence"), None),
        (LOG_MEL, ACTIVATION, GridEstimate.none("silence"), TRUE),
        (None, ACTIVATION, ESTIMATE, Grid(96.0, 0.0)),
        (None, pulse_activation(BPM, OFFSET_S, 3.0), ESTIMATE, TRUE),
        (None, pulse_activation(BPM, OFFSET_S, 7.0), ESTIMATE, TRUE),
        (None, Activation(np.zeros(500), 100.0), ESTIMATE, None),
        (None, Activation(np.zeros(1), 100.0), GridEstimate.none("too short"), TRUE),
        (
            None,
            ACTIVATION,
            GridEstimate(
                grid=TRUE,
                segments=(Segment(0, 30, BPM, 0.4), Segment(30, 60, 129.0, 30.1)),
            ),
            None,
        ),
    ],
)
def test_odd_inputs_draw_without_warnings(tmp_path, log_mel, activation, estimate, reference):
    figure = grid_figure(log_mel, activation, estimate, reference, title="odd")
    save_figure(figure, tmp_path / "a.png")
    if estimate.bpm is None:
        assert f"no grid: {estimate.reason}" in texts(figure)


@pytest.mark.parametrize(
    "title",
    ["日本語 é ñ", "price $5 and $6", "tab\tand\nbreak", "a\udcff.mp3", "🎵 emoji", "W" * 300, ""],
)
def test_any_title_draws_without_warnings_inside_the_figure(tmp_path, title):
    figure = excerpt_figure(None, ACTIVATION, ESTIMATE, start_s=0.0, end_s=5.0, title=title)
    save_figure(figure, tmp_path / "a.png")
    tempo, heading = (
        next(text for text in figure.texts if text.get_fontsize() == size) for size in (15, 13)
    )
    assert heading.get_window_extent().x1 < tempo.get_window_extent().x0


def test_what_no_font_can_draw_becomes_a_box():
    text, families = drawable("é\n\U0010ffff")
    assert text == "é□□"
    assert families[0] == "DejaVu Sans"


def test_imports_neither_pyplot_nor_torch():
    code = (
        "import sys, beatgrid.output.figures;"
        "sys.exit(any(m in sys.modules for m in ('matplotlib.pyplot', 'torch')))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
