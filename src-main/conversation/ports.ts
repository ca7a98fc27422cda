import type {
  AppEvent,
  Attachment,
  AudioStorePort,
  Conversation,
  DevicePreference,
  EngineName,
  EnginePort,
  Sampling,
  SpoolPort,
  StorePort,
  Turn,
} from '../contract/index.ts';

/** What a conversation needs to know of the bundle that answers. */
export interface AnsweringBundle {
  readonly id: string;
  readonly folder: string;
  readonly preferredEngine: EngineName;
  /** The system prompt that stands where a conversation brings none. */
  readonly system: string;
  /** Tokens of prompt and answer together; null where the bundle has no LLM. */
  readonly contextLength: number | null;
  readonly generation: Pick<Sampling, 'maxTokens' | 'temperature' | 'topP' | 'repetitionPenalty'>;
}

export interface ConversationPorts {
  readonly store: StorePort;
  readonly audio: AudioStorePort;
  readonly spool: SpoolPort;
  readonly engine: EnginePort;
  /** Rejects with bundle-missing and its like: the answer then fails with that, and its question is kept. */
  readonly bundle: () => Promise<AnsweringBundle>;
  readonly emit: (event: AppEvent) => void;
  /** Told when a conversation is deleted, and which clips (SHA-256) went with it: what an engine keeps of them goes too. */
  readonly forget?: (conversationId: string, clips: readonly string[]) => Promise<void>;
  /** Told what went wrong after an answer was safe (its conversation's title, say). A process warning when left out. */
  readonly report?: (error: unknown) => void;
}

/** Left out: the settings' device, the engine they name, the bundle's sampling. */
export interface AskOptions {
  readonly engine?: EngineName | undefined;
  /** An earlier question of the same conversation, beside which this one is put as another version. */
  readonly replaces?: string | undefined;
  /** Gives the model to read what was said about it in earlier conversations. */
  readonly recall?: boolean | undefined;
  /** The mode that a new conversation begins in. */
  readonly modeId?: string | undefined;
  readonly device?: DevicePreference | undefined;
  readonly sampling?: Partial<Sampling> | undefined;
}

/** `other`: the engine that did not give the answer which is tried again. */
export type RetryOptions = Omit<AskOptions, 'engine' | 'replaces' | 'modeId'> & {
  readonly engine?: EngineName | 'other' | undefined;
};

/** A typed question, with the text files that belong to it. */
export interface TypedQuestion extends AskOptions {
  readonly conversationId: string | null;
  readonly text: string;
  readonly attachments?: readonly Attachment[] | undefined;
}

export interface Submitted {
  readonly conversation: Conversation;
  readonly question: Turn;
  readonly answer: Turn;
}
