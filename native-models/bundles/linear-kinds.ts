import type { CountedWeights } from '../formats/counted-weights.ts';
import type { LinearKind } from '../layers/linear.ts';
import type { Recipe } from './recipe.ts';

type Quantization = Recipe['quantize']['encoder'];

/**
 * How the linear layers of an encoder or an adaptor are computed, on every target. `q8` are blocks with a scale each: with inputs in
 * int8 and one scale for all of them (DynamicQuantizeMatMul), a third faster on a CPU, Whisper base falls to a cosine of 0.990
 * with itself; with blocks it keeps 0.9998.
 */
export function linearKind(quantize: Quantization): LinearKind {
  return ({ none: 'float', keep: 'float', q8: 'byte-blocks', q4: 'nibble-blocks' } as const)[quantize];
}

const rounded: Readonly<Record<Exclude<LinearKind, 'float'>, string>> = {
  'dynamic-int8': 'int8',
  'byte-blocks': '8-bit blocks',
  'nibble-blocks': '4-bit blocks',
};

/** How a part's weights are kept, for people: as in the file, or rounded but for norms and biases. */
export function keptAs(kind: LinearKind, weights: CountedWeights): string[] {
  return kind === 'float' ? [...weights.types] : [rounded[kind], 'F32'];
}
