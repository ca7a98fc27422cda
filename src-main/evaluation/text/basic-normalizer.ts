import { singleSpaced } from './python-pattern.ts';
import { withoutSymbols, withoutSymbolsAndAccents } from './symbols.ts';
import { withoutBrackets } from './without-brackets.ts';

export interface BasicNormalizerOptions {
  /** é → e. */
  readonly removeDiacritics?: boolean;
  /** A space between all characters: for languages that write none between words. */
  readonly splitLetters?: boolean;
}

const characters = new Intl.Segmenter('und', { granularity: 'grapheme' });

/**
 * Text of any language, ready for comparison: Whisper's BasicTextNormalizer.
 * Radford et al. 2022, "Robust Speech Recognition via Large-Scale Weak Supervision", appendix C.
 */
export function normalizeBasic(text: string, options: BasicNormalizerOptions = {}): string {
  const cleaned = (options.removeDiacritics ? withoutSymbolsAndAccents : withoutSymbols)(
    withoutBrackets(text.toLowerCase()),
  ).toLowerCase();
  if (!options.splitLetters) return singleSpaced(cleaned);
  return singleSpaced([...characters.segment(cleaned)].map(({ segment }) => segment).join(' '));
}
