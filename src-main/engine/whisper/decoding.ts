import { deflateSync } from 'node:zlib';
import { seededRandom } from '../random.ts';
import { likeliest } from '../sampler.ts';
import { applyTimestampRules, openingTokens, type WhisperTask } from './tokens.ts';
import { type CrossCache, logSumExp, probability, type Whisper } from './whisper.ts';

/** What the decoder made of one window. */
export interface DecodedWindow {
  readonly tokens: readonly number[];
  readonly text: string;
  readonly noSpeech: number;
  /** Mean log probability of its tokens. */
  readonly confidence: number;
  /** How many times smaller its text becomes when compressed: repetition compresses well. */
  readonly repetition: number;
}

/** The thresholds published with Whisper. */
const temperatures = [0, 0.2, 0.4, 0.6, 0.8, 1];
const leastConfidence = -1;
const mostRepetition = 2.4;
const likelyNoSpeech = 0.6;
/** Stricter than published: what base models write over noise reaches -0.6. */
const leastConfidenceOfSpeech = -0.5;

/**
 * Decodes a window, again with a higher temperature where the text goes round in circles or is little more than a guess. Null
 * when nobody speaks. Throws engine-failed, or the signal's reason within one token.
 */
export async function decodeWindow(
  whisper: Whisper,
  cross: CrossCache,
  options: { language: string; task: WhisperTask },
  signal: AbortSignal,
): Promise<DecodedWindow | null> {
  let best: DecodedWindow | null = null;
  for (const temperature of temperatures) {
    const decoded = await decodeOnce(whisper, cross, options, temperature, signal);
    if (decoded.noSpeech > likelyNoSpeech && decoded.confidence < leastConfidenceOfSpeech) return null;
    if (decoded.repetition > mostRepetition) continue;
    if (decoded.confidence >= leastConfidence) return decoded;
    if (best === null || decoded.confidence > best.confidence) best = decoded;
  }
  // Somebody speaks, if not clearly: the best guess, but none that goes round in circles.
  return best;
}

async function decodeOnce(
  whisper: Whisper,
  cross: CrossCache,
  { language, task }: { language: string; task: WhisperTask },
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
    if (written.length >= most || isLoop(whisper, written)) break;
    ({ step, logits } = await whisper.step(step, [token]));
  }
  const text = wordsOf(whisper, written);
  const confidence = logProbability / (written.length + 1);
  return { tokens: written, text, noSpeech, confidence, repetition: repetitionOf(text) };
}

function wordsOf({ text, part }: Whisper, written: readonly number[]): string {
  return text.decode(written.filter((token) => token < part.tokens.endOfText)).trim();
}

/** Looked at now and then: a text that goes round in circles would do so to the last token. */
function isLoop(whisper: Whisper, written: readonly number[]): boolean {
  return written.length % 32 === 0 && repetitionOf(wordsOf(whisper, written)) > mostRepetition;
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

function repetitionOf(text: string): number {
  const bytes = Buffer.from(text);
  return bytes.length === 0 ? 0 : bytes.length / deflateSync(bytes).length;
}
