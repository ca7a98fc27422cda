import { logMel } from '../../features/whisper-log-mel.ts';
import type { Hearing, PublishedSettings } from './hearing.ts';
import { whisperSettings, whisperWindow } from './whisper-settings.ts';

/** Voxtral: windows filled to 30 s; as many frames become one vector as the encoder's inner width holds of its outer. */
export function voxtralHearing({ config, preprocessor }: PublishedSettings): Hearing {
  const settings = whisperSettings(preprocessor);
  const windowSamples = preprocessor.n_samples ?? whisperWindow;
  const audio = config.audio_config ?? {};
  const hidden = audio.hidden_size ?? audio.d_model ?? 1280;
  const inner = audio.intermediate_size ?? audio.encoder_ffn_dim ?? 4 * hidden;
  const fixed = Math.floor(((audio.max_source_positions ?? 1500) * hidden) / inner);
  return {
    settings,
    order: 'bands-first',
    windowSamples,
    before: '[BEGIN_AUDIO]',
    after: '',
    block: null,
    rate: { fixed },
    prepare(window) {
      const filled = new Float32Array(windowSamples);
      filled.set(window);
      return { features: logMel(filled, settings), tokens: [fixed] };
    },
  };
}
