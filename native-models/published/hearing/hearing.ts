import type { FeatureSettings } from '../../features/feature-settings.ts';
import type { Features } from '../../features/features.ts';
import type { PreprocessorConfig, ProcessorConfig, PublishedConfig, TokenizerConfig } from '../schemas.ts';

/** A stretch of a clip as the audio encoder reads it. */
export interface HeardWindow {
  readonly features: Features;
  /** Vectors that a graph of this family may make of it: exporters of different years count differently. */
  readonly tokens: readonly number[];
}

/** How a family of published models hears. */
export interface Hearing {
  readonly settings: FeatureSettings;
  /** Whether the encoder's input is [1, bands, frames] or [1, frames, bands]. */
  readonly order: 'bands-first' | 'frames-first';
  /** Samples that are heard at once; a longer clip is heard in windows. */
  readonly windowSamples: number;
  /** Text of the template directly before and after sound, special tokens read as such. */
  readonly before: string;
  readonly after: string;
  /** Vectors of a window that stands between `before` and `after` by itself; null where all windows of a clip stand together. */
  readonly block: number | null;
  /** Vectors of sound a second, or of a window however short. */
  readonly rate: { readonly perSecond: number } | { readonly fixed: number };
  /** Features of at most `windowSamples` at 16 kHz. Throws `shape-mismatch` on a clip shorter than a frame. */
  prepare(window: Float32Array): HeardWindow;
}

/** The JSON files of a folder, read and checked. */
export interface PublishedSettings {
  readonly config: PublishedConfig;
  readonly preprocessor: PreprocessorConfig;
  readonly processor: ProcessorConfig;
  readonly tokenizer: TokenizerConfig;
}
