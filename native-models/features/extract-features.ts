import type { FeatureSettings } from './feature-settings.ts';
import type { Features } from './features.ts';
import { kaldiFbank } from './kaldi-fbank.ts';
import { nemoLogMel } from './nemo-log-mel.ts';
import { stackedLogMel } from './stacked-log-mel.ts';
import { usmLogMel } from './usm-log-mel.ts';
import { logMel } from './whisper-log-mel.ts';

/**
 * Features of 16 kHz mono samples in −1…1, of the kind that an encoder was trained on. Throws `shape-mismatch` on a clip that is
 * shorter than one frame.
 */
export function extractFeatures(samples: Float32Array, settings: FeatureSettings): Features {
  switch (settings.kind) {
    case 'whisper-log-mel':
      return logMel(samples, settings);
    case 'kaldi-fbank':
      return kaldiFbank(samples, settings);
    case 'nemo-log-mel':
      return nemoLogMel(samples, settings);
    case 'stacked-log-mel':
      return stackedLogMel(samples, settings);
    case 'usm-log-mel':
      return usmLogMel(samples, settings);
  }
}
