// The pictures: waveform, activation, residuals below, the grid above them.

import { firstAtOrAfter } from "./clicks.js";
import { BLOCK_SAMPLES, columns } from "./curves.js";
import { SAMPLE_RATE } from "./sound.js";

// Shares of the height; a ruler with the bar numbers is on top.
const RULER_PX = 20;
const WAVE_SHARE = 0.6;
const ACTIVATION_SHARE = 0.22;
const GAP_PX = 4;
// Beats nearer than this are left out, then bars, then all but every 4th, 16th bar.
const MIN_LINE_PX = 4;
const MIN_NUMBER_PX = 30;
const RESIDUAL_MS = 50;

export class Picture {
  constructor() {
    this.signal = document.getElementById("signal");
    this.grid = document.getElementById("grid");
    this.overview = document.getElementById("overview");
    this.minLinePx = MIN_LINE_PX;
    this.colours = {};
  }

  readColours() {
    const style = getComputedStyle(document.documentElement);
    for (const name of ["low", "mid", "high", "outline", "beat", "downbeat", "activation", "downbeats", "residual",
      "cursor", "mark", "muted", "line", "paper", "ink", "segment", "loop"]) {
      this.colours[name] = style.getPropertyValue(`--${name}`).trim();
    }
  }

  // Fit the canvases to the page; returns the width in pixels of the page.
  resize() {
    this.readColours();
    this.scale = window.devicePixelRatio || 1;
    for (const canvas of [this.signal, this.grid, this.overview]) {
      const { clientWidth, clientHeight } = canvas;
      canvas.width = Math.max(1, Math.round(clientWidth * this.scale));
      canvas.height = Math.max(1, Math.round(clientHeight * this.scale));
    }
    this.width = this.signal.clientWidth;
    this.height = this.signal.clientHeight;
    const room = this.height - RULER_PX - 2 * GAP_PX;
    const wave = Math.round(room * WAVE_SHARE);
    const activation = Math.round(room * ACTIVATION_SHARE);
    this.bands = {
      wave: { top: RULER_PX, height: wave },
      activation: { top: RULER_PX + wave + GAP_PX, height: activation },
      residual: { top: RULER_PX + wave + activation + 2 * GAP_PX, height: room - wave - activation },
    };
    return this.width;
  }

  begin(canvas) {
    const context = canvas.getContext("2d");
    context.setTransform(this.scale, 0, 0, this.scale, 0, 0);
    context.clearRect(0, 0, canvas.clientWidth, canvas.clientHeight);
    context.font = "12px system-ui, sans-serif";
    context.textBaseline = "middle";
    return context;
  }

  drawSignal(view, { waveform, activation, sound, track }) {
    const context = this.begin(this.signal);
    for (const band of Object.values(this.bands)) {
      context.fillStyle = this.colours.paper;
      context.fillRect(0, band.top, this.width, band.height);
    }
    const perPixel = (view.span_s * SAMPLE_RATE) / this.width;
    if (waveform) {
      if (perPixel < BLOCK_SAMPLES / 4 && sound) this.drawSamples(context, view, sound, perPixel, waveform.gain);
      else this.drawWave(context, columns(waveform, view.start_s, view.span_s, this.width, SAMPLE_RATE), this.bands.wave);
    }
    if (activation) this.drawActivation(context, view, activation);
    if (track?.residuals_ms) this.drawResiduals(context, view, track);
    this.label(context, "activation", this.bands.activation);
    this.label(context, `residual ±${RESIDUAL_MS} ms`, this.bands.residual);
  }

  label(context, text, band) {
    context.font = "11px system-ui, sans-serif";
    const width = context.measureText(text).width;
    context.fillStyle = this.colours.paper;
    context.globalAlpha = 0.8;
    context.fillRect(2, band.top + 1, width + 6, 14);
    context.globalAlpha = 1;
    context.fillStyle = this.colours.muted;
    context.fillText(text, 5, band.top + 8);
  }

  drawWave(context, values, band) {
    const middle = band.top + band.height / 2;
    const half = band.height / 2 - 1;
    const width = values.length / 5;
    // One rectangle after the other: a path of a thousand is filled many times slower.
    context.fillStyle = this.colours.outline;
    for (let x = 0; x < width; x += 1) {
      const high = values[5 * x + 1];
      context.fillRect(x, middle - high * half, 1, Math.max(1, (high - values[5 * x]) * half));
    }
    // Root mean squares: the largest band behind, so that each is seen.
    for (const [index, name] of [[2, "low"], [3, "mid"], [4, "high"]]) {
      context.fillStyle = this.colours[name];
      for (let x = 0; x < width; x += 1) {
        const peak = Math.max(values[5 * x + 1], -values[5 * x]);
        const total = values[5 * x + 2] + values[5 * x + 3] + values[5 * x + 4];
        if (!total) continue;
        // Layers from the outside in: low takes all, high its share only.
        let share = values[5 * x + 4];
        if (index < 4) share += values[5 * x + 3];
        if (index < 3) share += values[5 * x + 2];
        const size = (peak * half * share) / total;
        context.fillRect(x, middle - size, 1, 2 * size);
      }
    }
  }

  drawSamples(context, view, sound, perPixel, gain) {
    const band = this.bands.wave;
    const middle = band.top + band.height / 2;
    const half = band.height / 2 - 1;
    const first = Math.max(0, Math.floor(view.start_s * SAMPLE_RATE));
    const last = Math.min(Math.ceil(view.end_s * SAMPLE_RATE) + 1, sound.nSamples);
    context.strokeStyle = this.colours.low;
    context.fillStyle = this.colours.low;
    context.lineWidth = 1.5;
    context.beginPath();
    let chunk = null;
    let begun = false;
    for (let sample = first; sample < last; sample += 1) {
      if (!chunk || sample >= chunk.first + chunk.samples.length) {
        chunk = sound.chunkNow(sample);
        if (!chunk) break;
      }
      const x = (sample - view.start_s * SAMPLE_RATE) / perPixel;
      const y = middle - chunk.samples[sample - chunk.first] * gain * half;
      if (begun) context.lineTo(x, y);
      else context.moveTo(x, y);
      begun = true;
      if (perPixel < 0.2) context.fillRect(x - 2, y - 2, 4, 4);
    }
    context.stroke();
    context.strokeStyle = this.colours.line;
    context.lineWidth = 1;
    context.strokeRect(0, middle, this.width, 0);
  }

  drawActivation(context, view, activation) {
    const band = this.bands.activation;
    const bottom = band.top + band.height;
    for (const [values, colour] of [[activation.beat, "activation"], [activation.downbeat, "downbeats"]]) {
      if (!values) continue;
      const perPixel = (view.span_s * activation.frameRate) / this.width;
      context.beginPath();
      context.moveTo(0, bottom);
      if (perPixel > 1) {
        for (let x = 0; x < this.width; x += 1) {
          const from = Math.max(0, Math.floor(view.time(x) * activation.frameRate));
          const to = Math.min(values.length, Math.max(from + 1, Math.floor(view.time(x + 1) * activation.frameRate)));
          let top = 0;
          for (let i = from; i < to; i += 1) if (values[i] > top) top = values[i];
          context.lineTo(x + 0.5, bottom - (top / 255) * (band.height - 2));
        }
      } else {
        const from = Math.max(0, Math.floor(view.start_s * activation.frameRate) - 1);
        const to = Math.min(values.length, Math.ceil(view.end_s * activation.frameRate) + 2);
        for (let i = from; i < to; i += 1) {
          context.lineTo(view.x(i / activation.frameRate), bottom - (values[i] / 255) * (band.height - 2));
        }
      }
      context.lineTo(this.width, bottom);
      context.globalAlpha = 0.35;
      context.fillStyle = this.colours[colour];
      context.fill();
      context.globalAlpha = 1;
      context.strokeStyle = this.colours[colour];
      context.lineWidth = 1;
      context.stroke();
    }
  }

  drawResiduals(context, view, track) {
    const band = this.bands.residual;
    const middle = band.top + band.height / 2;
    context.fillStyle = this.colours.line;
    context.fillRect(0, middle, this.width, 1);
    const first = firstAtOrAfter(track.beats_s, view.start_s);
    context.fillStyle = this.colours.residual;
    for (let i = first; i < track.beats_s.length && track.beats_s[i] <= view.end_s; i += 1) {
      const residual = track.residuals_ms[i];
      if (residual === null) continue;
      // Up is late, as a grid that is too slow climbs.
      const y = middle - Math.max(-1, Math.min(1, residual / RESIDUAL_MS)) * (band.height / 2 - 2);
      context.fillRect(view.x(track.beats_s[i]) - 1.5, y - 1.5, 3, 3);
    }
  }

  // Everything that moves: grid, segments, cursor, marks.
  drawGrid(view, track, { cursor_s, mark_s, loop }) {
    const context = this.begin(this.grid);
    if (loop) {
      context.fillStyle = this.colours.loop;
      context.globalAlpha = 0.25;
      const x = view.x(loop.start / SAMPLE_RATE);
      context.fillRect(x, 0, view.x(loop.end / SAMPLE_RATE) - x, this.height);
      context.globalAlpha = 1;
    }
    const n = track ? this.drawLines(context, view, track) : 0;
    if (track && track.stretches.length > 1) this.drawSegments(context, view, track);
    if (mark_s !== null) this.drawMark(context, view.x(mark_s), this.colours.mark, "fit");
    const x = view.x(cursor_s);
    context.fillStyle = this.colours.cursor;
    context.fillRect(Math.round(x) - 1, 0, 2, this.height);
    context.beginPath();
    context.moveTo(x - 6, 0);
    context.lineTo(x + 6, 0);
    context.lineTo(x, 8);
    context.fill();
    return n;
  }

  // Returns how many lines were drawn.
  drawLines(context, view, track) {
    const { beats_s, bar_positions } = track;
    const first = firstAtOrAfter(beats_s, view.start_s);
    const last = firstAtOrAfter(beats_s, view.end_s);
    const n = last - first;
    if (n <= 0) return 0;
    const beatPx = this.width / Math.max(1, (view.span_s * (n - 1)) / Math.max(beats_s[last - 1] - beats_s[first], 1e-9));
    const perBar = track.stretches[0]?.beats_per_bar ?? 4;
    const barPx = beatPx * perBar;
    let everyBar = 1;
    while (barPx * everyBar < this.minLinePx) everyBar *= 4;
    let everyNumber = everyBar;
    while (barPx * everyNumber < MIN_NUMBER_PX) everyNumber *= 2;
    const showBeats = beatPx >= this.minLinePx;
    let bar = 0;
    for (let i = 0; i < first; i += 1) bar += bar_positions[i] === 1;
    const numbers = [];
    // Beats first, and bars over them.
    const downbeats = [];
    context.fillStyle = this.colours.beat;
    let drawn = 0;
    for (let i = first; i < last; i += 1) {
      const isDownbeat = bar_positions[i] === 1;
      if (isDownbeat) bar += 1;
      const x = Math.round(view.x(beats_s[i])) - 0.5;
      if (isDownbeat) {
        if ((bar - 1) % everyBar === 0) {
          downbeats.push(x - 0.5);
          drawn += 1;
        }
        if ((bar - 1) % everyNumber === 0) numbers.push([x, bar]);
      } else if (showBeats) {
        context.fillRect(x, RULER_PX, 1, this.height);
        drawn += 1;
      }
    }
    context.fillStyle = this.colours.downbeat;
    for (const x of downbeats) context.fillRect(x, RULER_PX - 6, 2, this.height);
    context.fillStyle = this.colours.ink;
    for (const [x, number] of numbers) context.fillText(String(number), x + 4, RULER_PX / 2);
    return drawn;
  }

  drawSegments(context, view, track) {
    for (const stretch of track.stretches) {
      const x = view.x(stretch.start_s);
      const end = view.x(stretch.end_s);
      if (end < 0 || x > this.width) continue;
      if (stretch.start_s > 0) {
        context.fillStyle = this.colours.segment;
        context.fillRect(x - 1.5, 0, 3, this.height);
      }
      const text = `${stretch.bpm_display} BPM`;
      const at = Math.max(x, 0) + 5;
      const width = context.measureText(text).width + 8;
      if (end - at < width) continue;
      const top = this.bands.wave.top + 4;
      context.fillStyle = this.colours.segment;
      context.fillRect(at, top, width, 18);
      context.fillStyle = this.colours.paper;
      context.fillText(text, at + 4, top + 9);
    }
  }

  drawMark(context, x, colour, text) {
    context.fillStyle = colour;
    context.fillRect(x - 1, 0, 2, this.height);
    const width = context.measureText(text).width + 8;
    context.fillRect(x, this.height - 18, width, 18);
    context.fillStyle = this.colours.paper;
    context.fillText(text, x + 4, this.height - 9);
  }

  drawOverview(view, waveform, track, cursor_s) {
    const context = this.begin(this.overview);
    const width = this.overview.clientWidth;
    const height = this.overview.clientHeight;
    context.fillStyle = this.colours.paper;
    context.fillRect(0, 0, width, height);
    const { duration_s } = view;
    if (waveform) {
      if (this.wholeWidth !== width || this.whole?.of !== waveform) {
        this.whole = { of: waveform, values: columns(waveform, 0, duration_s, width, SAMPLE_RATE) };
        this.wholeWidth = width;
      }
      this.drawWave(context, this.whole.values, { top: 0, height });
    }
    for (const stretch of track?.stretches.slice(1) ?? []) {
      context.fillStyle = this.colours.segment;
      context.fillRect((stretch.start_s / duration_s) * width - 1, 0, 2, height);
    }
    const left = (view.start_s / duration_s) * width;
    const size = Math.max(3, (view.span_s / duration_s) * width);
    context.strokeStyle = this.colours.cursor;
    context.lineWidth = 2;
    context.strokeRect(left + 1, 1, Math.max(1, size - 2), height - 2);
    context.fillStyle = this.colours.cursor;
    context.fillRect((cursor_s / duration_s) * width - 0.5, 0, 1.5, height);
  }
}
