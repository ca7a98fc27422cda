import { join } from 'node:path';
import type { TurnTakingPort } from '../contract/index.ts';
import { openTurnTaking } from '../voice/activity/turn-taking.ts';
import { entryUrl, resourcesFolder } from './entries.ts';

/** Turn taking with the model that comes with the app. Nothing is loaded before the first stream. */
export function createTurnTaking(): TurnTakingPort {
  return openTurnTaking({
    model: join(resourcesFolder(), 'voice-activity', 'silero-vad-6.onnx'),
    workerUrl: entryUrl('voice-activity'),
  });
}
