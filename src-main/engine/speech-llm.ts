import type { Adaptor } from './adaptor.ts';
import {
  type AudioEmbeddings,
  type AudioEmbeddingsCache,
  audioEmbeddings,
} from './caches/audio-embeddings.ts';
import type { Encoder } from './encoder.ts';
import { concatenated } from './language-model.ts';
import type { TextTokens } from './prompt/text-tokens.ts';
import { audioWindows } from './sound/audio-windows.ts';
import { clipSeconds } from './sound/clip-length.ts';
import { checkAudible, mayBeNoise, nothingHeard } from './sound/hearing-checks.ts';
import type { Loudness } from './sound/loudness.ts';
import { readClip, sampleRate } from './sound/wav.ts';
import { type AudioTurn, type Heard, type SpeechModel, usualPositionsPerSecond } from './speech-model.ts';
import type { Stopwatch } from './stopwatch.ts';

export interface SpeechLlmParts {
  /** Read when the first clip is to be encoded: typed questions, and clips heard before, do without. */
  readonly encoder: () => Promise<Encoder>;
  readonly adaptor: () => Promise<Adaptor>;
  readonly tokens: TextTokens;
  readonly embeddings: AudioEmbeddingsCache;
  readonly loraScale: number;
  /** Whether Whisper, where the bundle has it, hears speech in a clip. */
  readonly hearsSpeech: (samples: Float32Array, watch: Stopwatch, signal: AbortSignal) => Promise<boolean>;
}

/** Sound straight into the LLM: encoder, adaptor, and the vectors in the place of the words. */
export class SpeechLlm implements SpeechModel {
  readonly name = 'speech-llm';
  readonly loraScale: number;
  readonly #parts: SpeechLlmParts;

  constructor(parts: SpeechLlmParts) {
    this.#parts = parts;
    this.loraScale = parts.loraScale;
  }

  async estimate(turn: AudioTurn): Promise<number> {
    const known = await this.#parts.embeddings.read(turn.sha256);
    return known?.positions ?? Math.ceil((await clipSeconds(turn.path)) * usualPositionsPerSecond);
  }

  async hear(turn: AudioTurn, asked: boolean, watch: Stopwatch, signal: AbortSignal): Promise<Heard> {
    const known = await this.#parts.embeddings.read(turn.sha256);
    if (known !== null && known.positions > 0) return heard(known);
    const samples = await readClip(turn.path);
    const level = asked ? checkAudible(samples) : null;
    const clip = known ?? (await this.encode(samples, watch, signal));
    if (level !== null) await this.#checkSpeech(samples, clip, level, watch, signal);
    await this.#parts.embeddings.write(turn.sha256, clip);
    return heard(clip);
  }

  /** Vectors of a clip of any length, window by window. */
  async encode(samples: Float32Array, watch: Stopwatch, signal: AbortSignal): Promise<AudioEmbeddings> {
    const { tokens } = this.#parts;
    const encoder = await this.#parts.encoder();
    const adaptor = await this.#parts.adaptor();
    const vectors: Float32Array[] = [];
    const labels: number[] = [];
    for (const window of audioWindows(samples)) {
      signal.throwIfAborted();
      const encoded = await encoder.encode(window, adaptor.part.padding, watch);
      const adapted = await watch.time('adaptMs', () => adaptor.adapt(encoded));
      vectors.push(adapted.vectors);
      labels.push(...adapted.tokens);
    }
    return audioEmbeddings(concatenated(vectors), adaptor.part.hidden, tokens.decode(labels).trim());
  }

  /** An adaptor makes something of any noise: where it made little or the clip is flat, Whisper is asked as well. */
  async #checkSpeech(
    samples: Float32Array,
    clip: AudioEmbeddings,
    level: Loudness,
    watch: Stopwatch,
    signal: AbortSignal,
  ): Promise<void> {
    const seconds = samples.length / sampleRate;
    const doubtful = mayBeNoise(level) || clip.heardAs.length < seconds;
    if (clip.positions === 0 || (doubtful && !(await this.#parts.hearsSpeech(samples, watch, signal))))
      throw nothingHeard(samples, level);
  }
}

function heard({ hash, positions, vectors, heardAs }: AudioEmbeddings): Heard {
  return {
    content: [{ audio: hash, positions }],
    vectors: new Map([[hash, vectors]]),
    audioTokens: positions,
    heardAs,
  };
}
