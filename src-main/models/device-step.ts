import { InferenceSession, Tensor } from 'onnxruntime-node';
import { z } from 'zod';
import { cosineSimilarity } from '../../native-models/cosine-similarity.ts';
import { type Provider, providerSchema } from '../contract/index.ts';
import { probeShape } from './probe-graph.ts';

/** What the probe process is started with, as JSON in its one argument. */
export const probeOrderSchema = z.object({ provider: providerSchema, graph: z.string() });
export type ProbeOrder = z.infer<typeof probeOrderSchema>;

export const probeResultSchema = z.discriminatedUnion('type', [
  /** `caution`: what the engine has to work around on this device. */
  z.object({ type: z.literal('works'), stepMs: z.number().positive(), caution: z.string().nullable() }),
  z.object({ type: z.literal('fails'), reason: z.string() }),
]);
export type ProbeResult = z.infer<typeof probeResultSchema>;

const pastLength = 64;
/** As many as the engine reads at once where more are not to be trusted. */
const fewPositions = 16;
/** As many as a question has: attention over many positions takes other ways on a device than over few. */
const manyPositions = 48;
const warmUps = 3;
const mostSteps = 20;
const enoughMs = 1_500;
/** Activations are rounded differently by each provider (to int8 on the CPU), which stays above 0.9999. */
const leastCosine = 0.995;

function feeds(positions: number): Record<string, Tensor> {
  const { hidden, kvHeads, headSize } = probeShape;
  const wave = (count: number) => Float32Array.from({ length: count }, (_, i) => Math.sin(i * 0.7));
  return {
    inputs_embeds: new Tensor('float32', wave(positions * hidden), [1, positions, hidden]),
    past: new Tensor('float32', wave(kvHeads * pastLength * headSize), [1, kvHeads, pastLength, headSize]),
    seqlens_k: new Tensor('int32', Int32Array.of(pastLength + positions - 1), [1]),
    total_sequence_length: new Tensor('int32', Int32Array.of(pastLength + positions), []),
  };
}

function open(graph: string, provider: Provider): Promise<InferenceSession> {
  return InferenceSession.create(graph, {
    executionProviders: [provider],
    logSeverityLevel: 3,
    // Without this, a provider that can do nothing would have the CPU do its work and look well.
    ...(provider !== 'cpu' && { extra: { session: { disable_cpu_ep_fallback: '1' } } }),
  });
}

async function step(session: InferenceSession, positions = 1): Promise<Float32Array> {
  const { logits } = await session.run(feeds(positions), ['logits']);
  if (!(logits?.data instanceof Float32Array)) throw new Error('the step gave no logits');
  return logits.data;
}

/** The quickest step: what the device can do, whatever else the machine was doing meanwhile. */
async function quickestMs(session: InferenceSession): Promise<number> {
  // Software drivers take seconds a step: by then nothing is left to warm up.
  const warmed = performance.now() + enoughMs;
  for (let i = 0; i < warmUps && performance.now() < warmed; i++) await step(session);
  const times: number[] = [];
  const start = performance.now();
  while (times.length < mostSteps && performance.now() - start < enoughMs) {
    const before = performance.now();
    await step(session);
    times.push(performance.now() - before);
  }
  return Math.min(...times);
}

/**
 * One decoder-like step on one provider, for real: every operator must run there, the numbers must be the CPU's, and
 * the time is measured. To be called in a process of its own, since drivers crash and hang.
 */
export async function tryDevice({ provider, graph }: ProbeOrder): Promise<ProbeResult> {
  try {
    const session = await open(graph, provider);
    await step(session, manyPositions);
    const stepMs = await quickestMs(session);
    if (provider === 'cpu') return { type: 'works', stepMs, caution: null };
    const onCpu = await open(graph, 'cpu');
    const agreement = async (positions: number) =>
      cosineSimilarity(await step(session, positions), await step(onCpu, positions));
    const few = await agreement(fewPositions);
    if (few < leastCosine)
      return {
        type: 'fails',
        reason: `computes wrong numbers: their cosine with the CPU's is ${few.toFixed(4)}`,
      };
    const inPieces = (await agreement(manyPositions)) < leastCosine;
    const caution = `works, but computes wrong numbers over ${manyPositions} positions at once; prompts are read in pieces of ${fewPositions}`;
    return { type: 'works', stepMs, caution: inPieces ? caution : null };
  } catch (error) {
    return { type: 'fails', reason: error instanceof Error ? error.message : String(error) };
  }
}
