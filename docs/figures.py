"""Draw the figures of method.md from generated music, through the package.

    python docs/figures.py [FOLDER]

Writes PNGs to docs/method, or to FOLDER: the steps of one track from sound to grid, the scores of
its tempi, and a track that was cut. The music is the package's own generator's.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator

import beatgrid
from beatgrid.output.figures import grid_figure, save_figure
from beatgrid.output.figures.canvas import CURVE, FOUND, LABEL, SOFT, legend, new_figure, style
from beatgrid.rendering.generator import render
from beatgrid.search.evidence import Evidence
from beatgrid.search.scan import scan

FOLDER = Path(__file__).parent / "method"
SAMPLE_RATE = 44100
EXCERPT_S = (10.0, 14.0)
CUT_S = 40.13  # what follows comes .37 of a second too early
CUT_AWAY_S = 0.37


def main() -> None:
    """Render two tracks, find their grids and draw them."""
    folder = Path(sys.argv[1]) if sys.argv[1:] else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    search = beatgrid.GridSearch()
    predictor = beatgrid.load("shipped", search=search)

    track = render("house", seed=4, duration_s=75.0, bpm=124.3)
    found = predictor(track.samples, sample_rate=SAMPLE_RATE)
    evidence = search.decide(found.activation, ranker=None).evidence
    save_figure(steps(track.samples, found, evidence), folder / "steps.png")
    save_figure(tempi(found, evidence, search), folder / "tempi.png")

    kept = np.ones(len(track.samples), dtype=bool)
    kept[round(CUT_S * SAMPLE_RATE) : round((CUT_S + CUT_AWAY_S) * SAMPLE_RATE)] = False
    cut = predictor(track.samples[kept], sample_rate=SAMPLE_RATE)
    figure = grid_figure(cut.log_mel, cut.activation, cut.estimate, title="124.3 BPM, cut at 40 s")
    save_figure(figure, folder / "cut.png")


def steps(samples: np.ndarray, found: beatgrid.Prediction, curve: Evidence) -> Figure:
    """Draw four seconds: samples, features, probabilities, evidence; found beats through all."""
    start_s, end_s = EXCERPT_S
    figure = new_figure(1200, 760)
    cells = figure.add_gridspec(
        4, 1, height_ratios=[1, 1.6, 1.3, 1.3], left=0.075, right=0.985, top=0.965, bottom=0.065,
        hspace=0.28,
    )  # fmt: skip
    sound, features, probability, evidence = (figure.add_subplot(cell) for cell in cells)

    style(sound, "1 samples")
    excerpt = samples[round(start_s * SAMPLE_RATE) : round(end_s * SAMPLE_RATE)]
    pixels = excerpt[: len(excerpt) // 120 * 120].reshape(-1, 120)
    times_s = start_s + np.arange(len(pixels)) * 120 / SAMPLE_RATE
    sound.fill_between(times_s, pixels.min(axis=1), pixels.max(axis=1), color=CURVE, linewidth=0)

    frame_rate = found.activation.frame_rate
    first, last = round(start_s * frame_rate), round(end_s * frame_rate) + 1
    features.imshow(
        found.log_mel[first:last].T, origin="lower", aspect="auto", cmap="magma", vmin=-80, vmax=0,
        extent=((first - 0.5) / frame_rate, (last - 0.5) / frame_rate, 0, found.log_mel.shape[1]),
    )  # fmt: skip
    style(features, "2 mel bands")

    style(probability, "3 probability")
    frames_s = found.activation.times_s[first:last]
    probability.plot(frames_s, found.activation.beat[first:last], color=CURVE, label="beat")
    if found.activation.downbeat is not None:
        probability.plot(
            frames_s, found.activation.downbeat[first:last], color=LABEL, label="downbeat"
        )
    probability.set_ylim(0, 1.05)
    legend(probability)

    style(evidence, "4 log-odds")
    fine_s = np.linspace(start_s, end_s, 2000)
    evidence.plot(fine_s, curve.scale * curve(fine_s), color=CURVE)
    evidence.axhline(0, color=SOFT, linewidth=0.8)
    evidence.set_xlabel("time (s)", labelpad=1)

    for axes in (sound, features, probability, evidence):
        _beats(axes, found)
        axes.set_xlim(start_s, end_s)
        axes.tick_params(labelbottom=axes is evidence)
    return figure


def tempi(found: beatgrid.Prediction, curve: Evidence, search: beatgrid.GridSearch) -> Figure:
    """Draw the likelihood of every tempo at its best phase, and what was chosen among them."""
    scanned = scan(
        curve, *search.bpm_range, harmonics=search.harmonics, oversampling=search.oversampling
    )
    figure = new_figure(1200, 380)
    cells = figure.add_gridspec(1, 2, width_ratios=[2.2, 1], left=0.075, right=0.985, top=0.93,
                                bottom=0.13, wspace=0.13)  # fmt: skip
    whole, near = (figure.add_subplot(cell) for cell in cells)
    bpm = 60 * scanned.frequency_hz
    score = curve.scale * scanned.score / curve.effective_s
    for axes in (whole, near):
        style(axes, "nats per second" if axes is whole else "")
        axes.plot(bpm, score, color=CURVE, linewidth=0.8)
        axes.set_xlabel("BPM", labelpad=1)
    whole.set_xscale("log")
    ticks = (60, 80, 100, 125, 150, 185, 250, 330)
    whole.set_xticks(ticks, [str(tick) for tick in ticks])
    whole.minorticks_off()
    whole.set_xlim(*search.bpm_range)
    top = float(score.max())
    assert found.bpm is not None
    for tempo, colour, text in (
        (found.bpm, FOUND, f"{found.bpm:g}"),
        *((rival.bpm, LABEL, f"{rival.bpm:.1f}") for rival in found.alternatives[:4]),
    ):
        whole.axvline(tempo, color=colour, linewidth=1, linestyle=":")
        whole.text(tempo, top * 1.14, text, color=colour, fontsize=8, ha="center")
    whole.set_ylim(None, top * 1.11)
    near.axvline(found.bpm, color=FOUND, linewidth=1, linestyle=":")
    near.set_xlim(found.bpm - 1, found.bpm + 1)
    near.xaxis.set_major_locator(MultipleLocator(0.5))
    near.set_ylim(None, top * 1.12)
    return figure


def _beats(axes: Axes, found: beatgrid.Prediction) -> None:
    for time_s in found.beat_times():
        axes.axvline(time_s, color=FOUND, linewidth=0.9, alpha=0.8)
    for time_s in found.downbeat_times():
        axes.axvline(time_s, color=FOUND, linewidth=2.2, alpha=0.8)


if __name__ == "__main__":
    main()
