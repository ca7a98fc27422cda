import { ModelError } from '../../errors.ts';
import { beats } from './beats.ts';
import { conformer } from './conformer.ts';
import type { EncoderArchitecture } from './encoder.ts';
import { parakeet } from './parakeet.ts';
import { whisper } from './whisper.ts';

/** Every family of encoders that a recipe can name. */
const encoders: readonly EncoderArchitecture[] = [whisper, conformer, parakeet, beats];

/** Throws `not-supported`, naming those that there are. */
export function encoderArchitecture(name: string): EncoderArchitecture {
  const found = encoders.find((encoder) => encoder.name === name);
  if (found !== undefined) return found;
  throw new ModelError(
    'not-supported',
    `The recipe's encoder is of the architecture ${name}, which this version cannot build.`,
    `It builds ${encoders.map((encoder) => encoder.name).join(', ')}.`,
  );
}
