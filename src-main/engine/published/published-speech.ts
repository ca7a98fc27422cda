import type { Hearing } from '../../../native-models/published/hearing/hearing.ts';
import {
  type AudioEmbeddings,
  type AudioEmbeddingsCache,
  audioEmbeddings,
} from '../caches/audio-embeddings.ts';
import { concatenated } from '../language-model.ts';
import type { PromptMessage, PromptPart } from '../prompt/prompt.ts';
import { audioWindows } from '../sound/audio-windows.ts';
import { clipSeconds } from '../sound/clip-length.ts';
import { checkAudible } from '../sound/hearing-checks.ts';
import { inWindows, type SpokenPositions } from '../sound/spoken-positions.ts';
import { readClip, sampleRate } from '../sound/wav.ts';
import type { AudioTurn, Heard, HearingModel } from '../speech-model.ts';
import type { Stopwatch } from '../stopwatch.ts';
import type { PublishedEncoder } from './published-encoder.ts';

export interface PublishedSpeechParts {
  readonly hearing: Hearing;
  /** Values of one vector of sound. */
  readonly hidden: number;
  /** Read when the first clip is to be encoded. */
  readonly encoder: () => Promise<PublishedEncoder>;
  readonly embeddings: AudioEmbeddingsCache;
}

/** Sound straight into a published LLM. */
export class PublishedSpeech implements HearingModel {
  readonly name = 'speech-llm';
  readonly loraScale = 0;
  readonly #parts: PublishedSpeechParts;
  readonly #positions: SpokenPositions;

  constructor(parts: PublishedSpeechParts) {
    this.#parts = parts;
    this.#positions = positionsOfHearing(parts.hearing);
  }

  async outline(turn: AudioTurn): Promise<PromptMessage['content']> {
    const known = await this.#parts.embeddings.read(turn.sha256);
    return this.content('', known?.positions ?? this.#positions.usual(await clipSeconds(turn.path)), '');
  }

  fit(room: number): number {
    return this.#positions.fit(room);
  }

  async hear(turn: AudioTurn, asked: boolean, watch: Stopwatch, signal: AbortSignal): Promise<Heard> {
    const known = await this.#parts.embeddings.read(turn.sha256);
    if (known !== null && known.positions > 0) return this.#heard(known);
    const samples = await readClip(turn.path);
    if (asked) checkAudible(samples);
    const clip = await this.encode(samples, watch, signal);
    await this.#parts.embeddings.write(turn.sha256, clip);
    return this.#heard(clip);
  }

  content(audio: string, positions: number, instruction: string): PromptMessage['content'] {
    const { before, after, block } = this.#parts.hearing;
    const size = block ?? positions;
    const blocks: PromptPart[] = [];
    for (let at = 0; at < positions; at += size)
      blocks.push(
        { template: before },
        { audio: blockName(audio, at), positions: Math.min(size, positions - at) },
        { template: after },
      );
    return [...blocks, { template: instruction }];
  }

  windows(samples: Float32Array, seconds = Number.POSITIVE_INFINITY): Float32Array[] {
    return audioWindows(samples, Math.min(this.#parts.hearing.windowSamples, seconds * sampleRate));
  }

  async encode(samples: Float32Array, watch: Stopwatch, signal: AbortSignal): Promise<AudioEmbeddings> {
    const encoder = await this.#parts.encoder();
    const vectors: Float32Array[] = [];
    for (const window of this.windows(samples)) {
      signal.throwIfAborted();
      vectors.push(await encoder.encode(window, watch));
    }
    return audioEmbeddings(concatenated(vectors), this.#parts.hidden, '');
  }

  #heard({ hash, positions, vectors }: AudioEmbeddings): Heard {
    const { hidden, hearing } = this.#parts;
    const size = hearing.block ?? positions;
    const named = new Map<string, Float32Array>();
    for (let at = 0; at < positions; at += size)
      named.set(blockName(hash, at), vectors.subarray(at * hidden, (at + size) * hidden));
    return {
      content: this.content(hash, positions, ''),
      vectors: named,
      audioTokens: positions,
      heardAs: '',
    };
  }
}

/** The first block keeps the clip's own name. */
function blockName(audio: string, at: number): string {
  return at === 0 ? audio : `${audio}+${at}`;
}

function positionsOfHearing({ rate, windowSamples }: Hearing): SpokenPositions {
  if ('fixed' in rate) return inWindows(rate.fixed, windowSamples);
  // Each window ends in a vector that it only begins to fill.
  const { perSecond } = rate;
  return {
    usual: (seconds) => Math.ceil(seconds * perSecond) + 3,
    fit: (room) => Math.max(0, (room - 3) / (perSecond + 1)),
  };
}
