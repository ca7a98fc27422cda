import { splitWords } from '../text/python-pattern.ts';

/**
 * Words and signs as the script `mteval-v13a` of the WMT campaigns tells them apart, which sacreBLEU's "13a" follows.
 * Post 2018, "A Call for Clarity in Reporting BLEU Scores".
 */
export function tokenize13a(text: string): string[] {
  const line = text
    .trimEnd()
    .replaceAll('<skipped>', '')
    .replaceAll('-\n', '')
    .replaceAll('\n', ' ')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>');
  return splitWords(
    ` ${line} `
      .replace(/[{-~[-` -&(-+:-@/]/gu, ' $& ')
      // A point or a comma stays in a number.
      .replace(/([^0-9])([.,])/gu, '$1 $2 ')
      .replace(/([.,])([^0-9])/gu, ' $1 $2')
      .replace(/([0-9])(-)/gu, '$1 $2 '),
  );
}
