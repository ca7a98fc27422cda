import type { Turn } from '../../src-main/contract/index.ts';

/** What a screen reader is told: each sentence of an answer once it is whole, and how the answer ended. */
class Announcer {
  text = $state('');
  #announced = new Map<string, number>();

  hear(turn: Turn) {
    const from = this.#announced.get(turn.id) ?? 0;
    const whole = /^[\s\S]*[.!?…。！？](?=\s)|^[\s\S]*\n/.exec(turn.text.slice(from))?.[0];
    if (whole === undefined || whole.trim() === '') return;
    this.#announced.set(turn.id, from + whole.length);
    this.text = whole.trim();
  }

  finish(turn: Turn) {
    const from = this.#announced.get(turn.id);
    if (from === undefined) return;
    this.#announced.delete(turn.id);
    const rest = turn.text.slice(from).trim();
    const ends: Partial<Record<Turn['status'], string>> = {
      stopped: 'Answer stopped.',
      interrupted: 'Answer interrupted.',
      failed: 'Answer failed.',
    };
    this.text = [rest, ends[turn.status] ?? 'Answer finished.'].filter(Boolean).join(' ');
  }
}

export const announcer = new Announcer();
