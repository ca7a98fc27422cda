import { stackedLogMel } from '../../features/stacked-log-mel.ts';
import type { Hearing, PublishedSettings } from './hearing.ts';

/** Its encoder looks at blocks of four seconds, and takes any length: this bounds the memory of one run. */
const windowSeconds = 120;

/** Granite Speech: pairs of frames, of which a window of 15 becomes 3 vectors. */
export function graniteSpeechHearing({ preprocessor }: PublishedSettings): Hearing {
  const mels = preprocessor.melspec_kwargs?.n_mels ?? 80;
  const settings = { kind: 'stacked-log-mel', sampleRate: 16000, mels } as const;
  const window = preprocessor.projector_window_size ?? 15;
  const perWindow = Math.floor(window / (preprocessor.projector_downsample_rate ?? 5));
  return {
    settings,
    order: 'frames-first',
    windowSamples: windowSeconds * 16_000,
    before: '',
    after: '',
    block: null,
    rate: { perSecond: (50 * perWindow) / window },
    prepare(samples) {
      const features = stackedLogMel(samples, settings);
      return { features, tokens: [Math.ceil(features.frames / window) * perWindow] };
    },
  };
}
