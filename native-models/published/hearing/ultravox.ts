import { logMel } from '../../features/whisper-log-mel.ts';
import type { Hearing, PublishedSettings } from './hearing.ts';
import { whisperSettings, whisperWindow } from './whisper-settings.ts';

/** Encoder frames of 20 ms. */
const frameSamples = 320;

/**
 * Ultravox: Whisper's features of the clip's own length, whole hops only (its Python processor fills the last hop). Graphs
 * exported before February 2025 give one vector more than the frames need; transformers.js counts on it, later ones lack it.
 */
export function ultravoxHearing({ config, preprocessor, processor }: PublishedSettings): Hearing {
  const settings = whisperSettings(preprocessor);
  const stack = processor.stack_factor ?? preprocessor.stack_factor ?? config.stack_factor ?? 8;
  const perFrame = processor.encoder_ds_factor ?? preprocessor.encoder_ds_factor ?? frameSamples;
  return {
    settings,
    order: 'bands-first',
    windowSamples: whisperWindow,
    before: '',
    after: '',
    block: null,
    rate: { perSecond: 16_000 / (perFrame * stack) },
    prepare(window) {
      const features = logMel(window, settings);
      const needed = Math.ceil(Math.round(window.length / perFrame + 1e-4) / stack);
      const least = Math.ceil(Math.ceil(features.frames / 2) / stack);
      return { features, tokens: [...new Set([needed + 1, needed, least + 1, least])] };
    },
  };
}
