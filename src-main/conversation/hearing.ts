import {
  type AppEvent,
  type AudioClip,
  type AudioStorePort,
  type EnginePort,
  ParlanceError,
  type StorePort,
  type Turn,
  transcribeRequestSchema,
} from '../contract/index.ts';
import { modeOf } from './modes.ts';
import { titleFrom, untitled } from './titles.ts';

export interface HearingPorts {
  readonly store: StorePort;
  readonly audio: AudioStorePort;
  readonly engine: EnginePort;
  readonly bundle: () => Promise<{ readonly folder: string }>;
  readonly emit: (event: AppEvent) => void;
  readonly retitle: (conversationId: string, words: string, known: readonly string[]) => Promise<void>;
}

/** Reads out, in words, what was said in spoken turns. Nothing but the screen needs it. */
export function createHearing({ store, audio, engine, bundle, emit, retitle }: HearingPorts) {
  const underWay = new Map<string, Promise<Turn>>();

  function clipOf(turn: Turn): AudioClip {
    if (turn.audio !== null) return turn.audio;
    throw new ParlanceError('invalid-request', 'turnId: this turn was typed.', 'Choose a spoken turn.');
  }

  /** The words of the first question make a better title than those of its answer. */
  async function improveTitle(turn: Turn): Promise<void> {
    if (turn.parentId !== null || turn.heardAs === null) return;
    const answers = (await store.turns(turn.conversationId)).filter((other) => other.parentId === turn.id);
    const made = answers.flatMap((answer) => titleFrom(answer.text) ?? []);
    await retitle(turn.conversationId, turn.heardAs, [untitled, ...made]);
    const conversation = await store.conversation(turn.conversationId);
    emit({ event: 'conversation.updated', conversation });
  }

  async function hear(turnId: string): Promise<Turn> {
    const turn = await store.turn(turnId);
    const clip = clipOf(turn);
    if (turn.heardAs !== null) return turn;
    const [path, { folder }, { device }, mode] = await Promise.all([
      audio.path(clip.sha256),
      bundle(),
      store.settings(),
      modeOf(store, turn.conversationId),
    ]);
    const language = mode?.language ?? 'auto';
    const request = transcribeRequestSchema.parse({ bundle: folder, device, path, language });
    const { text } = await engine.transcribe(request, {}, new AbortController().signal);
    const heard = await store.updateTurn(turnId, { heardAs: text.trim() });
    emit({ event: 'turn.updated', turn: heard });
    await improveTitle(heard);
    return heard;
  }

  return {
    clipOf,
    /** Transcribes a spoken turn once; later calls read what is stored. */
    heardAs(turnId: string): Promise<Turn> {
      const result = underWay.get(turnId) ?? hear(turnId).finally(() => underWay.delete(turnId));
      underWay.set(turnId, result);
      return result;
    },
  };
}
