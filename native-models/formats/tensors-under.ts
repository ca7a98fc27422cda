import { ModelError } from '../errors.ts';
import type { TensorSource } from './tensor-source.ts';

/** The tensors whose names start with `prefix`, called by the rest of their names: a model within a checkpoint. */
export function tensorsUnder(source: TensorSource, prefix: string): TensorSource {
  return {
    names: () =>
      source
        .names()
        .filter((name) => name.startsWith(prefix))
        .map((name) => name.slice(prefix.length)),
    has: (name) => source.has(prefix + name),
    tensor(name) {
      if (source.has(prefix + name)) return source.tensor(prefix + name);
      throw new ModelError(
        'tensor-missing',
        `There is no tensor ${prefix}${name}.`,
        'The file holds another architecture than the recipe says, or another version of it.',
      );
    },
  };
}
