/** Zero crossings of the kernel on either side, in samples of the lower rate. */
const zeroCrossings = 16;
/** Where the pass band ends, as a part of half the lower rate: leaves room for the kernel's slope. */
const passBand = 0.92;
const stepsPerCrossing = 256;

/**
 * A sinc, cut off at the lower rate and faded out by a Blackman window, tabulated from its middle outwards. Unit: one
 * sample of the lower rate is `stepsPerCrossing` entries.
 */
const kernel = Float64Array.from({ length: zeroCrossings * stepsPerCrossing + 2 }, (_, index) => {
  const distance = index / stepsPerCrossing;
  if (distance >= zeroCrossings) return 0;
  const angle = Math.PI * passBand * distance;
  const sinc = angle === 0 ? 1 : Math.sin(angle) / angle;
  const phase = (Math.PI * distance) / zeroCrossings;
  return passBand * sinc * (0.42 + 0.5 * Math.cos(phase) + 0.08 * Math.cos(2 * phase));
});

function kernelAt(distance: number): number {
  const position = Math.abs(distance) * stepsPerCrossing;
  const index = Math.floor(position);
  const [here, next] = [kernel[index] ?? 0, kernel[index + 1] ?? 0];
  return here + (next - here) * (position - index);
}

/**
 * Changes the rate of sound that comes piece by piece. For browsers that give the microphone only at its own rate;
 * it runs inside an audio worklet, where neither a WebAssembly library nor the main process can be reached.
 */
export class Resampler {
  readonly #ratio: number;
  readonly #scale: number;
  readonly #halfWidth: number;
  #samples: Float32Array;
  /** Where in `#samples` the next output sample lies. */
  #centre: number;

  constructor(inputRate: number, outputRate: number) {
    this.#ratio = inputRate / outputRate;
    this.#scale = Math.min(1, outputRate / inputRate);
    this.#halfWidth = zeroCrossings / this.#scale;
    this.#samples = new Float32Array(Math.ceil(this.#halfWidth));
    this.#centre = this.#samples.length;
  }

  /** Takes the next input samples, and gives the output samples that can be told from what came so far. */
  push(input: Float32Array): Float32Array {
    const samples = new Float32Array(this.#samples.length + input.length);
    samples.set(this.#samples);
    samples.set(input, this.#samples.length);
    const output: number[] = [];
    for (; this.#centre + this.#halfWidth < samples.length; this.#centre += this.#ratio) {
      output.push(this.#at(samples));
    }
    const done = Math.max(0, Math.floor(this.#centre - this.#halfWidth));
    this.#samples = samples.slice(done);
    this.#centre -= done;
    return Float32Array.from(output);
  }

  #at(samples: Float32Array): number {
    let sum = 0;
    const first = Math.max(0, Math.ceil(this.#centre - this.#halfWidth));
    for (let index = first; index <= this.#centre + this.#halfWidth; index += 1) {
      sum += (samples[index] ?? 0) * kernelAt((index - this.#centre) * this.#scale);
    }
    return sum * this.#scale;
  }
}
