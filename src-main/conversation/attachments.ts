import { type Attachment, ParlanceError } from '../contract/index.ts';

/** Longer than any run of backticks in the text, so that the block ends where the file does. */
function fenceFor(text: string): string {
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map((run) => run.length));
  return '`'.repeat(longest + 1);
}

/** The last part of a path, on one line, without what would end a block's first line. */
function shownName(name: string): string {
  const last = name.split(/[/\\]/).at(-1) ?? '';
  const shown = last.replace(/[\p{C}`]/gu, '').slice(0, 80);
  return shown === '' ? 'file' : shown;
}

/**
 * A question with the text files that belong to it, each as a block of Markdown with its name: so they are part of what
 * was asked, wherever it is shown, searched or exported. Throws file-unreadable for a file that is no text.
 */
export function withAttachments(question: string, attachments: readonly Attachment[]): string {
  const blocks = attachments.map(({ name, text }) => {
    // A character that is none, or that stands for bytes which were none: a picture or a program was read as text.
    if (/[\0\uFFFD]/.test(text)) {
      throw new ParlanceError(
        'file-unreadable',
        `${shownName(name)} is no text file.`,
        'Attach plain text, such as Markdown, CSV or source code, in UTF-8.',
      );
    }
    const fence = fenceFor(text);
    return `${fence}${shownName(name)}\n${text.replace(/\s+$/, '')}\n${fence}`;
  });
  return [question.trim(), ...blocks].filter((part) => part !== '').join('\n\n');
}
