/** Title of a conversation whose first words are not known yet. */
export const untitled = 'New conversation';

const longest = 60;

/**
 * A title from the first words of a text: its first sentence, without Markdown, at most 60 characters, cut between
 * words. Null when there are no words.
 */
export function titleFrom(text: string): string | null {
  const plain = text
    .replace(/```.*?(```|$)/gs, ' ')
    .replace(/[*_`#>~[\]|]/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  const sentence = /^.+?[.!?…。！？؟](?=\s|$)/u.exec(plain)?.[0] ?? plain;
  const title = sentence.replace(/[.。,;:]+$/u, '').trim();
  if (!/[\p{L}\p{N}]/u.test(title)) return null;
  if (title.length <= longest) return title;
  const cut = title.slice(0, longest - 1);
  const lastSpace = cut.lastIndexOf(' ');
  const end = lastSpace > longest / 2 ? lastSpace : cut.length;
  // Half of a surrogate pair is no character.
  return `${cut
    .slice(0, end)
    .replace(/[\uD800-\uDBFF]$/, '')
    .trimEnd()}…`;
}
