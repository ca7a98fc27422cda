import {
  type DevicePreference,
  type EngineName,
  type EnginePort,
  ParlanceError,
  type PromptTurn,
  type Sampling,
} from '../../contract/index.ts';
import type { TokenLoss } from '../metrics/perplexity.ts';
import { tokenLoss } from '../metrics/perplexity.ts';
import type { Subject } from './item-result.ts';
import type { SuiteItem } from './suite.ts';

/** What a suite is run on. */
export interface Bench {
  readonly engine: Pick<EnginePort, 'answer' | 'transcribe' | 'score'>;
  /** Folder of the bundle. */
  readonly bundle: string;
  readonly device: DevicePreference;
  readonly sampling: Sampling;
  /** Any sound file, relative to the suite → a clip as engines read it. */
  readonly clip: (audio: string) => Promise<{ readonly path: string; readonly sha256: string }>;
  readonly signal: AbortSignal;
}

/** One conversation for all: what is kept of one item is dropped for the next, and nothing gathers. */
const conversationId = 'evaluation';

/** The LLM as published reads the written words by the cascade, which hears nothing in them. */
function engineOf(subject: Subject): EngineName {
  return subject === 'speech-llm' ? 'speech-llm' : 'cascade';
}

/** What a subject writes down, or null when this bundle has none that can. */
export function transcribe(
  bench: Bench,
  item: SuiteItem,
  engine: 'whisper' | 'speech-llm',
  task: 'transcribe' | 'translate',
): Promise<string | null> {
  return unlessUnable(async () => {
    const { bundle, device, signal } = bench;
    const { path } = await bench.clip(item.audio);
    const request = { bundle, device, path, engine, language: item.language, task };
    return (await bench.engine.transcribe(request, {}, signal)).text;
  });
}

/** A subject's answer to an item, in a conversation that may begin with an instruction. */
export function answer(
  bench: Bench,
  item: SuiteItem,
  subject: Subject,
  instruction: string | null = null,
): Promise<string | null> {
  return unlessUnable(async () => {
    const { bundle, device, sampling, signal } = bench;
    const opening: PromptTurn[] =
      instruction === null ? [] : [{ type: 'text', role: 'system', text: instruction }];
    const turns = [...opening, ...(await turnsOf(bench, item, subject))];
    const request = { conversationId, engine: engineOf(subject), bundle, device, turns, sampling };
    const result = await bench.engine.answer(request, { token: () => undefined }, signal);
    if (result.finish === 'cancelled') throw stopped();
    return result.text.trim();
  });
}

/** How likely a response is to a subject, and how far it is from what the LLM expects behind the written words. */
export async function score(
  bench: Bench,
  item: SuiteItem,
  subject: Subject,
  response: string,
): Promise<(TokenLoss & { divergence: number | null }) | null> {
  const { bundle, device, signal } = bench;
  const turns = await turnsOf(bench, item, subject);
  const written = subject === 'written' ? null : await turnsOf(bench, item, 'written');
  const request = { engine: engineOf(subject), bundle, device, turns, answer: response, written };
  try {
    const { logProbabilities, divergences } = await bench.engine.score(request, signal);
    const divergence = divergences?.reduce((sum, one) => sum + one, 0) ?? null;
    return { ...tokenLoss(logProbabilities), divergence };
  } catch (error) {
    if (isUnheard(error) || isUnable(error)) return null;
    throw error;
  }
}

async function turnsOf(bench: Bench, item: SuiteItem, subject: Subject): Promise<PromptTurn[]> {
  const said = async (text: string, audio: string | undefined): Promise<PromptTurn> => {
    if (subject === 'written' || audio === undefined) return { type: 'text', role: 'user', text };
    return { type: 'audio', role: 'user', ...(await bench.clip(audio)), transcript: null };
  };
  const turns: PromptTurn[] = [];
  for (const { text, audio, answer: answered } of item.turns ?? []) {
    turns.push(await said(text, audio), { type: 'text', role: 'assistant', text: answered });
  }
  return [...turns, await said(item.text, item.audio)];
}

/** Sound in which nothing is heard gives no words: that is what is measured. What a bundle cannot do at all gives null. */
async function unlessUnable(work: () => Promise<string>): Promise<string | null> {
  try {
    return await work();
  } catch (error) {
    if (isUnheard(error)) return '';
    if (isUnable(error)) return null;
    throw error;
  }
}

function isUnheard(error: unknown): boolean {
  const codes: readonly string[] = ['audio-empty', 'audio-too-short', 'audio-too-long', 'audio-silent'];
  return error instanceof ParlanceError && codes.includes(error.code);
}

function isUnable(error: unknown): boolean {
  return error instanceof ParlanceError && error.code === 'not-supported';
}

function stopped(): ParlanceError {
  return new ParlanceError('cancelled', 'The evaluation was stopped.', 'Start it again when you like.');
}
