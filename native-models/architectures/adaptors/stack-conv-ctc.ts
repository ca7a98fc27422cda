import { z } from 'zod';
import { ModelError } from '../../errors.ts';
import type { LazyTensor, TensorSource } from '../../formats/tensor-source.ts';
import type { Weight } from '../../graph/definition.ts';
import { Graph } from '../../graph/graph.ts';
import { shapeMismatch } from '../../graph/shape.ts';
import { floatWeight } from '../../layers/matrix-weights.ts';
import type { AdaptorArchitecture, AdaptorRequest, BuiltAdaptor } from './adaptor.ts';
import { linearOf, stackedBlocks, stackedFields, weightOf } from './conv-blocks.ts';
import { adaptorSettings, expectEncoderWidth } from './fit.ts';

/** The adaptor's configuration file, as its training wrote it. */
const configSchema = z.object({
  adaptor: z.object({
    ...stackedFields,
    /** Width of the LLM's embeddings. */
    dl: z.number().int().positive(),
  }),
  mode: z.enum(['compress', 'all']),
  /** LLM tokens that are the classes of the CTC head; class 0 is the blank, class i the token at i − 1. */
  vocab: z.array(z.number().int().nonnegative()).min(1),
});
type Config = z.infer<typeof configSchema>;

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
 * RMS norm → k frames stacked → linear → blocks → RMS norm → linear → unit vector · scale. The head's classes are a blank and the
 * cosine with the embedding of each listed token, · τ + bias.
 *
 * `embeddings` is the LLM's token table [vocabulary, dl]. Throws `shape-mismatch` when LLM, adaptor and configuration disagree.
 */
function stackConvCtc(
  { weights: source, kind, target }: AdaptorRequest,
  config: Config,
  embeddings: LazyTensor,
): Graph {
  const { din, k, dl } = config.adaptor;
  if (embeddings.shape[1] !== dl)
    throw shapeMismatch(
      `The adaptor gives vectors of ${dl}, the LLM's embeddings are ${embeddings.shape[1]} wide`,
    );
  const g = new Graph('stack-conv-ctc', target);
  const module = { g, source, at: 'adaptor.', kind };
  const encoded = g.input('encoder', 'float32', [1, 'frames', din]);
  const normed = stackedBlocks(module, encoded, config.adaptor);
  const direction = linearOf(module, normed, 'out', dl);
  const unit = g.div(direction, g.max(g.reduceL2(direction, -1), g.constant('float32', [], [1e-12])));
  g.output('adaptor', g.mul(unit, weightOf(module, 'scale', [])), [1, `frames/${k}`, dl]);
  const classes = g.matMul(unit, g.weight('ctc.classes', classWeight(source, config, embeddings)));
  const bias = g.weight('ctc.bias', floatWeight(source.tensor('ctc.bias'), [config.vocab.length]));
  const scores = g.concat([linearOf(module, normed, 'blank', 1), g.add(classes, bias)], -1);
  g.output('labels', g.argMax(scores, -1), [1, `frames/${k}`]);
  return g;
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
