import type { BuiltEncoder } from '../architectures/encoders/encoder.ts';
import { encoderArchitecture } from '../architectures/encoders/registry.ts';
import { ModelError } from '../errors.ts';
import { CountedWeights } from '../formats/counted-weights.ts';
import type { LinearKind } from '../layers/linear.ts';
import { keptAs, linearKind } from './linear-kinds.ts';
import type { BundleManifest } from './manifest.ts';
import { clipPadding } from './padding.ts';
import type { Recipe } from './recipe.ts';
import { sameGraph } from './same-graph.ts';
import { encoderSettings, labelsBeside } from './settings.ts';
import type { RecipeSources } from './sources.ts';
import { writePart } from './write-part.ts';

type EncoderRecipe = NonNullable<Recipe['encoder']>;
export type EncoderManifest = NonNullable<BundleManifest['encoder']>;

/** An encoder whose every tensor was found and has its shape; nothing of it is written yet. */
export interface PlannedEncoder {
  readonly architecture: string;
  readonly from: string;
  readonly built: BuiltEncoder;
  readonly weights: CountedWeights;
  readonly kind: LinearKind;
  /** For other providers, where the CPU's graph is not for them. */
  readonly device: BuiltEncoder | null;
  readonly padding: NonNullable<EncoderManifest['padding']>;
}

/** Throws `ModelError`, naming what does not fit. */
export function planEncoder(encoder: EncoderRecipe, recipe: Recipe, sources: RecipeSources): PlannedEncoder {
  const { architecture: name, from, ...options } = encoder;
  const architecture = encoderArchitecture(name);
  const kind = linearKind(recipe.quantize.encoder);
  const given = sources.weights(from);
  const weights = new CountedWeights(given);
  const path = sources.path(from);
  const config = encoderSettings(path, given);
  const tokenizer = labelsBeside(path);
  const build = (target: typeof recipe.target | 'cpu') =>
    architecture.build({ weights, config, options, tokenizer, kind, target });
  const built = build('cpu');
  const device = build(recipe.target);
  return {
    architecture: name,
    from,
    built,
    weights,
    kind,
    device: sameGraph(built.graph, device.graph) ? null : device,
    padding: clipPadding(recipe, built, { stack: 1 }),
  };
}

/** Writes the graphs, which share their weights' file. `name` begins the files' names. */
export async function writeEncoder(
  { architecture, from, built, weights, kind, device, padding }: PlannedEncoder,
  name: string,
  folder: string,
): Promise<EncoderManifest> {
  const graphs = await writePart(name, built.graph.finish(), device?.graph.finish() ?? null, folder);
  const { hidden, framesPerSecond, maxPositions, unitSamples, ctcLabels } = built;
  return {
    architecture,
    from,
    learnt: { parameters: weights.parameters, kept: keptAs(kind, weights) },
    ...graphs,
    hidden,
    framesPerSecond,
    maxPositions,
    unitSamples,
    ctcLabels: ctcLabels === null ? null : [...ctcLabels],
    padding,
  };
}

/** A second encoder hears what the first hears, beside it: alone it is none. */
export function refuseLoneSecondEncoder({ encoder, secondEncoder }: Recipe): void {
  if (secondEncoder !== undefined && encoder === undefined)
    throw new ModelError(
      'not-supported',
      `The recipe has the second encoder ${secondEncoder.architecture}, but no first one.`,
      'Name it as `encoder`.',
    );
}
