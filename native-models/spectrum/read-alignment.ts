import { join } from 'node:path';
import { ModelError } from '../errors.ts';
import { openWeights } from '../formats/open-weights.ts';
import type { LazyTensor } from '../formats/tensor-source.ts';
import { storedMatrix } from './stored-matrix.ts';

/** What the manifest says of the adaptor, as far as its matrices go. */
export interface AlignmentParts {
  readonly graph: string;
  readonly matrices: readonly string[];
}

/** The matrices [out, in], to be read until they are closed. */
export interface Alignment {
  readonly matrices: readonly LazyTensor[];
  close(): void;
}

/**
 * The matrices that sound passes through between encoder and LLM, in their order, as the adaptor's graph holds them: rounded where it
 * is. Throws `not-supported` when the bundle names none, `tensor-missing` when its graph lacks one, and what the graph's reader throws.
 */
export function readAlignment(folder: string, { graph, matrices }: AlignmentParts): Alignment {
  if (matrices.length === 0)
    throw new ModelError(
      'not-supported',
      "The bundle does not say which of its adaptor's weights are the alignment: an older version built it.",
      'Build it again.',
    );
  const weights = openWeights(join(folder, graph));
  try {
    const found = matrices.map((name) => storedMatrix(weights, name));
    return { matrices: found, close: () => weights.close() };
  } catch (cause) {
    weights.close();
    throw cause;
  }
}
