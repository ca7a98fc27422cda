import { pythonPattern } from './python-pattern.ts';

const inBrackets = pythonPattern('[<\\[][^>\\]]*[>\\]]');
const inParentheses = pythonPattern('\\(([^)]+?)\\)');

/** Leaves out what nobody said: [laughter], <unk>, (inaudible). */
export function withoutBrackets(text: string): string {
  return text.replace(inBrackets, '').replace(inParentheses, '');
}
