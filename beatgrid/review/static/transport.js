// Playing: the music in pieces and the clicks on one clock, that of the audio context.
//
// Time is counted in samples of the track and frames of the context, which have the same rate. A
// span says which samples are heard from which frame on; a loop is a sequence of equal spans.

import { clickTones, scheduleClicks } from "./clicks.js";
import { SAMPLE_RATE } from "./sound.js";

const TICK_MS = 40;
const AHEAD_FRAMES = Math.round(0.4 * SAMPLE_RATE);
// Timers of a page in the background fire once a second.
const AHEAD_HIDDEN_FRAMES = 3 * SAMPLE_RATE;
const START_FRAMES = Math.round(0.06 * SAMPLE_RATE);
const GRAIN_SAMPLES = Math.round(0.09 * SAMPLE_RATE);

export class Transport {
  constructor() {
    this.context = null;
    this.sound = null;
    this.beats = { times: [], positions: [], accents: true };
    this.spans = [];
    this.sources = [];
    this.clicks = [];
    this.loop = null;
    this.playing = false;
    this.volumes = { music: 0.8, click: 0.7 };
    this.metronomeOnly = false;
    this.clicksOn = true;
    this.onEnd = () => {};
  }

  open(sound) {
    this.stop();
    this.sound = sound;
    this.loop = null;
  }

  // A context may only begin by a person's gesture.
  start() {
    if (this.context) return;
    this.context = new AudioContext({ sampleRate: SAMPLE_RATE, latencyHint: "interactive" });
    this.music = this.context.createGain();
    this.click = this.context.createGain();
    this.music.connect(this.context.destination);
    this.click.connect(this.context.destination);
    this.tones = clickTones(this.context);
    this.applyVolumes();
  }

  applyVolumes() {
    if (!this.context) return;
    const now = this.context.currentTime;
    this.music.gain.setTargetAtTime(this.metronomeOnly ? 0 : this.volumes.music, now, 0.01);
    this.click.gain.setTargetAtTime(this.clicksOn ? this.volumes.click : 0, now, 0.01);
  }

  get frame() {
    return Math.round(this.context.currentTime * SAMPLE_RATE);
  }

  // Play from a sample on.
  async play(sample) {
    this.start();
    const attempt = (this.attempt = Symbol("play"));
    this.halt();
    this.playing = true;
    await Promise.all([this.context.resume(), this.sound.chunkAt(sample)]);
    if (this.attempt !== attempt) return;
    this.nextSample = sample;
    this.nextFrame = this.frame + START_FRAMES;
    this.tick();
    this.timer = setInterval(() => this.tick(), TICK_MS);
  }

  stop() {
    this.attempt = null;
    this.playing = false;
    this.halt();
  }

  halt() {
    clearInterval(this.timer);
    for (const { source } of [...this.sources, ...this.clicks]) source.stop();
    this.sources = [];
    this.clicks = [];
    this.spans = [];
  }

  setBeats(beats) {
    this.beats = beats;
    this.renewClicks();
  }

  setLoop(loop) {
    this.loop = loop;
  }

  // Replace the clicks that are scheduled but not heard yet.
  renewClicks() {
    if (!this.playing || !this.context) return;
    const notBefore = this.frame + 128;
    this.clicks = this.clicks.filter(({ source, frame }) => {
      if (frame >= notBefore) source.stop();
      return frame < notBefore;
    });
    for (const span of this.spans) this.addClicks(span, notBefore);
  }

  addClicks(span, notBefore) {
    this.clicks.push(...scheduleClicks(this.context, this.click, this.tones, this.beats, span, notBefore));
  }

  // Schedule what is heard soon.
  tick() {
    const now = this.frame;
    const horizon = now + (document.hidden ? AHEAD_HIDDEN_FRAMES : AHEAD_FRAMES);
    if (this.nextFrame < now) this.nextFrame = now + START_FRAMES; // a piece came too late
    while (this.nextFrame < horizon && this.playing) {
      if (this.loop && this.nextSample >= this.loop.end) this.nextSample = this.loop.start;
      if (this.nextSample >= this.sound.nSamples) {
        if (now >= this.nextFrame - START_FRAMES) {
          this.stop();
          this.onEnd();
        }
        break;
      }
      const chunk = this.sound.chunkNow(this.nextSample);
      if (!chunk) {
        this.sound.chunkAt(this.nextSample).catch(() => this.stop());
        break;
      }
      let end = chunk.first + chunk.samples.length;
      if (this.loop && this.nextSample < this.loop.end) end = Math.min(end, this.loop.end);
      this.addSpan(chunk, end);
    }
    const later = this.nextSample + 2 * SAMPLE_RATE;
    if (later < this.sound.nSamples && !this.sound.chunkNow(later)) this.sound.chunkAt(later).catch(() => {});
    const past = now - 2 * SAMPLE_RATE;
    this.spans = this.spans.filter((span) => span.frame + span.length > past);
    this.clicks = this.clicks.filter(({ frame }) => frame > past);
    this.sources = this.sources.filter(({ end: last }) => last > past);
  }

  addSpan(chunk, end) {
    const length = end - this.nextSample;
    const span = { frame: this.nextFrame, sample: this.nextSample, length };
    const buffer = this.context.createBuffer(1, length, SAMPLE_RATE);
    const from = this.nextSample - chunk.first;
    buffer.copyToChannel(chunk.samples.subarray(from, from + length), 0);
    const source = this.context.createBufferSource();
    source.buffer = buffer;
    source.connect(this.music);
    source.start(span.frame / SAMPLE_RATE);
    this.sources.push({ source, end: span.frame + length });
    this.spans.push(span);
    this.addClicks(span, 0);
    this.nextFrame += length;
    this.nextSample = end;
  }

  // The time in the track that is heard now, in seconds; null before the first sample.
  heard_s() {
    if (!this.playing || !this.spans.length) return null;
    const frame = (this.context.currentTime - (this.context.outputLatency || 0)) * SAMPLE_RATE;
    for (let i = this.spans.length - 1; i >= 0; i -= 1) {
      const span = this.spans[i];
      if (frame >= span.frame) {
        return (span.sample + Math.min(frame - span.frame, span.length)) / SAMPLE_RATE;
      }
    }
    return this.spans[0].sample / SAMPLE_RATE;
  }

  // A grain of sound at a place, for scrubbing.
  async scrub(sample) {
    this.start();
    if (this.scrubbing) return;
    this.scrubbing = true;
    try {
      await this.context.resume();
      const chunk = await this.sound.chunkAt(sample);
      if (chunk) {
        const from = sample - chunk.first;
        const piece = chunk.samples.slice(from, from + GRAIN_SAMPLES);
        if (piece.length < 2) return;
        for (let i = 0; i < piece.length; i += 1) piece[i] *= Math.sin((Math.PI * i) / (piece.length - 1));
        const buffer = this.context.createBuffer(1, piece.length, SAMPLE_RATE);
        buffer.copyToChannel(piece, 0);
        const source = this.context.createBufferSource();
        source.buffer = buffer;
        source.connect(this.music);
        source.start();
      }
    } finally {
      setTimeout(() => (this.scrubbing = false), (1000 * GRAIN_SAMPLES) / SAMPLE_RATE / 2);
    }
  }
}
