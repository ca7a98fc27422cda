import type { MarkedText } from '../contract/index.ts';
import { queryTerms, unspacedScripts } from './search-words.ts';

/** Characters shown before the first hit, and in all. */
const lead = 50;
const longest = 180;
/** A turn may be a book: words are looked for this far, characters. */
const searched = 100_000;

interface Word {
  readonly start: number;
  readonly end: number;
  readonly folded: string;
}

const wordPattern = new RegExp(`[${unspacedScripts}]|[\\p{L}\\p{N}\\p{M}\\p{Co}]`, 'u');
const isUnspaced = new RegExp(`[${unspacedScripts}]`, 'u');

/** As the index folds a word: without case and accents, compatibility forms made plain. */
const fold = (word: string) => word.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();

/** Words as the index cuts them, with their places in UTF-16 units. */
export function* wordsOf(text: string): Generator<Word> {
  let start = -1;
  let place = 0;
  const word = (from: number, to: number) => ({ start: from, end: to, folded: fold(text.slice(from, to)) });
  for (const character of text.slice(0, searched)) {
    const unspaced = isUnspaced.test(character);
    const inWord = !unspaced && wordPattern.test(character);
    if (!inWord && start >= 0) {
      yield word(start, place);
      start = -1;
    }
    if (inWord && start < 0) start = place;
    if (unspaced) yield word(place, place + character.length);
    place += character.length;
  }
  if (start >= 0) yield word(start, place);
}

/** Where a phrase stands that begins at word `at`, as its last word; null when it does not. */
function endOfPhrase(words: readonly Word[], at: number, phrase: readonly string[]): Word | null {
  for (const [offset, term] of phrase.entries()) {
    const word = words[at + offset];
    const isLast = offset === phrase.length - 1;
    if (word === undefined || !(isLast ? word.folded.startsWith(term) : word.folded === term)) return null;
  }
  return words[at + phrase.length - 1] ?? null;
}

/** All places in `text` that the typed words stand at, in order, none over another. */
function marksIn(text: string, typed: string): Array<[number, number]> {
  const phrases = queryTerms(typed).map((term) => [...wordsOf(term)].map(({ folded }) => folded));
  const words = [...wordsOf(text)];
  const marks: Array<[number, number]> = [];
  for (const [at, word] of words.entries()) {
    if (word.start < (marks.at(-1)?.[1] ?? 0)) continue;
    const ends = phrases.flatMap((phrase) => endOfPhrase(words, at, phrase)?.end ?? []);
    if (ends.length > 0) marks.push([word.start, Math.max(...ends)]);
  }
  return marks;
}

/** A whole short text, with its hits. */
export function markedText(text: string, typed: string): MarkedText {
  return { text, marks: marksIn(text, typed) };
}

/** The part of a text around its first hit, on one line; null when none of the words stands in it. */
export function passageOf(text: string, typed: string): MarkedText | null {
  const plain = text.replace(/\s/g, ' ');
  const marks = marksIn(plain, typed);
  const first = marks[0];
  if (first === undefined) return null;
  const spaceBefore = plain.lastIndexOf(' ', Math.max(0, first[0] - lead));
  const from = first[0] <= lead ? 0 : Math.max(spaceBefore + 1, first[0] - 2 * lead);
  const until = Math.max(from + longest, first[1]);
  const spaceAfter = plain.lastIndexOf(' ', until);
  const to = until >= plain.length ? plain.length : spaceAfter > first[1] ? spaceAfter : until;
  const head = from === 0 ? '' : '…';
  const shift = head.length - from;
  return {
    text: `${head}${plain.slice(from, to)}${to === plain.length ? '' : '…'}`,
    marks: marks
      .filter(([, end]) => end <= to)
      .map(([start, end]): [number, number] => [start + shift, end + shift]),
  };
}
