import { normalizeBasic } from '../text/basic-normalizer.ts';
import { splitWords } from '../text/python-pattern.ts';

/**
 * Different words in an answer: how rich it is, not how good. Tang et al. 2024, "SALMONN: Towards Generic Hearing Abilities
 * for Large Language Models", appendix C.
 */
export function distinctWords(answer: string): number {
  return new Set(splitWords(normalizeBasic(answer))).size;
}
