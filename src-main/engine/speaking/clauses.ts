import type { Span } from './sentences.ts';

/** Where a reader can breathe: behind a mark that a space follows, or around a dash. Never in an address or a number. */
const breath = /[,;:)](?=\s)|\s[–—-](?=\s)/g;
const gap = /\s+/g;

/**
 * Cuts a sentence into two where a reader would breathe, as near to its middle as can be; without such a place between words; within a
 * word that is too long by itself between two characters. Null when there is nothing left to cut.
 */
export function halves({ said, start }: Span): readonly [Span, Span] | null {
  // Code and links have marks of their own: they are cut between words at most.
  const outside = said.replace(/`[^`]*`|\]\([^)]*\)/g, (all) => 'x'.repeat(all.length));
  const places = ends(outside, breath);
  const at = nearestMiddle(places.length > 0 ? places : ends(outside, gap), said.length) ?? middleOf(said);
  if (at === null) return null;
  const second = said.slice(at);
  const lead = second.length - second.trimStart().length;
  const first = said.slice(0, at).trimEnd();
  if (first === '' || lead === second.length) return null;
  return [
    { said: first, start, end: start + first.length },
    { said: second.trim(), start: start + at + lead, end: start + said.trimEnd().length },
  ];
}

function ends(text: string, pattern: RegExp): number[] {
  return [...text.matchAll(pattern)]
    .map((match) => match.index + match[0].length)
    .filter((at) => at < text.trimEnd().length);
}

function nearestMiddle(places: readonly number[], length: number): number | null {
  const [nearest] = [...places].sort((a, b) => Math.abs(a - length / 2) - Math.abs(b - length / 2));
  return nearest ?? null;
}

/** Between two code points. */
function middleOf(text: string): number | null {
  const points = [...text];
  return points.length < 2 ? null : points.slice(0, Math.floor(points.length / 2)).join('').length;
}
