import { ModelError } from '../errors.ts';

/** The architecture of that name; `part` says in errors what it is of. Throws `not-supported`, naming those that there are. */
export function namedArchitecture<T extends { readonly name: string }>(
  part: 'encoder' | 'adaptor',
  name: string,
  known: readonly T[],
): T {
  const found = known.find((architecture) => architecture.name === name);
  if (found !== undefined) return found;
  throw new ModelError(
    'not-supported',
    `The recipe's ${part} is of the architecture ${name}, which this version cannot build.`,
    `It builds ${known.map((architecture) => architecture.name).join(', ')}.`,
  );
}
