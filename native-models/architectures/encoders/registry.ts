import { namedArchitecture } from '../named-architecture.ts';
import { beats } from './beats.ts';
import { conformer } from './conformer.ts';
import type { EncoderArchitecture } from './encoder.ts';
import { parakeet } from './parakeet.ts';
import { whisper } from './whisper.ts';

/** Every family of encoders that a recipe can name. */
const encoders: readonly EncoderArchitecture[] = [whisper, conformer, parakeet, beats];

/** Throws `not-supported`, naming those that there are. */
export function encoderArchitecture(name: string): EncoderArchitecture {
  return namedArchitecture('encoder', name, encoders);
}
