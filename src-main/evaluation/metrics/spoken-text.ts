import { normalizeBasic } from '../text/basic-normalizer.ts';
import { normalizeEnglish } from '../text/english-normalizer.ts';
import type { Edits } from './edit-distance.ts';
import { characterEdits, wordEdits } from './error-rate.ts';

/** Languages that write no spaces between words: an "error rate of words" is one of characters there, as in Whisper's paper. */
const withoutSpaces: ReadonlySet<string> = new Set(['zh', 'ja', 'th', 'lo', 'my', 'km', 'yue']);

/** Edits of words between what was said and what was written down, both normalised for their language. */
export function spokenWordEdits(said: string, written: string, language: string): Edits {
  const normalize = (text: string): string => {
    if (language === 'en') return normalizeEnglish(text);
    return normalizeBasic(text, { splitLetters: withoutSpaces.has(language) });
  };
  return wordEdits(normalize(said), normalize(written));
}

/**
 * Edits of characters. Outside English only case, punctuation and symbols are ignored: Whisper's basic normaliser would
 * also take the vowels from Thai and Hindi, which are marks there.
 */
export function spokenCharacterEdits(said: string, written: string, language: string): Edits {
  const normalize = (text: string): string => {
    if (language === 'en') return normalizeEnglish(text);
    const plain = text
      .normalize('NFKC')
      .toLowerCase()
      .replace(/[\p{S}\p{P}]/gu, ' ');
    return withoutSpaces.has(language) ? plain.replace(/\s+/gu, '') : plain;
  };
  return characterEdits(normalize(said), normalize(written));
}
