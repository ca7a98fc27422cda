/** The global scope of an audio worklet, which TypeScript's DOM library leaves out. */
declare abstract class AudioWorkletProcessor {
  readonly port: MessagePort;
  abstract process(inputs: Float32Array[][]): boolean;
}

/** Samples per second of the context that the worklet runs in. */
declare const sampleRate: number;

declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void;
