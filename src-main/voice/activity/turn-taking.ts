import type { TurnTakingPort } from '../../contract/index.ts';
import { listenForTurns } from './turn-listener.ts';
import { VoiceActivity, type VoiceActivityOptions } from './voice-activity.ts';

/** Turn taking by Silero VAD; nothing is loaded before the first stream. */
export function openTurnTaking(options: VoiceActivityOptions): TurnTakingPort {
  const activity = new VoiceActivity(options);
  return {
    listen: (listening) => listenForTurns(activity, listening),
    close: () => activity.close(),
  };
}
