import { join } from 'node:path';
import { mergingOf } from '../../../native-models/published/merge-audio.ts';
import type { PublishedBundle } from '../../../native-models/published/open-published.ts';
import { PublishedEmbedder } from '../../../native-models/published/published-embedder.ts';
import type { Provider } from '../../contract/conversation.ts';
import type { AnsweringModel } from '../answering-model.ts';
import { asParlanceError } from '../failures.ts';
import { concatenated } from '../language-model.ts';
import { PromptBuilder } from '../prompt/prompt.ts';
import type { Unit } from '../prompt/sequence.ts';
import { TextTokens } from '../prompt/text-tokens.ts';
import { PublishedDecoder } from './published-decoder.ts';
import { openPublishedSession } from './published-session.ts';

/** Everything of a published bundle's LLM: tokens, prompts, token embeddings and the decoder. */
export class PublishedLanguageModel implements AnsweringModel {
  readonly part: AnsweringModel['part'];
  readonly tokens: TextTokens;
  readonly prompts: PromptBuilder;
  readonly decoder: PublishedDecoder;
  readonly #embedder: PublishedEmbedder;
  readonly #audioToken: number;
  readonly #closeTable: () => Promise<void>;

  private constructor(
    { contextLength, eosTokens, audioToken }: PublishedBundle,
    tokens: TextTokens,
    prompts: PromptBuilder,
    decoder: PublishedDecoder,
    table: { embedder: PublishedEmbedder; close: () => Promise<void> },
  ) {
    this.part = { hidden: decoder.width, contextLength, eosTokens };
    this.tokens = tokens;
    this.prompts = prompts;
    this.decoder = decoder;
    this.#audioToken = audioToken;
    this.#embedder = table.embedder;
    this.#closeTable = table.close;
  }

  /** Throws bundle-corrupt, bundle-invalid, not-supported or engine-failed. */
  static async open(
    bundle: PublishedBundle,
    provider: Provider,
    threads: number,
  ): Promise<PublishedLanguageModel> {
    const { folder, embedTokens, bosToken, eosTokens, audioToken } = bundle;
    const merging = mergingOf(join(folder, bundle.audioEncoder.path));
    const tokens = await TextTokens.read(join(folder, 'tokenizer.json'));
    const prompts = new PromptBuilder(bundle.chatTemplate, tokens, bosToken, eosTokens[0]);
    const decoder = await PublishedDecoder.open(bundle, provider, threads);
    // A table is read by one thread, on the CPU: what comes out is spliced with sound there.
    const session = await openPublishedSession('the token embeddings', folder, embedTokens, {
      provider: 'cpu',
      threads: 1,
      spin: false,
    });
    const embedder = new PublishedEmbedder(session, decoder.graph.layout, audioToken, merging);
    return new PublishedLanguageModel(bundle, tokens, prompts, decoder, {
      embedder,
      close: () => session.close(),
    });
  }

  /** What the decoder reads of a stretch of the prompt, sound in its place. */
  async embed(units: readonly Unit[], vectors: ReadonlyMap<string, Float32Array>): Promise<Float32Array> {
    const sounds: Float32Array[] = [];
    const ids = units.flatMap((unit) => {
      if (typeof unit === 'number') return [unit];
      const sound = vectors.get(unit.audio);
      if (sound === undefined) throw new Error(`no vectors of clip ${unit.audio}`);
      sounds.push(sound);
      return new Array<number>(unit.positions).fill(this.#audioToken);
    });
    try {
      return await this.#embedder.rows(ids, concatenated(sounds));
    } catch (error) {
      throw asParlanceError(error);
    }
  }

  async close(): Promise<void> {
    await this.#closeTable();
    await this.decoder.close();
  }
}
