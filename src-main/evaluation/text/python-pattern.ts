const wordCharacter = '[\\p{L}\\p{N}_]';
const wordBoundary = `(?:(?<=${wordCharacter})(?!${wordCharacter})|(?<!${wordCharacter})(?=${wordCharacter}))`;
/** What Python's `str.isspace` and `\s` take for white space; JavaScript's own differ in seven characters. */
const space = '[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]';

/**
 * A pattern as Python's `re` reads it: `\b` and `\s` know all of Unicode. The public implementations of text metrics are
 * written in Python, and "naïve's" must be cut here where it is cut there.
 */
export function pythonPattern(source: string, flags = 'gu'): RegExp {
  return new RegExp(source.replaceAll('\\b', wordBoundary).replaceAll('\\s', space), flags);
}

const spaces = pythonPattern('\\s+');

/** Words between white space, as Python's `str.split()` gives them. */
export function splitWords(text: string): string[] {
  return text.split(spaces).filter((word) => word !== '');
}

/** Each stretch of white space becomes one space; none is added or taken away at the ends. */
export function singleSpaced(text: string): string {
  return text.replace(spaces, ' ');
}
