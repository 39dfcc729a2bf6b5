// Clicks at beats, to the sample: the only place where a beat becomes sound.

const DOWNBEAT_HZ = 1760;
const BEAT_HZ = 1174.7;
const CLICK_S = 0.04;
const DECAY_S = 0.008;
const ATTACK_S = 0.0005;

// The same tone as the program mixes into sound files.
function tone(context, frequency) {
  const n = Math.round(CLICK_S * context.sampleRate);
  const buffer = context.createBuffer(1, n, context.sampleRate);
  const samples = buffer.getChannelData(0);
  for (let i = 0; i < n; i += 1) {
    const t = i / context.sampleRate;
    samples[i] = Math.exp(-t / DECAY_S) * Math.min(1, t / ATTACK_S) * Math.sin(2 * Math.PI * frequency * t);
  }
  return buffer;
}

export function clickTones(context) {
  return { downbeat: tone(context, DOWNBEAT_HZ), beat: tone(context, BEAT_HZ) };
}

// The number of the first entry of an ascending array at or after a value.
export function firstAtOrAfter(values, value) {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

// Schedule the clicks of a span of the track: samples [span.sample, span.sample + span.length) are
// heard from frame span.frame of the context on. Frames before `notBefore` are past.
export function scheduleClicks(context, destination, tones, beats, span, notBefore = 0) {
  const rate = context.sampleRate;
  const started = [];
  // Half a sample earlier: each time is rounded to a sample of its own.
  for (let i = firstAtOrAfter(beats.times, (span.sample - 0.5) / rate); i < beats.times.length; i += 1) {
    const sample = Math.round(beats.times[i] * rate);
    if (sample >= span.sample + span.length) break;
    const frame = span.frame + sample - span.sample;
    if (sample < span.sample || frame < notBefore) continue;
    const source = context.createBufferSource();
    source.buffer = beats.accents && beats.positions[i] === 1 ? tones.downbeat : tones.beat;
    source.connect(destination);
    source.start(frame / rate);
    started.push({ source, frame });
  }
  return started;
}
