/** Addresses are said by their host; what stands behind it is for eyes. */
const address = /(?:https?:\/\/|www\.)[^\s<>()\]]+[^\s<>()\].,;:!?"'*_`]/gi;
const emoji =
  /(?:\p{Regional_Indicator}{2}|\p{Extended_Pictographic}[\u{FE0F}\u{1F3FB}-\u{1F3FF}]*(?:\u{200D}\p{Extended_Pictographic}[\u{FE0F}\u{1F3FB}-\u{1F3FF}]*)*)\u{FE0F}?/gu;

/** The words in which markup is told, for one language. */
export interface MarkupWords {
  /** `language` is null where the fence names none. */
  code(language: string | null): string;
  readonly dot: string;
  readonly at: string;
  readonly slash: string;
}

/**
 * What a reader would say of a sentence of Markdown: links by their text, emphasis not at all, fenced code by its name, inline code
 * by its words, pictures by their description; emoji are left out.
 */
export function withoutMarkup(markdown: string, words: MarkupWords): string {
  const fence = /^(?:```|~~~)[ \t]*([\w+#.-]*)/.exec(markdown);
  if (fence !== null) return words.code(fence[1] === '' || fence[1] === undefined ? null : fence[1]);
  return markdown
    .replace(/^[ \t]*\|?(?:[ \t]*:?-{3,}:?[ \t]*\|?)+[ \t]*$/gm, '')
    .replace(/^[ \t]*(?:[-*_][ \t]*){3,}$/gm, '')
    .replace(/^[ \t]{0,3}(?:>[ \t]?)+/gm, '')
    .replace(/^[ \t]*#{1,6}[ \t]+(.*?)[ \t]*#*$/gm, '$1.')
    .replace(/^[ \t]*[-*+][ \t]+(?:\[[ xX]\][ \t]+)?/gm, '')
    .replace(/!\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/\[([^\]]+)\]\([^)]*\)/g, '$1')
    .replace(/\[\^[^\]]+\]/g, '')
    .replace(/`+([^`]+)`+/g, (_all, code: string) => codeAloud(code, words))
    .replace(/<((?:https?:\/\/|mailto:)[^>]+)>/g, '$1')
    .replace(/<\/?[a-z][^>]*>/gi, ' ')
    .replace(/[\w.+-]+@[\w-]+(?:\.[\w-]+)+/g, (mail) => mailAloud(mail, words))
    .replace(address, (url) => addressAloud(url, words))
    .replace(/(\*\*|__|~~)(?=\S)(.+?)(?<=\S)\1/g, '$2')
    .replace(/(?<![\w*])([*_])(?=\S)(.+?)(?<=\S)\1(?!\w)/g, '$2')
    .replace(
      /^[ \t]*\|(.*)\|[ \t]*$/gm,
      (_row, cells: string) =>
        `${cells
          .split('|')
          .map((cell) => cell.trim())
          .join(', ')}.`,
    )
    .replace(/\*{1,3}|~~|\\(?=[*_`#[\]()~>-])/g, '')
    .replace(emoji, ' ')
    .replace(/\.([.!?])/g, (both, mark: string) => (mark === '.' ? both : mark))
    .replace(/([:!?])\./g, '$1')
    .replace(/\s+/g, ' ')
    .trim();
}

/** `https://www.example.org/a?b=c` → "example dot org". */
function addressAloud(url: string, { dot }: MarkupWords): string {
  const host =
    url
      .replace(/^https?:\/\//i, '')
      .replace(/^www\./i, '')
      .split(/[/?#:]/, 1)[0] ?? '';
  return host.replaceAll('.', ` ${dot} `);
}

function mailAloud(mail: string, { at, dot }: MarkupWords): string {
  return mail.replace('@', ` ${at} `).replaceAll('.', ` ${dot} `).replaceAll(/[_+-]/g, ' ');
}

/** `getUserName()` → "get User Name", `src/main.ts` → "src slash main dot ts". */
function codeAloud(code: string, { dot, slash }: MarkupWords): string {
  if (/^(?:https?:\/\/|www\.)/i.test(code)) return code;
  return code
    .replace(/\(\s*\)/g, '')
    .replace(/(?<=\p{Ll})(?=\p{Lu})/gu, ' ')
    .replace(/[_{}[\]();]+/g, ' ')
    .replace(/(?<=\w)\.(?=[a-z])/gi, ` ${dot} `)
    .replace(/(?<=\w)\/(?=\w)/g, ` ${slash} `)
    .trim();
}
