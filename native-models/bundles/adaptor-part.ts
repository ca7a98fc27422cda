import { join } from 'node:path';
import { stackConvCtc, stackConvCtcConfigSchema } from '../architectures/adaptors/stack-conv-ctc.ts';
import { ModelError } from '../errors.ts';
import { withDataFile, writeModel } from '../formats/onnx-writer.ts';
import type { LazyTensor } from '../formats/tensor-source.ts';
import type { BundleManifest } from './manifest.ts';
import type { Recipe } from './recipe.ts';
import { type RecipeSources, readJson, withWeights } from './sources.ts';

type AdaptorRecipe = NonNullable<Recipe['adaptor']>;

/** Silence after a clip and the multiple of samples that it is filled to, where a recipe names neither. */
const usualTailSeconds = 0.3;
const usualUnitSamples = 2560;

/** Writes the adaptor's graph. `embeddings` is the LLM's token table, which its head compares frames with. */
export async function buildAdaptor(
  recipe: Recipe,
  adaptor: AdaptorRecipe,
  sources: RecipeSources,
  embeddings: LazyTensor | null,
  folder: string,
): Promise<NonNullable<BundleManifest['adaptor']>> {
  if (embeddings === null)
    throw new ModelError(
      'not-supported',
      'The adaptor stack-conv-ctc needs the LLM whose embeddings its head compares frames with.',
      'Add the LLM to the recipe.',
    );
  const configFrom = adaptor.config ?? adaptor.from.replace(/\.safetensors$/, '.json');
  const configPath = sources.path(configFrom);
  const config = stackConvCtcConfigSchema.safeParse(readJson(configPath));
  if (!config.success)
    throw new ModelError(
      'file-invalid',
      `${configPath} is wrong at ${config.error.issues[0]?.path.join('.')}.`,
      'Use the configuration that the adaptor was trained with.',
    );
  const { k, dl } = config.data.adaptor;
  if (adaptor.stack !== undefined && adaptor.stack !== k)
    throw new ModelError(
      'shape-mismatch',
      `The recipe stacks ${adaptor.stack} frames, the adaptor's configuration ${k}.`,
      'Correct `adaptor.stack`, or leave it out.',
    );
  const graph = 'adaptor.onnx';
  const kind = recipe.quantize.adaptor === 'q8' ? 'byte-blocks' : 'float';
  await withWeights(sources.path(adaptor.from), (weights) =>
    withDataFile(join(folder, 'adaptor.data'), (data) =>
      writeModel(stackConvCtc(weights, config.data, embeddings, kind).finish(), join(folder, graph), data),
    ),
  );
  return {
    architecture: 'stack-conv-ctc',
    graph,
    hidden: dl,
    stack: k,
    tokens: { perSecond: 50 / k },
    labels: true,
    selection: config.data.mode === 'compress' ? 'ctc-compress' : 'all',
    ctcTokens: config.data.vocab,
    padding:
      recipe.padding === '30s'
        ? { kind: '30s' }
        : {
            kind: 'none',
            tailSeconds: adaptor.tailSeconds ?? usualTailSeconds,
            unitSamples: adaptor.unitSamples ?? usualUnitSamples,
          },
  };
}
