import type { Conversation, Turn } from '../contract/index.ts';

const endings: Partial<Record<Turn['status'], string>> = {
  stopped: 'stopped',
  interrupted: 'interrupted',
  failed: 'failed',
};

function spokenText(turn: Turn): string {
  const seconds = turn.audio === null ? '' : `, ${turn.audio.seconds.toFixed(1)} s`;
  return `*(spoken${seconds})*${turn.heardAs === null ? '' : ` ${turn.heardAs}`}`;
}

function section(turn: Turn): string {
  const who = turn.role === 'user' ? 'You' : 'Parlance';
  const ending = endings[turn.status];
  const text = turn.role === 'user' && turn.kind === 'spoken' ? spokenText(turn) : turn.text;
  const failure = turn.failure === null ? '' : `\n\n> ${turn.failure.message}`;
  return `## ${who}${ending === undefined ? '' : ` (${ending})`}\n\n${text}${failure}`;
}

/** A conversation as Markdown, every turn in the order it was made, and a file name that any system takes. */
export function markdownExport(conversation: Conversation, turns: readonly Turn[]) {
  const name =
    conversation.title
      .replace(/[^\p{L}\p{N} -]/gu, '')
      .trim()
      .slice(0, 60)
      .trim() || 'conversation';
  const began = new Date(conversation.createdAt).toISOString();
  return {
    name: `${name}.md`,
    markdown: `${[`# ${conversation.title}`, began, ...turns.map(section)].join('\n\n')}\n`,
  };
}
