import { z } from 'zod';
import { ModelError } from '../errors.ts';

const tokenizerSchema = z.object({
  added_tokens: z.array(z.object({ id: z.number().int().nonnegative(), content: z.string() })),
});

const configSchema = z.object({
  lang_ids: z.array(z.number().int()).optional(),
  suppress_ids: z.array(z.number().int()).default([]),
  suppress_ids_begin: z.array(z.number().int()).default([]),
});

/** The tokens that steer Whisper's decoder (Whisper, section 2.3); languages by ISO code. */
export interface WhisperTokens {
  startOfTranscript: number;
  endOfText: number;
  transcribe: number;
  translate: number;
  startOfPrevious: number;
  noSpeech: number;
  noTimestamps: number;
  firstTimestamp: number;
  languages: Record<string, number>;
  suppress: number[];
  suppressAtBegin: number[];
}

/**
 * Reads the special tokens out of tokenizer.json (Hugging Face) and config.json (CTranslate2). The token for silence has two
 * names, by the age of the file. Throws `file-invalid` when a token is missing.
 */
export function whisperTokens(tokenizerJson: unknown, configJson: unknown): WhisperTokens {
  const tokenizer = tokenizerSchema.safeParse(tokenizerJson);
  const config = configSchema.safeParse(configJson);
  if (!tokenizer.success || !config.success)
    throw notWhisper(
      tokenizer.success ? 'config.json' : 'tokenizer.json',
      'has not the fields of a Whisper model',
    );
  const ids = new Map(tokenizer.data.added_tokens.map(({ content, id }) => [content, id]));
  const token = (...names: readonly string[]): number => {
    for (const name of names) {
      const id = ids.get(`<|${name}|>`);
      if (id !== undefined) return id;
    }
    throw notWhisper('tokenizer.json', `has no token <|${names[0]}|>`);
  };
  const noTimestamps = token('notimestamps');
  return {
    startOfTranscript: token('startoftranscript'),
    endOfText: token('endoftext'),
    transcribe: token('transcribe'),
    translate: token('translate'),
    startOfPrevious: token('startofprev'),
    noSpeech: token('nospeech', 'nocaptions'),
    noTimestamps,
    firstTimestamp: noTimestamps + 1,
    languages: languagesOf(ids, config.data.lang_ids),
    suppress: config.data.suppress_ids,
    suppressAtBegin: config.data.suppress_ids_begin,
  };
}

function languagesOf(ids: ReadonlyMap<string, number>, languageIds: readonly number[] | undefined) {
  const languages: Record<string, number> = {};
  for (const [content, id] of ids) {
    const code = /^<\|([a-z]{2,3})\|>$/.exec(content)?.[1];
    if (code !== undefined && (languageIds === undefined || languageIds.includes(id))) languages[code] = id;
  }
  return languages;
}

function notWhisper(file: string, fault: string): ModelError {
  return new ModelError(
    'file-invalid',
    `Whisper's ${file} ${fault}.`,
    "Take the file from the model's own repository.",
  );
}
