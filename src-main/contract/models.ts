import { z } from 'zod';

const bundleStateSchema = z.enum(['available', 'downloading', 'building', 'installed', 'damaged']);
export const bundleSummarySchema = z.object({
  id: z.string(),
  name: z.string(),
  summary: z.string(),
  licence: z.string(),
  languages: z.array(z.string()),
  downloadBytes: z.number().nonnegative(),
  /** Bytes on disk when installed. */
  installedBytes: z.number().nonnegative().nullable(),
  state: bundleStateSchema,
  /** Folder, once installed. */
  folder: z.string().nullable(),
  /** The engine that measured better on recorded speech, by the bundle's own figures. */
  preferredEngine: z.enum(['speech-llm', 'cascade']),
  /** Those figures, the most telling one of each engine first. */
  figures: z.array(
    z.object({
      metric: z.string(),
      set: z.string(),
      engine: z.enum(['speech-llm', 'cascade']),
      value: z.number(),
      unit: z.string(),
    }),
  ),
  /** Tokens of prompt and answer together; null while the bundle is not installed, or has no LLM. */
  contextLength: z.number().int().positive().nullable(),
});
export type BundleSummary = z.infer<typeof bundleSummarySchema>;

/** Progress of a download, a check or a build. `bytes` and `totalBytes` count the current file. */
export const modelProgressSchema = z.object({
  bundle: z.string(),
  phase: z.enum(['downloading', 'verifying', 'building', 'done', 'failed']),
  file: z.string(),
  bytes: z.number().nonnegative(),
  totalBytes: z.number().nonnegative(),
  source: z.string().nullable(),
  message: z.string().nullable(),
});
export type ModelProgress = z.infer<typeof modelProgressSchema>;
