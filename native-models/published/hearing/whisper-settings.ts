import { ModelError } from '../../errors.ts';
import type { WhisperLogMelSettings } from '../../features/feature-settings.ts';
import type { PreprocessorConfig } from '../schemas.ts';

/** Whisper's window: 30 s at 16 kHz. */
export const whisperWindow = 480_000;

/** Whisper's log-mel with as many bands as the folder says. Throws `not-supported` for others than 80 and 128. */
export function whisperSettings({ feature_size: mels = 128 }: PreprocessorConfig): WhisperLogMelSettings {
  if (mels !== 80 && mels !== 128)
    throw new ModelError(
      'not-supported',
      `preprocessor_config.json asks for ${mels} bands of Whisper's log-mel; 80 and 128 are known.`,
      'Use a model with one of these.',
    );
  return { kind: 'whisper-log-mel', sampleRate: 16000, fftSize: 400, hop: 160, mels };
}
