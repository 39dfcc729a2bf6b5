// Waveform and activation as they come from the server.

const BLOCK_BYTES = 5;
export const BLOCK_SAMPLES = 256;
const LEVEL_FACTOR = 4;

export function parseWaveform(data) {
  const view = new DataView(data);
  const nLevels = view.getUint32(0, true);
  let offset = 4 * (nLevels + 2);
  const levels = [];
  for (let i = 0; i < nLevels; i += 1) {
    const nBlocks = view.getUint32(4 + 4 * i, true);
    levels.push({
      nBlocks,
      samplesPerBlock: BLOCK_SAMPLES * LEVEL_FACTOR ** i,
      bytes: new Uint8Array(data, offset, nBlocks * BLOCK_BYTES),
    });
    offset += nBlocks * BLOCK_BYTES;
  }
  // Quiet tracks are drawn as high as loud ones.
  let peak = 1;
  const { bytes, nBlocks } = levels[nLevels - 1];
  for (let i = 0; i < nBlocks * BLOCK_BYTES; i += BLOCK_BYTES) {
    peak = Math.max(peak, 128 - bytes[i], bytes[i + 1] - 128);
  }
  return { levels, gain: 127 / peak, nSamples: view.getUint32(4 + 4 * nLevels, true) };
}

export function parseActivation(data) {
  const view = new DataView(data);
  const frameRate = view.getFloat64(0, true);
  const nFrames = view.getUint32(8, true);
  const nChannels = view.getUint32(12, true);
  const channel = (i) => new Uint8Array(data, 16 + i * nFrames, nFrames);
  return { frameRate, nFrames, beat: channel(0), downbeat: nChannels > 1 ? channel(1) : null };
}

// Lowest, highest sample (-1..1, the track's peak is 1) and the three bands (0..1) of each column of pixels.
export function columns(waveform, start_s, span_s, width, rate) {
  const perColumn = (span_s * rate) / width;
  // The coarsest level that has a block or more for every column.
  let level = waveform.levels[0];
  for (const coarser of waveform.levels) if (coarser.samplesPerBlock <= perColumn) level = coarser;
  const out = new Float32Array(5 * width);
  const { bytes, nBlocks, samplesPerBlock } = level;
  for (let x = 0; x < width; x += 1) {
    const sample = start_s * rate + x * perColumn;
    const first = Math.floor(sample / samplesPerBlock);
    if (first < 0 || first >= nBlocks) continue;
    const last = Math.min(nBlocks, Math.max(first + 1, Math.floor((sample + perColumn) / samplesPerBlock)));
    let low = 255, high = 0, l = 0, m = 0, h = 0;
    for (let block = first; block < last; block += 1) {
      const at = block * BLOCK_BYTES;
      if (bytes[at] < low) low = bytes[at];
      if (bytes[at + 1] > high) high = bytes[at + 1];
      l += bytes[at + 2];
      m += bytes[at + 3];
      h += bytes[at + 4];
    }
    const n = 255 * (last - first);
    const gain = waveform.gain / 127;
    out.set([(low - 128) * gain, (high - 128) * gain, l / n, m / n, h / n], 5 * x);
  }
  return out;
}
