import type { ArchivedConversation, Imported } from './archive.ts';
import type { AudioClip, Conversation, Recording, Turn, TurnNode } from './conversation.ts';
import type { ConversationPage, HitPage, ListQuery, SearchQuery, Trashed } from './lists.ts';
import type { Mode, ModeChange, NewMode } from './modes.ts';
import type { Source } from './recall.ts';
import type { Settings, SettingsChange } from './rpc.ts';

/**
 * What lasts. Every method resolves once the change is on disk (WAL, synchronous=FULL), and rejects with
 * ParlanceError: database-locked, database-readonly, database-corrupt, database-newer, disk-full,
 * conversation-missing, turn-missing.
 */
export interface StorePort {
  createConversation(title: string): Promise<Conversation>;
  conversation(id: string): Promise<Conversation>;
  conversations(query: { search?: string | undefined; limit: number }): Promise<Conversation[]>;
  renameConversation(id: string, title: string): Promise<Conversation>;
  pinConversation(id: string, pinned: boolean): Promise<Conversation>;
  /** Deletes its turns as well, and releases their audio; one in the trash too. Gives the clips (SHA-256) it named. */
  deleteConversation(id: string): Promise<string[]>;
  /** A page of the list, pinned ones first, then those that changed last. */
  conversationPage(query: ListQuery): Promise<ConversationPage>;
  /** A page of the conversations that all the words stand in, with the places. */
  search(query: SearchQuery): Promise<HitPage>;
  /** Hides conversations until they are restored or deleted; all of them or, where one is not there, none. */
  trashConversations(ids: readonly string[]): Promise<void>;
  restoreConversations(ids: readonly string[]): Promise<void>;
  trashed(): Promise<Trashed[]>;
  /** Puts those that nothing happened in since then (ms since 1970) in the trash, but for pinned ones. Gives their ids. */
  trashUnused(before: number): Promise<string[]>;
  /** Turns of other conversations that are about the same as a text, the nearest first. */
  recall(query: { text: string; except: string; limit: number }): Promise<Source[]>;
  /** Keeps which turns an answer was given to read. */
  keepSources(answerId: string, turnIds: readonly string[]): Promise<void>;
  /** Those of them that were not deleted since. */
  sources(answerId: string): Promise<Source[]>;
  modes(): Promise<Mode[]>;
  /** Rejects, as the other two do, with invalid-request: no such mode, or its hotkey is another's. */
  mode(id: string): Promise<Mode>;
  addMode(mode: NewMode): Promise<Mode>;
  changeMode(change: ModeChange): Promise<Mode>;
  removeMode(id: string): Promise<void>;
  /** Null takes the conversation out of its mode. */
  setMode(conversationId: string, modeId: string | null): Promise<Conversation>;
  /** A whole conversation, for an export. */
  archived(id: string): Promise<ArchivedConversation>;
  /** Takes in conversations from an export in one transaction. Their clips must be stored. */
  addArchived(conversations: readonly ArchivedConversation[]): Promise<Imported[]>;
  /** All turns of a conversation, oldest first, every branch. */
  turns(conversationId: string): Promise<Turn[]>;
  turn(id: string): Promise<Turn>;
  /** The places of all turns of a conversation, oldest first. */
  turnTree(conversationId: string): Promise<TurnNode[]>;
  /** Shows this turn, and what leads to it, among their siblings. A turn that is added is shown among its own. */
  chooseTurn(id: string): Promise<void>;
  /** Deletes a turn with all below it, and releases their audio. Gives the ids and the clips (SHA-256) that were named. */
  deleteTurn(id: string): Promise<{ ids: string[]; clips: string[] }>;
  addTurn(turn: Omit<Turn, 'createdAt'> & { createdAt?: number }): Promise<Turn>;
  /** A question and its empty streaming answer, in one transaction. */
  addTurns(turns: Array<Omit<Turn, 'createdAt'>>): Promise<Turn[]>;
  updateTurn(
    id: string,
    change: Partial<Omit<Turn, 'id' | 'conversationId' | 'parentId' | 'role' | 'createdAt'>>,
  ): Promise<Turn>;
  /** Marks every turn left `streaming` by a process that died as `interrupted`. Returns them. */
  markInterrupted(): Promise<Turn[]>;
  settings(): Promise<Settings>;
  updateSettings(change: SettingsChange): Promise<Settings>;
  close(): Promise<void>;
}

/** Sound on disk: content-addressed 16 kHz mono 16-bit WAV files beside the database. */
export interface AudioStorePort {
  /** Stores samples (f32 in -1..1, 16 kHz mono), flushed to disk before it resolves. */
  put(samples: Float32Array): Promise<AudioClip>;
  /** Path of a stored clip. Rejects with file-missing. */
  path(sha256: string): Promise<string>;
  read(sha256: string): Promise<Uint8Array>;
  remove(sha256: string): Promise<void>;
}

/** Recordings in progress, on disk from the first append; they survive the process. */
export interface SpoolPort {
  start(conversationId: string | null): Promise<Recording>;
  /** Little-endian 16-bit samples at 16 kHz; resolves when they are on disk. */
  append(id: string, pcm: Uint8Array): Promise<Recording>;
  /** All samples of a recording, f32 in -1..1. Rejects with recording-missing. */
  read(id: string): Promise<{ recording: Recording; samples: Float32Array }>;
  /** After its samples are stored with a turn, or when a person threw it away. */
  discard(id: string): Promise<void>;
  unsent(): Promise<Recording[]>;
}
