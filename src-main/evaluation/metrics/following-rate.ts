import { errorRate } from './error-rate.ts';
import { spokenWordEdits } from './spoken-text.ts';

/**
 * Whether an answer is one at all: a model that only writes the question down gives a word error rate to it below 30 %. The
 * share of answers that do follow is the following rate. Tang et al. 2024 (SALMONN), appendix C.
 */
export function followsInstruction(answer: string, question: string, language: string): boolean {
  if (answer.trim() === '') return false;
  const rate = errorRate([spokenWordEdits(question, answer, language)]);
  return rate === null || rate >= 0.3;
}
