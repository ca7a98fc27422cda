import type { Turn } from '../../src-main/contract/index.ts';

/** A question and its answers; more than one when it was asked again. */
export interface Exchange {
  question: Turn;
  /** Oldest first. */
  answers: Turn[];
  /** The one on screen. */
  answer: Turn | undefined;
}

/**
 * The path through the tree of turns that is on screen: at each question the chosen answer, else the one that the
 * conversation went on from, else the newest; at each answer the newest question.
 */
export function exchangesOf(turns: Turn[], chosen: ReadonlyMap<string, string>): Exchange[] {
  const children = new Map<string | null, Turn[]>();
  for (const turn of turns) {
    const siblings = children.get(turn.parentId);
    if (siblings) siblings.push(turn);
    else children.set(turn.parentId, [turn]);
  }
  const exchanges: Exchange[] = [];
  let question = children.get(null)?.findLast(({ role }) => role === 'user');
  while (question) {
    const answers = (children.get(question.id) ?? []).filter(({ role }) => role === 'assistant');
    const chosenId = chosen.get(question.id);
    const answer =
      answers.find(({ id }) => id === chosenId) ??
      answers.findLast(({ id }) => children.has(id)) ??
      answers.at(-1);
    exchanges.push({ question, answers, answer });
    question = answer && children.get(answer.id)?.findLast(({ role }) => role === 'user');
  }
  return exchanges;
}
