import type { Recording } from '../../src-main/contract/index.ts';
import { ParlanceError } from '../../src-main/contract/index.ts';
import { ConnectionLost, client } from '../services/client.ts';
import { forgetRecording, lastRecording, rememberRecording } from '../services/last-recording.ts';
import { type Capture, capture, type SoundPiece } from '../services/microphone.ts';
import { app } from './app.svelte.ts';
import { chat } from './chat.svelte.ts';
import { notices } from './notices.svelte.ts';

const sampleRate = 16000;
const bytesPerSample = 2;
/** Below this RMS for two seconds, the microphone is most likely muted. */
const silentLoudness = 0.002;
const silentSeconds = 2;
/** A press shorter than this says nothing: nobody speaks a question in it. */
const shortestSeconds = 0.3;

/** Push-to-talk. Sound goes to the disk while a person speaks; what is on the disk survives whatever happens. */
class Recorder {
  phase = $state<'idle' | 'starting' | 'recording' | 'finishing'>('idle');
  /** Goes on without a key or button held. */
  locked = $state(false);
  /** RMS of each piece of 160 ms, and how many of them are on the disk. */
  loudness = $state.raw<number[]>([]);
  savedPieces = $state(0);
  seconds = $state(0);
  microphone = $state<string | null>(null);
  /** Recordings that an earlier run of the app did not get to send. */
  unsent = $state.raw<Recording[]>([]);

  silent = $derived(
    this.phase === 'recording' &&
      this.seconds >= silentSeconds &&
      this.loudness.every((value) => value < silentLoudness),
  );
  active = $derived(this.phase !== 'idle');

  #capture: Capture | undefined;
  #recordingId: string | undefined;
  #startedAt = 0;
  #queue: Uint8Array<ArrayBuffer>[] = [];
  #saving: Promise<void> | undefined;
  #release: 'send' | 'discard' | undefined;

  async loadUnsent() {
    try {
      const unsent = await client.call('recordings.unsent', {});
      const left = lastRecording();
      this.unsent = left && !unsent.some(({ id }) => id === left.id) ? [...unsent, left] : unsent;
    } catch (thrown) {
      notices.fail(thrown);
    }
  }

  async start({ locked }: { locked: boolean }) {
    if (this.active) return;
    this.phase = 'starting';
    this.locked = locked;
    this.loudness = [];
    this.savedPieces = 0;
    this.seconds = 0;
    this.#queue = [];
    this.#release = undefined;
    try {
      this.#capture = await capture(app.settings?.microphone ?? null, {
        piece: (piece) => this.#take(piece),
        lost: () => void this.#lost(),
      });
      this.microphone = this.#capture.label;
      const { id } = await client.call('recordings.start', { conversationId: chat.conversation?.id ?? null });
      this.#recordingId = id;
      this.#startedAt = Date.now();
      this.phase = 'recording';
      this.#save();
      if (this.#release) await this.#finish(this.#release);
    } catch (thrown) {
      await this.#capture?.stop();
      this.#reset();
      notices.fail(thrown);
    }
  }

  /** Ends the recording and asks. */
  send() {
    return this.#end('send');
  }

  /** Throws the recording away. */
  discard() {
    return this.#end('discard');
  }

  /** F8, and the button pressed from the keyboard. */
  toggle() {
    return this.active ? this.send() : this.start({ locked: true });
  }

  async answerUnsent(recording: Recording) {
    this.#settle(recording);
    await this.#ask(recording.id);
  }

  async discardUnsent(recording: Recording) {
    this.#settle(recording);
    try {
      await client.call('recordings.discard', { id: recording.id });
    } catch (thrown) {
      notices.fail(thrown);
      await this.loadUnsent();
    }
  }

  #settle(recording: Recording) {
    forgetRecording();
    this.unsent = this.unsent.filter(({ id }) => id !== recording.id);
  }

  async #end(how: 'send' | 'discard') {
    // Released before the microphone was open: ends as soon as it is.
    if (this.phase === 'starting') this.#release = how;
    else if (this.phase === 'recording') await this.#finish(how);
  }

  /** What was said before the microphone went is kept and offered; it may well be half a sentence. */
  async #lost() {
    if (this.phase !== 'recording') return;
    const kept = await this.#stop();
    if (kept && kept.seconds >= shortestSeconds) this.unsent = [...this.unsent, kept];
    notices.add({
      kind: 'banner',
      tone: 'warn',
      title: 'The microphone was disconnected.',
      text: 'What you said until then is kept. Connect it again, or choose another one under Settings.',
      actions: [],
    });
  }

  /** Turns the microphone off and waits until all of it is on the disk. */
  async #stop(): Promise<Recording | null> {
    this.phase = 'finishing';
    await this.#capture?.stop();
    await this.#saving;
    const [id, seconds, startedAt] = [this.#recordingId, this.seconds, this.#startedAt];
    this.#reset();
    return id === undefined ? null : { id, conversationId: null, seconds, startedAt };
  }

  async #finish(how: 'send' | 'discard') {
    const recording = await this.#stop();
    if (!recording) return;
    const { id, seconds } = recording;
    if (how === 'send' && seconds >= shortestSeconds) {
      await this.#ask(id);
      return;
    }
    try {
      await client.call('recordings.discard', { id });
    } catch (thrown) {
      notices.fail(thrown);
    }
  }

  async #ask(id: string) {
    try {
      chat.adopt(await client.call('recordings.send', { id }));
    } catch (thrown) {
      notices.fail(thrown);
      await this.loadUnsent();
    }
  }

  #take({ pcm, loudness }: SoundPiece) {
    this.loudness = [...this.loudness, loudness];
    this.seconds += pcm.byteLength / bytesPerSample / sampleRate;
    this.#queue.push(pcm);
    this.#save();
  }

  /** Writes what is queued, one request at a time, so that the pieces keep their order. */
  #save() {
    if (this.#saving || this.#recordingId === undefined) return;
    this.#saving = this.#saveQueue(this.#recordingId).finally(() => {
      this.#saving = undefined;
    });
  }

  async #saveQueue(id: string) {
    while (this.#queue.length > 0) {
      const pieces = [...this.#queue];
      try {
        await client.call('recordings.append', { id, pcm: joined(pieces) });
      } catch (thrown) {
        if (thrown instanceof ConnectionLost && (await this.#reconnected())) continue;
        await this.#breakOff(thrown);
        return;
      }
      this.#queue.splice(0, pieces.length);
      this.savedPieces += pieces.length;
      rememberRecording({ id, conversationId: null, seconds: this.seconds, startedAt: this.#startedAt });
    }
  }

  /** Waits for the connection; false when the recording was ended meanwhile, so that nothing waits for ever. */
  #reconnected(): Promise<boolean> {
    return new Promise((resolve) => {
      const stop = $effect.root(() => {
        $effect(() => {
          if (app.connection !== 'open' && this.phase === 'recording') return;
          resolve(app.connection === 'open');
          queueMicrotask(() => stop());
        });
      });
    });
  }

  async #breakOff(thrown: unknown) {
    this.#queue = [];
    const open = this.#capture;
    this.#reset();
    await open?.stop();
    notices.fail(
      thrown instanceof ConnectionLost
        ? new ParlanceError(
            'engine-stopped',
            'The connection was lost while you spoke.',
            'What reached the disk is kept and offered again as soon as Parlance is back.',
          )
        : thrown,
    );
    await this.loadUnsent();
  }

  #reset() {
    this.#capture = undefined;
    this.#recordingId = undefined;
    forgetRecording();
    this.locked = false;
    this.phase = 'idle';
  }
}

function joined(pieces: Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(pieces.reduce((total, { byteLength }) => total + byteLength, 0));
  let offset = 0;
  for (const piece of pieces) {
    whole.set(piece, offset);
    offset += piece.byteLength;
  }
  return whole;
}

export const recorder = new Recorder();
