import { z } from 'zod';
import { featureSettingsSchema } from '../features/feature-settings.ts';
import type { Target } from '../graph/target.ts';

/** Where graphs beside the CPU's may run. */
export const deviceTargets = [
  'webgpu',
  'directml',
  'cuda',
  'coreml',
  'plain',
] as const satisfies readonly Target[];

/** Raised when a field changes its meaning; a bundle with a higher number is refused as `bundle-newer`. */
export const manifestVersion = 1;

/**
 * Raised by hand with every change to the foundry that makes other graphs out of the same weights: a bundle of the
 * catalogue that another number built is built anew at the next `models pull`.
 */
export const builderVersion = 4;

/** A path inside the bundle: no drive, no leading slash, no `..`. */
export const bundlePathSchema = z
  .string()
  .min(1)
  .max(200)
  .refine((path) => !/^([/\\]|[A-Za-z]:)/.test(path) && !path.split(/[/\\]/).includes('..'), {
    message: 'must stay inside the bundle',
  });

/** How sound is cut and padded before the speech LLM's features: seconds of silence appended, then up to a multiple. */
export const paddingSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('30s') }),
  z.object({
    kind: z.literal('none'),
    tailSeconds: z.number().min(0).max(5),
    unitSamples: z.number().int().min(1),
  }),
]);

/** A part's weights, as the recipe named them. */
const sourceSchema = z.string().optional();

/** What was learnt of a part: how many numbers, and how they are kept, most of them first. Earlier builders do not say it. */
const learntSchema = z
  .object({ parameters: z.number().int().nonnegative(), kept: z.array(z.string()) })
  .optional();
export type Learnt = z.infer<typeof learntSchema>;

const encoderSchema = z.object({
  architecture: z.string(),
  from: sourceSchema,
  learnt: learntSchema,
  /** `features` f32 [1, mels, frames] → `encoder` f32 [1, positions, hidden], and `ctc` f32 [1, positions, labels] with a CTC head. */
  graph: bundlePathSchema,
  /** The same for providers other than the CPU, where `graph` uses operators that only the CPU has. */
  deviceGraph: bundlePathSchema.optional(),
  hidden: z.number().int().positive(),
  /** Positions that it reads at once; null where it has no limit. */
  maxPositions: z.number().int().positive().nullable(),
  framesPerSecond: z.number().positive(),
  /** Clips are filled with silence to a multiple of this many samples. */
  unitSamples: z.number().int().positive().default(320),
  /** What the labels of its CTC head stand for, the blank included. */
  ctcLabels: z.array(z.string()).nullable().default(null),
  /** How a clip is padded in a bundle without an adaptor, which has a padding of its own. */
  padding: paddingSchema.optional(),
});

/** A second encoder hears the clip beside the first (SALMONN's BEATs), with features of its own and unpadded. */
const secondEncoderSchema = encoderSchema.extend({ features: featureSettingsSchema });

const adaptorSchema = z.object({
  architecture: z.string(),
  from: sourceSchema,
  learnt: learntSchema,
  /**
   * `encoder` f32 [1, frames, d], and `secondEncoder` f32 [1, its frames, d2] in bundles with two → `adaptor` f32 [1, tokens, H],
   * and `labels` i64 [1, tokens] where `labels` says so.
   */
  graph: bundlePathSchema,
  /** The same for providers other than the CPU, where `graph` uses operators that only the CPU has. */
  deviceGraph: bundlePathSchema.optional(),
  hidden: z.number().int().positive(),
  stack: z.number().int().positive(),
  /** Tokens that sound becomes: so many a second, or a fixed number. */
  tokens: z
    .union([
      z.strictObject({ perSecond: z.number().positive() }),
      z.strictObject({ fixed: z.number().int().positive() }),
    ])
    .optional(),
  /** Whether the graph gives a CTC head's labels. */
  labels: z.boolean().default(true),
  /** `ctc-compress`: keep the tokens whose label is neither 0 (blank) nor the label before; `all`: keep every token. */
  selection: z.enum(['ctc-compress', 'all']),
  /** LLM token of label i+1, for reading what was heard. */
  ctcTokens: z.array(z.number().int().nonnegative()),
  /** Names of the matrices that the sound passes through, which the names of the graph's weights begin with. */
  matrices: z.array(z.string().min(1).max(500)).max(200).default([]),
  padding: paddingSchema,
});

const llmSchema = z.object({
  architecture: z.string(),
  from: sourceSchema,
  learnt: learntSchema,
  /** `input_ids` i64 [1, S] → `inputs_embeds` f32 [1, S, hidden]. */
  embedGraph: bundlePathSchema,
  /**
   * CPU, "rows": `inputs_embeds` f32 [1, S, hidden], `past_key_values.N.key|value` [1, kvHeads, capacity, headSize],
   * `seqlens_k` i32 [1] (= total − 1), `total_sequence_length` i32 scalar, `lora_scale` f32 scalar when `lora` is set
   * → `logits` f32 [1, 1, vocabulary] (last position), `rows` [2·layers, kvHeads, S, headSize]: new keys at 2N, new values at 2N+1.
   */
  rowsGraph: bundlePathSchema,
  /** Element type of the rows caches. int8 uses the scales baked into the graph. */
  rowsType: z.enum(['float32', 'int8']),
  /** Other providers: same inputs but past [1, kvHeads, P, headSize] → `logits`, `present.N.key|value` [1, kvHeads, P+S, headSize]. Plain operators where a provider lacks the fused ones. */
  deviceGraph: bundlePathSchema,
  layers: z.number().int().positive(),
  hidden: z.number().int().positive(),
  heads: z.number().int().positive(),
  kvHeads: z.number().int().positive(),
  headSize: z.number().int().positive(),
  vocabulary: z.number().int().positive(),
  contextLength: z.number().int().positive(),
  /** Null where the weights came without one: such an LLM can be probed with ids, not talked to. */
  tokenizer: bundlePathSchema.nullable(),
  bosToken: z.number().int().nonnegative().nullable(),
  eosTokens: z.array(z.number().int().nonnegative()),
  /** Layers that look back no further than a window of positions, for the memory they take. */
  slidingWindow: z
    .object({ positions: z.number().int().positive(), layers: z.number().int().nonnegative() })
    .nullable()
    .default(null),
  lora: z.object({ rank: z.number().int().positive(), scale: z.number() }).nullable(),
});

const whisperDecoderSchema = z.object({
  learnt: learntSchema,
  /** `encoder` f32 [1, T, d] → `cross.N.key|value` f32 [1, heads, T, headSize]. */
  crossGraph: bundlePathSchema,
  /**
   * `input_ids` i64 [1, S], `position` i64 [1] (of the first id), `past.N.key|value` f32 [1, heads, P, headSize],
   * `cross.N.key|value` → `logits` f32 [1, S, vocabulary], `present.N.key|value` [1, heads, P+S, headSize].
   */
  graph: bundlePathSchema,
  tokenizer: bundlePathSchema,
  layers: z.number().int().positive(),
  hidden: z.number().int().positive(),
  heads: z.number().int().positive(),
  vocabulary: z.number().int().positive(),
  maxTokens: z.number().int().positive(),
  tokens: z.object({
    startOfTranscript: z.number().int(),
    endOfText: z.number().int(),
    transcribe: z.number().int(),
    translate: z.number().int(),
    startOfPrevious: z.number().int(),
    noSpeech: z.number().int(),
    noTimestamps: z.number().int(),
    firstTimestamp: z.number().int(),
    /** ISO code → token. */
    languages: z.record(z.string(), z.number().int()),
    suppress: z.array(z.number().int()),
    suppressAtBegin: z.array(z.number().int()),
  }),
});

/** The parts that a bundle's files belong to. */
export const bundleParts = ['encoder', 'secondEncoder', 'whisper', 'adaptor', 'llm'] as const;
export type BundlePart = (typeof bundleParts)[number];

const bundleFileSchema = z.object({
  path: bundlePathSchema,
  /** Bundles of earlier builders do not say it. */
  part: z.enum(bundleParts).optional(),
  bytes: z.number().int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

export const figureSchema = z.object({
  metric: z.string(),
  set: z.string(),
  engine: z.enum(['speech-llm', 'cascade']),
  value: z.number(),
  unit: z.string(),
});

export const bundleIdSchema = z.string().regex(/^[a-z0-9][a-z0-9.-]{0,63}$/);

export const generationSchema = z.object({
  maxTokens: z.number().int().positive(),
  temperature: z.number().min(0),
  topP: z.number().gt(0).max(1),
  repetitionPenalty: z.number().min(1),
  /** Hypotheses kept side by side; 1 is plain sampling or greedy decoding. */
  beams: z.number().int().min(1).max(16).default(1),
});

/** Where a part's weights came from, and under which licence. */
export const provenanceSchema = z.object({
  file: z.string(),
  sha256: z.string(),
  source: z.string(),
  licence: z.string(),
});

export const bundleManifestSchema = z.object({
  manifest: z.literal(manifestVersion),
  /** `builderVersion` of the foundry that built it; bundles from before that number have none. */
  builder: z.number().int().positive().optional(),
  id: bundleIdSchema,
  name: z.string(),
  summary: z.string(),
  licence: z.string(),
  languages: z.array(z.string()),
  capabilities: z.array(z.enum(['chat', 'transcribe', 'translate-to-english', 'detect-language'])),
  /** The engine that measured better on recorded speech, by `figures`. */
  preferredEngine: z.enum(['speech-llm', 'cascade']),
  features: featureSettingsSchema.nullable(),
  encoder: encoderSchema.nullable(),
  secondEncoder: secondEncoderSchema.nullable().default(null),
  adaptor: adaptorSchema.nullable(),
  llm: llmSchema.nullable(),
  whisper: whisperDecoderSchema.nullable(),
  /** What the graphs of `deviceGraph` were made for; bundles of earlier builders do not say it. */
  target: z.enum(deviceTargets).optional(),
  prompt: z.object({
    /** Jinja. */
    chatTemplate: z.string(),
    /** Whose template it is: one that a recipe gives stays when the LLM is swapped, since the adaptor was trained with it. */
    templateOf: z.enum(['llm', 'recipe']).default('llm'),
    system: z.string(),
    /** What stands directly before and after the sound of a turn, special tokens read as such. */
    audio: z.object({ before: z.string(), after: z.string() }).default({ before: '', after: '' }),
    /**
     * Instruction put after the sound, by task, special tokens read as such: `transcribe`, `translate`, and `answer` for
     * questions (left out, the sound stands by itself). `text` stands before a question in words instead.
     */
    tasks: z.record(z.string(), z.string()),
  }),
  generation: generationSchema,
  figures: z.array(figureSchema),
  provenance: z.array(provenanceSchema),
  files: z.array(bundleFileSchema).min(1),
});
export type BundleManifest = z.infer<typeof bundleManifestSchema>;
