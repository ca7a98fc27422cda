import type { Turn } from '../../src-main/contract/index.ts';
import { client } from '../services/client.ts';
import { notices } from './notices.svelte.ts';

/** Plays one recorded turn at a time. */
class Playback {
  turnId = $state<string | null>(null);
  playing = $state(false);
  /** Seconds from the start. */
  position = $state(0);
  #element = new Audio();
  #address: string | undefined;
  #frame = 0;

  constructor() {
    this.#element.addEventListener('play', () => this.#follow());
    this.#element.addEventListener('pause', () => {
      this.playing = false;
    });
    this.#element.addEventListener('ended', () => {
      this.playing = false;
      this.position = 0;
    });
  }

  /** Fraction of a turn that was played, 0..1; null when it is not the one that plays. */
  played(turn: Turn): number | null {
    if (this.turnId !== turn.id || !turn.audio || (this.position === 0 && !this.playing)) return null;
    return Math.min(1, this.position / turn.audio.seconds);
  }

  async toggle(turn: Turn) {
    if (this.turnId === turn.id && this.playing) {
      this.#element.pause();
      return;
    }
    try {
      await this.#load(turn);
      await this.#element.play();
    } catch (thrown) {
      notices.fail(thrown);
    }
  }

  async seek(turn: Turn, seconds: number) {
    try {
      await this.#load(turn);
      this.#element.currentTime = Math.max(0, Math.min(seconds, turn.audio?.seconds ?? 0));
      this.position = this.#element.currentTime;
    } catch (thrown) {
      notices.fail(thrown);
    }
  }

  async #load(turn: Turn) {
    if (this.turnId === turn.id) return;
    const { wav } = await client.call('turns.audio', { turnId: turn.id });
    this.#element.pause();
    if (this.#address !== undefined) URL.revokeObjectURL(this.#address);
    this.#address = URL.createObjectURL(new Blob([new Uint8Array(wav)], { type: 'audio/wav' }));
    this.#element.src = this.#address;
    this.turnId = turn.id;
    this.position = 0;
  }

  #follow() {
    this.playing = true;
    cancelAnimationFrame(this.#frame);
    const step = () => {
      if (!this.playing) return;
      this.position = this.#element.currentTime;
      this.#frame = requestAnimationFrame(step);
    };
    step();
  }
}

export const playback = new Playback();
