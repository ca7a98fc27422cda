import { styleText } from 'node:util';
import type { Command } from 'commander';
import { z } from 'zod';
import type { Conversation, MarkedText, Turn } from '../../contract/index.ts';
import { addHistoryTransfer, conversationId, withStore } from './history-transfer.ts';
import { type Invocation, numberOption, runs } from './invocation.ts';

const listSchema = z.object({ limit: numberOption.pipe(z.number().int().min(1).max(1000)) });

const searchSchema = z.object({
  limit: numberOption.pipe(z.number().int().min(1).max(200)),
  spoken: z.boolean().optional(),
  typed: z.boolean().optional(),
  pinned: z.boolean().optional(),
  from: z.iso.date().pipe(z.coerce.date()).optional(),
  to: z.iso.date().pipe(z.coerce.date()).optional(),
});

/** The words that were searched for, in bold where that can be shown. */
function highlighted({ text, marks }: MarkedText): string {
  return marks.reduceRight(
    (line, [from, to]) =>
      `${line.slice(0, from)}${styleText('bold', line.slice(from, to), { stream: process.stdout })}${line.slice(to)}`,
    text,
  );
}

function listLine({ id, title, turnCount, updatedAt, spoken, pinned }: Conversation): string {
  const date = new Date(updatedAt).toISOString().slice(0, 16).replace('T', ' ');
  const marks = [pinned ? 'pinned' : '', spoken ? 'spoken' : ''].filter((mark) => mark !== '').join(', ');
  return `${id}  ${date}  ${turnCount} turns  ${title}${marks === '' ? '' : `  (${marks})`}\n`;
}

function tellConversations({ output }: Invocation, found: Conversation[]): void {
  for (const conversation of found) {
    output.event({ type: 'conversation', ...conversation });
    output.text(listLine(conversation));
  }
  if (found.length === 0) output.note('No conversations.');
}

function turnText(turn: Turn): string {
  const who = turn.role === 'user' ? 'You' : 'Parlance';
  const spoken = turn.audio === null ? '' : `, spoken, ${turn.audio.seconds.toFixed(1)} s`;
  const status = turn.status === 'complete' ? '' : `, ${turn.status}`;
  const words = turn.audio === null ? turn.text : (turn.heardAs ?? '');
  const failure = turn.failure === null ? '' : `${turn.failure.message} ${turn.failure.hint}\n`;
  return `${who}${spoken}${status}:\n${words === '' ? '' : `${words}\n`}${failure}\n`;
}

/** `parlance history …`: the conversations on this machine. */
export function addHistory(program: Command): void {
  const history = program.command('history').description('Shows the conversations on this machine.');

  const list = history
    .command('list')
    .description('Lists conversations, the latest first.')
    .option('--limit <N>', 'how many at most', '100');
  runs(list, listSchema, (invocation, { limit }) =>
    withStore(invocation, async (store) =>
      tellConversations(invocation, await store.conversations({ limit })),
    ),
  );

  addHistoryTransfer(history);

  const search = history
    .command('search')
    .description('Finds conversations by their words.')
    .argument('<WORDS...>')
    .option('--spoken', 'only those with a spoken turn')
    .option('--typed', 'only those without one')
    .option('--pinned', 'only pinned ones')
    .option('--from <DAY>', 'going on at this day or later, such as 2026-01-31')
    .option('--to <DAY>', 'begun at this day or before')
    .option('--limit <N>', 'how many at most', '100');
  runs(search, searchSchema, (invocation, { limit, spoken, typed, pinned, from, to }, words) =>
    withStore(invocation, async ({ search: find }) => {
      const kind = spoken ? 'spoken' : typed ? 'typed' : undefined;
      const { hits } = await find({
        words: words.join(' '),
        limit,
        ...(kind && { kind }),
        ...(pinned && { pinned }),
        ...(from !== undefined && { from: from.getTime() }),
        // The whole of that day.
        ...(to !== undefined && { to: to.getTime() + 86_399_999 }),
      });
      for (const { conversation, title, passages } of hits) {
        invocation.output.event({ type: 'conversation', ...conversation, titleMarks: title.marks, passages });
        invocation.output.text(listLine(conversation));
        for (const { passage } of passages) invocation.output.text(`    ${highlighted(passage)}\n`);
      }
      if (hits.length === 0) invocation.output.note('No conversations.');
    }),
  );

  const show = history.command('show').description('Shows all turns of a conversation.').argument('<ID>');
  runs(show, z.object({}), (invocation, _options, [id]) =>
    withStore(invocation, async (store) => {
      const { output } = invocation;
      const conversation = await store.conversation(conversationId(id));
      output.event({ type: 'conversation', ...conversation });
      output.text(`${conversation.title}\n\n`);
      for (const turn of await store.turns(conversation.id)) {
        output.event({ type: 'turn', ...turn });
        output.text(turnText(turn));
      }
    }),
  );
}
