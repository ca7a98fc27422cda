import type { BundleManifest } from '../../native-models/bundles/manifest.ts';
import type { Segment, TranscribeRequest, Transcript } from '../contract/engine.ts';
import { ParlanceError } from '../contract/errors.ts';
import type { TranscribeListener } from './listeners.ts';
import type { LoadedBundle } from './loaded-bundle.ts';
import { windowSamples } from './sound/audio-windows.ts';
import { checkAudible, nothingHeard } from './sound/hearing-checks.ts';
import { readClip, sampleRate } from './sound/wav.ts';
import type { Stopwatch } from './stopwatch.ts';
import { transcribeByCtc } from './transcribe-by-ctc.ts';
import { longestSegment, transcribeByLlm } from './transcribe-by-llm.ts';
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
  const writer = writerOf(bundle.manifest, request);
  if (writer === 'whisper') {
    const whisper = await bundle.whisper();
    on.phase?.('hearing');
    return transcribeWindows(whisper, samples, request, on, watch, signal);
  }
  const write = writer === 'ctc' ? writeByCtc : writeByLlm;
  const segments = await write(bundle, request, samples, on, watch, signal);
  const [usual = 'en'] = bundle.manifest.languages;
  const language = request.language === 'auto' ? usual : request.language;
  return { text: segments.map(({ text }) => text).join(' '), language, segments };
}

/**
 * Who writes: what was asked for, or in a bundle without Whisper what it has instead, a CTC head or else a speech LLM that was
 * trained to.
 */
function writerOf(
  { whisper, encoder, prompt }: BundleManifest,
  { engine, task }: TranscribeRequest,
): 'whisper' | 'ctc' | 'speech-llm' {
  if (engine === 'speech-llm') return 'speech-llm';
  if (whisper !== null) return 'whisper';
  const reads = (encoder?.ctcLabels ?? null) !== null;
  if (reads && task === 'transcribe') return 'ctc';
  return Object.hasOwn(prompt.tasks, task) ? 'speech-llm' : 'whisper';
}

async function writeByCtc(
  bundle: LoadedBundle,
  _request: TranscribeRequest,
  samples: Float32Array,
  on: TranscribeListener,
  watch: Stopwatch,
  signal: AbortSignal,
): Promise<Segment[]> {
  const encoder = await bundle.encoder();
  const { adaptor, encoder: part } = bundle.manifest;
  const padding = adaptor?.padding ?? part?.padding ?? { kind: '30s' };
  const longest = Math.min(longestSegment * sampleRate, part === null ? Infinity : windowSamples([part]));
  on.phase?.('hearing');
  return transcribeByCtc(encoder, samples, { padding, longest }, on, watch, signal);
}

async function writeByLlm(
  bundle: LoadedBundle,
  request: TranscribeRequest,
  samples: Float32Array,
  on: TranscribeListener,
  watch: Stopwatch,
  signal: AbortSignal,
): Promise<Segment[]> {
  const { prompt, generation } = bundle.manifest;
  const parts = {
    model: await bundle.languageModel(),
    speech: await bundle.speechLlm(),
    system: prompt.system,
    tasks: prompt.tasks,
    beams: generation.beams,
  };
  on.phase?.('hearing');
  return transcribeByLlm(parts, samples, request, on, watch, signal);
}

function cancelled(cause: unknown): ParlanceError {
  return new ParlanceError('cancelled', 'The transcription was stopped.', 'Start it again when you like.', {
    cause,
  });
}
