import { normalizeBasic } from '../text/basic-normalizer.ts';
import { normalizeEnglish } from '../text/english-normalizer.ts';
import { splitWords } from '../text/python-pattern.ts';

/**
 * Whether an answer holds one of the known answers, as whole words, both normalised: the success rate of spoken questions,
 * which Fathullah et al. 2024 ("AudioChatLlama", table 3) have people judge, made a rule.
 */
export function isAnswered(answer: string, accepted: readonly string[], language: string): boolean {
  const words = (text: string): string => {
    const plain = language === 'en' ? normalizeEnglish(text) : normalizeBasic(text, { splitLetters: true });
    return ` ${splitWords(plain).join(' ')} `;
  };
  const said = words(answer);
  return accepted.some((known) => words(known).trim() !== '' && said.includes(words(known)));
}
