import type { AppEvent, Conversation, StorePort, Trashed } from '../contract/index.ts';

const dayMs = 24 * 60 * 60 * 1000;

export interface TrashPorts {
  readonly store: StorePort;
  readonly emit: (event: AppEvent) => void;
  /** Ends the answers of a conversation that are being written. */
  readonly stop: (conversationId: string) => Promise<void>;
  readonly announce: (conversationId: string) => Promise<Conversation>;
  /** Deletes a conversation for good. */
  readonly remove: (conversationId: string) => Promise<void>;
}

/**
 * Deleting that can be taken back. What is deleted is hidden at once and stays whole on disk for a day; what a person
 * set to be kept only so long goes the same way, so that a clock which was wrong takes nothing away for good.
 */
export function createTrash({ store, emit, stop, announce, remove }: TrashPorts) {
  return {
    async put(ids: readonly string[]): Promise<Trashed[]> {
      await Promise.all(ids.map(stop));
      await store.trashConversations(ids);
      for (const id of ids) emit({ event: 'conversation.deleted', id });
      return (await store.trashed()).filter(({ conversation }) => ids.includes(conversation.id));
    },

    async restore(ids: readonly string[]): Promise<Conversation[]> {
      await store.restoreConversations(ids);
      return Promise.all(ids.map(announce));
    },

    /** For good; those of the ids that are not in the trash are left alone. */
    async purge(ids: readonly string[]): Promise<void> {
      for (const { conversation } of await store.trashed()) {
        if (ids.includes(conversation.id)) await remove(conversation.id);
      }
    },

    /** Makes final what is due, and puts in the trash what is older than the settings keep. For the start and every day. */
    async sweep(now = Date.now()): Promise<void> {
      const { keepDays } = await store.settings();
      const unused = keepDays === null ? [] : await store.trashUnused(now - keepDays * dayMs);
      for (const id of unused) emit({ event: 'conversation.deleted', id });
      for (const { conversation, finalAt } of await store.trashed()) {
        if (finalAt <= now) await remove(conversation.id);
      }
    },
  };
}
