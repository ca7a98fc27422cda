import { uniform } from '../metrics/bootstrap.ts';

const sampleRate = 16000;

/** What speech is mixed with. `babble` is made of voices, the others are computed. */
export const noiseNames = ['white', 'pink', 'babble', 'hum', 'music', 'coughs'] as const;
export type NoiseName = (typeof noiseNames)[number];

/** Every sample from -1 to 1 is as likely as another. */
function white(length: number, random: () => number): Float32Array {
  return Float32Array.from({ length }, () => 2 * random() - 1);
}

/** 3 dB less an octave, by three first-order filters (Paul Kellet's coefficients for 44.1 kHz, close enough at 16 kHz). */
function pink(length: number, random: () => number): Float32Array {
  const poles = [0.99765, 0.963, 0.57];
  const gains = [0.099046, 0.2965164, 1.0526913];
  const states = [0, 0, 0];
  return white(length, random).map((sample) => {
    let sum = 0.1848 * sample;
    for (let stage = 0; stage < poles.length; stage++) {
      const state = (poles[stage] ?? 0) * (states[stage] ?? 0) + (gains[stage] ?? 0) * sample;
      states[stage] = state;
      sum += state;
    }
    return sum;
  });
}

/** Mains of 50 Hz with the harmonics of a transformer. */
function hum(length: number): Float32Array {
  const strengths = [1, 0.6, 0.4, 0.25, 0.15, 0.1];
  return Float32Array.from({ length }, (_, at) =>
    strengths.reduce(
      (sum, strength, harmonic) =>
        sum + strength * Math.sin((2 * Math.PI * 50 * (harmonic + 1) * at) / sampleRate + harmonic),
      0,
    ),
  );
}

/** Plucked chords over a bass, two notes a second, with a brushed beat: four chords of four seconds, over and over. */
function music(length: number, random: () => number): Float32Array {
  const chords = [
    [0, 4, 7],
    [9, 12, 16],
    [5, 9, 12],
    [7, 11, 14],
  ];
  const result = new Float32Array(length);
  const stepSamples = sampleRate / 4;
  for (let step = 0; step * stepSamples < length; step++) {
    const chord = chords[Math.floor(step / 8) % chords.length] ?? [];
    const melody = (chord[Math.floor(random() * chord.length)] ?? 0) + 12;
    const notes = step % 2 === 0 ? [...chord, (chord[0] ?? 0) - 24, melody] : [melody];
    for (const note of notes) pluck(result, step * stepSamples, 261.63 * 2 ** (note / 12));
    for (let at = 0; at < stepSamples / 4; at++) {
      const place = step * stepSamples + at;
      if (place < length)
        result[place] = (result[place] ?? 0) + 0.3 * (2 * random() - 1) * Math.exp(-at / 150);
    }
  }
  return result;
}

/** A note of eight harmonics that dies away in a second. */
function pluck(into: Float32Array, from: number, hertz: number): void {
  const end = Math.min(into.length, from + sampleRate);
  for (let place = from; place < end; place++) {
    const seconds = (place - from) / sampleRate;
    let sum = 0;
    for (let harmonic = 1; harmonic <= 8 && hertz * harmonic < 7500; harmonic++)
      sum +=
        Math.sin(2 * Math.PI * hertz * harmonic * seconds) * (Math.exp(-seconds * 2 * harmonic) / harmonic);
    into[place] = (into[place] ?? 0) + sum * Math.min(1, seconds * 200);
  }
}

/**
 * A cough every two to four seconds: a burst of breath, its resonances at 500 and 1500 Hz, then a weaker second one; a quarter of a
 * second altogether (the phases of Korpáš, Sadloňová & Vrabec 1996).
 */
function coughs(length: number, random: () => number): Float32Array {
  const result = new Float32Array(length);
  let from = Math.floor(sampleRate * (0.5 + random()));
  while (from < length) {
    const breath = resonant(resonant(white(sampleRate / 3, random), 500), 1500);
    breath.forEach((sample, at) => {
      const seconds = at / sampleRate;
      const burst = Math.min(1, seconds * 200) * Math.exp(-seconds / 0.035);
      const second = seconds < 0.16 ? 0 : 0.35 * Math.exp(-(seconds - 0.16) / 0.04);
      if (from + at < length) result[from + at] = sample * (burst + second);
    });
    from += Math.floor(sampleRate * (2 + 2 * random()));
  }
  return result;
}

/** A resonance 200 Hz wide, beside what comes in. */
function resonant(sound: Float32Array, hertz: number): Float32Array {
  const radius = Math.exp((-Math.PI * 200) / sampleRate);
  const turn = 2 * radius * Math.cos((2 * Math.PI * hertz) / sampleRate);
  let [last, before] = [0, 0];
  return sound.map((sample) => {
    const now = sample * (1 - radius) + turn * last - radius ** 2 * before;
    before = last;
    last = now;
    return 0.3 * sample + now;
  });
}

/** Six voices at once, each from somewhere in its clip and over again: no word can be followed. */
function babble(length: number, random: () => number, voices: readonly Float32Array[]): Float32Array {
  const result = new Float32Array(length);
  for (let talker = 0; talker < 6; talker++) {
    const voice = voices[Math.floor(random() * voices.length)] ?? new Float32Array(1);
    const level = rms(voice);
    const start = Math.floor(random() * voice.length);
    for (let at = 0; at < length; at++)
      result[at] = (result[at] ?? 0) + (voice[(start + at) % voice.length] ?? 0) / Math.max(level, 1e-6);
  }
  return result;
}

/** Noise of some length in samples at 16 kHz, of any level; the same seed gives the same. */
export function makeNoise(
  name: NoiseName,
  length: number,
  seed: number,
  voices: readonly Float32Array[],
): Float32Array {
  const random = uniform(seed * 7919 + noiseNames.indexOf(name) + 1);
  switch (name) {
    case 'white':
      return white(length, random);
    case 'pink':
      return pink(length, random);
    case 'hum':
      return hum(length);
    case 'music':
      return music(length, random);
    case 'coughs':
      return coughs(length, random);
    case 'babble':
      return babble(length, random, voices);
  }
}

/** Root mean square of what is not silent: a cough is as loud as its bursts, not as their mean with the silence between. */
export function rms(samples: Float32Array): number {
  const loudest = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
  let [sum, count] = [0, 0];
  const step = 160;
  for (let start = 0; start < samples.length; start += step) {
    const piece = samples.subarray(start, start + step);
    const energy = piece.reduce((total, sample) => total + sample * sample, 0);
    if (energy / piece.length < (loudest / 100) ** 2) continue;
    sum += energy;
    count += piece.length;
  }
  return Math.sqrt(sum / Math.max(1, count));
}
