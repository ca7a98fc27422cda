import PQueue from 'p-queue';
import type { EngineName, Provider } from '../contract/conversation.ts';
import type {
  AnswerRequest,
  AnswerResult,
  DevicePreference,
  Score,
  ScoreRequest,
  TranscribeRequest,
  Transcript,
} from '../contract/engine.ts';
import { ParlanceError } from '../contract/errors.ts';
import { answerTurn, cancelledAnswer } from './answer.ts';
import type { AnswerListener, EngineEvent, TranscribeListener } from './listeners.ts';
import { bundleDigest, LoadedBundle } from './loaded-bundle.ts';
import { physicalCores } from './onnxruntime/providers.ts';
import { scoreAnswer } from './score.ts';
import { Stopwatch } from './stopwatch.ts';
import { transcribeFile } from './transcribe.ts';

export type { AnswerListener, EngineEvent, Phase, TranscribeListener } from './listeners.ts';

export interface EngineOptions {
  /** Folder of what may be deleted at any time: encoded sound, transcripts, keys and values. Made when absent. */
  readonly cacheFolder: string;
  /** Threads of one operator; by default the machine's physical cores. */
  readonly threads?: number;
  /** Memory for the keys and values of conversations that are not being answered. Default 512 MiB. */
  readonly memoryBytes?: number;
  /** Disk for the keys and values of conversations. Default 1 GiB. */
  readonly snapshotBytes?: number;
  readonly log?: (event: EngineEvent) => void;
}

/**
 * The speech LLM at run time. Requests wait for one another. `device` must name a provider: the supervisor, which can try
 * providers in a process of their own, has resolved `auto` before.
 */
export interface Engine {
  /** Reads the parts of a bundle that this engine needs. Throws ParlanceError: bundle-…, device-unavailable, engine-failed. */
  load(bundle: string, provider: Provider, engine: EngineName): Promise<void>;
  /** Aborting ends within one token or one encoder window and resolves with what there is, `finish: 'cancelled'`. */
  answer(request: AnswerRequest, on: AnswerListener, signal: AbortSignal): Promise<AnswerResult>;
  /** Aborting rejects with `cancelled`; the segments so far were streamed. */
  transcribe(request: TranscribeRequest, on: TranscribeListener, signal: AbortSignal): Promise<Transcript>;
  /** How likely an answer is. Aborting rejects with `cancelled` within one token or one encoder window. */
  score(request: ScoreRequest, signal: AbortSignal): Promise<Score>;
  /** Writes the keys and values of every open conversation to the cache folder and frees the sessions. */
  close(): Promise<void>;
}

/** Nothing is read before the first request or `load`. */
export function createEngine(options: EngineOptions): Engine {
  return new LocalEngine(options);
}

class LocalEngine implements Engine {
  readonly #options: Required<EngineOptions>;
  /** One request at a time: two would only take the cores and the caches from each other. */
  readonly #queue = new PQueue({ concurrency: 1 });
  #bundle: LoadedBundle | null = null;

  constructor(options: EngineOptions) {
    this.#options = {
      threads: physicalCores(),
      memoryBytes: 512 * 2 ** 20,
      snapshotBytes: 2 ** 30,
      log: () => undefined,
      ...options,
    };
  }

  load(folder: string, provider: Provider, engine: EngineName): Promise<void> {
    return this.#queue.add(async () => {
      const bundle = await this.#open(folder, provider);
      await bundle.preload(engine);
    });
  }

  answer(request: AnswerRequest, on: AnswerListener, signal: AbortSignal): Promise<AnswerResult> {
    const watch = new Stopwatch();
    return this.#queue.add(async () => {
      const provider = resolved(request.device);
      if (signal.aborted) return cancelledAnswer(request.engine, provider, watch);
      on.phase?.('loading');
      const bundle = await this.#open(request.bundle, provider);
      const parts = {
        model: await bundle.languageModel(),
        speech: await bundle.speechModel(request.engine),
        conversations: await bundle.conversations(),
        bundle: bundle.digest,
        provider,
        system: bundle.manifest.prompt.system,
        beams: bundle.manifest.generation.beams,
      };
      return answerTurn(parts, request, on, watch, signal);
    });
  }

  transcribe(request: TranscribeRequest, on: TranscribeListener, signal: AbortSignal): Promise<Transcript> {
    const watch = new Stopwatch();
    return this.#queue.add(async () => {
      const provider = resolved(request.device);
      on.phase?.('loading');
      const bundle = await this.#open(request.bundle, provider);
      return transcribeFile(bundle, request, on, watch, signal);
    });
  }

  score(request: ScoreRequest, signal: AbortSignal): Promise<Score> {
    return this.#queue.add(async () => {
      const bundle = await this.#open(request.bundle, resolved(request.device));
      return scoreAnswer(bundle, request, signal);
    });
  }

  close(): Promise<void> {
    return this.#queue.add(() => this.#release());
  }

  /** The bundle of a request. Another one, or the same one built anew, takes the place of the one in use. */
  async #open(folder: string, provider: Provider): Promise<LoadedBundle> {
    const current = this.#bundle;
    if (current?.folder === folder && current.provider === provider && (await isUnchanged(current)))
      return current;
    await this.#release();
    this.#bundle = await LoadedBundle.open(folder, provider, this.#options);
    return this.#bundle;
  }

  async #release(): Promise<void> {
    const bundle = this.#bundle;
    this.#bundle = null;
    await bundle?.close();
  }
}

async function isUnchanged(bundle: LoadedBundle): Promise<boolean> {
  try {
    return (await bundleDigest(bundle.folder)) === bundle.digest;
  } catch {
    return false; // opening it again says what is wrong with it
  }
}

function resolved(device: DevicePreference): Provider {
  if (device !== 'auto') return device;
  throw new ParlanceError(
    'invalid-request',
    'The engine was asked to answer on "auto".',
    'Name a provider: the supervisor chooses it.',
  );
}
