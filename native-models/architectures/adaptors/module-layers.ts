import { ModelError } from '../../errors.ts';
import type { TensorSource } from '../../formats/tensor-source.ts';
import { layerAt, type WeightAndBias } from './tensor-names.ts';

/** One layer of a module: a norm's weight has one dimension, a linear layer's two, a 1-D convolution's three. */
export interface Layer extends WeightAndBias {
  /** Its name inside the module: `linear_1`, `0`, `layers.2`; empty where the file holds one layer without a name. */
  readonly path: string;
}

/** What those who publish speech LLMs call the module between encoder and LLM, the most telling names first. */
const moduleNames = [
  'multi_modal_projector',
  'audio_projector',
  'speech_projector',
  'mm_projector',
  'encoder_projector',
  'modality_projector',
  'speech_llama_proj',
  'adaptor',
  'adapter',
  'projector',
  'aligner',
  'alignment',
  'connector',
];

const mostLayers = 64;

/**
 * The layers of the adaptor in the order in which sound passes them. `module` names it as the recipe does; left out, it is found by
 * the names that publishers use, else the whole file is the adaptor. Throws `tensor-missing` when there is none, and
 * `not-supported` when it holds tensors that are no layer's weight or bias.
 */
export function moduleLayers(weights: TensorSource, module?: string): readonly Layer[] {
  const prefix = modulePrefix(weights, module);
  const inside = weights.names().filter((name) => name.startsWith(prefix));
  const paths = inside
    .filter((name) => isPart(name.slice(prefix.length), 'weight'))
    .map((name) => name.slice(prefix.length).replace(/\.?weight$/, ''));
  const layers = paths.map((path) => ({
    path,
    ...layerAt(weights, path === '' ? prefix : `${prefix}${path}.`),
  }));
  const known = new Set(layers.flatMap(({ weight, bias }) => [weight.name, bias?.name]));
  const stranger = inside.find((name) => !known.has(name));
  if (stranger !== undefined || layers.length > mostLayers)
    throw new ModelError(
      'not-supported',
      stranger === undefined
        ? `The adaptor has ${layers.length} layers; ${mostLayers} are taken.`
        : `The adaptor's tensor ${stranger} belongs to no layer that this architecture has.`,
      "Name another architecture, or the adaptor's part of the file by `module` in the recipe.",
    );
  return inOrder(layers);
}

function isPart(name: string, part: string): boolean {
  return name === part || name.endsWith(`.${part}`);
}

function modulePrefix(weights: TensorSource, module?: string): string {
  const names = weights.names();
  for (const candidate of module === undefined ? moduleNames : [module]) {
    const within = (name: string) => `.${name}`.indexOf(`.${candidate}.`);
    const found = names.filter((name) => within(name) >= 0).toSorted((a, b) => within(a) - within(b))[0];
    if (found !== undefined) return found.slice(0, within(found) + candidate.length + 1);
  }
  if (module === undefined && names.some((name) => isPart(name, 'weight'))) return '';
  throw new ModelError(
    'tensor-missing',
    module === undefined
      ? 'The file given for the adaptor holds no layer.'
      : `The file given for the adaptor has no module ${module}.`,
    'Check `adaptor.from` and `adaptor.module` in the recipe.',
  );
}

/** By the numbers in their names; without numbers to go by, convolutions come before linear layers. */
function inOrder(layers: readonly Layer[]): readonly Layer[] {
  const byName = layers.toSorted((a, b) => a.path.localeCompare(b.path, 'en', { numeric: true }));
  if (byName.every(({ path }) => sequentialNumber(path) !== null)) return byName;
  const inner = byName
    .filter(({ weight }) => weight.shape.length > 1)
    .toSorted((a, b) => b.weight.shape.length - a.weight.shape.length);
  const norms = byName.filter(({ weight }) => weight.shape.length <= 1);
  const [first, last] = [inner[0]?.weight.shape[1], inner.at(-1)?.weight.shape[0]];
  const places = norms.map((norm) => normPlace(norm, first, last));
  const at = (place: 'first' | 'last') => norms.filter((_, i) => places[i] === place);
  if (at('first').length > 1 || at('last').length > 1) throw unplaced(norms);
  return [...at('first'), ...inner, ...at('last')];
}

/** A norm without a number stands before the first layer or after the last, as its name or else its width says. */
function normPlace(norm: Layer, first: number | undefined, last: number | undefined): 'first' | 'last' {
  const { path, weight } = norm;
  const [width] = weight.shape;
  if (/\d/.test(path)) throw unplaced([norm]);
  if (/(^|[._])(post|out|output|final|last)([._]|$)/.test(path)) return 'last';
  if (/(^|[._])(pre|in|input|first)([._]|$)/.test(path)) return 'first';
  if (width === first && width !== last) return 'first';
  if (width === last && width !== first) return 'last';
  throw unplaced([norm]);
}

function unplaced(norms: readonly Layer[]): ModelError {
  return new ModelError(
    'not-supported',
    `Nothing tells where among the adaptor's layers ${norms.map(({ weight }) => weight.name).join(', ')} stands.`,
    'Name the layers by numbers, in the order in which sound passes them.',
  );
}

/** The place in a `Sequential` or `ModuleList`, whose layers are named by numbers. */
export function sequentialNumber(path: string): number | null {
  const number = /(?:^|\.)(\d{1,3})$/.exec(path)?.[1];
  return number === undefined ? null : Number(number);
}
