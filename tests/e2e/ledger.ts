import { expect } from '@playwright/test';
import type { AppEvent, Turn } from '../../src-main/contract/index.ts';
import type { ContractClient } from './contract-client.ts';

const bytesPerSecond = 32_000;
const wavHeaderBytes = 44;

/** What the app has confirmed so far, and may therefore never lose. */
export class Ledger {
  /** Finished answers and stored questions, by turn id. */
  readonly #turns = new Map<string, Turn>();
  /** Seconds on the disk, by recording id. */
  readonly #recorded = new Map<string, number>();
  /** The recording whose sending was not confirmed yet: by the end it is one or the other, sound or turn. */
  #sending: string | null = null;
  #conversationId: string | null = null;

  get size() {
    return this.#turns.size + this.#recorded.size;
  }

  readonly receive = (event: AppEvent) => {
    if (event.event === 'turn.updated' && event.turn.status === 'complete') this.#confirm(event.turn);
  };

  /** Talks and types until the app is gone. */
  async use(client: ContractClient, speech: Uint8Array): Promise<void> {
    await Promise.allSettled([this.#type(client), this.#speak(client, speech)]);
  }

  async #type(client: ContractClient) {
    for (let number = 1; ; number += 1) {
      const { conversation, question } = await client.call('turns.askText', {
        conversationId: this.#conversationId,
        text: `Count to ${number}.`,
      });
      this.#conversationId = conversation.id;
      this.#confirm(question);
    }
  }

  /** Pieces of 160 ms, as the microphone gives them; every third recording is sent. */
  async #speak(client: ContractClient, speech: Uint8Array) {
    const pieceBytes = 5120;
    for (let number = 1; ; number += 1) {
      const { id } = await client.call('recordings.start', { conversationId: null });
      for (let from = 0; from < speech.length; from += pieceBytes) {
        const pcm = speech.slice(from, from + pieceBytes);
        const { seconds } = await client.call('recordings.append', { id, pcm });
        this.#recorded.set(id, seconds);
      }
      if (number % 3 !== 0) continue;
      this.#sending = id;
      const { question } = await client.call('recordings.send', { id });
      this.#sending = null;
      this.#recorded.delete(id);
      this.#confirm(question);
    }
  }

  #confirm(turn: Turn) {
    this.#turns.set(turn.id, turn);
  }

  /** Asks a freshly started app for everything it ever confirmed. */
  async expectNothingLost(client: ContractClient): Promise<void> {
    const stored = new Map<string, Turn>();
    for (const { id } of await client.call('conversations.list', {})) {
      const { turns } = await client.call('conversations.open', { id });
      for (const turn of turns) stored.set(turn.id, turn);
    }
    for (const confirmed of this.#turns.values()) {
      const turn = stored.get(confirmed.id);
      expect(turn, `${confirmed.role} turn ${confirmed.id}`).toMatchObject({
        text: confirmed.text,
        status: 'complete',
      });
    }
    for (const turn of stored.values()) {
      expect(turn.status, 'nothing is still being written after a start').not.toBe('streaming');
      if (!turn.audio) continue;
      const { wav } = await client.call('turns.audio', { turnId: turn.id });
      expect((wav.length - wavHeaderBytes) / bytesPerSecond).toBeCloseTo(turn.audio.seconds, 2);
    }
    const unsent = new Map(
      (await client.call('recordings.unsent', {})).map((recording) => [recording.id, recording]),
    );
    this.#settleSending(stored, new Set(unsent.keys()));
    for (const [id, seconds] of this.#recorded) {
      expect(unsent.get(id)?.seconds ?? 0, `recording ${id}`).toBeGreaterThanOrEqual(seconds);
    }
  }

  /** What was being sent when the app was killed and is no recording any more must be a turn that nobody confirmed. */
  #settleSending(stored: ReadonlyMap<string, Turn>, unsent: ReadonlySet<string>) {
    const id = this.#sending;
    this.#sending = null;
    if (id === null || unsent.has(id)) return;
    const seconds = this.#recorded.get(id) ?? 0;
    const turn = [...stored.values()].find(
      (candidate) => candidate.audio && candidate.audio.seconds >= seconds && !this.#turns.has(candidate.id),
    );
    expect(turn, `recording ${id} became a turn`).toBeDefined();
    this.#recorded.delete(id);
    if (turn) this.#confirm(turn);
  }
}
