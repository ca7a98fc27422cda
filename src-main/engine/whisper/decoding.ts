import { logSumExp } from '../log-sum-exp.ts';
import { seededRandom } from '../random.ts';
import { likeliest } from '../sampler.ts';
import { cutLoop, isLoop, mostRepetition, repetitionOf } from './loops.ts';
import { applyTimestampRules, openingTokens, splitAtTimestamps, type WhisperTask } from './tokens.ts';
import { type CrossCache, probability, type Whisper } from './whisper.ts';

/** What the decoder made of one window. */
export interface DecodedWindow {
  readonly tokens: readonly number[];
  readonly noSpeech: number;
  /** Mean log probability of its tokens. */
  readonly confidence: number;
  readonly repetition: number;
  /** The decoder went round in circles. */
  readonly loops: boolean;
}

/** What is decoded, and how. */
export interface WindowOptions {
  readonly language: string;
  readonly task: WhisperTask;
  /** Length of the window. */
  readonly seconds: number;
}

/** The thresholds published with Whisper. */
const temperatures = [0, 0.2, 0.4, 0.6, 0.8, 1];
const leastConfidence = -1;
const likelyNoSpeech = 0.6;
/** Stricter than published: what base models write over noise reaches -0.6. */
const leastConfidenceOfSpeech = -0.5;

/**
 * Decodes a window, again with a higher temperature where the text repeats itself or is little more than a guess. Null when
 * nobody speaks; else nothing is lost: where no temperature is any better, somebody does repeat themselves, or speaks
 * unclearly. Throws engine-failed, or the signal's reason within one token.
 */
export async function decodeWindow(
  whisper: Whisper,
  cross: CrossCache,
  options: WindowOptions,
  signal: AbortSignal,
): Promise<DecodedWindow | null> {
  const attempts: DecodedWindow[] = [];
  for (const temperature of temperatures) {
    const decoded = await decodeOnce(whisper, cross, options, temperature, signal);
    if (isNoSpeech(decoded)) break;
    if (decoded.repetition <= mostRepetition && decoded.confidence >= leastConfidence) return decoded;
    attempts.push(decoded);
  }
  const [clearest] = attempts.filter(({ loops }) => !loops).sort((a, b) => b.confidence - a.confidence);
  if (clearest !== undefined) return clearest;
  // The first attempt, without chance in it, repeats itself exactly, so that its loop can be cut.
  const [first] = attempts;
  return first === undefined ? null : { ...first, tokens: cutLoop(first.tokens) };
}

/** Over noise the decoder guesses, or falls into a loop of which it is sure. */
function isNoSpeech({ noSpeech, confidence, loops }: DecodedWindow): boolean {
  return noSpeech > likelyNoSpeech && (loops || confidence < leastConfidenceOfSpeech);
}

async function decodeOnce(
  whisper: Whisper,
  cross: CrossCache,
  { language, task, seconds }: WindowOptions,
  temperature: number,
  signal: AbortSignal,
): Promise<DecodedWindow> {
  const { part } = whisper;
  const random = seededRandom(temperature * 10);
  const opening = openingTokens(part, language, task);
  const written: number[] = [];
  // Half of the context is for text, as Whisper was trained.
  const most = Math.min(part.maxTokens >> 1, part.maxTokens - opening.length);
  let { step, logits } = await whisper.step(whisper.start(cross), opening);
  const noSpeech = probability(logits.subarray(0, part.vocabulary), part.tokens.noSpeech);
  let logProbability = 0;
  for (;;) {
    signal.throwIfAborted();
    const last = logits.subarray(logits.length - part.vocabulary);
    applyTimestampRules(last, written, part);
    const token = temperature === 0 ? likeliest(last) : drawn(last, temperature, random());
    logProbability += (last[token] ?? -Infinity) - logSumExp(last);
    if (token === part.tokens.endOfText) break;
    written.push(token);
    if (written.length >= most) break;
    // Looked at now and then: a loop would go on to the last token.
    if (written.length % 32 === 0 && loops(whisper, written, seconds)) break;
    ({ step, logits } = await whisper.step(step, [token]));
  }
  const text = wordsOf(whisper, written);
  const confidence = logProbability / (written.length + 1);
  return {
    tokens: written,
    noSpeech,
    confidence,
    repetition: repetitionOf(text),
    loops: loops(whisper, written, seconds),
  };
}

function wordsOf({ text, part }: Whisper, written: readonly number[]): string {
  return text.decode(written.filter((token) => token < part.tokens.endOfText)).trim();
}

function loops(whisper: Whisper, written: readonly number[], seconds: number): boolean {
  const { segments, unfinished } = splitAtTimestamps(written, whisper.part, seconds);
  const all = unfinished === null ? segments : [...segments, unfinished];
  return isLoop(
    all.map(({ start, end, tokens }) => ({
      text: wordsOf(whisper, tokens),
      tokens: tokens.length,
      seconds: end - start,
    })),
  );
}

function drawn(logits: Float32Array, temperature: number, chance: number): number {
  const scaled = logits.map((logit) => logit / temperature);
  const total = logSumExp(scaled);
  let left = chance;
  for (let token = 0; token < scaled.length; token++) {
    left -= Math.exp((scaled[token] as number) - total);
    if (left < 0) return token;
  }
  return likeliest(logits);
}
