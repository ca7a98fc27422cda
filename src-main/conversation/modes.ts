import type { AppEvent, Mode, ModeChange, NewMode, PromptTurn, StorePort } from '../contract/index.ts';

/** The mode that a conversation is in. */
export async function modeOf(store: StorePort, conversationId: string): Promise<Mode | null> {
  const { modeId } = await store.conversation(conversationId);
  return modeId === null ? null : store.mode(modeId);
}

/**
 * What the model is told before the conversation: the mode's prompt, and what was looked up. None leaves the bundle's own
 * prompt in its place, which anything else would take; so that one goes first where the mode has none.
 */
export function systemTurns(mode: Mode | null, lookedUp: PromptTurn[], bundlePrompt: string): PromptTurn[] {
  const own = mode === null || mode.prompt.trim() === '' ? null : mode.prompt;
  if (own === null && lookedUp.length === 0) return [];
  const text = own ?? bundlePrompt;
  return text === '' ? lookedUp : [{ type: 'text', role: 'system', text }, ...lookedUp];
}

/** Ways to talk, told to every screen when they change. */
export function createModes({ store, emit }: { store: StorePort; emit: (event: AppEvent) => void }) {
  async function tell<T>(result: T): Promise<T> {
    emit({ event: 'modes.updated', modes: await store.modes() });
    return result;
  }

  return {
    list: (): Promise<Mode[]> => store.modes(),
    add: async (mode: NewMode): Promise<Mode> => tell(await store.addMode(mode)),
    change: async (change: ModeChange): Promise<Mode> => tell(await store.changeMode(change)),
    /** Conversations that were in it go on without. */
    remove: async (id: string): Promise<void> => tell(await store.removeMode(id)),
  };
}
