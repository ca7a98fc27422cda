import { join } from 'node:path';
import { Tensor } from 'onnxruntime-node';
import type { BundleManifest } from '../../native-models/bundles/manifest.ts';
import type { Provider } from '../contract/conversation.ts';
import { Decoder, type LanguageModelPart } from './decoder.ts';
import { noTokenizer } from './failures.ts';
import { floats, Session } from './onnxruntime/session.ts';
import { PromptBuilder } from './prompt/prompt.ts';
import type { Unit } from './prompt/sequence.ts';
import { TextTokens } from './prompt/text-tokens.ts';

/** Everything of a bundle's LLM: tokens, prompts, token embeddings and the decoder. */
export class LanguageModel {
  readonly part: LanguageModelPart;
  readonly tokens: TextTokens;
  readonly prompts: PromptBuilder;
  readonly decoder: Decoder;
  readonly #embed: Session;

  private constructor(
    part: LanguageModelPart,
    tokens: TextTokens,
    prompts: PromptBuilder,
    decoder: Decoder,
    embed: Session,
  ) {
    this.part = part;
    this.tokens = tokens;
    this.prompts = prompts;
    this.decoder = decoder;
    this.#embed = embed;
  }

  /** Throws bundle-corrupt, bundle-invalid or engine-failed. */
  static async open(
    folder: string,
    manifest: BundleManifest & { llm: LanguageModelPart },
    provider: Provider,
    threads: number,
  ): Promise<LanguageModel> {
    const { llm, prompt } = manifest;
    if (llm.tokenizer === null) throw noTokenizer(manifest.id);
    const tokens = await TextTokens.read(join(folder, llm.tokenizer));
    const prompts = new PromptBuilder(
      prompt.chatTemplate,
      tokens,
      llm.bosToken,
      llm.eosTokens[0],
      prompt.tasks.text,
    );
    const decoder = await Decoder.open(folder, llm, provider, threads);
    // A table is read by one thread, on the CPU: what comes out is spliced with sound there.
    const embed = await Session.open('the token embeddings', join(folder, llm.embedGraph), {
      provider: 'cpu',
      threads: 1,
      spin: false,
    });
    return new LanguageModel(llm, tokens, prompts, decoder, embed);
  }

  /**
   * Vectors of a stretch of the prompt [positions, hidden], sound in its place. `vectors` holds those of each clip by its
   * hash.
   */
  async embed(units: readonly Unit[], vectors: ReadonlyMap<string, Float32Array>): Promise<Float32Array> {
    const { hidden } = this.part;
    const ids = units.filter((unit) => typeof unit === 'number');
    const texts = ids.length === 0 ? new Float32Array(0) : await this.#embedTokens(ids);
    if (ids.length === units.length) return texts;
    const parts: Float32Array[] = [];
    let at = 0;
    for (const unit of units) {
      if (typeof unit === 'number') {
        parts.push(texts.subarray(at, at + hidden));
        at += hidden;
      } else {
        const sound = vectors.get(unit.audio);
        if (sound === undefined) throw new Error(`no vectors of clip ${unit.audio}`);
        parts.push(sound);
      }
    }
    return concatenated(parts);
  }

  async #embedTokens(ids: readonly number[]): Promise<Float32Array> {
    const feeds = { input_ids: new Tensor('int64', BigInt64Array.from(ids, BigInt), [1, ids.length]) };
    return floats(await this.#embed.run(feeds, ['inputs_embeds']), 'inputs_embeds', this.#embed);
  }

  async close(): Promise<void> {
    await this.#embed.close();
    await this.decoder.close();
  }
}

/** All values in one array. */
export function concatenated(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
