"""A few seconds close up: log-mel, activation, the beats found and the beats labelled."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import SubplotSpec
from numpy.typing import NDArray

from beatgrid.grid import Activation, Grid
from beatgrid.output.figures.canvas import CURVE, FOUND, LABEL, SOFT, style
from beatgrid.search.beats import Beats
from beatgrid.search.estimate import GridEstimate


def draw_excerpt(
    figure: Figure,
    cell: SubplotSpec,
    log_mel: NDArray[np.floating] | None,
    activation: Activation,
    estimate: GridEstimate,
    reference: Grid | None,
    start_s: float,
    end_s: float,
    mel_frame_rate: float | None,
    y_labels: bool = True,
) -> Axes:
    """Draw log-mel above, activation below, the beats found and labelled through both.

    Args:
        figure: Where to draw.
        cell: The place in it.
        log_mel: Features of the whole track, (frames, mels); None leaves their axes out.
        activation: Beat probability of the whole track.
        estimate: The grid found.
        reference: The label's grid, or None.
        start_s: Beginning of the excerpt.
        end_s: Its end.
        mel_frame_rate: Frames per second of ``log_mel``; None for the activation's.
        y_labels: False beside another excerpt.

    Returns:
        The axes of the activation.
    """
    mel = None
    if log_mel is None:
        curve = figure.add_subplot(cell)
    else:
        cells = cell.subgridspec(2, 1, height_ratios=[1.2, 1], hspace=0.3)
        mel = figure.add_subplot(cells[0])
        curve = figure.add_subplot(cells[1], sharex=mel)
        style(mel, "mel band" if y_labels else "")
        mel.tick_params(labelbottom=False)
        _draw_log_mel(mel, log_mel, mel_frame_rate or activation.frame_rate, start_s, end_s)
    style(curve, "probability" if y_labels else "")
    curve.set_xlabel("time (s)", labelpad=1)
    curve.set_ylim(-0.18, 1.18)  # room for the triangles
    curve.set_yticks([0, 0.5, 1])

    first = max(0, math.floor(start_s * activation.frame_rate) - 1)
    last = math.ceil(end_s * activation.frame_rate) + 2
    times_s = activation.times_s[first:last]
    beat = activation.beat[first:last]
    curve.fill_between(times_s, beat, color=SOFT, alpha=0.5, linewidth=0)
    curve.plot(times_s, beat, color=CURVE, linewidth=1.3, label="activation")

    grids = []
    if estimate.grid is not None:
        found = estimate.beats_in(activation.duration_s)
        grids.append(_Drawn(found, "grid", FOUND, "v", 0.955, estimate.downbeat_known))
    if reference is not None:
        labelled = Beats.of_grid(reference, activation.duration_s)
        grids.append(_Drawn(labelled, "label", LABEL, "^", 0.045, True))
    for i, drawn in enumerate(grids):
        # Each grid takes its part of the log-mel's height: where both agree, they make one line.
        span = (1 - (i + 1) / len(grids), 1 - i / len(grids))
        _draw_beats(mel, curve, drawn, start_s, end_s, span)
    curve.set_xlim(start_s, end_s)
    return curve


def _draw_log_mel(
    axes: Axes,
    log_mel: NDArray[np.floating],
    frame_rate: float,
    start_s: float,
    end_s: float,
) -> None:
    """Draw features in grey, which leaves colour to the beats; the darkest is the loudest."""
    axes.set_yticks([])
    axes.set_ylim(0, 1)
    first = max(0, math.floor(start_s * frame_rate))
    excerpt = np.asarray(log_mel[first : math.ceil(end_s * frame_rate) + 1], dtype=np.float32)
    if not excerpt.size:
        return
    low, high = np.percentile(excerpt, [10, 99.7])
    # Frames are named by their centres; the picture's edges lie half a frame outside.
    extent = ((first - 0.5) / frame_rate, (first + len(excerpt) - 0.5) / frame_rate)
    axes.imshow(
        excerpt.T, origin="lower", aspect="auto", cmap="Greys", interpolation="nearest",
        extent=(*extent, 0, 1), vmin=low, vmax=max(high, low + 1e-3),
    )  # fmt: skip


@dataclass(frozen=True)
class _Drawn:
    """How to draw beats: triangles of which kind at which height, in which colour."""

    beats: Beats
    name: str
    color: str
    marker: str
    marker_y: float
    downbeat_known: bool


def _draw_beats(
    mel: Axes | None,
    curve: Axes,
    drawn: _Drawn,
    start_s: float,
    end_s: float,
    span: tuple[float, float],
) -> None:
    """Draw lines through part of the log-mel's height, triangles around the activation's peaks."""
    beats = drawn.beats
    times_s = beats.times_s
    is_downbeat = (beats.bar_position == 1) & drawn.downbeat_known
    inside = (times_s >= start_s) & (times_s < end_s)
    kinds = [
        (times_s[inside & ~is_downbeat], 1.2, 6, drawn.name),
        (times_s[inside & is_downbeat], 2.6, 10, f"{drawn.name} downbeat"),
    ]
    for times, width, size, label in kinds:
        if not len(times):
            continue
        if mel is not None:
            mel.vlines(
                times, *span, transform=mel.get_xaxis_transform(), color=drawn.color,
                linewidth=width, alpha=0.9,
            )  # fmt: skip
        across = curve.get_xaxis_transform()
        curve.vlines(times, 0, 1, transform=across, color=drawn.color, linewidth=0.7, alpha=0.3)
        curve.plot(
            times, np.full(len(times), drawn.marker_y), drawn.marker, transform=across,
            color=drawn.color, markersize=size, markeredgewidth=0, label=label,
        )  # fmt: skip


def excerpt_starts(activation: Activation, excerpt_s: float) -> list[float]:
    """Find where to look closely: the most rhythmic place of the first and last quarter."""
    duration_s = activation.duration_s
    if duration_s <= 2 * excerpt_s:
        half_s = duration_s / 2
        return [0.0, max(half_s, duration_s - excerpt_s)] if duration_s > excerpt_s else [0.0]
    width = max(1, round(excerpt_s * activation.frame_rate))
    total = np.concatenate([[0.0], np.cumsum(np.asarray(activation.beat, dtype=np.float64))])
    energy = total[width:] - total[:-width]  # of the excerpt that starts at each frame
    quarter = max(1, len(energy) // 4)
    first = int(np.argmax(energy[:quarter]))
    last = len(energy) - quarter + int(np.argmax(energy[-quarter:]))
    return [first / activation.frame_rate, last / activation.frame_rate]
