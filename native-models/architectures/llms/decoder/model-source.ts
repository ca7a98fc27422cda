import { join } from 'node:path';
import { z } from 'zod';
import { ModelError } from '../../../errors.ts';
import { ConfigFields, languageModelParts, readJsonFile } from '../../../formats/config-fields.ts';
import type { Gguf } from '../../../formats/gguf.ts';
import type { TensorSource } from '../../../formats/tensor-source.ts';
import type { LlmFamily } from '../family.ts';
import { knownFamily, llmFamily } from '../registry.ts';
import { GgufFields } from './gguf-settings.ts';
import type { DecoderSettings } from './settings.ts';
import { folderTensorNames, ggufTensorNames, type TensorNames } from './tensor-names.ts';

/** A language model in files: which family's, of which settings, under which names. */
export interface ModelSource {
  readonly family: LlmFamily;
  readonly settings: DecoderSettings;
  readonly names: TensorNames;
  readonly pairs: boolean;
  readonly normsAroundZero: boolean;
}

/** `architecture`: as the recipe names it, to be held against the file; null to go by the file alone. Throws `ModelError`. */
export function sourceOfGguf(gguf: Gguf, architecture: string | null): ModelSource {
  const own = gguf.metadata('general.architecture', z.string());
  const family = llmFamily(own, gguf.path);
  if (architecture !== null && llmFamily(architecture, 'The recipe') !== family)
    throw new ModelError(
      'not-supported',
      `The recipe calls the LLM ${architecture}, but ${gguf.path} is of architecture ${own}.`,
      'Leave the architecture out of the recipe, or name the other file.',
    );
  return {
    family,
    settings: family.fromGguf(new GgufFields(gguf, own)),
    names: ggufTensorNames,
    pairs: family.ggufPairs,
    normsAroundZero: false,
  };
}

/** The same for weights beside a config.json. */
export function sourceOfFolder(
  tensors: TensorSource,
  folder: string,
  architecture: string | null,
): ModelSource {
  const path = join(folder, 'config.json');
  const json = readJsonFile(path);
  if (json === null)
    throw new ModelError(
      'file-missing',
      `There is no ${path}, which says what the weights are.`,
      "Put the model's own config.json beside its weights.",
    );
  const whole = new ConfigFields(path, json);
  const { config, family } = languageModel(whole, architecture);
  // GPTQ, AWQ and their like keep levels in tensors of their own.
  for (const fields of [whole, config]) fields.allowOnly('quantization_config', []);
  const settings = family.fromConfig(config);
  const root = rootOf(tensors, folder);
  return {
    family,
    settings,
    names: folderTensorNames(root, outputName(tensors, root), family.folderNames),
    pairs: false,
    normsAroundZero: family.normsAroundZero,
  };
}

/** The part of config.json that describes the language model, and its family. */
export function languageModel(
  whole: ConfigFields,
  architecture: string | null,
): { config: ConfigFields; family: LlmFamily } {
  const typeOf = (config: ConfigFields) => config.read('model_type', z.string().optional());
  const inner = languageModelParts(whole);
  const named = architecture === null ? null : llmFamily(architecture, 'The recipe');
  for (const config of [...inner, whole]) {
    const type = typeOf(config);
    const family = type === undefined ? null : knownFamily(type);
    if (family !== null && (named === null || named === family)) return { config, family };
  }
  // A family that another name hides behind, such as mistral: the recipe's word is taken.
  if (named !== null) return { config: inner[0] ?? whole, family: named };
  return { config: whole, family: llmFamily(typeOf(whole) ?? 'unknown', whole.path) };
}

const firstNorm = 'layers.0.input_layernorm.weight';

/** What stands before `layers.0…` in the names of the language model, among whatever else the files hold. */
function rootOf(tensors: TensorSource, folder: string): string {
  const roots = tensors
    .names()
    .filter((name) => name === firstNorm || name.endsWith(`.${firstNorm}`))
    .map((name) => name.slice(0, -firstNorm.length))
    .filter((root) => tensors.has(`${root}embed_tokens.weight`));
  const [root] = roots;
  if (root !== undefined && roots.length === 1) return root;
  throw new ModelError(
    'tensor-missing',
    roots.length === 0
      ? `The weights in ${folder} hold no language model: nothing is named …${firstNorm} beside …embed_tokens.weight.`
      : `The weights in ${folder} hold ${roots.length} language models: ${roots.join(', ')}.`,
    'Name the file or folder of the language model alone.',
  );
}

function outputName(tensors: TensorSource, root: string): string {
  const candidates = [`${root.replace(/model\.$/, '')}lm_head`, 'lm_head', `${root}lm_head`];
  return candidates.find((name) => tensors.has(`${name}.weight`)) ?? 'lm_head';
}
