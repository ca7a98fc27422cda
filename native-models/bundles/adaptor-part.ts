import type { AdaptorRequest, BuiltAdaptor } from '../architectures/adaptors/adaptor.ts';
import { adaptorArchitecture } from '../architectures/adaptors/registry.ts';
import type { BuiltEncoder } from '../architectures/encoders/encoder.ts';
import { ModelError } from '../errors.ts';
import { CountedWeights } from '../formats/counted-weights.ts';
import type { LinearKind } from '../layers/linear.ts';
import { keptAs, linearKind } from './linear-kinds.ts';
import type { BundleManifest } from './manifest.ts';
import { clipPadding } from './padding.ts';
import type { Recipe } from './recipe.ts';
import { sameGraph } from './same-graph.ts';
import { adaptorSettings } from './settings.ts';
import type { RecipeSources } from './sources.ts';
import { wholeWhisper } from './whisper-part.ts';
import { writePart } from './write-part.ts';

type AdaptorRecipe = NonNullable<Recipe['adaptor']>;
export type AdaptorManifest = NonNullable<BundleManifest['adaptor']>;

/** An adaptor whose every tensor was found and fits encoder and LLM; nothing of it is written yet. */
export interface PlannedAdaptor {
  readonly architecture: string;
  readonly from: string;
  readonly built: BuiltAdaptor;
  readonly weights: CountedWeights;
  readonly kind: LinearKind;
  /** For other providers, where the CPU's graph is not for them. */
  readonly device: BuiltAdaptor | null;
  readonly padding: AdaptorManifest['padding'];
}

/** Throws `ModelError`: `shape-mismatch` names both widths when the adaptor does not fit its neighbours. */
export function planAdaptor(
  recipe: Recipe,
  adaptor: AdaptorRecipe,
  encoder: BuiltEncoder,
  secondEncoder: BuiltEncoder | null,
  llm: AdaptorRequest['llm'],
  sources: RecipeSources,
): PlannedAdaptor {
  const { architecture: name, from, config, tailSeconds, unitSamples, ...options } = adaptor;
  const architecture = adaptorArchitecture(name);
  const kind = linearKind(recipe.quantize.adaptor);
  const given = sources.weights(from);
  const weights = new CountedWeights(given);
  const named = config === undefined ? null : sources.path(config);
  const request = {
    ...{ weights, options, encoder, secondEncoder, llm },
    config: adaptorSettings(sources.path(from), named, given),
    whisper: recipe.encoder === undefined ? null : wholeWhisper(recipe.encoder, sources),
  };
  const built = architecture.build({ ...request, kind, target: 'cpu' });
  const device = architecture.build({ ...request, kind, target: recipe.target });
  if (llm !== null && built.hidden !== llm.hidden)
    throw new ModelError(
      'shape-mismatch',
      `The adaptor ${from} gives vectors of ${built.hidden}, the LLM reads vectors of ${llm.hidden}.`,
      'Use the adaptor and the LLM that were trained together, or ones of the same width.',
    );
  return {
    architecture: name,
    from,
    built,
    weights,
    kind,
    device: sameGraph(built.graph, device.graph) ? null : device,
    padding: clipPadding(recipe, encoder, { stack: built.stack, tailSeconds, unitSamples }),
  };
}

/** Writes the adaptor's graphs, which share their weights' file. */
export async function writeAdaptor(
  { architecture, from, built, weights, kind, device, padding }: PlannedAdaptor,
  folder: string,
): Promise<AdaptorManifest> {
  const definition = built.graph.finish();
  const graphs = await writePart('adaptor', definition, device?.graph.finish() ?? null, folder);
  return {
    architecture,
    from,
    learnt: { parameters: weights.parameters, kept: keptAs(kind, weights) },
    ...graphs,
    hidden: built.hidden,
    stack: built.stack,
    tokens: built.tokens,
    labels: definition.outputs.some(({ name }) => name === 'labels'),
    selection: built.selection,
    ctcTokens: [...built.ctcTokens],
    matrices: built.matrices.map(({ name }) => name),
    padding,
  };
}
