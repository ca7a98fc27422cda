import { join } from 'node:path';
import { z } from 'zod';
import { ParlanceError, type Turn, turnSchema } from '../contract/index.ts';
import { isAlive, type Owner, thisProcess } from '../platform/owner-process.ts';
import { clipsTable } from './clips-table.ts';
import { conversationArchive } from './conversation-archive.ts';
import { conversationLists } from './conversation-lists.ts';
import { conversationsTable } from './conversations-table.ts';
import { type DatabaseOptions, databaseName, openDatabase } from './database.ts';
import { modesTable } from './modes-table.ts';
import type { Store } from './protocol.ts';
import { recalledTurns } from './recalled-turns.ts';
import { settingsTable } from './settings-table.ts';
import { corrupt, storeError } from './store-errors.ts';
import { trashedConversations } from './trashed-conversations.ts';
import { turnsTable } from './turns-table.ts';

/** A row that is not what this program writes: the database was changed by something else. */
function rowError(thrown: unknown, path: string): unknown {
  if (thrown instanceof z.ZodError || thrown instanceof SyntaxError) {
    return corrupt(path, `a row cannot be read: ${thrown.message}`, thrown);
  }
  return storeError(thrown, path);
}

const interrupted = new ParlanceError(
  'engine-stopped',
  'Parlance ended while this answer was being written.',
  'What had been written is kept. Use "try again" for a whole answer.',
).toFailure();

/** The store in this thread. Throws what `openDatabase` throws. */
export function createLocalStore(options: DatabaseOptions): Store {
  const database = openDatabase(options);
  const path = join(options.folder, databaseName);
  const conversations = conversationsTable(database);
  const turns = turnsTable(database);
  const clips = clipsTable(database, options.folder);
  const settings = settingsTable(database);
  const lists = conversationLists(database);
  const trash = trashedConversations(database);
  const modes = modesTable(database);
  const recalled = recalledTurns(database);
  const archive = conversationArchive(database, { conversations, turns, ownClip: clips.own });

  /** Runs a change under the write lock: all of it is on disk when it returns, or nothing. */
  function change<T>(work: () => T): T {
    return look(() => database.transaction(work).immediate());
  }

  function look<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw rowError(error, path);
    }
  }

  const ownerOf = (status: Turn['status']): Promise<Owner> | null =>
    status === 'streaming' ? thisProcess() : null;

  async function addTurns(added: Array<Omit<Turn, 'createdAt'> & { createdAt?: number }>): Promise<Turn[]> {
    const whole = added.map((turn) => turnSchema.parse({ createdAt: Date.now(), ...turn }));
    const owners = await Promise.all(whole.map((turn) => ownerOf(turn.status)));
    return change(() =>
      whole.map((turn, place) => {
        const conversation = conversations.numberOf(turn.conversationId);
        if (turn.parentId !== null) turns.get(turn.parentId);
        if (turn.audio !== null) clips.own(turn.audio);
        conversations.count(turn.conversationId, turn.kind === 'spoken');
        return turns.insert(turn, conversation, owners[place] ?? null);
      }),
    );
  }

  return {
    createConversation: async (title) => change(() => conversations.create(title)),
    conversation: async (id) => look(() => conversations.get(id)),
    conversations: async ({ search, limit }) => look(() => conversations.list(search ?? '', limit)),
    renameConversation: async (id, title) => change(() => conversations.rename(id, title)),
    pinConversation: async (id, pinned) => change(() => conversations.pin(id, pinned)),

    async deleteConversation(id) {
      const named = change(() => {
        const released = turns.removeAll(conversations.numberOf(id, true));
        conversations.remove(id);
        return released;
      });
      // After the commit: a crash in between leaves files without a turn, which the next sweep takes, never the reverse.
      for (const sha256 of named) look(() => clips.releaseIfFree(sha256));
      return named;
    },

    conversationPage: async (query) => look(() => lists.page(query)),
    search: async (query) => look(() => lists.search(query)),
    trashConversations: async (ids) => change(() => trash.put(ids)),
    restoreConversations: async (ids) => change(() => trash.restore(ids)),
    trashed: async () => look(() => trash.list()),
    recall: async ({ text, except, limit }) => look(() => recalled.find(text, except, limit)),
    keepSources: async (answerId, turnIds) => change(() => recalled.keep(answerId, turnIds)),
    sources: async (answerId) => look(() => recalled.of(turns.get(answerId).id)),
    modes: async () => look(() => modes.list()),
    mode: async (id) => look(() => modes.get(id)),
    addMode: async (mode) => change(() => modes.add(mode)),
    changeMode: async (changed) => change(() => modes.change(changed)),
    removeMode: async (id) => change(() => modes.remove(id)),
    setMode: async (id, modeId) =>
      change(() => conversations.setMode(id, modeId === null ? null : modes.get(modeId).id)),
    archived: async (id) => look(() => archive.get(id)),
    addArchived: async (archived) => change(() => archive.addAll(archived)),
    trashUnused: async (before) => change(() => trash.putUnused(before)),

    turns: async (conversationId) => look(() => turns.inConversation(conversations.numberOf(conversationId))),
    turn: async (id) => look(() => turns.get(id)),
    turnTree: async (conversationId) => look(() => turns.tree(conversations.numberOf(conversationId))),
    chooseTurn: async (id) =>
      change(() => turns.choose(id, conversations.numberOf(turns.get(id).conversationId))),

    async deleteTurn(id) {
      const gone = change(() => {
        const { conversationId } = turns.get(id);
        const removed = turns.removeBelow(id);
        conversations.recount(conversationId);
        return removed;
      });
      for (const sha256 of gone.clips) look(() => clips.releaseIfFree(sha256));
      return gone;
    },

    addTurns,

    async addTurn(turn) {
      const [added] = await addTurns([turn]);
      if (added === undefined) throw new Error('one turn in, one turn out');
      return added;
    },

    async updateTurn(id, changed) {
      const owner = changed.status === undefined ? await thisProcess() : await ownerOf(changed.status);
      return change(() => {
        const turn = turnSchema.parse({ ...turns.get(id), ...changed, id });
        if (turn.audio !== null) clips.own(turn.audio);
        if (turn.status !== 'streaming') conversations.touch(turn.conversationId);
        return turns.update(turn, owner);
      });
    },

    async markInterrupted() {
      const left = look(() => turns.streaming());
      const dead: typeof left = [];
      for (const turn of left) if (turn.owner === null || !(await isAlive(turn.owner))) dead.push(turn);
      if (dead.length === 0) return [];
      return change(() =>
        dead
          // Looked at again under the lock: the answer may have been finished, or asked again, since.
          .filter(({ id, owner }) => turns.isStreamingFor(id, owner))
          .map(({ id }) =>
            turns.update({ ...turns.get(id), status: 'interrupted', failure: interrupted }, null),
          ),
      );
    },

    settings: async () => look(() => settings.get()),
    updateSettings: async (changed) => change(() => settings.update(changed)),
    holdClip: async (clip) => change(() => clips.hold(clip)),
    releaseClip: async (sha256) => look(() => clips.release(sha256)),
    sweepClips: async () => look(() => clips.sweep()),

    async close() {
      database.close();
    },
  };
}
