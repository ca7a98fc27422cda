import { z } from 'zod';
import type { TensorSource } from '../../formats/tensor-source.ts';
import type { Value } from '../../graph/definition.ts';
import type { Graph } from '../../graph/graph.ts';
import { knownDimension, shapeMismatch } from '../../graph/shape.ts';
import { expectShape } from '../../layers/expect-shape.ts';
import { type LinearKind, linear } from '../../layers/linear.ts';
import { floatWeight } from '../../layers/matrix-weights.ts';
import { stackFrames } from './frames.ts';

/** A module of the project's own training: its tensors' names in the file begin with `at`. */
export interface TrainedModule {
  readonly g: Graph;
  readonly source: TensorSource;
  readonly at: string;
  readonly kind: LinearKind;
}

/** Fields of a configuration that training wrote. */
export const blockFields = {
  blocks: z.number().int().min(0).max(64),
  /** Frames to each side that a depthwise convolution sees. */
  ctx: z.number().int().min(0).max(64),
  ff: z.number().int().positive(),
  /** Of the attention that each block begins with; none where it is left out. */
  heads: z.number().int().min(0).max(64).default(0),
};

export const stackedFields = {
  /** Width of an encoder frame. */
  din: z.number().int().positive(),
  /** Encoder frames put beside one another. */
  k: z.number().int().positive(),
  /** Width inside. */
  d: z.number().int().positive(),
  ...blockFields,
};

export type StackedSizes = z.infer<z.ZodObject<typeof stackedFields>>;
export type BlockSizes = Omit<StackedSizes, 'din' | 'k'>;

const epsilon = 1e-6;

/** A tensor of the module. Throws `shape-mismatch` when it has another shape. */
export function weightOf(module: TrainedModule, name: string, shape: readonly number[]): Value {
  const { g, source, at } = module;
  return g.weight(`${at}${name}`, floatWeight(expectShape(source.tensor(`${at}${name}`), shape)));
}

/** x [1, S, in] → [1, S, outputs]. A row or two are not worth quantising. */
export function linearOf(
  module: TrainedModule,
  x: Value,
  name: string,
  outputs: number,
  hasBias = true,
): Value {
  const { g, source, at, kind } = module;
  const shape = [outputs, knownDimension(x.shape, -1, name)];
  const weight = expectShape(source.tensor(`${at}${name}.weight`), shape);
  const bias = hasBias ? expectShape(source.tensor(`${at}${name}.bias`), [outputs]) : null;
  return linear(g, x, { weight, bias }, outputs <= 2 ? 'float' : kind);
}

export function rmsNorm(module: TrainedModule, x: Value, name: string): Value {
  const width = knownDimension(x.shape, -1, name);
  return module.g.norm(x, weightOf(module, `${name}.g`, [width]), epsilon);
}

/**
 * Encoder frames [1, frames, din], k of them beside one another, through a linear layer, blocks and the last norm →
 * [1, frames/k, d]. Frames that fill no stack are left off.
 */
export function stackedBlocks(module: TrainedModule, encoded: Value, sizes: StackedSizes): Value {
  const { k, d } = sizes;
  const stacked = stackFrames(module.g, rmsNorm(module, encoded, 'inn'), k, 'drop');
  const x = convBlocks(module, linearOf(module, stacked, 'stack', d), sizes);
  return rmsNorm(module, x, 'nf');
}

/** x [1, S, d] through as many blocks, whose tensors' names begin with `name`. */
export function convBlocks(module: TrainedModule, x: Value, sizes: BlockSizes, name = 'blocks'): Value {
  let y = x;
  for (let block = 0; block < sizes.blocks; block++) y = convBlock(module, y, `${name}.${block}`, sizes);
  return y;
}

/**
 * (RMS norm, attention over the clip; with `heads` alone), (RMS norm, depthwise convolution, SiLU, linear) and (RMS norm, SwiGLU),
 * each added to what came in.
 */
function convBlock(module: TrainedModule, x: Value, name: string, sizes: BlockSizes): Value {
  const { g } = module;
  const { d, ctx, ff, heads } = sizes;
  const attended = heads === 0 ? x : g.add(x, attention(module, x, name, sizes));
  const channels = g.transpose(rmsNorm(module, attended, `${name}.n1`), [0, 2, 1]);
  const kernel = weightOf(module, `${name}.dw.weight`, [d, 1, 2 * ctx + 1]);
  const neighbours = g.conv(channels, kernel, weightOf(module, `${name}.dw.bias`, [d]), {
    padding: [ctx, ctx],
    groups: d,
  });
  const mixed = linearOf(module, g.silu(g.transpose(neighbours, [0, 2, 1])), `${name}.pw`, d);
  const heard = g.add(attended, mixed);
  const wide = linearOf(module, rmsNorm(module, heard, `${name}.n2`), `${name}.w1`, 2 * ff, false);
  const [gate, value] = g.split(wide, [ff, ff], 2);
  return g.add(heard, linearOf(module, g.mul(g.silu(gate), value), `${name}.w2`, d, false));
}

/** Queries, keys and values from one matrix, below one another. */
function attention(module: TrainedModule, x: Value, name: string, { d, heads }: BlockSizes): Value {
  if (d % heads !== 0) throw shapeMismatch(`The adaptor's ${d} columns are not ${heads} heads of one size`);
  const { g } = module;
  const qkv = linearOf(module, rmsNorm(module, x, `${name}.n0`), `${name}.qkv`, 3 * d);
  const [query, key, value] = g.split(qkv, [d, d, d], 2);
  return linearOf(module, g.multiHeadAttention(query, key, value, heads), `${name}.ao`, d);
}
