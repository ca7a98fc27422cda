import { join } from 'node:path';
import { Tensor } from 'onnxruntime-node';
import type { BundleManifest } from '../../native-models/bundles/manifest.ts';
import {
  encoderInput,
  type Padding,
  secondEncoderInput,
} from '../../native-models/features/encoder-input.ts';
import { extractFeatures } from '../../native-models/features/extract-features.ts';
import type { Features } from '../../native-models/features/features.ts';
import type { Provider } from '../contract/conversation.ts';
import { ctcText } from './ctc-text.ts';
import { asParlanceError } from './failures.ts';
import { floats, type Outputs, Session } from './onnxruntime/session.ts';
import type { Stopwatch } from './stopwatch.ts';

/** What a speech encoder gives for a clip: [frames, hidden]. */
export interface Encoded {
  readonly data: Float32Array;
  readonly frames: number;
  /** What its CTC head reads; empty without one. */
  readonly text: string;
}

type EncoderPart = NonNullable<BundleManifest['encoder']>;
type FeatureSettings = NonNullable<BundleManifest['features']>;

/** A speech encoder with the features it wants. */
export class Encoder {
  readonly #part: EncoderPart;
  readonly #features: FeatureSettings;
  readonly #session: Session;

  private constructor(part: EncoderPart, features: FeatureSettings, session: Session) {
    this.#part = part;
    this.#features = features;
    this.#session = session;
  }

  static async open(
    folder: string,
    part: EncoderPart,
    features: FeatureSettings,
    provider: Provider,
    threads: number,
  ): Promise<Encoder> {
    // `graph` may use operators that only the CPU has: elsewhere they would bring everything back to it.
    const graph = provider === 'cpu' ? part.graph : (part.deviceGraph ?? part.graph);
    const session = await Session.open('the speech encoder', join(folder, graph), {
      provider,
      threads,
      spin: false,
    });
    return new Encoder(part, features, session);
  }

  /** Encodes 16 kHz samples, no longer than it reads at once, padded as said. Throws engine-failed. */
  encode(samples: Float32Array, padding: Padding, watch: Stopwatch): Promise<Encoded> {
    return this.#encode(encoderInput(samples, padding, this.#part), watch);
  }

  /** Encodes what another encoder hears as well. Throws engine-failed. */
  encodeBeside(first: Encoder, samples: Float32Array, watch: Stopwatch): Promise<Encoded> {
    return this.#encode(secondEncoderInput(samples, first.#part, this.#part), watch);
  }

  async #encode(input: Float32Array, watch: Stopwatch): Promise<Encoded> {
    const features = await watch.time('featuresMs', () => this.#extract(input));
    return watch.time('encodeMs', () => this.#run(features));
  }

  #extract(samples: Float32Array): Features {
    try {
      return extractFeatures(samples, this.#features);
    } catch (error) {
      throw asParlanceError(error);
    }
  }

  async #run({ data, mels, frames }: Features): Promise<Encoded> {
    const feeds = { features: new Tensor('float32', data, [1, mels, frames]) };
    const { ctcLabels, hidden } = this.#part;
    const outputs = await this.#session.run(feeds, ctcLabels === null ? ['encoder'] : ['encoder', 'ctc']);
    const encoded = floats(outputs, 'encoder', this.#session);
    return { data: encoded, frames: encoded.length / hidden, text: this.#read(outputs) };
  }

  #read(outputs: Outputs): string {
    const { ctcLabels } = this.#part;
    return ctcLabels === null ? '' : ctcText(floats(outputs, 'ctc', this.#session), ctcLabels);
  }

  async close(): Promise<void> {
    await this.#session.close();
  }
}
