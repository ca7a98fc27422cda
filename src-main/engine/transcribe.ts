import type { TranscribeRequest, Transcript } from '../contract/engine.ts';
import { ParlanceError } from '../contract/errors.ts';
import type { TranscribeListener } from './listeners.ts';
import type { LoadedBundle } from './loaded-bundle.ts';
import { checkAudible, nothingHeard } from './sound/hearing-checks.ts';
import { readClip, sampleRate } from './sound/wav.ts';
import type { Stopwatch } from './stopwatch.ts';
import { transcribeByLlm } from './transcribe-by-llm.ts';
import { transcribeWindows, type WindowsTranscript } from './whisper/windows.ts';

/**
 * Writes down a stored clip of any length. Throws ParlanceError: audio-silent when nobody speaks in it, cancelled when aborted.
 */
export async function transcribeFile(
  bundle: LoadedBundle,
  request: TranscribeRequest,
  on: TranscribeListener,
  watch: Stopwatch,
  signal: AbortSignal,
): Promise<Transcript> {
  const samples = await readClip(request.path);
  const level = checkAudible(samples);
  let words: WindowsTranscript;
  try {
    words = await write(bundle, request, samples, on, watch, signal);
  } catch (error) {
    throw signal.aborted ? cancelled(error) : error;
  }
  if (words.segments.length === 0) throw nothingHeard(samples, level);
  const seconds = samples.length / sampleRate;
  return {
    ...words,
    seconds,
    provider: bundle.provider,
    timings: timingsOf(watch, seconds),
  };
}

/** Real-time factor: time of all steps, loading apart, for each second of sound. */
function timingsOf(watch: Stopwatch, seconds: number): Transcript['timings'] {
  const featuresMs = watch.spentMs('featuresMs');
  const encodeMs = watch.spentMs('encodeMs') + watch.spentMs('adaptMs');
  const decodeMs = watch.spentMs('transcribeMs') + watch.spentMs('prefillMs') + watch.spentMs('decodeMs');
  return {
    featuresMs,
    encodeMs,
    decodeMs,
    realTimeFactor: (featuresMs + encodeMs + decodeMs) / 1000 / seconds,
  };
}

async function write(
  bundle: LoadedBundle,
  request: TranscribeRequest,
  samples: Float32Array,
  on: TranscribeListener,
  watch: Stopwatch,
  signal: AbortSignal,
): Promise<WindowsTranscript> {
  if (request.engine === 'whisper') {
    const whisper = await bundle.whisper();
    on.phase?.('hearing');
    return transcribeWindows(whisper, samples, request, on, watch, signal);
  }
  const { prompt, languages, generation } = bundle.manifest;
  const parts = {
    model: await bundle.languageModel(),
    speech: await bundle.speechLlm(),
    system: prompt.system,
    tasks: prompt.tasks,
    beams: generation.beams,
  };
  on.phase?.('hearing');
  const segments = await transcribeByLlm(parts, samples, request, on, watch, signal);
  const language = request.language === 'auto' ? (languages[0] ?? 'en') : request.language;
  return { text: segments.map(({ text }) => text).join(' '), language, segments };
}

function cancelled(cause: unknown): ParlanceError {
  return new ParlanceError('cancelled', 'The transcription was stopped.', 'Start it again when you like.', {
    cause,
  });
}
