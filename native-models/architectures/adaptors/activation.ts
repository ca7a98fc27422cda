import { z } from 'zod';
import type { Value } from '../../graph/definition.ts';
import type { Graph } from '../../graph/graph.ts';

/** Activations by the names that Hugging Face's configurations use. */
export const activationSchema = z.enum([
  'gelu',
  'gelu_new',
  'gelu_pytorch_tanh',
  'quick_gelu',
  'relu',
  'silu',
  'swish',
  'none',
]);
export type Activation = z.infer<typeof activationSchema>;

export function activate(g: Graph, x: Value, activation: Activation): Value {
  switch (activation) {
    case 'gelu':
      return g.gelu(x);
    case 'gelu_new':
    case 'gelu_pytorch_tanh':
      return g.gelu(x, 'tanh');
    case 'quick_gelu':
      return g.mul(x, g.sigmoid(g.mul(x, g.constant('float32', [], [1.702]))));
    case 'relu':
      return g.relu(x);
    case 'silu':
    case 'swish':
      return g.mul(x, g.sigmoid(x));
    case 'none':
      return x;
  }
}
