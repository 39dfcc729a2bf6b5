// The view of one track. The server has its grid and does all edits; this shows and plays it.

import { ACTIONS, keyName } from "./actions.js";
import { ApiError, getBytes, getJson, post } from "./api.js";
import { firstAtOrAfter } from "./clicks.js";
import { parseActivation, parseWaveform } from "./curves.js";
import { Picture } from "./drawing.js";
import { announce, clock, show } from "./say.js";
import { SAMPLE_RATE, Sound } from "./sound.js";
import { Transport } from "./transport.js";
import { Viewport } from "./viewport.js";

const WAIT_AFTER_TAPS_MS = 1500;
const MIN_TAPS = 3;
const DRAG_PX = 4;

export class TrackView {
  constructor(list, leave, help) {
    this.list = list;
    this.leave = leave;
    this.help = help;
    this.picture = new Picture();
    this.transport = new Transport();
    this.transport.onEnd = () => this.onStopped();
    this.track = null;
    this.view = new Viewport(1);
    this.cursor_s = 0;
    this.mark_s = null;
    this.loop = null;
    this.taps = [];
    this.edits = Promise.resolve();
    this.stage = document.getElementById("stage");
    this.plot = document.getElementById("plot");
    this.buttons = new Map();
    this.makeControls();
    this.listen();
  }

  get visible() {
    return !document.getElementById("track").hidden;
  }

  get lastPlace_s() {
    return Math.max(0, this.view.duration_s - 0.01);
  }

  // Open a track: its grid at once, waveform and activation as soon as they are computed.
  async open(id) {
    const opening = (this.opening = Symbol("open"));
    this.aborting?.abort();
    this.aborting = new AbortController();
    const { signal } = this.aborting;
    this.transport.stop();
    Object.assign(this, { track: null, waveform: null, activation: null, sound: null, mark_s: null, loop: null, taps: [] });
    this.problem("");
    document.getElementById("waiting").hidden = false;
    const path = `/api/tracks/${id}`;
    let track;
    try {
      track = await getJson(path);
    } catch (error) {
      if (this.opening === opening) {
        this.problem(error.message);
        this.clear(id);
      }
      return;
    }
    if (this.opening !== opening) return;
    this.sound = new Sound(`${path}/audio.wav`);
    this.transport.open(this.sound);
    this.view = new Viewport(track.duration_s);
    this.cursor_s = track.beats_s[0] ?? 0;
    this.fitted = false;
    this.take(track);
    this.resize();
    this.showSpan(Math.min(track.duration_s, 12));
    const load = async (part, use) => {
      try {
        const data = await getBytes(`${path}/${part}`, signal);
        if (this.opening === opening) await use(data);
      } catch (error) {
        if (this.opening === opening && error.name !== "AbortError") this.problem(error.message);
      }
    };
    await Promise.all([
      load("waveform", (data) => {
        this.waveform = parseWaveform(data);
        document.getElementById("waiting").hidden = true;
        this.draw();
        return this.sound.chunkAt(0).then(() => this.draw());
      }),
      load("activation", async (data) => {
        this.activation = parseActivation(data);
        // The distance of beats from what was heard is known by now.
        await this.queue(async () => {
          const fresh = await getJson(path);
          if (this.opening === opening) this.take(fresh);
        });
      }),
    ]);
    if (this.opening !== opening) return;
    document.getElementById("waiting").hidden = true;
    const next = this.list.nextAfter(id);
    if (next) post(`/api/tracks/${next}/prepare`).catch(() => {});
  }

  clear(id) {
    document.getElementById("track-title").textContent = this.list.rows.find((row) => row.id === id)?.name ?? "";
    document.getElementById("track-info").textContent = "";
    document.getElementById("tempo").textContent = "–";
    document.getElementById("waiting").hidden = true;
    this.draw();
  }

  close() {
    this.opening = null;
    this.aborting?.abort();
    this.transport.stop();
    this.onStopped();
  }

  problem(text) {
    const box = document.getElementById("problem");
    box.textContent = text;
    box.hidden = !text;
  }

  // Show what the server says of the track.
  take(track) {
    this.track = track;
    this.list.note(track);
    document.getElementById("track-title").textContent = track.name;
    const parts = [
      track.folder,
      track.draft ? `${track.state}, draft` : track.state,
      track.beats_s.length ? `confidence ${track.confidence.toFixed(2)}` : `no grid: ${track.reason ?? ""}`,
      track.downbeat_known || !track.beats_s.length ? "" : "bars not known",
      track.timebase ?? "",
    ];
    document.getElementById("track-info").textContent = parts.filter(Boolean).join(" · ");
    this.transport.setBeats({
      times: track.beats_s,
      positions: track.bar_positions,
      accents: track.downbeat_known,
    });
    if (this.loop) this.setLoop(this.bar());
    this.showTempo();
    this.showControls();
    this.describe();
    this.draw();
  }

  showTempo() {
    const stretch = this.stretch();
    document.getElementById("tempo").textContent = stretch ? stretch.bpm_display : "–";
    const field = this.buttons.get("bpm");
    if (document.activeElement !== field) field.value = stretch ? stretch.bpm_display : "";
    const bar = this.buttons.get("beats-per-bar");
    if (document.activeElement !== bar) bar.value = stretch ? stretch.beats_per_bar : "";
    const n = this.track?.stretches.length ?? 0;
    document.getElementById("tempo-unit").textContent =
      n > 1 ? `BPM, segment ${this.stretchIndex() + 1} of ${n}` : "BPM";
  }

  describe() {
    const { track } = this;
    const tempi = track.stretches.map((s) => `${s.bpm_display} BPM from ${clock(s.start_s)}`).join(", ");
    const known = (track.residuals_ms ?? []).filter((value) => value !== null).sort((a, b) => a - b);
    const median = known.length ? `, beats heard ${known[known.length >> 1].toFixed(1)} ms later than the grid (median)` : "";
    document.getElementById("summary").textContent = track.beats_s.length
      ? `${track.beats_s.length} beats, ${tempi}, first beat at ${clock(track.beats_s[0])}${median}`
      : "no grid";
  }

  stretchIndex() {
    const later = this.track.stretches.findIndex((stretch) => stretch.start_s > this.cursor_s);
    return Math.max(0, (later < 0 ? this.track.stretches.length : later) - 1);
  }

  stretch() {
    return this.track?.stretches.length ? this.track.stretches[this.stretchIndex()] : null;
  }

  // Edits take their turns: each needs the revision that the one before led to.
  queue(work) {
    this.edits = this.edits.then(work).catch(async (error) => {
      show(error.message, true);
      if (error instanceof ApiError && error.status === 409 && this.track) {
        this.take(await getJson(`/api/tracks/${this.track.id}`));
      }
    });
    return this.edits;
  }

  change(what, body, said) {
    const { track } = this;
    if (!track) return Promise.resolve(false);
    let done = false;
    return this.queue(async () => {
      if (this.track?.id !== track.id) return;
      this.take(await post(`/api/tracks/${track.id}/${what}`, { revision: this.track.revision, ...body }));
      done = true;
      announce(`${said(this.track)}${this.track.stretches.length ? `, ${this.stretch().bpm_display} BPM` : ""}`);
    }).then(() => done);
  }

  edit(edit) {
    const placed = { ...edit };
    if (!["undo", "redo", "alternative", "fit"].includes(edit.op)) placed.at_s = this.place_s();
    const names = { nudge: `${edit.ms} ms`, scale: "tempo scaled", alternative: `alternative ${edit.number}` };
    return this.change("edit", { edit: placed }, () => names[edit.op] ?? edit.op);
  }

  async accept() {
    const done = await this.change("accept", {}, (track) => track.state);
    if (done) show(`${this.track.state === "corrected" ? "Corrected" : "Accepted"}: ${this.track.name}`);
    return done;
  }

  async acceptAndNext() {
    if (this.accepting) return; // a key held down accepts one track
    this.accepting = true;
    try {
      const id = this.track?.id;
      if (!(await this.accept())) return;
      const next = this.list.nextAfter(id);
      if (next) location.hash = next;
      else {
        show("All tracks shown are checked.");
        this.leave();
      }
    } finally {
      this.accepting = false;
    }
  }

  withdraw() {
    return this.change("withdraw", {}, () => "acceptance taken back");
  }

  go(step) {
    const id = location.hash.slice(1);
    const next = this.list.nextAfter(id, step, false);
    if (next) location.hash = next;
  }

  // Where edits take place: what is heard, or the cursor.
  place_s() {
    const heard_s = this.transport.heard_s();
    return heard_s === null ? this.cursor_s : Math.min(heard_s, this.lastPlace_s);
  }

  // --- playing

  togglePlay() {
    if (this.transport.playing) this.pause();
    else this.playFrom(this.cursor_s);
  }

  async playFrom(time_s) {
    if (!this.sound) return;
    this.cursor_s = time_s;
    this.showPlaying(true);
    try {
      await this.transport.play(Math.round(time_s * SAMPLE_RATE));
    } catch (error) {
      this.pause();
      show(error.message, true);
      return;
    }
    this.follow();
  }

  playFromBar() {
    const bar = this.bar();
    this.playFrom(bar ? bar.start / SAMPLE_RATE : this.place_s());
  }

  pause() {
    this.cursor_s = this.place_s();
    this.transport.stop();
    this.onStopped();
  }

  onStopped() {
    this.showPlaying(false);
    if (this.track) this.draw();
  }

  showPlaying(playing) {
    const button = this.buttons.get("play");
    button.firstChild.textContent = playing ? "Pause" : "Play";
  }

  follow() {
    if (this.following) return;
    this.following = true;
    const frame = () => {
      const heard_s = this.transport.heard_s();
      if (!this.transport.playing) {
        this.following = false;
        return;
      }
      if (heard_s !== null) {
        this.cursor_s = Math.min(heard_s, this.lastPlace_s);
        const before = this.view.start_s;
        if (!this.dragging) this.view.reveal(this.cursor_s);
        if (this.view.start_s !== before) this.draw();
        else this.drawMoving();
      }
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  // The bar at the cursor, in samples.
  bar() {
    const { track } = this;
    if (!track?.beats_s.length) return null;
    const at_s = this.place_s() + 0.001;
    let first = Math.max(0, firstAtOrAfter(track.beats_s, at_s) - 1);
    while (first > 0 && track.bar_positions[first] !== 1) first -= 1;
    let last = first + 1;
    while (last < track.beats_s.length && track.bar_positions[last] !== 1) last += 1;
    const end_s = last < track.beats_s.length ? track.beats_s[last] : track.duration_s;
    return { start: Math.round(track.beats_s[first] * SAMPLE_RATE), end: Math.round(end_s * SAMPLE_RATE) };
  }

  setLoop(loop) {
    this.loop = loop;
    this.transport.setLoop(loop);
  }

  toggleLoop() {
    this.setLoop(this.loop ? null : this.bar());
    if (this.loop && this.transport.playing) this.playFrom(this.loop.start / SAMPLE_RATE);
    announce(this.loop ? "loop on" : "loop off");
    this.showControls();
    this.draw();
  }

  toggleMetronome() {
    this.transport.metronomeOnly = !this.transport.metronomeOnly;
    this.transport.applyVolumes();
    announce(this.transport.metronomeOnly ? "metronome only" : "music and clicks");
    this.showControls();
  }

  toggleClicks() {
    this.transport.clicksOn = !this.transport.clicksOn;
    this.transport.applyVolumes();
    announce(this.transport.clicksOn ? "clicks on" : "clicks off");
    this.showControls();
  }

  // --- tempo by hand

  tap() {
    const heard_s = this.transport.heard_s();
    const placed = heard_s !== null;
    const now_s = placed ? heard_s : performance.now() / 1000;
    const last = this.taps[this.taps.length - 1];
    if (last && (last.placed !== placed || now_s <= last.time_s || now_s - last.time_s > 3)) this.taps = [];
    this.taps.push({ time_s: now_s, placed });
    const n = this.taps.length;
    show(n < MIN_TAPS ? `${n}…` : `${n} taps: ${(60 * (n - 1) / (now_s - this.taps[0].time_s)).toFixed(1)} BPM`);
    clearTimeout(this.tapping);
    this.tapping = setTimeout(() => {
      const times_s = this.taps.map((entry) => entry.time_s);
      this.taps = [];
      if (times_s.length >= MIN_TAPS) this.edit({ op: "tap", times_s, placed });
    }, WAIT_AFTER_TAPS_MS);
  }

  fit() {
    const here_s = this.place_s();
    if (this.mark_s === null) {
      this.mark_s = here_s;
      show("A beat is here. Press again where another beat is, far away.");
    } else {
      const first_s = this.mark_s;
      this.mark_s = null;
      this.edit({ op: "fit", first_s, last_s: here_s });
    }
    this.showControls();
    this.draw();
  }

  focusField(id) {
    const field = this.buttons.get(id);
    field.focus();
    field.select();
  }

  // --- cursor and view

  moveCursor(time_s) {
    this.cursor_s = Math.min(Math.max(time_s, 0), this.lastPlace_s);
    this.view.reveal(this.cursor_s);
    this.showTempo();
    this.draw();
    announce(clock(this.cursor_s));
    if (this.transport.playing) this.playFrom(this.cursor_s);
  }

  stepBeat(step, wholeBars) {
    const { track } = this;
    if (!track?.beats_s.length) return;
    const near_s = 0.002;
    let i = step > 0
      ? firstAtOrAfter(track.beats_s, this.cursor_s + near_s)
      : firstAtOrAfter(track.beats_s, this.cursor_s - near_s) - 1;
    while (wholeBars && i >= 0 && i < track.beats_s.length && track.bar_positions[i] !== 1) i += step;
    if (i >= 0 && i < track.beats_s.length) this.moveCursor(track.beats_s[i]);
  }

  zoom(factor, at_s = this.cursor_s) {
    this.view.zoom(factor, Math.min(Math.max(at_s, this.view.start_s), this.view.end_s));
    this.needSamples();
    this.draw();
  }

  showSpan(span_s) {
    this.view.set(this.cursor_s - 0.1 * Math.min(span_s, this.view.duration_s), span_s);
    this.needSamples();
    this.draw();
  }

  showBars(n) {
    const stretch = this.stretch();
    this.showSpan(stretch ? (n * stretch.beats_per_bar * 60) / stretch.bpm : 8);
  }

  scroll(share) {
    this.view.set(this.view.start_s + share * this.view.span_s, this.view.span_s);
    this.needSamples();
    this.draw();
  }

  // Samples are drawn where the view is short; fetch those that are missing.
  needSamples() {
    if (!this.sound || this.view.span_s > 4) return;
    for (const time_s of [this.view.start_s, this.view.end_s]) {
      const sample = Math.floor(Math.min(time_s, this.lastPlace_s) * SAMPLE_RATE);
      if (!this.sound.chunkNow(sample)) this.sound.chunkAt(sample).then(() => this.draw()).catch(() => {});
    }
  }

  resize() {
    this.view.width = this.picture.resize();
    this.draw();
  }

  draw() {
    if (this.drawing) return;
    this.drawing = true;
    requestAnimationFrame(() => {
      this.drawing = false;
      this.drawNow();
    });
  }

  drawNow() {
    if (!this.visible || !this.picture.bands) return;
    this.picture.drawSignal(this.view, this);
    this.drawMoving();
  }

  drawMoving() {
    this.picture.drawGrid(this.view, this.track, this);
    this.picture.drawOverview(this.view, this.waveform, this.track, this.cursor_s);
    document.getElementById("position").textContent = clock(this.cursor_s);
    document.getElementById("place").textContent = this.placeName();
  }

  // "bar 12, beat 3", as musicians count.
  placeName() {
    const { track } = this;
    if (!track?.beats_s.length) return "";
    const i = firstAtOrAfter(track.beats_s, this.cursor_s + 0.0005) - 1;
    if (i < 0) return "before the first beat";
    if (this.barsOf !== track) {
      let bar = 0;
      this.barNumbers = track.bar_positions.map((position) => (bar += position === 1));
      this.barsOf = track;
    }
    return `bar ${this.barNumbers[i]}, beat ${track.bar_positions[i]}`;
  }

  // --- controls

  makeControls() {
    const controls = document.getElementById("controls");
    const groups = new Map();
    const group = (name) => {
      if (!groups.has(name)) {
        const box = document.createElement("fieldset");
        const legend = document.createElement("legend");
        legend.textContent = name;
        box.append(legend);
        controls.append(box);
        groups.set(name, box);
      }
      return groups.get(name);
    };
    for (const name of ["Review", "Play", "Move the beats", "Tempo", "Alternatives", "Segments", "Cursor", "View"]) group(name);
    for (const action of ACTIONS) {
      if (action.field) group(action.group).append(this.makeField(action));
      else if (action.short || "alternative" in action) group(action.group).append(this.makeButton(action));
    }
    for (const [id, text] of [["music", "Music"], ["click", "Clicks"]]) {
      group("Play").append(this.makeVolume(id, text));
    }
  }

  makeButton(action) {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.action = action.id;
    button.title = `${action.label} (${action.keys.map((key) => keyName(key)).join(" or ")})`;
    if (action.primary) button.className = "primary";
    const text = document.createElement("span");
    text.textContent = action.short ?? action.label;
    const key = document.createElement("kbd");
    key.setAttribute("aria-hidden", "true");
    key.textContent = keyName(action.keys[0], true);
    button.append(text, key);
    this.buttons.set(action.id, button);
    return button;
  }

  makeField(action) {
    const label = document.createElement("label");
    label.textContent = action.id === "bpm" ? "BPM " : "Beats of a bar ";
    const field = document.createElement("input");
    field.type = "text";
    field.inputMode = "decimal";
    field.size = action.id === "bpm" ? 8 : 3;
    field.id = `field-${action.field}`;
    field.title = `${action.label} (${keyName(action.keys[0])})`;
    field.autocomplete = "off";
    field.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Escape") this.stage.focus();
      if (event.key === "Enter") this.enter(action.field, field);
    });
    field.addEventListener("blur", () => this.track && this.showTempo());
    label.append(field);
    this.buttons.set(action.field, field);
    return label;
  }

  enter(which, field) {
    const value = Number(field.value.trim().replace(",", "."));
    this.stage.focus();
    if (!(value > 0)) show("Type a number.", true);
    else if (which === "bpm") this.edit({ op: "bpm", bpm: value });
    else this.edit({ op: "beats_per_bar", beats: value });
  }

  makeVolume(id, text) {
    const label = document.createElement("label");
    label.textContent = `${text} `;
    const slider = document.createElement("input");
    slider.type = "range";
    slider.min = 0;
    slider.max = 1;
    slider.step = 0.05;
    slider.value = this.transport.volumes[id];
    slider.id = `volume-${id}`;
    slider.addEventListener("input", () => {
      this.transport.volumes[id] = Number(slider.value);
      this.transport.applyVolumes();
    });
    label.append(slider);
    return label;
  }

  showControls() {
    for (const action of ACTIONS) {
      const button = this.buttons.get(action.id);
      if (!button) continue;
      if (action.disabled) button.disabled = action.disabled(this);
      if (action.toggle) button.setAttribute("aria-pressed", action.toggle(this));
      if ("alternative" in action) {
        const found = this.track?.alternatives ?? [];
        const number = action.alternative;
        button.hidden = number > found.length;
        if (number && number <= found.length) {
          const { bpm, probability } = found[number - 1];
          button.firstChild.textContent = `${bpm.toFixed(1)}`;
          const share = probability === null ? "" : `, probability ${probability.toFixed(2)}`;
          button.title = `Alternative ${number}: ${bpm.toFixed(2)} BPM${share} (${number})`;
        }
      }
    }
  }

  // --- pointer

  listen() {
    new ResizeObserver(() => this.visible && this.resize()).observe(this.plot);
    for (const scheme of [matchMedia("(prefers-color-scheme: dark)"), matchMedia("(forced-colors: active)")]) {
      scheme.addEventListener("change", () => this.visible && this.resize());
    }
    const grid = this.picture.grid;
    grid.addEventListener("pointerdown", (event) => this.onPointerDown(event));
    grid.addEventListener("pointermove", (event) => this.onPointerMove(event));
    grid.addEventListener("pointerup", (event) => this.onPointerUp(event));
    grid.addEventListener("pointercancel", () => (this.dragging = null));
    grid.addEventListener("wheel", (event) => this.onWheel(event), { passive: false });
    const overview = this.picture.overview;
    const seek = (event) => {
      if (!(event.buttons & 1) || !this.track) return;
      const time_s = (event.offsetX / overview.clientWidth) * this.view.duration_s;
      this.cursor_s = Math.min(Math.max(time_s, 0), this.lastPlace_s);
      this.view.set(this.cursor_s - this.view.span_s / 2, this.view.span_s);
      this.needSamples();
      this.showTempo();
      this.draw();
    };
    overview.addEventListener("pointerdown", (event) => {
      overview.setPointerCapture(event.pointerId);
      seek(event);
    });
    overview.addEventListener("pointermove", seek);
    overview.addEventListener("pointerup", () => this.transport.playing && this.playFrom(this.cursor_s));
  }

  onPointerDown(event) {
    if (event.button !== 0 || !this.track) return;
    this.picture.grid.setPointerCapture(event.pointerId);
    this.dragging = { x: event.offsetX, start_s: this.view.start_s, moved: false, scrubs: event.altKey };
    if (event.altKey) this.scrub(event);
  }

  onPointerMove(event) {
    const drag = this.dragging;
    if (!drag) return;
    if (drag.scrubs) {
      this.scrub(event);
      return;
    }
    const dx = event.offsetX - drag.x;
    if (!drag.moved && Math.abs(dx) < DRAG_PX) return;
    drag.moved = true;
    this.view.set(drag.start_s - (dx / this.view.width) * this.view.span_s, this.view.span_s);
    this.needSamples();
    this.draw();
  }

  onPointerUp(event) {
    const drag = this.dragging;
    this.dragging = null;
    if (drag && !drag.moved && !drag.scrubs) this.moveCursor(this.view.time(event.offsetX));
  }

  scrub(event) {
    this.cursor_s = Math.min(Math.max(this.view.time(event.offsetX), 0), this.lastPlace_s);
    this.transport.scrub(Math.round(this.cursor_s * SAMPLE_RATE)).catch(() => {});
    this.showTempo();
    this.draw();
  }

  onWheel(event) {
    if (!this.track) return;
    event.preventDefault();
    const steps = event.deltaMode === 1 ? 33 : 1;
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      const delta = (event.deltaX || event.deltaY) * steps;
      this.view.set(this.view.start_s + (delta / this.view.width) * this.view.span_s, this.view.span_s);
      this.needSamples();
      this.draw();
    } else {
      this.zoom(2 ** ((event.deltaY * steps) / 200), this.view.time(event.offsetX));
    }
  }
}
