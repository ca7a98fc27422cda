import {
  type Context,
  type Conversation,
  type Imported,
  type ListQuery,
  ParlanceError,
  type SearchQuery,
  type Turn,
  type TurnPage,
} from '../contract/index.ts';
import { createAnswering } from './answering.ts';
import { createAsking } from './asking.ts';
import { chosenIds, shownBranch } from './branches.ts';
import { type ContextRoom, contextOf } from './context.ts';
import { allIds, type ExportFormat, exportArchive } from './export-archive.ts';
import { createHearing } from './hearing.ts';
import { importArchive } from './import-archive.ts';
import { markdownExport } from './markdown-export.ts';
import { createModes } from './modes.ts';
import type { AskOptions, ConversationPorts, RetryOptions, Submitted, TypedQuestion } from './ports.ts';
import { titleFrom } from './titles.ts';
import { createTrash } from './trash.ts';
import { type TurnPageQuery, turnPage } from './turn-page.ts';

/**
 * The use cases behind the contract's requests. Asking resolves once question and (still empty) answer are on disk;
 * the answer then streams through `emit`. What is asked wrongly rejects with ParlanceError and stores nothing; whatever
 * goes wrong later ends in the answer's turn, whose question stays for another try.
 */
export function createConversations(ports: ConversationPorts) {
  const { store, audio, emit, forget } = ports;
  const answering = createAnswering(ports);
  const hearing = createHearing({ ...ports, retitle });
  const asking = createAsking({ ...ports, answering, heardAs: hearing.heardAs, retitle, announce });

  /** Gives a conversation its title while it has none but `known` ones made here; a person's own stays. */
  async function retitle(conversationId: string, words: string, known: readonly string[]): Promise<void> {
    const { title } = await store.conversation(conversationId);
    const better = titleFrom(words);
    if (better !== null && known.includes(title)) await store.renameConversation(conversationId, better);
  }

  async function announce(conversationId: string): Promise<Conversation> {
    const conversation = await store.conversation(conversationId);
    emit({ event: 'conversation.updated', conversation });
    return conversation;
  }

  /** Those of the clips that no other conversation keeps. */
  async function goneOf(clips: readonly string[]): Promise<string[]> {
    const gone: string[] = [];
    for (const sha256 of clips) if (!(await isStored(sha256))) gone.push(sha256);
    return gone;
  }

  async function isStored(sha256: string): Promise<boolean> {
    try {
      await audio.path(sha256);
      return true;
    } catch (error) {
      if (error instanceof ParlanceError && error.code === 'file-missing') return false;
      throw error;
    }
  }

  /** Deletes a conversation for good, with its sound and what the engine keeps of it. */
  async function remove(id: string): Promise<void> {
    const clips = await asking.inTurn(id, async () => {
      await answering.stopAll(id);
      return store.deleteConversation(id);
    });
    emit({ event: 'conversation.deleted', id });
    await forget?.(id, await goneOf(clips));
  }

  /** Null without a bundle that could answer; asking then says why. */
  async function room(): Promise<ContextRoom | null> {
    try {
      const { contextLength, generation } = await ports.bundle();
      return contextLength === null ? null : { contextLength, maxTokens: generation.maxTokens };
    } catch (error) {
      if (error instanceof ParlanceError) return null;
      throw error;
    }
  }

  const trash = createTrash({ store, emit, remove, announce, stop: (id) => answering.stopAll(id) });

  return {
    list: (query: { search?: string | undefined; limit: number }) => store.conversations(query),

    async open(id: string): Promise<{ conversation: Conversation; turns: Turn[]; chosen: string[] }> {
      const [conversation, turns, tree] = await Promise.all([
        store.conversation(id),
        store.turns(id),
        store.turnTree(id),
      ]);
      return { conversation, turns, chosen: chosenIds(tree) };
    },

    /** All versions of a turn, oldest first. */
    async versions(turnId: string): Promise<Turn[]> {
      const { conversationId, parentId } = await store.turn(turnId);
      const tree = await store.turnTree(conversationId);
      const versions = tree.filter((node) => node.parentId === parentId);
      return Promise.all(versions.map(({ id }) => store.turn(id)));
    },

    /** Shows the branch that a turn is on, now and after a restart. */
    async choose(turnId: string): Promise<{ chosen: string[] }> {
      await store.chooseTurn(turnId);
      const { conversationId } = await store.turn(turnId);
      const chosen = chosenIds(await store.turnTree(conversationId));
      emit({ event: 'branch.chosen', conversationId, chosen });
      return { chosen };
    },

    /** Deletes a turn and all below it with their sound and what the engine keeps of the conversation. */
    async removeTurn(turnId: string): Promise<{ deleted: string[] }> {
      const { conversationId } = await store.turn(turnId);
      const { ids, clips } = await asking.inTurn(conversationId, async () => {
        await answering.stopAll(conversationId);
        return store.deleteTurn(turnId);
      });
      emit({ event: 'turns.deleted', conversationId, ids });
      await announce(conversationId);
      await forget?.(conversationId, await goneOf(clips));
      return { deleted: ids };
    },

    async rename(id: string, title: string): Promise<Conversation> {
      await store.renameConversation(id, title);
      return announce(id);
    },

    async pin(id: string, pinned: boolean): Promise<Conversation> {
      await store.pinConversation(id, pinned);
      return announce(id);
    },

    remove,
    trash,
    modes: createModes(ports),

    async setMode(id: string, modeId: string | null): Promise<Conversation> {
      await store.setMode(id, modeId);
      return announce(id);
    },

    sources: (answerId: string) => store.sources(answerId),

    /** The tokens of the branch that is shown, in the context of the bundle that would answer. */
    async context(id: string): Promise<Context> {
      const branch = shownBranch(await store.turnTree(id));
      const turns = await Promise.all(branch.map((node) => store.turn(node.id)));
      return contextOf(turns, await room());
    },

    /** A file of conversations, piece by piece; of all there are where no ids are given. */
    async *exportArchive(ids: readonly string[] | null, format: ExportFormat): AsyncGenerator<Uint8Array> {
      yield* exportArchive(ports, ids ?? (await allIds(store)), format);
    },

    /** Takes in the conversations of an exported file, JSON or ZIP. */
    async importArchive(path: string): Promise<Imported[]> {
      const imported = await importArchive(ports, path);
      for (const { id, outcome } of imported) if (outcome !== 'skipped') await announce(id);
      return imported;
    },

    page: (query: ListQuery) => store.conversationPage(query),
    search: (query: SearchQuery) => store.search(query),
    turnPage: (query: TurnPageQuery): Promise<TurnPage> => turnPage(store, query),

    async exportMarkdown(id: string): Promise<{ name: string; markdown: string }> {
      return markdownExport(await store.conversation(id), await store.turns(id));
    },

    askText: (asked: TypedQuestion): Promise<Submitted> => asking.askText(asked),

    /** `samples`: f32 in -1..1 at 16 kHz, mono; on disk before the engine hears of them. */
    askAudio: (
      asked: { conversationId: string | null; samples: Float32Array } & AskOptions,
    ): Promise<Submitted> => asking.askAudio(asked),

    /** Sends a recording from the spool, once: a second call while it is under way gets the same result. */
    sendRecording: (asked: { id: string } & AskOptions): Promise<Submitted> => asking.sendRecording(asked),

    stop: (answerId: string): Promise<void> => answering.stop(answerId),

    /** Answers the same question again, with the same sound; the old answer stays beside the new one. */
    retry: (asked: { answerId: string } & RetryOptions): Promise<Submitted> => asking.retry(asked),

    /** What Whisper hears in a spoken turn, for reading. */
    heardAs: (turnId: string): Promise<Turn> => hearing.heardAs(turnId),

    async audio(turnId: string): Promise<{ wav: Uint8Array }> {
      return { wav: await audio.read(hearing.clipOf(await store.turn(turnId)).sha256) };
    },

    /** The answer once it has ended, however it did. */
    finished: (answerId: string): Promise<Turn> => answering.finished(answerId),

    /** Marks what a process that died was writing. Call it once at the start. */
    async recover(): Promise<Turn[]> {
      const turns = await store.markInterrupted();
      for (const turn of turns) emit({ event: 'turn.updated', turn });
      return turns;
    },

    /** Stops what is being written and resolves when it is stored. The ports stay open. */
    close: (): Promise<void> => answering.stopAll(),
  };
}
export type Conversations = ReturnType<typeof createConversations>;
