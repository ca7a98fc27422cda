import type { LinearKind } from '../layers/linear.ts';
import type { Recipe } from './recipe.ts';

type Quantization = Recipe['quantize']['encoder'];

/** How a part's matrices are kept, for people. */
export const keptAs: Readonly<Record<LinearKind, readonly string[]>> = {
  float: ['float32'],
  'dynamic-int8': ['int8', 'float32'],
  'byte-blocks': ['8-bit blocks', 'float32'],
  'nibble-blocks': ['4-bit blocks', 'float32'],
};

interface Kinds {
  readonly cpu: LinearKind;
  readonly device: LinearKind;
}

/**
 * How an encoder's linear layers are computed. `q8` multiplies in int8 on the CPU, many positions at once, which no other provider
 * can: those get the plain weights.
 */
export function encoderKinds(quantize: Quantization): Kinds {
  return quantize === 'q8' ? { cpu: 'dynamic-int8', device: 'float' } : kindsOf(quantize);
}

/** An adaptor reads few positions: `q8` is about its size. */
export function adaptorKinds(quantize: Quantization): Kinds {
  return quantize === 'q8' ? { cpu: 'byte-blocks', device: 'byte-blocks' } : kindsOf(quantize);
}

function kindsOf(quantize: Exclude<Quantization, 'q8'>): Kinds {
  const kind = quantize === 'q4' ? 'nibble-blocks' : 'float';
  return { cpu: kind, device: kind };
}
