import { z } from 'zod';
import { failureSchema, ParlanceError } from '../contract/index.ts';
import type { ModelsPlace } from './place.ts';
import { throwIfCancelled } from './web.ts';

/** What the build process is started with, as JSON in its one argument. */
export const buildOrderSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('build'),
    recipe: z.string(),
    /** Where the recipe's sources, or the folders that they lie in, are instead, by their names in it. */
    sources: z.record(z.string(), z.string()),
    out: z.string(),
  }),
  z.object({
    kind: z.literal('swap-llm'),
    /** The bundle whose encoder and adaptor are taken over. */
    bundle: z.string(),
    /** The weights of the other LLM. */
    llm: z.string(),
    architecture: z.string().nullable(),
    quantize: z.enum(['keep', 'none', 'q8', 'q4']),
    id: z.string().nullable(),
    name: z.string().nullable(),
    /** The file that the LoRA of the bundle came from; null leaves the other LLM as it is. */
    keepLora: z.string().nullable(),
    out: z.string(),
  }),
  z.object({
    kind: z.literal('export-ultravox'),
    bundle: z.string(),
    /** What the bundle was built from; null where none was named, which the foundry refuses in its own words. */
    recipe: z.string().nullable(),
    sources: z.record(z.string(), z.string()),
    out: z.string(),
  }),
]);
export type BuildOrder = z.infer<typeof buildOrderSchema>;

/** What it tells. Exactly one `done` or `failed` comes last. */
const buildReportSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('step'), step: z.string(), done: z.number(), total: z.number() }),
  /** What a person should know of the bundle that is being made. */
  z.object({ type: z.literal('note'), text: z.string() }),
  z.object({ type: z.literal('done') }),
  z.object({ type: z.literal('failed'), failure: failureSchema }),
]);
export type BuildReport = z.infer<typeof buildReportSchema>;

/**
 * Builds a bundle in a process of its own. Rejects with the foundry's failure, with `cancelled` when the signal
 * aborts (the process is ended; the foundry puts nothing in place before everything is there), and with `internal`
 * when the process dies.
 */
export async function runBuild(
  place: ModelsPlace,
  order: BuildOrder,
  onStep: (step: Extract<BuildReport, { type: 'step' }>) => void,
  signal: AbortSignal | undefined,
  onNote?: (text: string) => void,
): Promise<void> {
  throwIfCancelled(signal);
  const child = place.startProcess('build-process', [JSON.stringify(order)]);
  const stop = (): void => child.kill();
  signal?.addEventListener('abort', stop);
  try {
    await new Promise<void>((resolve, reject) => {
      let last: BuildReport | null = null;
      child.onMessage((message) => {
        const report = buildReportSchema.safeParse(message);
        if (!report.success) return reject(buildDied('it sent what is no report', report.error.message));
        last = report.data;
        if (last.type === 'step') onStep(last);
        if (last.type === 'note') onNote?.(last.text);
      });
      child.onExit(({ code, signal: killedBy, lastWords }) => {
        if (last?.type === 'done') resolve();
        else if (last?.type === 'failed') reject(ParlanceError.from(last.failure));
        else reject(buildDied(killedBy ? `signal ${killedBy}` : `exit code ${code}`, lastWords));
      });
    });
  } catch (error) {
    throwIfCancelled(signal);
    throw error;
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

function buildDied(how: string, lastWords: string): ParlanceError {
  return new ParlanceError(
    'internal',
    `The bundle's build ended early (${how}). ${lastWords}`.trim(),
    'Close other programs if memory is short, then start again: what was downloaded is kept.',
  );
}
