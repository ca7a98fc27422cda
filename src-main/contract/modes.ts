import { z } from 'zod';
import { engineNameSchema, idSchema } from './conversation.ts';

const modeFields = {
  name: z.string().trim().min(1).max(60),
  /** What the model is told before the conversation; empty leaves the bundle's own. */
  prompt: z.string().max(20_000),
  /** Null: what the settings say. */
  engine: engineNameSchema.nullable(),
  /** ISO 639-1 of what is spoken; null has it recognised. */
  language: z
    .string()
    .regex(/^[a-z]{2,3}$/)
    .nullable(),
  /** Name of the voice that reads answers; null is the settings' one. */
  voice: z.string().max(100).nullable(),
  /** Such as `Ctrl+Shift+1`; no two modes have the same. */
  hotkey: z.string().min(1).max(60).nullable(),
};

/** A way to talk: what the model is told, and who hears and reads. */
export const newModeSchema = z.object(modeFields);
export type NewMode = z.infer<typeof newModeSchema>;
export const modeSchema = newModeSchema.extend({ id: idSchema });
export type Mode = z.infer<typeof modeSchema>;
/** What a change leaves out keeps its value. */
export const modeChangeSchema = newModeSchema.partial().extend({ id: idSchema });
export type ModeChange = z.infer<typeof modeChangeSchema>;

/** Requests about modes. A conversation keeps the mode it is in; one whose mode is removed goes on without. */
export const modeRequests = {
  'modes.list': { input: z.object({}), output: z.array(modeSchema) },
  'modes.add': { input: newModeSchema, output: modeSchema },
  'modes.change': { input: modeChangeSchema, output: modeSchema },
  'modes.remove': { input: z.object({ id: idSchema }), output: z.object({}) },
} as const satisfies Record<string, { input: z.ZodType; output: z.ZodType }>;
