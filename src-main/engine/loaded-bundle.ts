import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BundleManifest } from '../../native-models/bundles/manifest.ts';
import { openBundle } from '../../native-models/bundles/verify.ts';
import {
  isPublishedBundle,
  openPublished,
  type PublishedBundle,
} from '../../native-models/published/open-published.ts';
import { publishedManifest } from '../../native-models/published/published-manifest.ts';
import type { EngineName, Provider } from '../contract/conversation.ts';
import { Adaptor } from './adaptor.ts';
import type { AnsweringModel } from './answering-model.ts';
import { AudioEmbeddingsCache } from './caches/audio-embeddings.ts';
import type { ClipCachePlace } from './caches/clip-cache.ts';
import { KeptConversations } from './caches/kept-conversations.ts';
import { Cascade } from './cascade.ts';
import { Encoder } from './encoder.ts';
import { asParlanceError, partMissing } from './failures.ts';
import { LanguageModel } from './language-model.ts';
import type { EngineEvent } from './listeners.ts';
import { publishedDigest } from './published/published-digest.ts';
import { PublishedEncoder } from './published/published-encoder.ts';
import { PublishedLanguageModel } from './published/published-language-model.ts';
import { PublishedSpeech } from './published/published-speech.ts';
import { windowSamples } from './sound/audio-windows.ts';
import { asAdapted } from './sound/spoken-positions.ts';
import { SpeechLlm } from './speech-llm.ts';
import type { HearingModel, SpeechModel } from './speech-model.ts';
import { Whisper } from './whisper/whisper.ts';
import { hearsSpeech } from './whisper/windows.ts';

export interface BundleSettings {
  readonly cacheFolder: string;
  readonly threads: number;
  readonly memoryBytes: number;
  readonly snapshotBytes: number;
  readonly log: (event: EngineEvent) => void;
}

/** A bundle in use on one provider. Each part is read when the first request needs it, and freed with the bundle. */
export class LoadedBundle {
  readonly folder: string;
  readonly provider: Provider;
  readonly manifest: BundleManifest;
  /** SHA-256 of bundle.json, which holds the hash of every other file; see `publishedDigest` for a published one. */
  readonly digest: string;
  /** Set where the folder holds a published model as it is, whose graphs are none of the foundry's. */
  readonly #published: PublishedBundle | null;
  readonly #settings: BundleSettings;
  readonly #parts = new Map<string, Promise<{ close(): Promise<void> }>>();

  private constructor(
    folder: string,
    provider: Provider,
    manifest: BundleManifest,
    digest: string,
    settings: BundleSettings,
    published: PublishedBundle | null = null,
  ) {
    this.folder = folder;
    this.provider = provider;
    this.manifest = manifest;
    this.digest = digest;
    this.#settings = settings;
    this.#published = published;
  }

  /** Checks every file's hash before any is used. Throws bundle-incomplete, -corrupt, -newer or -invalid. */
  static async open(folder: string, provider: Provider, settings: BundleSettings): Promise<LoadedBundle> {
    try {
      if (isPublishedBundle(folder)) {
        const published = openPublished(folder);
        const digest = await publishedDigest(folder);
        return new LoadedBundle(folder, provider, publishedManifest(published), digest, settings, published);
      }
      const manifest = await openBundle(folder);
      return new LoadedBundle(folder, provider, manifest, await bundleDigest(folder), settings);
    } catch (error) {
      throw asParlanceError(error);
    }
  }

  languageModel(): Promise<AnsweringModel> {
    return this.#part<AnsweringModel>('llm', async () => {
      const { llm } = this.manifest;
      if (llm === null) throw partMissing(this.manifest.id, 'language model');
      const { threads, log } = this.#settings;
      if (this.#published !== null)
        return PublishedLanguageModel.open(this.#published, this.provider, threads);
      const model = await LanguageModel.open(this.folder, { ...this.manifest, llm }, this.provider, threads);
      const { attention } = model.decoder;
      if (attention !== null && attention.positionsAtOnce < llm.contextLength)
        log({ event: 'attention-wrong-over-many-positions', provider: this.provider, ...attention });
      return model;
    });
  }

  conversations(): Promise<KeptConversations> {
    return this.#part(
      'conversations',
      async () => new KeptConversations((await this.languageModel()).decoder, this.#settings),
    );
  }

  encoder(): Promise<Encoder> {
    return this.#part('encoder', () => {
      const { encoder, features } = this.manifest;
      if (encoder === null || features === null) throw partMissing(this.manifest.id, 'speech encoder');
      return Encoder.open(this.folder, encoder, features, this.provider, this.#settings.threads);
    });
  }

  whisper(): Promise<Whisper> {
    return this.#part('whisper', async () => {
      const { whisper } = this.manifest;
      if (whisper === null) throw partMissing(this.manifest.id, 'Whisper decoder');
      return Whisper.open(this.folder, whisper, await this.encoder(), this.#settings.threads);
    });
  }

  async speechLlm(): Promise<HearingModel> {
    if (this.#published !== null) return this.#publishedSpeech(this.#published);
    const { llm, whisper, encoder, secondEncoder, adaptor, prompt, id } = this.manifest;
    if (adaptor === null) throw partMissing(id, 'adaptor');
    if (encoder === null) throw partMissing(id, 'speech encoder');
    const longest = windowSamples(secondEncoder === null ? [encoder] : [encoder, secondEncoder]);
    return new SpeechLlm({
      encoder: () => this.encoder(),
      secondEncoder: () => this.#secondEncoder(),
      adaptor: () => this.#adaptor(),
      tokens: (await this.languageModel()).tokens,
      embeddings: new AudioEmbeddingsCache(this.#clips, adaptor.hidden),
      loraScale: llm?.lora?.scale ?? 0,
      around: { ...prompt.audio, instruction: prompt.tasks.answer ?? '' },
      windowSamples: longest,
      positions: asAdapted(adaptor, encoder.framesPerSecond, longest),
      // Two encoders hear music and a barking dog as well: there, no speech is no reason to say nothing.
      hearsSpeech:
        whisper === null || secondEncoder !== null
          ? null
          : async (samples, watch, signal) => hearsSpeech(await this.whisper(), samples, watch, signal),
    });
  }

  async speechModel(engine: EngineName): Promise<SpeechModel> {
    return engine === 'speech-llm' ? this.speechLlm() : new Cascade(() => this.whisper(), this.#clips);
  }

  /** Reads everything of the bundle that an engine's next spoken question needs. */
  async preload(engine: EngineName): Promise<void> {
    await this.conversations();
    if (this.#published !== null) await this.#publishedEncoder(this.#published);
    const { whisper, encoder, adaptor } = this.manifest;
    if (engine === 'cascade' && whisper !== null) await this.whisper();
    if (engine === 'speech-llm' && encoder !== null && adaptor !== null) {
      await this.encoder();
      await this.#secondEncoder();
      await this.#adaptor();
    }
  }

  /** Keeps the conversations on disk and frees every part. */
  async close(): Promise<void> {
    // Keys and values may live on a device that the language model's sessions hold.
    await this.#closePart('conversations');
    for (const name of [...this.#parts.keys()]) await this.#closePart(name);
  }

  async #closePart(name: string): Promise<void> {
    const opened = this.#parts.get(name);
    this.#parts.delete(name);
    const [part] = await Promise.allSettled([opened]);
    if (part.status === 'fulfilled') await part.value?.close();
  }

  get #clips(): ClipCachePlace {
    const { cacheFolder, log } = this.#settings;
    return { cacheFolder, bundle: this.digest, log };
  }

  async #secondEncoder(): Promise<Encoder | null> {
    const { secondEncoder } = this.manifest;
    if (secondEncoder === null) return null;
    const { features } = secondEncoder;
    return this.#part('second encoder', () =>
      Encoder.open(this.folder, secondEncoder, features, this.provider, this.#settings.threads),
    );
  }

  #publishedSpeech(bundle: PublishedBundle): HearingModel {
    const { hidden } = bundle.layout;
    return new PublishedSpeech({
      hearing: bundle.hearing,
      hidden,
      encoder: () => this.#publishedEncoder(bundle),
      embeddings: new AudioEmbeddingsCache(this.#clips, hidden),
    });
  }

  #publishedEncoder(bundle: PublishedBundle): Promise<PublishedEncoder> {
    return this.#part('published encoder', () =>
      PublishedEncoder.open(bundle, this.provider, this.#settings.threads),
    );
  }

  #adaptor(): Promise<Adaptor> {
    return this.#part('adaptor', () => {
      const { adaptor } = this.manifest;
      if (adaptor === null) throw partMissing(this.manifest.id, 'adaptor');
      return Adaptor.open(this.folder, adaptor, this.#settings.threads);
    });
  }

  /** Opens a part once; one that could not be opened is tried again by the next request. */
  async #part<T extends { close(): Promise<void> }>(name: string, open: () => T | Promise<T>): Promise<T> {
    const opened = this.#parts.get(name) as Promise<T> | undefined;
    if (opened !== undefined) return opened;
    const opening = Promise.resolve().then(open);
    this.#parts.set(name, opening);
    try {
      return await opening;
    } catch (error) {
      this.#parts.delete(name);
      throw asParlanceError(error);
    }
  }
}

/** SHA-256 of a bundle's manifest, or of what a published one is. Throws the system's error. */
export async function bundleDigest(folder: string): Promise<string> {
  if (isPublishedBundle(folder)) return publishedDigest(folder);
  return createHash('sha256')
    .update(await readFile(join(folder, 'bundle.json')))
    .digest('hex');
}
