import { createHash } from 'node:crypto';
import { ParlanceError } from '../../contract/index.ts';
import type { Subject } from '../suite/item-result.ts';
import type { Bench } from '../suite/listening.ts';
import { type Measure, measureOf } from '../suite/measured.ts';
import { nameOf, type SuiteItem } from '../suite/suite.ts';

/** How long each engine took from the whole sound to its first word, the same sound. */
export interface FirstWords {
  readonly item: string;
  readonly milliseconds: Readonly<Record<'cascade' | 'speech-llm', number>>;
}

const engines = ['cascade', 'speech-llm'] as const;

/**
 * Asks both engines the same sound, now one first and now the other, so that what else the machine does strikes both alike.
 * Before the first, each is asked once for nothing: models are loaded. A bundle that lacks one of them has no figure. Throws
 * what an engine throws.
 */
export async function measureFirstWords(
  items: readonly SuiteItem[],
  bench: Bench,
  on: (found: FirstWords) => Promise<void>,
): Promise<void> {
  const [warmUp] = items;
  if (warmUp === undefined) return;
  try {
    for (const engine of engines) await timeToFirstWord(warmUp, engine, 'warm-up', bench);
  } catch (error) {
    if (error instanceof ParlanceError && error.code === 'not-supported') return;
    throw error;
  }
  for (const [place, item] of items.entries()) {
    const order = place % 2 === 0 ? engines : engines.toReversed();
    const milliseconds = { cascade: 0, 'speech-llm': 0 };
    for (const engine of order) {
      milliseconds[engine] = await timeToFirstWord(item, engine, `${place}-${engine}`, bench);
    }
    await on({ item: nameOf(item), milliseconds });
  }
}

/** `anew` makes it a sound that was never heard: what is kept of clips is found by their hash. */
async function timeToFirstWord(
  item: SuiteItem,
  engine: (typeof engines)[number],
  anew: string,
  { engine: port, bundle, device, sampling, clip, signal }: Bench,
): Promise<number> {
  const { path, sha256: known } = await clip(item.audio);
  const sha256 = createHash('sha256').update(`${known} ${anew}`).digest('hex');
  const turn = { type: 'audio', role: 'user', path, sha256, transcript: null } as const;
  const request = {
    conversationId: `evaluation-${engine}`,
    engine,
    bundle,
    device,
    turns: [turn],
    // The second token tells that the first is written; more are not needed.
    sampling: { ...sampling, maxTokens: 2 },
  };
  const { timings } = await port.answer(request, { token: () => undefined }, signal);
  return timings.firstTokenMs;
}

/** Geometric mean of the clips' ratios to the cascade: a ratio and its inverse weigh the same. */
export function firstWordRatio(found: readonly FirstWords[], subject: Subject): Measure | null {
  if (subject !== 'cascade' && subject !== 'speech-llm') return null;
  return measureOf(
    found.map(({ milliseconds }) => Math.log(milliseconds[subject] / milliseconds.cascade)),
    (logs) => Math.exp(logs.reduce((sum, one) => sum + one, 0) / logs.length),
  );
}
