import spellings from './american-spellings.json' with { type: 'json' };
import { expandContractions } from './english-contractions.ts';
import { numbersAsFigures } from './english-numbers.ts';
import { singleSpaced, splitWords } from './python-pattern.ts';
import { withoutSymbolsAndAccents } from './symbols.ts';
import { withoutBrackets } from './without-brackets.ts';

/** British words and their American spelling; where the table comes from stands beside it. */
const american: ReadonlyMap<string, string> = new Map(Object.entries(spellings));

/**
 * English text ready for comparison: Whisper's EnglishTextNormalizer, with its spelling table. Radford et al. 2022, "Robust
 * Speech Recognition via Large-Scale Weak Supervision", appendix C.
 */
export function normalizeEnglish(text: string): string {
  const spoken = expandContractions(withoutBrackets(text.toLowerCase()));
  const symbols = spoken.replace(/(\p{Nd}),(\p{Nd})/gu, '$1$2').replace(/\.([^0-9]|$)/gu, ' $1');
  const words = numbersAsFigures(withoutSymbolsAndAccents(symbols, '.%$¢€£'));
  const spelled = splitWords(words)
    .map((word) => american.get(word) ?? word)
    .join(' ');
  // Symbols that belong to no number.
  return singleSpaced(spelled.replace(/[.$¢€£]([^0-9])/gu, ' $1').replace(/([^0-9])%/gu, '$1 '));
}
