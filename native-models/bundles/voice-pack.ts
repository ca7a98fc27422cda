import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { ModelError } from '../errors.ts';
import { bundleIdSchema, bundlePathSchema } from './manifest.ts';

const fileSchema = z.object({
  path: bundlePathSchema,
  bytes: z.number().int().positive(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});
export type VoiceFile = z.infer<typeof fileSchema>;

const voiceSchema = z.object({
  id: z.string().regex(/^[a-z0-9_]+$/),
  name: z.string(),
  /** BCP 47: the language and accent it was trained on. */
  language: z.string(),
  sex: z.enum(['woman', 'man']),
  /** The publisher's own, A to F; null where none was published. */
  grade: z.string().nullable(),
  /** Style vectors: float32 `[510, 256]`, a row for each number of phonemes. */
  file: fileSchema,
});
export type PackVoice = z.infer<typeof voiceSchema>;

/** `voices.json`: a speech synthesiser and its voices, as they lie in a folder. */
export const voicePackSchema = z.object({
  voicePack: z.literal(1),
  id: bundleIdSchema,
  name: z.string(),
  summary: z.string(),
  architecture: z.literal('kokoro'),
  licence: z.string(),
  /** Inputs `tokens` int64 `[1, n]`, `style` float32 `[1, 256]`, `speed` float32 `[1]`; output `audio` at 24 kHz. */
  model: fileSchema,
  defaultVoice: z.string(),
  voices: z.array(voiceSchema).min(1),
  provenance: z.array(
    z.object({ what: z.string(), publisher: z.string(), revision: z.string(), licence: z.string() }),
  ),
});
export type VoicePack = z.infer<typeof voicePackSchema>;

export const voicePackFile = 'voices.json';

/** Reads a pack's manifest. Throws ModelError: file-missing, bundle-invalid. */
export function readVoicePack(folder: string): VoicePack {
  const path = join(folder, voicePackFile);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new ModelError('file-missing', `There are no voices at ${folder}.`, 'Install them again.', {
      cause,
    });
  }
  try {
    return voicePackSchema.parse(JSON.parse(text));
  } catch (cause) {
    const message = `${path} is no manifest of a voice pack.`;
    throw new ModelError('bundle-invalid', message, 'Install the voices again.', { cause });
  }
}

/** Every file of a pack. */
export function filesOf(pack: VoicePack): VoiceFile[] {
  return [pack.model, ...pack.voices.map(({ file }) => file)];
}
