/** Scripts written without spaces between words: each character is indexed as a word, and a run is a phrase. */
export const unspacedScripts =
  '\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}';
const unspaced = new RegExp(`[${unspacedScripts}]`, 'gu');

/** Text as the full-text index takes it, so that 天気 is found inside 今日の天気は. */
export function searchWords(text: string): string {
  return text.normalize('NFKC').replace(unspaced, ' $& ');
}

/** The words that a person typed and that can be searched for. */
export function queryTerms(typed: string): string[] {
  return typed.split(/\s+/).filter((term) => /[\p{L}\p{N}]/u.test(term));
}

/**
 * What a person typed, as an FTS5 query: every word must occur, each may go on (`weath` finds `weather`). Null when
 * there is no letter or digit to search for. Quoting leaves no operator of FTS5 reachable.
 */
export function matchQuery(typed: string): string | null {
  const phrases = queryTerms(typed).map((term) => `"${searchWords(term).replaceAll('"', ' ').trim()}" *`);
  return phrases.length === 0 ? null : phrases.join(' AND ');
}
