// A track's samples, in pieces fetched when they are needed.

import { getRange } from "./api.js";

export const SAMPLE_RATE = 44100;
const HEADER_BYTES = 44;
const CHUNK_SAMPLES = 5 * SAMPLE_RATE;
const MAX_CHUNKS = 48;

export class Sound {
  constructor(path) {
    this.path = path;
    this.nSamples = Infinity;
    this.chunks = new Map();
    this.pending = new Map();
  }

  // The samples of the chunk that holds a sample, or null while they are not there.
  chunkNow(sample) {
    const number = Math.floor(sample / CHUNK_SAMPLES);
    const samples = this.chunks.get(number);
    return samples ? { first: number * CHUNK_SAMPLES, samples } : null;
  }

  async chunkAt(sample) {
    const number = Math.floor(sample / CHUNK_SAMPLES);
    if (!this.chunks.has(number)) {
      if (!this.pending.has(number)) {
        this.pending.set(number, this.fetchChunk(number).finally(() => this.pending.delete(number)));
      }
      await this.pending.get(number);
    }
    return this.chunkNow(sample);
  }

  async fetchChunk(number) {
    const first = HEADER_BYTES + 2 * CHUNK_SAMPLES * number;
    const { data, size } = await getRange(this.path, first, first + 2 * CHUNK_SAMPLES - 1);
    this.nSamples = (size - HEADER_BYTES) / 2;
    const whole = new Int16Array(data);
    const samples = new Float32Array(whole.length);
    for (let i = 0; i < whole.length; i += 1) samples[i] = whole[i] / 32767;
    this.chunks.set(number, samples);
    if (this.chunks.size > MAX_CHUNKS) this.chunks.delete(this.chunks.keys().next().value);
  }
}
