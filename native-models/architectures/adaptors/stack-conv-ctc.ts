import { z } from 'zod';
import { ModelError } from '../../errors.ts';
import type { LazyTensor, TensorSource } from '../../formats/tensor-source.ts';
import type { Value, Weight } from '../../graph/definition.ts';
import { Graph } from '../../graph/graph.ts';
import { shapeMismatch } from '../../graph/shape.ts';
import { type LinearKind, linear } from '../../layers/linear.ts';
import { floatWeight } from '../../layers/matrix-weights.ts';
import type { AdaptorArchitecture, AdaptorRequest, BuiltAdaptor } from './adaptor.ts';
import { adaptorSettings, expectEncoderWidth } from './fit.ts';

/** The adaptor's configuration file, as its training wrote it. */
const configSchema = z.object({
  adaptor: z.object({
    /** Width of an encoder frame. */
    din: z.number().int().positive(),
    /** Encoder frames put beside one another. */
    k: z.number().int().positive(),
    /** Width inside. */
    d: z.number().int().positive(),
    /** Width of the LLM's embeddings. */
    dl: z.number().int().positive(),
    blocks: z.number().int().min(0).max(64),
    /** Frames to each side that a depthwise convolution sees. */
    ctx: z.number().int().min(0).max(64),
    ff: z.number().int().positive(),
    /** Of the attention that each block begins with; none where it is left out. */
    heads: z.number().int().min(0).max(64).default(0),
  }),
  mode: z.enum(['compress', 'all']),
  /** LLM tokens that are the classes of the CTC head; class 0 is the blank, class i the token at i − 1. */
  vocab: z.array(z.number().int().nonnegative()).min(1),
});
type Config = z.infer<typeof configSchema>;

const epsilon = 1e-6;

const optionFields = { stack: z.number().int().positive().optional() };

/** Parlance's own adaptor: short vectors in the LLM's space, and a CTC head that tells which of them carry something new. */
export const stackConvCtcArchitecture: AdaptorArchitecture = {
  name: 'stack-conv-ctc',
  build: buildStackConvCtc,
};

function buildStackConvCtc(request: AdaptorRequest): BuiltAdaptor {
  const { config, options, encoder, secondEncoder, llm } = request;
  if (secondEncoder !== null)
    throw new ModelError(
      'not-supported',
      'The adaptor stack-conv-ctc hears one encoder.',
      'Leave `secondEncoder` out of the recipe.',
    );
  if (llm === null)
    throw new ModelError(
      'not-supported',
      'The adaptor stack-conv-ctc needs the LLM whose embeddings its head compares frames with.',
      'Add the LLM to the recipe.',
    );
  const read = configSchema.safeParse(config);
  if (!read.success)
    throw new ModelError(
      'file-invalid',
      `The adaptor's configuration is wrong at ${read.error.issues[0]?.path.join('.')}.`,
      'Use the configuration that the adaptor was trained with.',
    );
  const { k, din, dl } = read.data.adaptor;
  const { stack } = adaptorSettings(optionFields, { config: {}, options });
  if (stack !== undefined && stack !== k)
    throw new ModelError(
      'shape-mismatch',
      `The recipe stacks ${stack} frames, the adaptor's configuration ${k}.`,
      'Correct `adaptor.stack`, or leave it out.',
    );
  expectEncoderWidth(din, encoder.hidden);
  return {
    graph: stackConvCtc(request, read.data, llm.embeddings),
    hidden: dl,
    stack: k,
    tokens: { perSecond: encoder.framesPerSecond / k },
    selection: read.data.mode === 'compress' ? 'ctc-compress' : 'all',
    ctcTokens: read.data.vocab,
    matrices: ['stack', 'out'].map((name) => request.weights.tensor(`adaptor.${name}.weight`)),
  };
}

/**
 * Stacked frames, convolutions and a CTC head over the LLM's own embeddings: `encoder` f32 [1, frames, din] → `adaptor` f32
 * [1, frames/k, dl] and `labels` i64 [1, frames/k].
 *
 * RMS norm → k frames stacked → linear → blocks of (RMS norm, attention over the clip; with `heads` alone), (RMS norm, depthwise
 * convolution, SiLU, linear) and (RMS norm, SwiGLU), each added to what came in → RMS norm → linear → unit vector · scale. The head's classes are a blank and the cosine with the
 * embedding of each listed token, · τ + bias.
 *
 * `embeddings` is the LLM's token table [vocabulary, dl]. Throws `shape-mismatch` when LLM, adaptor and configuration disagree.
 */
function stackConvCtc(
  { weights: source, kind, target }: AdaptorRequest,
  config: Config,
  embeddings: LazyTensor,
): Graph {
  const { din, k, dl, blocks } = config.adaptor;
  if (embeddings.shape[1] !== dl)
    throw shapeMismatch(
      `The adaptor gives vectors of ${dl}, the LLM's embeddings are ${embeddings.shape[1]} wide`,
    );
  const g = new Graph('stack-conv-ctc', target);
  const layer = (x: Value, name: string) => linearLayer(g, source, x, name, kind);
  const encoded = g.input('encoder', 'float32', [1, 'frames', din]);
  const stacked = g.reshape(rmsNorm(g, source, encoded, 'inn'), [0, -1, k * din]);
  let x = layer(stacked, 'stack');
  for (let block = 0; block < blocks; block++)
    x = convolutionBlock(g, source, x, `blocks.${block}`, config, kind);
  const normed = rmsNorm(g, source, x, 'nf');
  const direction = layer(normed, 'out');
  const unit = g.div(direction, g.max(g.reduceL2(direction, -1), g.constant('float32', [], [1e-12])));
  g.output('adaptor', g.mul(unit, weightOf(g, source, 'scale')), [1, `frames/${k}`, dl]);
  const classes = g.matMul(unit, g.weight('ctc.classes', classWeight(source, config, embeddings)));
  const bias = g.weight('ctc.bias', floatWeight(source.tensor('ctc.bias'), [config.vocab.length]));
  const scores = g.concat([layer(normed, 'blank'), g.add(classes, bias)], -1);
  g.output('labels', g.argMax(scores, -1), [1, `frames/${k}`]);
  return g;
}

function convolutionBlock(
  g: Graph,
  source: TensorSource,
  x: Value,
  name: string,
  config: Config,
  kind: LinearKind,
): Value {
  const { d, ctx, ff, heads } = config.adaptor;
  const attended = heads === 0 ? x : g.add(x, attention(g, source, x, name, config, kind));
  const channels = g.transpose(rmsNorm(g, source, attended, `${name}.n1`), [0, 2, 1]);
  const kernel = weightOf(g, source, `${name}.dw.weight`);
  const neighbours = g.conv(channels, kernel, weightOf(g, source, `${name}.dw.bias`), {
    padding: [ctx, ctx],
    groups: d,
  });
  const mixed = linearLayer(g, source, silu(g, g.transpose(neighbours, [0, 2, 1])), `${name}.pw`, kind);
  const heard = g.add(attended, mixed);
  const wide = linearLayer(g, source, rmsNorm(g, source, heard, `${name}.n2`), `${name}.w1`, kind);
  const [gate = wide, value = wide] = g.split(wide, [ff, ff], 2);
  return g.add(heard, linearLayer(g, source, g.mul(silu(g, gate), value), `${name}.w2`, kind));
}

/** Queries, keys and values from one matrix, below one another. */
function attention(
  g: Graph,
  source: TensorSource,
  x: Value,
  name: string,
  { adaptor: { d, heads } }: Config,
  kind: LinearKind,
): Value {
  if (d % heads !== 0) throw shapeMismatch(`The adaptor's ${d} columns are not ${heads} heads of one size`);
  const qkv = linearLayer(g, source, rmsNorm(g, source, x, `${name}.n0`), `${name}.qkv`, kind);
  const [query, key, value] = g.split(qkv, [d, d, d], 2);
  return linearLayer(g, source, g.multiHeadAttention(query, key, value, heads), `${name}.ao`, kind);
}

function silu(g: Graph, x: Value): Value {
  return g.mul(x, g.sigmoid(x));
}

function rmsNorm(g: Graph, source: TensorSource, x: Value, name: string): Value {
  return g.norm(x, weightOf(g, source, `${name}.g`), epsilon);
}

function weightOf(g: Graph, source: TensorSource, name: string): Value {
  return g.weight(`adaptor.${name}`, floatWeight(source.tensor(`adaptor.${name}`)));
}

/** The blank's single row is not worth quantising. */
function linearLayer(g: Graph, source: TensorSource, x: Value, name: string, kind: LinearKind): Value {
  const bias = source.has(`adaptor.${name}.bias`) ? source.tensor(`adaptor.${name}.bias`) : null;
  const weight = source.tensor(`adaptor.${name}.weight`);
  return linear(g, x, { weight, bias }, weight.shape[0] === 1 ? 'float' : kind);
}

/** [dl, classes]: unit vectors of the listed tokens' embeddings, times τ. */
function classWeight(source: TensorSource, { adaptor, vocab }: Config, embeddings: LazyTensor): Weight {
  const width = adaptor.dl;
  const [vocabulary = 0] = embeddings.shape;
  const outside = vocab.find((token) => token >= vocabulary);
  if (outside !== undefined)
    throw new ModelError(
      'shape-mismatch',
      `The adaptor's head lists token ${outside}, but the LLM has only ${vocabulary}.`,
      'Use the LLM that the adaptor was trained for.',
    );
  return {
    type: 'float32',
    shape: [width, vocab.length],
    read: () => {
      const table = embeddings.float32();
      const [tau = 1] = source.tensor('adaptor.tau').float32();
      const classes = new Float32Array(width * vocab.length);
      vocab.forEach((token, column) => {
        const row = table.subarray(token * width, (token + 1) * width);
        const length = Math.max(1e-12, Math.hypot(...row));
        row.forEach((value, i) => {
          classes[i * vocab.length + column] = (value / length) * tau;
        });
      });
      return new Uint8Array(classes.buffer);
    },
  };
}
