import { ModelError } from '../errors.ts';
import { gemma3nHearing } from './hearing/gemma3n.ts';
import { graniteSpeechHearing } from './hearing/granite-speech.ts';
import type { Hearing, PublishedSettings } from './hearing/hearing.ts';
import { ultravoxHearing } from './hearing/ultravox.ts';
import { voxtralHearing } from './hearing/voxtral.ts';

interface PublishedFamily {
  readonly title: string;
  /** Text of the token that stands for sound, where config.json does not give its id. */
  readonly audioToken: string;
  readonly hearing: (settings: PublishedSettings) => Hearing;
  /** Words that ask for a transcription; null where the family was not trained to write down what it hears. */
  readonly transcribe: string | null;
}

/** The families of this layout that are known, by `model_type`. */
const families = {
  ultravox: { title: 'Ultravox', audioToken: '<|audio|>', hearing: ultravoxHearing, transcribe: null },
  voxtral: {
    title: 'Voxtral',
    audioToken: '[AUDIO]',
    hearing: voxtralHearing,
    transcribe: 'Write down what is said, word for word, in the language in which it is said.',
  },
  granite_speech: {
    title: 'Granite Speech',
    audioToken: '<|audio|>',
    hearing: graniteSpeechHearing,
    transcribe: 'can you transcribe the speech into a written format?',
  },
  gemma3n: {
    title: 'Gemma 3n',
    audioToken: '<audio_soft_token>',
    hearing: gemma3nHearing,
    transcribe: 'Transcribe this audio.',
  },
} as const satisfies Record<string, PublishedFamily>;
export type FamilyName = keyof typeof families;

export function isKnownFamily(modelType: string): modelType is FamilyName {
  return Object.hasOwn(families, modelType);
}

/** Throws `not-supported` naming the model type and those that are known. */
export function publishedFamily(modelType: string): PublishedFamily {
  if (isKnownFamily(modelType)) return families[modelType];
  throw new ModelError(
    'not-supported',
    `Models of the type "${modelType}" cannot be used.`,
    `Choose one of these types: ${Object.keys(families).join(', ')}.`,
  );
}
