import type { AppEvent, PromptTurn, Source, StorePort, Turn } from '../contract/index.ts';

/** Turns of earlier conversations that an answer is given to read. */
const mostSources = 4;

export interface RecallPorts {
  readonly store: StorePort;
  readonly emit: (event: AppEvent) => void;
  /** A spoken question with its words. */
  readonly heardAs: (turnId: string) => Promise<Turn>;
}

function asPrompt(sources: readonly Source[]): PromptTurn[] {
  if (sources.length === 0) return [];
  const lines = sources.map(({ title, role, text }) => {
    const who = role === 'user' ? 'The person said' : 'You answered';
    return `- ${who} (in "${title}"): ${text}`;
  });
  return [{ type: 'text', role: 'system', text: `From earlier conversations:\n${lines.join('\n')}` }];
}

/**
 * Looks up what was said earlier about a question, keeps which turns it was with the answer, and gives them as a turn of
 * the prompt. What is searched for are words: a spoken question is transcribed first.
 */
export async function recall(
  { store, emit, heardAs }: RecallPorts,
  question: Turn,
  answerId: string,
): Promise<PromptTurn[]> {
  const { text, heardAs: words } = question.audio === null ? question : await heardAs(question.id);
  const sources = await store.recall({
    text: text || (words ?? ''),
    except: question.conversationId,
    limit: mostSources,
  });
  await store.keepSources(
    answerId,
    sources.map(({ turnId }) => turnId),
  );
  emit({ event: 'turn.sources', turnId: answerId, sources });
  return asPrompt(sources);
}
