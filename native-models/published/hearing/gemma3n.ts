import { usmLogMel } from '../../features/usm-log-mel.ts';
import type { TokenizerConfig } from '../schemas.ts';
import type { Hearing, PublishedSettings } from './hearing.ts';

/** Gemma 3n hears windows of up to 30 s, each as the same number of vectors between its own two tokens. */
export function gemma3nHearing({ config, preprocessor, processor, tokenizer }: PublishedSettings): Hearing {
  const settings = {
    kind: 'usm-log-mel',
    sampleRate: 16000,
    mels: preprocessor.feature_size ?? 128,
    preemphasis: preprocessor.preemphasis ?? 0.97,
    lowHertz: preprocessor.min_frequency ?? 125,
    highHertz: preprocessor.max_frequency ?? 7600,
    floor: preprocessor.mel_floor ?? 1e-5,
  } as const;
  const fixed = processor.audio_seq_length ?? config.audio_soft_tokens_per_image ?? 188;
  return {
    settings,
    order: 'frames-first',
    windowSamples: 480_000,
    before: `\n\n${named(tokenizer.boa_token, '<start_of_audio>')}`,
    after: `${named(tokenizer.eoa_token, '<end_of_audio>')}\n\n`,
    block: fixed,
    rate: { fixed },
    prepare: (window) => ({ features: usmLogMel(window, settings), tokens: [fixed] }),
  };
}

function named(token: TokenizerConfig['boa_token'], usual: string): string {
  return (typeof token === 'string' ? token : token?.content) ?? usual;
}
