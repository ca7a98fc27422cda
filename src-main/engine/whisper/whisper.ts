import { join } from 'node:path';
import { Tensor } from 'onnxruntime-node';
import type { BundleManifest } from '../../../native-models/bundles/manifest.ts';
import type { Encoded, Encoder } from '../encoder.ts';
import { engineFailed } from '../failures.ts';
import { logSumExp } from '../log-sum-exp.ts';
import { type Feeds, floats, type Outputs, Session } from '../onnxruntime/session.ts';
import { TextTokens } from '../prompt/text-tokens.ts';
import type { Stopwatch } from '../stopwatch.ts';

export type WhisperPart = NonNullable<BundleManifest['whisper']>;

/** Keys and values of one window of sound, for the decoder's attention across to it. */
export type CrossCache = Feeds;

/** Whisper's decoder with the encoder it shares with the speech LLM (Radford et al. 2022). */
export class Whisper {
  readonly part: WhisperPart;
  readonly text: TextTokens;
  readonly encoder: Encoder;
  readonly #cross: Session;
  readonly #decoder: Session;

  private constructor(
    part: WhisperPart,
    text: TextTokens,
    encoder: Encoder,
    cross: Session,
    decoder: Session,
  ) {
    this.part = part;
    this.text = text;
    this.encoder = encoder;
    this.#cross = cross;
    this.#decoder = decoder;
  }

  /** The decoder runs on the CPU: on a device the 37 MB of a window's keys and values would cross the bus at each token. */
  static async open(folder: string, part: WhisperPart, encoder: Encoder, threads: number): Promise<Whisper> {
    const needs = { provider: 'cpu', threads } as const;
    const text = await TextTokens.read(join(folder, part.tokenizer));
    const cross = await Session.open("Whisper's cross-attention", join(folder, part.crossGraph), {
      ...needs,
      spin: false,
    });
    const decoder = await Session.open("Whisper's decoder", join(folder, part.graph), {
      ...needs,
      spin: true,
    });
    return new Whisper(part, text, encoder, cross, decoder);
  }

  /** Encodes at most 30 s of sound. Throws engine-failed. */
  async listen(samples: Float32Array, watch: Stopwatch): Promise<CrossCache> {
    const { data, frames }: Encoded = await this.encoder.encode(samples, { kind: '30s' }, watch);
    const feeds = { encoder: new Tensor('float32', data, [1, frames, data.length / frames]) };
    const names = this.#names('cross');
    return watch.time('transcribeMs', async () => tensors(await this.#cross.run(feeds, names), names, names));
  }

  /** A decoder at the start of a window. */
  start(cross: CrossCache): WhisperStep {
    const { heads, hidden } = this.part;
    const empty = new Tensor('float32', new Float32Array(0), [1, heads, 0, hidden / heads]);
    const names = this.#names('past');
    return { cross, past: Object.fromEntries(names.map((name) => [name, empty])), position: 0 };
  }

  /** Reads tokens; gives the state after them and the logits [tokens, vocabulary]. Throws engine-failed. */
  async step(
    { cross, past, position }: WhisperStep,
    tokens: readonly number[],
  ): Promise<{ step: WhisperStep; logits: Float32Array }> {
    const feeds: Feeds = {
      input_ids: new Tensor('int64', BigInt64Array.from(tokens, BigInt), [1, tokens.length]),
      position: new Tensor('int64', BigInt64Array.of(BigInt(position)), [1]),
      ...past,
      ...cross,
    };
    const present = this.#names('present');
    const outputs = await this.#decoder.run(feeds, ['logits', ...present]);
    const next = tensors(outputs, present, this.#names('past'));
    return {
      step: { cross, past: next, position: position + tokens.length },
      logits: floats(outputs, 'logits', this.#decoder),
    };
  }

  /** What Whisper thinks of a window before it writes a word: one step of the decoder. */
  async firstImpression(cross: CrossCache): Promise<FirstImpression> {
    const { startOfTranscript, noSpeech, languages } = this.part.tokens;
    const { logits } = await this.step(this.start(cross), [startOfTranscript]);
    let language = 'en';
    let certainty = 0;
    for (const [code, token] of Object.entries(languages)) {
      const likely = probability(logits, token);
      if (likely > certainty) [language, certainty] = [code, likely];
    }
    return { noSpeech: probability(logits, noSpeech), language, certainty };
  }

  async close(): Promise<void> {
    await this.#cross.close();
    await this.#decoder.close();
  }

  #names(kind: 'cross' | 'past' | 'present'): string[] {
    return Array.from(
      { length: 2 * this.part.layers },
      (_, i) => `${kind}.${i >> 1}.${i % 2 ? 'value' : 'key'}`,
    );
  }
}

/** Where the decoder stands in a window. */
export interface WhisperStep {
  readonly cross: CrossCache;
  readonly past: Feeds;
  readonly position: number;
}

export interface FirstImpression {
  /** Probability of the token that Whisper was trained to give when nobody speaks. */
  readonly noSpeech: number;
  /** The likeliest language and its probability; a model of English alone says `en` with 0. */
  readonly language: string;
  readonly certainty: number;
}

/**
 * Whether anybody speaks in a window. Noise and music get a high probability of no speech and no language above 0.25; speech,
 * however quiet, a language above 0.7 (measured on the samples and on white, pink and brown noise, hum, clicks and plucked
 * strings).
 */
export function isSpeech({ noSpeech, certainty }: FirstImpression): boolean {
  return noSpeech <= 0.6 || certainty >= 0.4;
}

/** Softmax of one logit. */
export function probability(logits: Float32Array, token: number): number {
  return Math.exp((logits[token] ?? -Infinity) - logSumExp(logits));
}

function tensors(outputs: Outputs, from: readonly string[], to: readonly string[]): Feeds {
  return Object.fromEntries(
    from.map((name, i) => {
      const tensor = outputs[name];
      if (tensor === undefined) throw engineFailed('cpu', `Reading ${name}`, new Error('no such output'));
      return [to[i] ?? name, tensor];
    }),
  );
}
