import { ModelError } from '../../errors.ts';
import type { AdaptorArchitecture } from './adaptor.ts';
import { stackConvCtcArchitecture } from './stack-conv-ctc.ts';

/** Every family of adaptors that a recipe can name. */
const adaptors: readonly AdaptorArchitecture[] = [stackConvCtcArchitecture];

/** Throws `not-supported`, naming those that there are. */
export function adaptorArchitecture(name: string): AdaptorArchitecture {
  const found = adaptors.find((adaptor) => adaptor.name === name);
  if (found !== undefined) return found;
  throw new ModelError(
    'not-supported',
    `The recipe's adaptor is of the architecture ${name}, which this version cannot build.`,
    `It builds ${adaptors.map((adaptor) => adaptor.name).join(', ')}.`,
  );
}
