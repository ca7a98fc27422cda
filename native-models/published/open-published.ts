import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { ModelError } from '../errors.ts';
import { type DecoderLayout, decoderLayout } from './decoder-layout.ts';
import { publishedFamily } from './families.ts';
import { fileMissing, readJsonFile, readJsonFileIfThere, readTextIfThere } from './files.ts';
import { type DtypeChoice, type GraphFiles, graphFiles } from './graph-files.ts';
import { graphHead } from './graph-head.ts';
import type { Hearing } from './hearing/hearing.ts';
import {
  addedTokensSchema,
  configSchema,
  type GenerationConfig,
  generationConfigSchema,
  type PublishedConfig,
  preprocessorSchema,
  processorSchema,
  type RuntimeConfig,
  type TokenizerConfig,
  tokenizerConfigSchema,
} from './schemas.ts';

/** A published speech LLM in its folder: everything that is known of it without reading a weight. */
export interface PublishedBundle {
  readonly folder: string;
  /** `model_type` of config.json. */
  readonly modelType: string;
  /** The family's name for people. */
  readonly title: string;
  readonly config: PublishedConfig;
  readonly hearing: Hearing;
  readonly audioEncoder: GraphFiles;
  readonly embedTokens: GraphFiles;
  readonly decoder: GraphFiles;
  /** What the decoder graph takes: width of a position, keys and values, types. */
  readonly layout: DecoderLayout;
  readonly vocabulary: number;
  /** Id that stands for one vector of sound. */
  readonly audioToken: number;
  readonly bosToken: number | null;
  readonly eosTokens: readonly number[];
  readonly chatTemplate: string;
  readonly generation: GenerationConfig;
  readonly contextLength: number;
  /** Words that ask for a transcription, if it can be asked for one. */
  readonly transcribe: string | null;
}

export interface OpenPublishedOptions {
  /** Kind of weights, for all graphs or by graph; by default what the folder's own settings say, or the best there is. */
  readonly dtype?: DtypeChoice;
}

const modelTypeSchema = z.object({ model_type: z.string() });
/** Where a model does not say how far it can look back. */
const usualContext = 4096;

/** Whether a folder holds a model of this layout: a config.json with a model type beside a folder of graphs, and no bundle.json. */
export function isPublishedBundle(folder: string): boolean {
  if (existsSync(join(folder, 'bundle.json'))) return false;
  const text = readTextIfThere(folder, 'config.json');
  if (text === null) return false;
  try {
    return modelTypeSchema.safeParse(JSON.parse(text)).success;
  } catch {
    return false; // a broken config.json is told about by whatever the folder turns out to be
  }
}

/**
 * Reads and checks a folder of the transformers.js layout. Throws `not-supported` naming an unknown model type,
 * `bundle-incomplete` naming a missing file, `bundle-invalid` naming a wrong field.
 */
export function openPublished(folder: string, { dtype }: OpenPublishedOptions = {}): PublishedBundle {
  const { model_type } = readJsonFile(folder, 'config.json', modelTypeSchema);
  const family = publishedFamily(model_type);
  const config = readJsonFile(folder, 'config.json', configSchema);
  const tokenizer = readJsonFile(folder, 'tokenizer_config.json', tokenizerConfigSchema);
  const generation = readJsonFileIfThere(folder, 'generation_config.json', generationConfigSchema) ?? {};
  const runtime = config['transformers.js_config'] ?? {};
  const settings = {
    config,
    tokenizer,
    preprocessor: readJsonFile(folder, 'preprocessor_config.json', preprocessorSchema),
    processor: readJsonFileIfThere(folder, 'processor_config.json', processorSchema) ?? {},
  };
  const graphs = graphsOf(folder, runtime, dtype);
  return {
    folder,
    modelType: model_type,
    title: family.title,
    config,
    hearing: family.hearing(settings),
    ...graphs,
    ...decoderOf(join(folder, graphs.decoder.path), config),
    audioToken: audioTokenOf(folder, config, family.audioToken),
    bosToken: bosTokenOf(folder, config, generation, tokenizer),
    eosTokens: eosTokensOf(config, generation),
    chatTemplate: chatTemplateOf(folder, tokenizer),
    generation,
    contextLength: config.text_config.max_position_embeddings ?? usualContext,
    transcribe: family.transcribe,
  };
}

function graphsOf(folder: string, runtime: RuntimeConfig, dtype: DtypeChoice | undefined) {
  return {
    audioEncoder: graphFiles(folder, 'audio_encoder', runtime, dtype),
    embedTokens: graphFiles(folder, 'embed_tokens', runtime, dtype),
    decoder: graphFiles(folder, 'decoder_model_merged', runtime, dtype),
  };
}

/** The graph says how wide its logits are, or the configuration does. */
function decoderOf(path: string, { text_config }: PublishedConfig) {
  const { inputs, outputs } = graphHead(path);
  const said = outputs.find(({ name }) => name === 'logits')?.shape.at(-1);
  const vocabulary = typeof said === 'number' ? said : text_config.vocab_size;
  if (vocabulary !== undefined) return { layout: decoderLayout(inputs, outputs), vocabulary };
  throw new ModelError(
    'bundle-invalid',
    `Neither ${path} nor its config.json says how many tokens there are.`,
    'Give text_config in config.json a vocab_size.',
  );
}

/** The configuration's own id, under any of its names; Python's configurations may have none, and -100 for it. */
function audioTokenOf(folder: string, config: PublishedConfig, content: string): number {
  const said = [config.ignore_index, config.audio_token_id, config.audio_token_index];
  const token = said.find((id) => id !== undefined && id >= 0) ?? addedToken(folder, content);
  if (token !== undefined) return token;
  throw new ModelError(
    'bundle-invalid',
    `Neither config.json nor tokenizer.json in ${folder} says which token stands for sound.`,
    'Give config.json an audio_token_id.',
  );
}

function bosTokenOf(
  folder: string,
  config: PublishedConfig,
  generation: GenerationConfig,
  { bos_token: named }: TokenizerConfig,
): number | null {
  const said = generation.bos_token_id ?? config.text_config.bos_token_id;
  if (said !== undefined && said !== null) return said;
  return named === undefined
    ? null
    : (addedToken(folder, typeof named === 'string' ? named : named.content) ?? null);
}

/** Id of one of the tokens that tokenizer.json has beside its vocabulary. */
function addedToken(folder: string, content: string): number | undefined {
  const { added_tokens } = readJsonFile(folder, 'tokenizer.json', addedTokensSchema);
  return added_tokens.find((added) => added.content === content)?.id;
}

function eosTokensOf(config: PublishedConfig, generation: GenerationConfig): number[] {
  const said = generation.eos_token_id ?? config.text_config.eos_token_id ?? [];
  return [...new Set(typeof said === 'number' ? [said] : said)];
}

/** The template of the tokenizer's settings, its default one where it has several, or of a file of its own. */
function chatTemplateOf(folder: string, { chat_template: said }: TokenizerConfig): string {
  const own = readTextIfThere(folder, 'chat_template.jinja');
  if (own !== null) return own;
  const named = Array.isArray(said) ? said.find(({ name }) => name === 'default')?.template : said;
  if (named !== undefined) return named;
  const beside = readJsonFileIfThere(
    folder,
    'chat_template.json',
    z.object({ chat_template: z.string() }),
  )?.chat_template;
  if (beside !== undefined) return beside;
  throw fileMissing(folder, 'a chat_template, in tokenizer_config.json or as chat_template.jinja');
}
