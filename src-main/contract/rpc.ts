import { z } from 'zod';
import {
  conversationSchema,
  engineNameSchema,
  idSchema,
  recordingSchema,
  turnSchema,
} from './conversation.ts';
import { askingFields, conversationRequests, submittedSchema } from './conversation-requests.ts';
import { deviceReportSchema, engineStatusSchema } from './engine.ts';
import { failureSchema } from './errors.ts';
import { bundleSummarySchema, modelProgressSchema } from './models.ts';
import { modeRequests, modeSchema } from './modes.ts';
import { sourceSchema } from './recall.ts';

const bytesSchema = z.instanceof(Uint8Array);

const settingFields = {
  theme: z.enum(['system', 'light', 'dark']),
  /** `measured`: the engine that the bundle's manifest names as the better measured one. */
  engine: z.union([z.literal('measured'), engineNameSchema]),
  device: z.enum(['auto', 'cuda', 'dml', 'coreml', 'webgpu', 'cpu']),
  /** Label of the chosen microphone; null is the system's default. */
  microphone: z.string().nullable(),
  panelOpen: z.boolean(),
  /** Conversations that nothing happened in for so many days are deleted, pinned ones apart; null keeps them for ever. */
  keepDays: z.number().int().min(1).max(3650).nullable(),
};
export const settingsSchema = z.object({
  theme: settingFields.theme.default('system'),
  engine: settingFields.engine.default('measured'),
  device: settingFields.device.default('auto'),
  microphone: settingFields.microphone.default(null),
  panelOpen: settingFields.panelOpen.default(true),
  keepDays: settingFields.keepDays.default(null),
});
/** Has no defaults: what a change leaves out keeps its value. */
export const settingsChangeSchema = z.object(settingFields).partial();
export type SettingsChange = z.infer<typeof settingsChangeSchema>;
export type Settings = z.infer<typeof settingsSchema>;

const appInfoSchema = z.object({
  version: z.string(),
  mode: z.enum(['desktop', 'browser']),
  platform: z.string(),
  /** The bundle that answers; null when none is installed. */
  bundle: bundleSummarySchema.nullable(),
  settings: settingsSchema,
  engine: engineStatusSchema,
});
export type AppInfo = z.infer<typeof appInfoSchema>;

/** Every request the screen can make: what it sends, and what it gets back. */
export const requests = {
  'app.info': { input: z.object({}), output: appInfoSchema },
  'settings.update': { input: settingsChangeSchema, output: settingsSchema },
  ...conversationRequests,
  ...modeRequests,
  'recordings.start': { input: z.object({ conversationId: idSchema.nullable() }), output: recordingSchema },
  /** Little-endian 16-bit samples at 16 kHz; on disk when the reply comes. */
  'recordings.append': {
    input: z.object({ id: idSchema, pcm: bytesSchema }),
    output: z.object({ seconds: z.number() }),
  },
  'recordings.send': {
    input: z.object({ id: idSchema, ...askingFields }),
    output: submittedSchema,
  },
  'recordings.discard': { input: z.object({ id: idSchema }), output: z.object({}) },
  /** Recordings that the app was stopped in the middle of. */
  'recordings.unsent': { input: z.object({}), output: z.array(recordingSchema) },
  'models.list': { input: z.object({}), output: z.array(bundleSummarySchema) },
  'models.pull': { input: z.object({ id: z.string() }), output: bundleSummarySchema },
  'devices.report': {
    input: z.object({ again: z.boolean().default(false) }),
    output: z.array(deviceReportSchema),
  },
} as const satisfies Record<string, { input: z.ZodType; output: z.ZodType }>;

export type RequestName = keyof typeof requests;
/** What a caller passes (defaults may be left out). */
export type RequestInput<N extends RequestName> = z.input<(typeof requests)[N]['input']>;
/** What a handler receives (defaults filled in). */
export type RequestParsed<N extends RequestName> = z.output<(typeof requests)[N]['input']>;
export type RequestOutput<N extends RequestName> = z.output<(typeof requests)[N]['output']>;
export type Handlers = { [N in RequestName]: (input: RequestParsed<N>) => Promise<RequestOutput<N>> };

/** What the main process tells every screen. */
export const eventSchema = z.discriminatedUnion('event', [
  z.object({ event: z.literal('turn.created'), turn: turnSchema }),
  z.object({
    event: z.literal('turn.phase'),
    turnId: idSchema,
    phase: z.enum(['loading', 'hearing', 'thinking', 'writing']),
  }),
  /** `length` is the answer's length in UTF-16 units before this piece, so a screen that missed one can tell. */
  z.object({ event: z.literal('turn.token'), turnId: idSchema, length: z.number().int(), text: z.string() }),
  /** The turn changed: finished, stopped, interrupted, failed, or its words became known. */
  z.object({ event: z.literal('turn.updated'), turn: turnSchema }),
  /** What an answer was given to read from earlier conversations. */
  z.object({ event: z.literal('turn.sources'), turnId: idSchema, sources: z.array(sourceSchema) }),
  /** Turns that are no more, in whatever order. */
  z.object({ event: z.literal('turns.deleted'), conversationId: idSchema, ids: z.array(idSchema) }),
  /** Another branch is shown: the ids of the turns that are shown among their siblings. */
  z.object({ event: z.literal('branch.chosen'), conversationId: idSchema, chosen: z.array(idSchema) }),
  z.object({ event: z.literal('conversation.updated'), conversation: conversationSchema }),
  z.object({ event: z.literal('conversation.deleted'), id: idSchema }),
  z.object({ event: z.literal('modes.updated'), modes: z.array(modeSchema) }),
  z.object({ event: z.literal('engine.status'), status: engineStatusSchema }),
  z.object({ event: z.literal('model.progress'), progress: modelProgressSchema }),
  z.object({ event: z.literal('settings.updated'), settings: settingsSchema }),
]);
export type AppEvent = z.infer<typeof eventSchema>;

/** Screen to main. */
export const callSchema = z.object({
  id: z.number().int().nonnegative(),
  method: z.string(),
  input: z.unknown(),
});
export type Call = z.infer<typeof callSchema>;
/** Main to screen: the reply to a call, or an event. */
export const messageSchema = z.union([
  z.object({ id: z.number().int(), output: z.unknown() }),
  z.object({ id: z.number().int(), failure: failureSchema }),
  eventSchema,
]);
export type Message = z.infer<typeof messageSchema>;
