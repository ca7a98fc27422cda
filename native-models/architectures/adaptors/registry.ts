import { namedArchitecture } from '../named-architecture.ts';
import type { AdaptorArchitecture } from './adaptor.ts';
import { convArchitecture } from './conv.ts';
import { linearArchitecture } from './linear.ts';
import { mlpArchitecture } from './mlp.ts';
import { qFormerArchitecture } from './q-former.ts';
import { secondLookArchitecture } from './second-look.ts';
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
  secondLookArchitecture,
];

/** Throws `not-supported`, naming those that there are. */
export function adaptorArchitecture(name: string): AdaptorArchitecture {
  return namedArchitecture('adaptor', name, adaptors);
}
