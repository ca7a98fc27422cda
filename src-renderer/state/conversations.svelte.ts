import type { Conversation } from '../../src-main/contract/index.ts';
import { client } from '../services/client.ts';
import { saveText } from '../services/save-file.ts';
import { dayGroup } from '../services/words.ts';
import { notices } from './notices.svelte.ts';
import { conversationAddress, route } from './route.svelte.ts';

/** The most that the contract gives at once. */
const listed = 1000;
const undoSeconds = 8;

interface ConversationGroup {
  name: string;
  conversations: Conversation[];
}

/** The list in the side panel: all conversations, or those that match the search. */
class Conversations {
  search = $state('');
  #all = $state.raw<Conversation[]>([]);
  #found = $state.raw<Conversation[] | null>(null);
  #leaving = $state.raw(new Map<string, ReturnType<typeof setTimeout>>());

  constructor() {
    // Deleted means deleted, even when the window closes before the time for undo is over.
    window.addEventListener('pagehide', () => {
      for (const id of this.#leaving.keys()) void this.#deleteNow(id);
    });
  }

  groups = $derived.by(() => {
    const groups: ConversationGroup[] = [];
    const visible = (this.#found ?? this.#all).filter(({ id }) => !this.#leaving.has(id));
    const pinned = visible.filter((conversation) => conversation.pinned);
    if (pinned.length > 0) groups.push({ name: 'Pinned', conversations: pinned });
    for (const conversation of visible) {
      if (conversation.pinned) continue;
      const name = dayGroup(conversation.updatedAt);
      const group = groups.find((candidate) => candidate.name === name);
      if (group) group.conversations.push(conversation);
      else groups.push({ name, conversations: [conversation] });
    }
    return groups;
  });

  async load() {
    this.#all = await client.call('conversations.list', { limit: listed });
    if (this.search.trim() !== '') await this.runSearch();
  }

  /** Finds what `search` holds; a slower reply to earlier words does not overwrite it. */
  async runSearch() {
    const words = this.search.trim();
    if (words === '') {
      this.#found = null;
      return;
    }
    try {
      const found = await client.call('conversations.list', { search: words, limit: listed });
      if (this.search.trim() === words) this.#found = found;
    } catch (thrown) {
      notices.fail(thrown);
    }
  }

  byId(id: string): Conversation | undefined {
    return this.#all.find((conversation) => conversation.id === id);
  }

  updated(conversation: Conversation) {
    const others = this.#all.filter(({ id }) => id !== conversation.id);
    this.#all = [conversation, ...others].sort((a, b) => b.updatedAt - a.updatedAt);
    this.#found = this.#found?.map((known) => (known.id === conversation.id ? conversation : known)) ?? null;
  }

  deleted(id: string) {
    this.#all = this.#all.filter((conversation) => conversation.id !== id);
    this.#found = this.#found?.filter((conversation) => conversation.id !== id) ?? null;
    if (route.conversationId === id) route.open(conversationAddress(null));
  }

  async rename(id: string, title: string) {
    const trimmed = title.trim().slice(0, 200);
    if (trimmed === '') return;
    await this.#change(() => client.call('conversations.rename', { id, title: trimmed }));
  }

  async pin(id: string, pinned: boolean) {
    await this.#change(() => client.call('conversations.pin', { id, pinned }));
  }

  /** Offers the conversation as a Markdown file to save. */
  async export(id: string) {
    try {
      const { name, markdown } = await client.call('conversations.export', { id });
      saveText(name, markdown);
    } catch (thrown) {
      notices.fail(thrown);
    }
  }

  /** Takes it off the list at once, and off the disk when the time for undo is over. */
  remove(conversation: Conversation) {
    const { id, title } = conversation;
    const timer = setTimeout(() => {
      notices.remove(noticeId);
      void this.#deleteNow(id);
    }, undoSeconds * 1000);
    this.#leaving = new Map(this.#leaving).set(id, timer);
    if (route.conversationId === id) route.open(conversationAddress(null));
    const noticeId = notices.add({
      kind: 'toast',
      tone: 'info',
      title: `“${title}” is deleted, with its sound.`,
      text: '',
      actions: [{ label: 'Undo', run: () => this.#keep(id, timer) }],
    });
  }

  #keep(id: string, timer: ReturnType<typeof setTimeout>) {
    clearTimeout(timer);
    this.#stay(id);
    route.open(conversationAddress(id));
  }

  #stay(id: string) {
    const leaving = new Map(this.#leaving);
    leaving.delete(id);
    this.#leaving = leaving;
  }

  async #deleteNow(id: string) {
    try {
      await client.call('conversations.delete', { id });
      this.deleted(id);
    } catch (thrown) {
      notices.fail(thrown);
    }
    this.#stay(id);
  }

  async #change(change: () => Promise<Conversation>) {
    try {
      this.updated(await change());
    } catch (thrown) {
      notices.fail(thrown);
    }
  }
}

export const conversations = new Conversations();
