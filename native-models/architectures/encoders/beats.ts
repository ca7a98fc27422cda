import { z } from 'zod';
import { ModelError } from '../../errors.ts';
import { derivedTensor } from '../../formats/derived-tensor.ts';
import type { LazyTensor, TensorSource } from '../../formats/tensor-source.ts';
import type { Value } from '../../graph/definition.ts';
import { Graph } from '../../graph/graph.ts';
import { knownDimension, shapeMismatch } from '../../graph/shape.ts';
import { expectShape } from '../../layers/expect-shape.ts';
import type { LinearKind } from '../../layers/linear.ts';
import { floatWeight } from '../../layers/matrix-weights.ts';
import { beatsAttention, relativePositions } from './beats-attention.ts';
import type { EncoderArchitecture } from './encoder.ts';
import { kaldiFeatures } from './feature-overrides.ts';
import { countModules, inside, layerNorm, linearLayer, prefixesOf, weightOf } from './modules.ts';
import { checked, refuseOptions } from './settings.ts';

/** `cfg` of the checkpoint, as far as the weights do not tell; what is left out is as BEATsConfig has it. */
const settingsSchema = z.object({
  encoder_layers: z.number().int().min(1).optional(),
  encoder_attention_heads: z.number().int().min(1).max(1024).default(12),
  activation_fn: z.enum(['gelu', 'gelu_accurate', 'relu']).default('gelu'),
  layer_norm_first: z.boolean().default(false),
  deep_norm: z.boolean().default(false),
  conv_pos_groups: z.number().int().min(1).max(4096).default(16),
  relative_position_embedding: z.boolean().default(false),
  num_buckets: z.number().int().min(4).max(10_000).optional(),
  max_distance: z.number().int().min(2).max(10_000).default(1280),
  /** Checkpoints have it as a number too. */
  gru_rel_pos: z.union([z.boolean(), z.literal(0), z.literal(1)]).default(false),
});
type Settings = z.infer<typeof settingsSchema>;

/** The checkpoint's own dict, or `cfg` alone. */
const configSchema = z.looseObject({ cfg: z.looseObject({}).optional() });

/** `cfg` of every published checkpoint, for weights that were saved without theirs. */
const published = {
  deep_norm: true,
  relative_position_embedding: true,
  gru_rel_pos: true,
  max_distance: 800,
};

const mels = 128;
const firstTensor = 'patch_embedding.weight';

/**
 * BEATs (Chen et al. 2022), SALMONN's second encoder: patches of 16 × 16 of a 128-band filter bank, eight to a time step and one
 * behind the other, convolutional positions, then transformer layers with gated relative positions. From a checkpoint of
 * microsoft/unilm (`{cfg, model}`). A fine-tuned one's predictor is left out.
 */
export const beats: EncoderArchitecture = {
  name: 'beats',
  build({ weights, config, options, kind, target }) {
    refuseOptions(options);
    const source = moduleOf(weights);
    const settings = settingsOf(config);
    const g = new Graph('beats-encoder', target);
    const features = g.input('features', 'float32', [1, mels, 'frames']);
    const patches = embedPatches(g, source, features, kind);
    const hidden = knownDimension(patches.x.shape, 2, 'BEATs');
    const encoded = transformer(g, inside(source, 'encoder.'), patches.x, settings, kind);
    g.output('encoder', encoded, [1, 'patches', hidden]);
    return {
      graph: g,
      // The mean and twice the deviation of AudioSet's filter banks.
      features: kaldiFeatures(mels, { mean: 15.41663, deviation: 2 * 6.55582 }),
      hidden,
      framesPerSecond: (100 / patches.size) * (mels / patches.size),
      maxPositions: null,
      // What does not fill a patch is left out, as in training: nothing is appended.
      unitSamples: 1,
      ctcLabels: null,
    };
  },
};

function moduleOf(weights: TensorSource): TensorSource {
  const [prefix] = prefixesOf(weights, firstTensor);
  if (prefix !== undefined) return inside(weights, prefix);
  throw new ModelError(
    'tensor-missing',
    `The second encoder's weights have no ${firstTensor}.`,
    'Give the checkpoint of BEATs as microsoft/unilm publishes it.',
  );
}

function settingsOf(config: object): Settings {
  const { cfg, ...flat } = checked(configSchema, config, 'The settings of BEATs');
  const known = Object.keys(flat).some((name) => Object.hasOwn(settingsSchema.shape, name));
  return checked(settingsSchema, cfg ?? (known ? flat : published), 'cfg of BEATs');
}

/** Patches, low bands first within a time step → norm → the encoder's width: [1, patches, hidden]. */
function embedPatches(g: Graph, source: TensorSource, features: Value, kind: LinearKind) {
  const tensor = source.tensor(firstTensor);
  const [width = 0, , size = 0] = tensor.shape;
  if (size < 1 || mels % size !== 0)
    throw shapeMismatch(`${tensor.name} makes patches of ${size} bands of ${mels}`);
  const kernel = g.weight(tensor.name, floatWeight(expectShape(tensor, [width, 1, size, size])));
  const biasName = 'patch_embedding.bias';
  const bias = source.has(biasName) ? weightOf(g, source, biasName, [width]) : null;
  const image = g.unsqueeze(g.transpose(features, [0, 2, 1]), 1);
  const grid = g.conv(image, kernel, bias, { stride: size });
  const patches = g.transpose(g.reshape(grid, [1, width, -1]), [0, 2, 1]);
  const normed = layerNorm(g, source, patches, 'layer_norm');
  const projected = source.has('post_extract_proj.weight')
    ? linearLayer(g, source, normed, 'post_extract_proj', kind)
    : normed;
  return { x: projected, size };
}

function transformer(
  g: Graph,
  source: TensorSource,
  patches: Value,
  settings: Settings,
  kind: LinearKind,
): Value {
  const { layer_norm_first: normFirst, encoder_attention_heads: heads } = settings;
  const layers = countModules(source.names(), 'layers.');
  if (layers === 0 || layers !== (settings.encoder_layers ?? layers))
    throw shapeMismatch(
      `BEATs: cfg says ${settings.encoder_layers ?? 'some'} layers, the weights hold ${layers}`,
    );
  const placed = g.add(patches, convolutionalPositions(g, source, patches, settings.conv_pos_groups));
  let x = normFirst ? placed : layerNorm(g, source, placed, 'layer_norm');
  const positions = settings.relative_position_embedding
    ? relativePositions(g, x, relativeTable(source, settings), settings.max_distance)
    : null;
  const attention = { heads, positions, gated: Boolean(settings.gru_rel_pos), kind };
  const alpha = settings.deep_norm ? (2 * layers) ** 0.25 : 1;
  for (let layer = 0; layer < layers; layer++) {
    const module = inside(source, `layers.${layer}.`);
    const attend = (x: Value) => beatsAttention(g, inside(module, 'self_attn.'), x, attention);
    const feed = (x: Value) => {
      const wide = activated(g, linearLayer(g, module, x, 'fc1', kind), settings.activation_fn);
      return linearLayer(g, module, wide, 'fc2', kind);
    };
    x = residual(g, module, x, { norm: 'self_attn_layer_norm', alpha, normFirst }, attend);
    x = residual(g, module, x, { norm: 'final_layer_norm', alpha, normFirst }, feed);
  }
  return normFirst ? layerNorm(g, source, x, 'layer_norm') : x;
}

/** Every layer lists the table, but all share one. */
function relativeTable(source: TensorSource, settings: Settings): LazyTensor {
  const table = source.tensor('layers.0.self_attn.relative_attention_bias.weight');
  const { num_buckets: buckets, encoder_attention_heads: heads } = settings;
  return expectShape(table, [buckets ?? table.shape[0] ?? 0, heads]);
}

/** `norm(α·x + f(x))` (DeepNet), or `x + f(norm(x))` in checkpoints that norm first. */
function residual(
  g: Graph,
  source: TensorSource,
  x: Value,
  given: { readonly norm: string; readonly alpha: number; readonly normFirst: boolean },
  change: (x: Value) => Value,
): Value {
  const { norm, alpha, normFirst } = given;
  if (normFirst) return g.add(x, change(layerNorm(g, source, x, norm)));
  const kept = alpha === 1 ? x : g.mul(x, g.constant('float32', [], [Math.fround(alpha)]));
  return layerNorm(g, source, g.add(kept, change(x)), norm);
}

function activated(g: Graph, x: Value, name: Settings['activation_fn']): Value {
  return name === 'relu' ? g.relu(x) : g.gelu(x, name === 'gelu' ? 'none' : 'tanh');
}

/** Positions as what a wide convolution makes of the neighbourhood, as long as x [1, S, hidden]. */
function convolutionalPositions(g: Graph, source: TensorSource, x: Value, groups: number): Value {
  const hidden = knownDimension(x.shape, 2, 'BEATs');
  const weight = weightNormed(source, 'pos_conv.0');
  const kernel = weight.shape[2] ?? 0;
  expectShape(weight, [hidden, hidden / groups, kernel]);
  // An even kernel gives one place too many, of which the last goes.
  const padding = [Math.floor(kernel / 2), Math.floor((kernel - 1) / 2)] as const;
  const channels = g.transpose(x, [0, 2, 1]);
  const bias = weightOf(g, source, 'pos_conv.0.bias', weight.shape.slice(0, 1));
  const convolved = g.conv(channels, g.weight(weight.name, floatWeight(weight)), bias, { padding, groups });
  return g.transpose(g.gelu(convolved), [0, 2, 1]);
}

/** PyTorch's weight norm over dimension 2, by its old names (`weight_g`, `weight_v`) or its new ones. */
function weightNormed(source: TensorSource, module: string): LazyTensor {
  const parametrized = `${module}.parametrizations.weight.original`;
  const [lengths, directions] = source.has(`${parametrized}0`)
    ? [source.tensor(`${parametrized}0`), source.tensor(`${parametrized}1`)]
    : [source.tensor(`${module}.weight_g`), source.tensor(`${module}.weight_v`)];
  const kernel = directions.shape[2] ?? 0;
  expectShape(lengths, [1, 1, kernel]);
  return derivedTensor(`${module}.weight`, directions.shape, () => {
    const [wanted, values] = [lengths.float32(), directions.float32()];
    const squares = new Float64Array(kernel);
    values.forEach((value, i) => {
      squares[i % kernel] = (squares[i % kernel] ?? 0) + value * value;
    });
    return values.map(
      (value, i) => (value * (wanted[i % kernel] ?? 0)) / Math.sqrt(squares[i % kernel] || 1),
    );
  });
}
