import type { Adaptor } from './adaptor.ts';
import {
  type AudioEmbeddings,
  type AudioEmbeddingsCache,
  audioEmbeddings,
} from './caches/audio-embeddings.ts';
import type { Encoder } from './encoder.ts';
import { concatenated } from './language-model.ts';
import type { PromptMessage } from './prompt/prompt.ts';
import type { TextTokens } from './prompt/text-tokens.ts';
import { audioWindows } from './sound/audio-windows.ts';
import { clipSeconds } from './sound/clip-length.ts';
import { checkAudible, mayBeNoise, nothingHeard } from './sound/hearing-checks.ts';
import type { Loudness } from './sound/loudness.ts';
import type { SpokenPositions } from './sound/spoken-positions.ts';
import { readClip, sampleRate } from './sound/wav.ts';
import type { AudioTurn, Heard, HearingModel } from './speech-model.ts';
import type { Stopwatch } from './stopwatch.ts';

/** What stands around the sound of a turn: text of the bundle directly before and after it, and what is asked of it. */
export interface AroundSound {
  readonly before: string;
  readonly after: string;
  readonly instruction: string;
}

export interface SpeechLlmParts {
  /** Read when the first clip is to be encoded: typed questions, and clips heard before, do without. */
  readonly encoder: () => Promise<Encoder>;
  /** Hears the clip beside the first; null in most bundles. */
  readonly secondEncoder: () => Promise<Encoder | null>;
  readonly adaptor: () => Promise<Adaptor>;
  readonly tokens: TextTokens;
  readonly embeddings: AudioEmbeddingsCache;
  readonly loraScale: number;
  readonly around: AroundSound;
  /** Samples that the encoders read at once. */
  readonly windowSamples: number;
  readonly positions: SpokenPositions;
  /** Whether Whisper, where the bundle has it, hears speech in a clip; null where a bundle hears other sounds as well. */
  readonly hearsSpeech:
    | ((samples: Float32Array, watch: Stopwatch, signal: AbortSignal) => Promise<boolean>)
    | null;
}

/** Sound straight into the LLM: encoder, adaptor, and the vectors in the place of the words. */
export class SpeechLlm implements HearingModel {
  readonly name = 'speech-llm';
  readonly loraScale: number;
  readonly #parts: SpeechLlmParts;

  constructor(parts: SpeechLlmParts) {
    this.#parts = parts;
    this.loraScale = parts.loraScale;
  }

  async outline(turn: AudioTurn): Promise<PromptMessage['content']> {
    const known = await this.#parts.embeddings.read(turn.sha256);
    const positions = known?.positions ?? this.#parts.positions.usual(await clipSeconds(turn.path));
    return this.content('', positions, this.#parts.around.instruction);
  }

  fit(room: number): number {
    return this.#parts.positions.fit(room);
  }

  async hear(turn: AudioTurn, asked: boolean, watch: Stopwatch, signal: AbortSignal): Promise<Heard> {
    const known = await this.#parts.embeddings.read(turn.sha256);
    if (known !== null && known.positions > 0) return this.#heard(known);
    const samples = await readClip(turn.path);
    const level = asked ? checkAudible(samples) : null;
    const clip = known ?? (await this.encode(samples, watch, signal));
    if (level !== null) await this.#checkSpeech(samples, clip, level, watch, signal);
    await this.#parts.embeddings.write(turn.sha256, clip);
    return this.#heard(clip);
  }

  /** Sound as it stands in a turn, `audio` being the hash of its vectors. */
  content(audio: string, positions: number, instruction: string): PromptMessage['content'] {
    const { before, after } = this.#parts.around;
    return [{ template: before }, { audio, positions }, { template: after + instruction }];
  }

  /** Pieces of a clip that can be encoded by themselves, none longer than `seconds`. */
  windows(samples: Float32Array, seconds = Number.POSITIVE_INFINITY): Float32Array[] {
    return audioWindows(samples, Math.min(this.#parts.windowSamples, seconds * sampleRate));
  }

  /** Vectors of a clip of any length, window by window. */
  async encode(samples: Float32Array, watch: Stopwatch, signal: AbortSignal): Promise<AudioEmbeddings> {
    const { tokens } = this.#parts;
    const encoder = await this.#parts.encoder();
    const secondEncoder = await this.#parts.secondEncoder();
    const adaptor = await this.#parts.adaptor();
    const vectors: Float32Array[] = [];
    const labels: number[] = [];
    const words: string[] = [];
    for (const window of this.windows(samples)) {
      signal.throwIfAborted();
      const encoded = await encoder.encode(window, adaptor.part.padding, watch);
      const second = (await secondEncoder?.encodeBeside(encoder, window, watch)) ?? null;
      const adapted = await watch.time('adaptMs', () => adaptor.adapt(encoded, second));
      vectors.push(adapted.vectors);
      labels.push(...adapted.tokens);
      if (encoded.text !== '') words.push(encoded.text);
    }
    const heardAs = adaptor.part.labels ? tokens.decode(labels).trim() : words.join(' ');
    return audioEmbeddings(concatenated(vectors), adaptor.part.hidden, heardAs);
  }

  /** An adaptor makes something of any noise: where it read little or the clip is flat, Whisper is asked as well. */
  async #checkSpeech(
    samples: Float32Array,
    clip: AudioEmbeddings,
    level: Loudness,
    watch: Stopwatch,
    signal: AbortSignal,
  ): Promise<void> {
    if (clip.positions === 0) throw nothingHeard(samples, level);
    const { hearsSpeech } = this.#parts;
    const seconds = samples.length / sampleRate;
    const doubtful = mayBeNoise(level) || clip.heardAs.length < seconds;
    if (doubtful && hearsSpeech !== null && !(await hearsSpeech(samples, watch, signal)))
      throw nothingHeard(samples, level);
  }

  #heard({ hash, positions, vectors, heardAs }: AudioEmbeddings): Heard {
    return {
      content: this.content(hash, positions, this.#parts.around.instruction),
      vectors: new Map([[hash, vectors]]),
      audioTokens: positions,
      heardAs,
    };
  }
}
