import { pythonPattern } from './python-pattern.ts';

/** Short forms and what they stand for, in the order in which they are replaced: "won't" before "n't". */
const longForms: ReadonlyArray<readonly [shortForm: string, longForm: string]> = [
  ["\\bwon't\\b", 'will not'],
  ["\\bcan't\\b", 'can not'],
  ["\\blet's\\b", 'let us'],
  ["\\bain't\\b", 'aint'],
  ["\\by'all\\b", 'you all'],
  ['\\bwanna\\b', 'want to'],
  ['\\bgotta\\b', 'got to'],
  ['\\bgonna\\b', 'going to'],
  ["\\bi'ma\\b", 'i am going to'],
  ['\\bimma\\b', 'i am going to'],
  ['\\bwoulda\\b', 'would have'],
  ['\\bcoulda\\b', 'could have'],
  ['\\bshoulda\\b', 'should have'],
  ["\\bma'am\\b", 'madam'],
  ...Object.entries({
    ...{ mr: 'mister', mrs: 'missus', st: 'saint', dr: 'doctor', prof: 'professor', capt: 'captain' },
    ...{ gov: 'governor', ald: 'alderman', gen: 'general', sen: 'senator', rep: 'representative' },
    ...{ pres: 'president', rev: 'reverend', hon: 'honorable', asst: 'assistant', assoc: 'associate' },
    ...{ lt: 'lieutenant', col: 'colonel', jr: 'junior', sr: 'senior', esq: 'esquire' },
  }).map(([title, whole]) => [`\\b${title}\\b`, `${whole} `] as const),
  ["'d been\\b", ' had been'],
  ["'s been\\b", ' has been'],
  ["'d gone\\b", ' had gone'],
  ["'s gone\\b", ' has gone'],
  ["'d done\\b", ' had done'],
  ["'s got\\b", ' has got'],
  ["n't\\b", ' not'],
  ["'re\\b", ' are'],
  ["'s\\b", ' is'],
  ["'d\\b", ' would'],
  ["'ll\\b", ' will'],
  ["'t\\b", ' not'],
  ["'ve\\b", ' have'],
  ["'m\\b", ' am'],
];
const patterns = longForms.map(([shortForm, longForm]) => [pythonPattern(shortForm), longForm] as const);
const hesitations = pythonPattern('\\b(hmm|mm|mhm|mmm|uh|um)\\b');
const spaceBeforeApostrophe = pythonPattern("\\s+'");

/** Writes out short forms of lower-case English, and leaves out hesitations. */
export function expandContractions(text: string): string {
  const spoken = text.replace(hesitations, '').replace(spaceBeforeApostrophe, "'");
  return patterns.reduce((result, [shortForm, longForm]) => result.replace(shortForm, longForm), spoken);
}
