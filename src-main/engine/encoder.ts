import { join } from 'node:path';
import { Tensor } from 'onnxruntime-node';
import type { BundleManifest } from '../../native-models/bundles/manifest.ts';
import { extractFeatures } from '../../native-models/features/extract-features.ts';
import type { Features } from '../../native-models/features/features.ts';
import { type Padding, padForEncoder } from '../../native-models/features/whisper-log-mel.ts';
import type { Provider } from '../contract/conversation.ts';
import { floats, Session } from './onnxruntime/session.ts';
import type { Stopwatch } from './stopwatch.ts';

/** What the speech encoder gives for a clip: [frames, hidden]. */
export interface Encoded {
  readonly data: Float32Array;
  readonly frames: number;
}

type EncoderPart = NonNullable<BundleManifest['encoder']>;
type FeatureSettings = NonNullable<BundleManifest['features']>;

/** The speech encoder with the features it wants. */
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

  /** Encodes at most 30 s of 16 kHz samples, padded as said. Throws engine-failed. */
  async encode(samples: Float32Array, padding: Padding, watch: Stopwatch): Promise<Encoded> {
    const features = await watch.time('featuresMs', () =>
      extractFeatures(padForEncoder(samples, padding), this.#features),
    );
    return watch.time('encodeMs', () => this.#run(features));
  }

  async #run({ data, mels, frames }: Features): Promise<Encoded> {
    const feeds = { features: new Tensor('float32', data, [1, mels, frames]) };
    const outputs = await this.#session.run(feeds, ['encoder']);
    const encoded = floats(outputs, 'encoder', this.#session);
    return { data: encoded, frames: encoded.length / this.#part.hidden };
  }

  async close(): Promise<void> {
    await this.#session.close();
  }
}
