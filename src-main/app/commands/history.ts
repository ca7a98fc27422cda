import type { Command } from 'commander';
import { z } from 'zod';
import { type Conversation, idSchema, ParlanceError, type Turn } from '../../contract/index.ts';
import { openStore } from '../../store/open-store.ts';
import type { Store } from '../../store/protocol.ts';
import { entryUrl } from '../entries.ts';
import { type Invocation, numberOption, runs } from './invocation.ts';

const listSchema = z.object({ limit: numberOption.pipe(z.number().int().min(1).max(1000)) });

async function withStore({ home }: Invocation, work: (store: Store) => Promise<void>): Promise<void> {
  const store = await openStore({ folder: home.folder, workerUrl: entryUrl('store-worker') });
  try {
    await work(store);
  } finally {
    await store.close();
  }
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

function conversationId(given: string | undefined): string {
  const id = idSchema.safeParse(given);
  if (id.success) return id.data;
  throw new ParlanceError(
    'conversation-missing',
    `${given ?? ''} is no id of a conversation.`,
    '`parlance history list` shows the ids.',
  );
}

/** `parlance history list|search|show`: the conversations on this machine, read only. */
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

  const search = history
    .command('search')
    .description('Finds conversations by their words.')
    .argument('<WORDS...>')
    .option('--limit <N>', 'how many at most', '100');
  runs(search, listSchema, (invocation, { limit }, words) =>
    withStore(invocation, async (store) =>
      tellConversations(invocation, await store.conversations({ search: words.join(' '), limit })),
    ),
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
