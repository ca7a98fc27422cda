import { Resampler } from './resampler.ts';

const recordedRate = 16000;
/** Samples of one bar of the waveform: 160 ms at 16 kHz. */
const barSamples = 2560;

/** Collects the microphone's samples into 16-bit pieces of one bar each; what is left comes with `flush`. */
class CaptureProcessor extends AudioWorkletProcessor {
  #piece = new Int16Array(barSamples);
  #filled = 0;
  #squares = 0;
  #ended = false;
  #resampler = sampleRate === recordedRate ? null : new Resampler(sampleRate, recordedRate);

  constructor() {
    super();
    this.port.onmessage = () => {
      this.#post();
      this.port.postMessage('ended');
      this.#ended = true;
    };
  }

  #post() {
    if (this.#filled === 0) return;
    const pcm = new Uint8Array(this.#piece.buffer.slice(0, this.#filled * 2));
    const loudness = Math.sqrt(this.#squares / this.#filled);
    this.port.postMessage({ pcm, loudness }, [pcm.buffer]);
    this.#filled = 0;
    this.#squares = 0;
  }

  process(inputs: Float32Array[][]): boolean {
    const heard = inputs[0]?.[0] ?? new Float32Array();
    for (const sample of this.#resampler?.push(heard) ?? heard) {
      const clipped = Math.max(-1, Math.min(1, sample));
      this.#piece[this.#filled] = Math.round(clipped * 32767);
      this.#filled += 1;
      this.#squares += clipped * clipped;
      if (this.#filled === barSamples) this.#post();
    }
    return !this.#ended;
  }
}

registerProcessor('capture', CaptureProcessor);
