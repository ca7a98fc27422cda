import type { AppEvent } from '../../src-main/contract/index.ts';
import { client } from '../services/client.ts';
import { app } from './app.svelte.ts';
import { chat } from './chat.svelte.ts';
import { conversations } from './conversations.svelte.ts';
import { models } from './models.svelte.ts';
import { notices } from './notices.svelte.ts';
import { recorder } from './recorder.svelte.ts';
import { route } from './route.svelte.ts';

/** Connects what the main process says to the states that show it. Called once, before the screen is mounted. */
export function startSession() {
  client.onEvent(receive);
  client.onState((state) => {
    app.connection = state;
    if (state === 'open') void load();
  });
}

/** Everything on screen is read again: after a lost connection any of it may have changed. */
async function load() {
  try {
    await Promise.all([
      app.load(),
      conversations.load(),
      models.load(),
      recorder.active ? undefined : recorder.loadUnsent(),
      chat.conversation ? chat.reload() : chat.open(route.conversationId),
    ]);
  } catch (thrown) {
    notices.fail(thrown);
  }
}

function receive(event: AppEvent) {
  switch (event.event) {
    case 'turn.created':
    case 'turn.phase':
    case 'turn.token':
    case 'turn.updated':
      chat.receive(event);
      return;
    case 'conversation.updated':
      chat.receive(event);
      conversations.updated(event.conversation);
      return;
    case 'conversation.deleted':
      conversations.deleted(event.id);
      return;
    case 'engine.status': {
      const before = app.engine?.restarts;
      app.setEngineStatus(event.status);
      if (before !== undefined && event.status.restarts > before) tellOfRestart();
      return;
    }
    case 'model.progress':
      models.receive(event.progress);
      return;
    case 'settings.updated':
      app.setSettings(event.settings);
      return;
    case 'turns.deleted':
    case 'branch.chosen':
      // Another window changed the tree of turns that is open here.
      if (event.conversationId === chat.conversation?.id) void chat.reload();
      return;
    case 'turn.sources':
    case 'modes.updated':
      // Nothing that is on this screen depends on them.
      return;
    default:
      event satisfies never;
  }
}

function tellOfRestart() {
  // The news of the restart and that of the broken-off answer come in either order.
  const unfinished = chat.exchanges.at(-1)?.answer?.status !== 'complete' && chat.exchanges.length > 0;
  notices.add({
    kind: 'banner',
    tone: 'ok',
    title: 'The engine stopped and is running again.',
    text: unfinished
      ? 'Your last question is kept and can be asked again.'
      : 'Nothing you said or wrote is lost.',
    actions: unfinished ? [{ label: 'Ask again', run: () => void chat.askLastAgain() }] : [],
  });
}
