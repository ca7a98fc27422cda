/** What one turn takes of the context, template included. */
export interface TurnSize {
  readonly role: 'user' | 'assistant';
  readonly positions: number;
}

/**
 * Index of the first turn that stays when a conversation outgrows the context: the oldest go first, the last never. The
 * conversation is replayed from its start, and a quarter of the room is freed at a time: so the same turns stay for several
 * questions, and their keys and values can be used again.
 */
export function firstKeptTurn(turns: readonly TurnSize[], room: number): number {
  let first = 0;
  let total = 0;
  turns.forEach((turn, index) => {
    total += turn.positions;
    if (total <= room) return;
    // An answer without its question would stand at the start, where no model expects one.
    while (first < index && (total > 0.75 * room || turns[first]?.role === 'assistant'))
      total -= turns[first++]?.positions ?? 0;
  });
  return first;
}

/** Positions kept free for the answer: what was asked for, but never more than a quarter of the context. */
export function answerReserve(maxTokens: number, contextLength: number): number {
  return Math.min(maxTokens, contextLength >> 2);
}
