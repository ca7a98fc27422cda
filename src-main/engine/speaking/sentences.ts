import { abbreviations } from './abbreviations.ts';

/** A part of a text, in UTF-16 units: `text.slice(start, end)` is `said`. */
export interface Span {
  readonly said: string;
  readonly start: number;
  readonly end: number;
}

const space = /\s/;
const terminator = /[.!?…]/;
/** Chinese and Japanese put no space behind them. */
const wideTerminator = /[。！？｡]/;
const closer = /["'”’»)\]*_]/;
/** What begins a block of Markdown: a heading, an item, a quotation, a table's row, fenced code. */
const block = /^(?:[-*+>]|#{1,4}|\d{1,2}[.)])\s|^(?:```|~~~|\||####)/;

/**
 * Cuts text into sentences while it is still being written. A cut is made only when what follows can no longer undo it, so it does
 * not matter in what portions the text comes. Fenced code is a sentence of its own; inline code, addresses, numbers and
 * abbreviations are never cut.
 */
export class SentenceCutter {
  #text = '';
  /** Position in the whole text of what `#text` begins with. */
  #offset = 0;

  /** Gives the sentences that this portion completes. */
  write(portion: string): Span[] {
    this.#text += portion;
    return this.#cut(false);
  }

  /** Gives what is left; the next portion begins a new text. */
  end(): Span[] {
    const rest = this.#cut(true);
    this.#text = '';
    this.#offset = 0;
    return rest;
  }

  #cut(ended: boolean): Span[] {
    const found: Span[] = [];
    for (;;) {
      const lead = this.#text.length - this.#text.trimStart().length;
      const end = sentenceEnd(this.#text, lead, ended);
      if (end === null) return found;
      const said = this.#text.slice(lead, end).trimEnd();
      const start = this.#offset + lead;
      if (said !== '') found.push({ said, start, end: start + said.length });
      this.#offset += end;
      this.#text = this.#text.slice(end);
    }
  }
}

/** All sentences of a text that is there as a whole. */
export function sentencesOf(text: string): Span[] {
  const cutter = new SentenceCutter();
  return [...cutter.write(text), ...cutter.end()];
}

/** Where the first sentence from `start` ends; null while that cannot be told. */
function sentenceEnd(text: string, start: number, ended: boolean): number | null {
  if (start >= text.length) return null;
  if (text.startsWith('```', start) || text.startsWith('~~~', start)) return fenceEnd(text, start, ended);
  if (!ended && text.length - start < 3 && /^[`~]+$/.test(text.slice(start))) return null;
  let inCode = false;
  for (let at = start; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (character === '`') inCode = !inCode;
    const end =
      character === '\n' ? lineEnd(text, start, at, ended) : inCode ? 'within' : markEnd(text, at, ended);
    if (end === 'unknown') return null;
    if (end !== 'within') return end;
  }
  return ended ? text.length : null;
}

type End = number | 'within' | 'unknown';

/** A line ends a sentence where a blank line or another block follows, and behind a heading. */
function lineEnd(text: string, start: number, at: number, ended: boolean): End {
  if (/^#{1,6}\s/.test(text.slice(start, start + 7))) return at;
  const next = /^[ \t\r]*(\n|\S{1,3}\s|\S{4})?/.exec(text.slice(at + 1));
  const begin = next?.[1];
  if (begin === undefined) {
    if (!ended) return 'unknown';
    return text.slice(at + 1).trim() === '' ? at : 'within';
  }
  return begin === '\n' || block.test(begin) ? at : 'within';
}

/** A mark ends a sentence when a space and something that is no small letter follow, and no abbreviation is before it. */
function markEnd(text: string, at: number, ended: boolean): End {
  const mark = text.charAt(at);
  const wide = wideTerminator.test(mark);
  if (!wide && !terminator.test(mark)) return 'within';
  let end = at + 1;
  while (
    end < text.length &&
    (closer.test(text.charAt(end)) ||
      terminator.test(text.charAt(end)) ||
      wideTerminator.test(text.charAt(end)))
  )
    end += 1;
  if (end >= text.length) return ended ? end : 'unknown';
  if (wide) return end;
  if (!space.test(text.charAt(end))) return 'within';
  let next = end;
  while (next < text.length && space.test(text.charAt(next))) next += 1;
  if (next >= text.length) return ended ? end : 'unknown';
  if (/\n\s*\n/.test(text.slice(end, next))) return end;
  if (/\p{Ll}/u.test(text.charAt(next))) return 'within';
  return mark === '.' && end === at + 1 && isAbbreviation(text, at, text.charAt(next)) ? 'within' : end;
}

/** Whether the point at `at` belongs to the word before it. `next` is what the following word begins with. */
function isAbbreviation(text: string, at: number, next: string): boolean {
  const word = /[^\s("'“‘[]*$/.exec(text.slice(Math.max(0, at - 24), at))?.[0] ?? '';
  // An initial, "J. Smith", but not "I", which ends sentences: "So do I. Then …"
  if (/^[A-HJ-Z]$/.test(word)) return true;
  // The number of an item: a line's first word.
  if (/^\d{1,3}$/.test(word)) return /(?:^|\n)[ \t]*$/.test(text.slice(0, at - word.length));
  const kind = abbreviations[word.toLowerCase()];
  if (kind === 'before-a-name') return true;
  if (kind === 'before-a-number') return /[\d(]/.test(next);
  return kind === 'anywhere' && !/[\p{Lu}"“]/u.test(next);
}

/** Fenced code goes to the end of the line that closes it. */
function fenceEnd(text: string, start: number, ended: boolean): number | null {
  const fence = text.slice(start, start + 3);
  const close = text.indexOf(`\n${fence}`, start + 3);
  const line = close < 0 ? -1 : text.indexOf('\n', close + 1);
  if (line >= 0) return line;
  return ended ? text.length : null;
}
