import type { Context, Turn } from '../contract/index.ts';

/** The largest answer and the context of the bundle that answers. */
export interface ContextRoom {
  readonly contextLength: number;
  readonly maxTokens: number;
}

interface Exchange {
  readonly questionId: string;
  readonly tokens: number | null;
}

const totalOf = (answer: Turn | undefined): number | null =>
  answer?.usage ? answer.usage.promptTokens + answer.usage.completionTokens : null;

/**
 * The tokens of each exchange: what the prompt grew by from one answer to the next. Where it shrank, turns were left out
 * in between, and nothing can be said of that one; the first one counts with what stands before it in every prompt.
 */
function exchangesOf(branch: readonly Turn[]): Exchange[] {
  let before: number | null = 0;
  return branch.flatMap((question, place) => {
    if (question.role !== 'user') return [];
    const total = totalOf(branch[place + 1]);
    const grown: number | null = total === null || before === null ? null : total - before;
    before = total;
    return [{ questionId: question.id, tokens: grown !== null && grown >= 0 ? grown : null }];
  });
}

/** The engine keeps at most a quarter of the context free for the answer. */
const reservedOf = ({ contextLength, maxTokens }: ContextRoom) => Math.min(maxTokens, contextLength >> 2);

/** The budget of a branch, root first, in the context of a bundle; null where none is installed. */
export function contextOf(branch: readonly Turn[], room: ContextRoom | null): Context {
  const reserved = room === null ? 0 : reservedOf(room);
  const answered = branch.filter(({ usage }) => usage !== null);
  // From the newest on, as long as they fit: the engine leaves out the oldest.
  let left: number | null = room === null ? null : room.contextLength - reserved;
  const exchanges = exchangesOf(branch)
    .toReversed()
    .map(({ questionId, tokens }) => {
      left = left === null || tokens === null ? null : left - tokens;
      return { questionId, tokens, fits: left === null ? null : left >= 0 };
    })
    .toReversed();
  return { contextLength: room?.contextLength ?? null, reserved, used: totalOf(answered.at(-1)), exchanges };
}
