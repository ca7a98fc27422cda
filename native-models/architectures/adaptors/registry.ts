import { ModelError } from '../../errors.ts';
import type { AdaptorArchitecture } from './adaptor.ts';
import { convArchitecture } from './conv.ts';
import { linearArchitecture } from './linear.ts';
import { mlpArchitecture } from './mlp.ts';
import { qFormerArchitecture } from './q-former.ts';
import { stackArchitecture } from './stack.ts';
import { stackConvCtcArchitecture } from './stack-conv-ctc.ts';
import { ultravoxArchitecture } from './ultravox.ts';
import { windowQFormerArchitecture } from './window-q-former.ts';

/** Every family of adaptors that a recipe can name. */
const adaptors: readonly AdaptorArchitecture[] = [
  linearArchitecture,
  mlpArchitecture,
  convArchitecture,
  qFormerArchitecture,
  windowQFormerArchitecture,
  stackArchitecture,
  ultravoxArchitecture,
  stackConvCtcArchitecture,
];

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
