import { z } from 'zod';
import { ClipCache, type ClipCachePlace } from './caches/clip-cache.ts';
import type { PromptMessage } from './prompt/prompt.ts';
import { clipSeconds } from './sound/clip-length.ts';
import { checkAudible, nothingHeard } from './sound/hearing-checks.ts';
import { loudness } from './sound/loudness.ts';
import { asWords } from './sound/spoken-positions.ts';
import { readClip } from './sound/wav.ts';
import type { AudioTurn, Heard, SpeechModel } from './speech-model.ts';
import type { Stopwatch } from './stopwatch.ts';
import type { Whisper } from './whisper/whisper.ts';
import { transcribeWindows } from './whisper/windows.ts';

const headerSchema = z.object({ text: z.string(), language: z.string() });
const maxBytes = 16 * 2 ** 20;

/** Whisper's words, then the LLM as published: the engine that a speech LLM has to be compared with. */
export class Cascade implements SpeechModel {
  readonly name = 'cascade';
  readonly loraScale = 0;
  readonly #whisper: () => Promise<Whisper>;
  readonly #transcripts: ClipCache<typeof headerSchema>;

  /** `whisper` is read when the first clip is to be heard. */
  constructor(whisper: () => Promise<Whisper>, place: ClipCachePlace) {
    this.#whisper = whisper;
    this.#transcripts = new ClipCache(place, 'transcripts', headerSchema, maxBytes);
  }

  async outline(turn: AudioTurn): Promise<PromptMessage['content']> {
    const text = turn.transcript ?? (await this.#transcripts.read(turn.sha256))?.header.text;
    if (text !== undefined) return [text];
    return [{ audio: '', positions: asWords.usual(await clipSeconds(turn.path)) }];
  }

  fit(room: number): number {
    return asWords.fit(room);
  }

  async hear(turn: AudioTurn, asked: boolean, watch: Stopwatch, signal: AbortSignal): Promise<Heard> {
    const known = turn.transcript ?? (await this.#transcripts.read(turn.sha256))?.header.text;
    const text = known || (await this.#transcribe(turn, asked, watch, signal));
    return { content: [text], vectors: new Map(), audioTokens: 0, heardAs: text };
  }

  async #transcribe(turn: AudioTurn, asked: boolean, watch: Stopwatch, signal: AbortSignal): Promise<string> {
    const samples = await readClip(turn.path);
    const level = asked ? checkAudible(samples) : loudness(samples);
    const { text, language } = await transcribeWindows(
      await this.#whisper(),
      samples,
      { language: 'auto', task: 'transcribe' },
      {},
      watch,
      signal,
    );
    if (asked && text === '') throw nothingHeard(samples, level);
    await this.#transcripts.write(turn.sha256, { text, language });
    return text;
  }
}
