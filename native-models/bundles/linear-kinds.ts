import { ModelError } from '../errors.ts';
import type { LinearKind } from '../layers/linear.ts';
import type { Recipe } from './recipe.ts';

type Quantization = Recipe['quantize']['encoder'];

/** How a part's matrices are kept, for people. */
export const keptAs: Readonly<Record<LinearKind, readonly string[]>> = {
  float: ['float32'],
  'dynamic-int8': ['int8', 'float32'],
  'byte-blocks': ['8-bit blocks', 'float32'],
};

interface Kinds {
  readonly cpu: LinearKind;
  readonly device: LinearKind;
}

/**
 * How an encoder's linear layers are computed. `q8` multiplies in int8 on the CPU, many positions at once, which no other provider
 * can: those get the plain weights. Throws `not-supported`.
 */
export function encoderKinds(quantize: Quantization, part: 'encoder' | 'secondEncoder'): Kinds {
  if (quantize === 'q8') return { cpu: 'dynamic-int8', device: 'float' };
  return plainKinds(quantize, part);
}

/** An adaptor reads few positions: `q8` is about its size. Throws `not-supported`. */
export function adaptorKinds(quantize: Quantization): Kinds {
  if (quantize === 'q8') return { cpu: 'byte-blocks', device: 'byte-blocks' };
  return plainKinds(quantize, 'adaptor');
}

function plainKinds(quantize: Quantization, part: string): Kinds {
  if (quantize === 'none' || quantize === 'keep') return { cpu: 'float', device: 'float' };
  throw new ModelError(
    'not-supported',
    `The recipe wants ${quantize} for the ${part}, which this version cannot build.`,
    'It builds none, keep, q8.',
  );
}
